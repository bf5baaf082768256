//! What has to be done so that what is found becomes what is wanted. Pure.

use std::{fmt, time::Duration};

use serde_json::Value as Json;

use super::{
    Config, SetupError, VERSION,
    found::{Abilities, Found, Target},
    object::{Difference, Kind, MANAGED_BY, Mark, Object, differences, hash, leaves},
    wanted::{Wanted, stream_lifecycle, time_value},
};
use crate::elasticsearch::cluster::Server;

/// Differences shown of one object; the rest is counted.
const SHOWN_MAX: usize = 12;

/// What set-up would do, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server it is for.
    pub server: Server,
    /// The data stream it is for.
    pub data_stream: String,
    /// Each object with what happens to it.
    pub steps: Vec<Step>,
    /// Whether the data stream begins a new index at the end, so that new documents get what changed.
    pub roll_over: bool,
    /// What happens to the lifecycle of a data stream that exists, where the server has such.
    pub stream_lifecycle: StreamLifecycle,
    /// Who deletes what is too old.
    pub retention: Retention,
    /// Whether the server has no lifecycle, so that this program begins new indexes by itself.
    pub own_rollover: bool,
}

/// One object with what happens to it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What sort of object it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What happens to it.
    pub action: Action,
    pub(super) object: Object,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is absent and gets created.
    Create,
    /// It is as this program left it and gets what is new.
    Update {
        /// The version that wrote it.
        from: u64,
        /// What changes.
        differences: Vec<Difference>,
    },
    /// It is as wanted.
    Unchanged,
    /// Somebody changed it since this program wrote it: it is left alone.
    Kept {
        /// How it differs from what this program would write.
        differences: Vec<Difference>,
    },
    /// A newer version of this program wrote it: it is left alone.
    Newer {
        /// That version.
        version: u64,
    },
}

/// What happens to the lifecycle of an existing data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamLifecycle {
    /// It is as wanted, or there is none to care for.
    Unchanged,
    /// It gets the wanted retention.
    Set,
    /// Somebody gave it another retention: it is left alone.
    Kept {
        /// The retention found.
        found: String,
    },
}

/// Who deletes what is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Nobody: no retention is set.
    Forever,
    /// The server, by an ILM policy.
    Policy(Duration),
    /// The server, by the lifecycle of the data stream.
    Stream(Duration),
    /// This program: the server has neither.
    Own(Duration),
}

/// Why set-up refuses to touch anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// An index has the name.
    Index,
    /// An alias has the name.
    Alias {
        /// What it stands for.
        indexes: Vec<String>,
    },
    /// The data stream's present index maps fields in another way, and is not ours.
    Mappings {
        /// The fields.
        differences: Vec<Difference>,
    },
    /// Somebody else's object has a name that is needed.
    Object {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// Another index template would win.
    Template {
        /// Its name.
        name: String,
        /// Its pattern that matches.
        pattern: String,
        /// Its priority.
        priority: i64,
        /// The priority of ours.
        ours: i64,
    },
}

/// Compares what is found with what the configuration wants.
pub(super) fn decide(config: &Config, found: &Found) -> Result<Plan, SetupError> {
    let wanted = Wanted::new(config, found.abilities)?;
    let mut refusals = refused_target(&found.target, &wanted);
    refusals.extend(refused_templates(config, found, &wanted));
    let mut steps = vec![];
    for object in &wanted.objects {
        match action(object, found) {
            Some(action) => {
                let (kind, name) = (object.kind, object.name.clone());
                steps.push(Step { kind, name, action, object: object.clone() });
            }
            None => refusals.push(Refusal::Object { kind: object.kind, name: object.name.clone() }),
        }
    }
    if !refusals.is_empty() {
        return Err(SetupError::Refused { data_stream: config.data_stream.clone(), refusals });
    }
    Ok(Plan {
        server: found.server,
        data_stream: config.data_stream.clone(),
        roll_over: rolls_over(&steps, found, &wanted),
        stream_lifecycle: lifecycle_of_stream(config, found),
        retention: retention(config.retention, found.abilities),
        own_rollover: !found.abilities.policies && !found.abilities.stream_lifecycles,
        steps,
    })
}

/// None when the object is somebody else's.
fn action(object: &Object, found: &Found) -> Option<Action> {
    let Some((body, mark)) = found.object(object.kind, &object.name) else { return Some(Action::Create) };
    if object.operators {
        return Some(Action::Unchanged);
    }
    let differences = differences(object.kind, body, &object.body);
    let Some(Mark { version, wanted, stored }) = mark else {
        // Written by hand from the same files: from now on it is cared for.
        return differences.is_empty().then_some(Action::Update { from: 0, differences });
    };
    Some(if version > VERSION {
        Action::Newer { version }
    } else if differences.is_empty() && version == VERSION {
        Action::Unchanged
    } else if stored != hash(object.kind, body) && !differences.is_empty() {
        Action::Kept { differences }
    } else if version == VERSION && wanted == hash(object.kind, &object.body) {
        Action::Unchanged
    } else {
        Action::Update { from: version, differences }
    })
}

fn refused_target(target: &Target, wanted: &Wanted) -> Vec<Refusal> {
    match target {
        Target::Absent => vec![],
        Target::Index => vec![Refusal::Index],
        Target::Alias { indexes } => vec![Refusal::Alias { indexes: indexes.clone() }],
        Target::Stream { mappings, .. } if is_ours(mappings) => vec![],
        Target::Stream { mappings, .. } => {
            let differences = conflicts(mappings, wanted.mappings());
            if differences.is_empty() { vec![] } else { vec![Refusal::Mappings { differences }] }
        }
    }
}

fn is_ours(mappings: &Json) -> bool {
    mappings["_meta"]["managed_by"] == MANAGED_BY
}

/// The fields that both map, and differently: by type or by analyzer.
fn conflicts(found: &Json, wanted: &Json) -> Vec<Difference> {
    let body = |mappings: &Json| serde_json::json!({"template": {"mappings": {"properties": mappings["properties"]}}});
    let (found, wanted) = (leaves(Kind::Component, &body(found)), leaves(Kind::Component, &body(wanted)));
    let mut differences = vec![];
    for (path, wanted) in &wanted {
        let Some((field, "type" | "analyzer")) = path.rsplit_once('.') else { continue };
        // A field without a type here may be an object there.
        let is_mapped =
            found.keys().any(|other| other.strip_prefix(field).is_some_and(|rest| rest.starts_with('.')));
        let found = found.get(path);
        if is_mapped && found != Some(wanted) {
            let path = path.trim_start_matches("mappings.").trim_start_matches("properties.");
            differences.push(Difference {
                path: path.replace(".properties.", "."),
                found: found.cloned(),
                wanted: Some(wanted.clone()),
            });
        }
    }
    differences
}

fn refused_templates<'f>(
    config: &'f Config,
    found: &'f Found,
    wanted: &Wanted,
) -> impl Iterator<Item = Refusal> + use<'f> {
    let ours = wanted.priority;
    found.others.iter().filter_map(move |(name, body)| {
        let priority = body["priority"].as_i64().unwrap_or_default();
        let mut patterns = body["index_patterns"].as_array().into_iter().flatten().filter_map(Json::as_str);
        let pattern = patterns.find(|pattern| matches(pattern, &config.data_stream))?;
        (priority >= ours).then(|| Refusal::Template {
            name: name.clone(),
            pattern: pattern.to_owned(),
            priority,
            ours,
        })
    })
}

/// Whether an index pattern (`*` stands for anything) matches a name.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|left| {
            left.char_indices().map(|(at, _)| &left[at..]).chain([""]).any(|left| matches(rest, left))
        }),
    }
}

/// Whether the present index lacks what a new one would get.
fn rolls_over(steps: &[Step], found: &Found, wanted: &Wanted) -> bool {
    let Target::Stream { mappings, .. } = &found.target else { return false };
    let mut components = steps.iter().filter(|step| step.kind == Kind::Component && !step.object.operators);
    let is_left = |step: &Step| matches!(step.action, Action::Kept { .. } | Action::Newer { .. });
    let carries = |step: &Step| step.object.body["template"]["mappings"].is_object();
    // The hash travels in the mappings; where those are the operator's, it says nothing.
    if components.clone().any(|step| carries(step) && is_left(step)) {
        components.any(|step| matches!(step.action, Action::Create | Action::Update { .. }))
    } else {
        mappings["_meta"]["content"] != wanted.content.as_str()
    }
}

fn lifecycle_of_stream(config: &Config, found: &Found) -> StreamLifecycle {
    let Target::Stream { lifecycle, .. } = &found.target else { return StreamLifecycle::Unchanged };
    if found.abilities.policies || !found.abilities.stream_lifecycles {
        return StreamLifecycle::Unchanged;
    }
    let retention = |lifecycle: &Json| lifecycle["data_retention"].as_str().map(str::to_owned);
    let wanted = retention(&stream_lifecycle(config.retention));
    let Some(lifecycle) = lifecycle else { return StreamLifecycle::Set };
    let present = retention(lifecycle);
    if present == wanted && lifecycle["enabled"] != false {
        return StreamLifecycle::Unchanged;
    }
    // What the component template said up to now is what this program gave the data stream.
    let name = format!("{}@lifecycle", config.data_stream);
    match found.object(Kind::Component, &name) {
        Some((body, Some(_))) if retention(&body["template"]["lifecycle"]) == present => StreamLifecycle::Set,
        _ => StreamLifecycle::Kept { found: present.unwrap_or_else(|| "no retention".to_owned()) },
    }
}

fn retention(retention: Option<Duration>, abilities: Abilities) -> Retention {
    match retention {
        None => Retention::Forever,
        Some(retention) if abilities.policies => Retention::Policy(retention),
        Some(retention) if abilities.stream_lifecycles => Retention::Stream(retention),
        Some(retention) => Retention::Own(retention),
    }
}

impl Plan {
    /// Whether applying it would change nothing.
    pub fn is_empty(&self) -> bool {
        !self.roll_over
            && self.stream_lifecycle != StreamLifecycle::Set
            && !self.steps.iter().any(|step| step.action.writes())
    }

    /// Whether something was left alone because somebody changed it.
    pub fn has_kept(&self) -> bool {
        matches!(self.stream_lifecycle, StreamLifecycle::Kept { .. })
            || self.steps.iter().any(|step| matches!(step.action, Action::Kept { .. }))
    }
}

impl Action {
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Create | Self::Update { .. })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, data stream {}, set-up version {VERSION}", self.server, self.data_stream)?;
        for step in &self.steps {
            write!(f, "{step}")?;
        }
        if self.roll_over {
            writeln!(
                f,
                "roll over  data stream         {}: new documents get what changed",
                self.data_stream
            )?;
        }
        match &self.stream_lifecycle {
            StreamLifecycle::Unchanged => {}
            StreamLifecycle::Set => {
                writeln!(f, "update     lifecycle of the data stream {}", self.data_stream)?;
            }
            StreamLifecycle::Kept { found } => writeln!(
                f,
                "keep       lifecycle of the data stream {}: somebody set {found}; to have the setting's, \
                 delete that lifecycle and run this again",
                self.data_stream
            )?,
        }
        writeln!(f, "{}", self.retention)?;
        if self.own_rollover {
            writeln!(
                f,
                "rollover: by Log Sentinel itself while a collector runs (LOG_SENTINEL_ELASTIC_ROLLOVER_AGE, \
                 _DOCUMENTS, _BYTES); an index goes whole, once its youngest event is older than the retention"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (self.kind, &self.name);
        match &self.action {
            Action::Create => writeln!(f, "create     {kind:<18}  {name}"),
            Action::Unchanged => writeln!(f, "unchanged  {kind:<18}  {name}"),
            Action::Update { from: 0, .. } => writeln!(f, "adopt      {kind:<18}  {name}"),
            Action::Update { from, differences } => {
                writeln!(f, "update     {kind:<18}  {name} (version {from} to {VERSION})")?;
                write_differences(f, differences)
            }
            Action::Kept { differences } => {
                let stream = name.split('@').next().unwrap_or(name);
                writeln!(
                    f,
                    "keep       {kind:<18}  {name}: changed since it was written, so it is left alone"
                )?;
                write_differences(f, differences)?;
                let own = match self.kind {
                    Kind::Policy => "to have your own policy, name it as index.lifecycle.name in",
                    Kind::Component | Kind::Template => "put your own additions into",
                };
                writeln!(
                    f,
                    "             {own} the component template {stream}@custom; to have this one as \
                     delivered, undo the change and run this again"
                )
            }
            Action::Newer { version } => {
                writeln!(
                    f,
                    "keep       {kind:<18}  {name}: written by version {version}, which is newer than {VERSION}"
                )
            }
        }
    }
}

fn write_differences(f: &mut fmt::Formatter<'_>, differences: &[Difference]) -> fmt::Result {
    for difference in differences.iter().take(SHOWN_MAX) {
        writeln!(f, "             {difference}")?;
    }
    if differences.len() > SHOWN_MAX {
        writeln!(f, "             and {} more", differences.len() - SHOWN_MAX)?;
    }
    Ok(())
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Forever => f.write_str("retention: none, nothing is deleted; set LOG_SENTINEL_RETENTION"),
            Self::Policy(age) => {
                write!(f, "retention: {}, by the server's lifecycle policy", time_value(age))
            }
            Self::Stream(age) => {
                write!(f, "retention: {}, by the lifecycle of the data stream", time_value(age))
            }
            Self::Own(age) => write!(
                f,
                "retention: {}, by Log Sentinel itself (LOG_SENTINEL_RETENTION): this server has neither ILM \
                 nor data stream lifecycle",
                time_value(age)
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index => f.write_str(
                "an index of that name exists, and it is no data stream; set ELASTIC_INDEX to another name, \
                 or reindex it elsewhere and delete it",
            ),
            Self::Alias { indexes } => write!(
                f,
                "an alias of that name exists, for {}; set ELASTIC_INDEX to another name, or remove the alias",
                indexes.join(", ")
            ),
            Self::Mappings { differences } => {
                f.write_str("the data stream exists with foreign mappings (")?;
                for (at, difference) in differences.iter().take(SHOWN_MAX).enumerate() {
                    write!(f, "{}{difference}", if at == 0 { "" } else { "; " })?;
                }
                if differences.len() > SHOWN_MAX {
                    write!(f, "; and {} more", differences.len() - SHOWN_MAX)?;
                }
                f.write_str("); set ELASTIC_INDEX to another name, or delete that data stream")
            }
            Self::Object { kind, name } => write!(
                f,
                "{kind} {name} exists and was not written by Log Sentinel; set ELASTIC_INDEX to another name, \
                 or delete that template or policy"
            ),
            Self::Template { name, pattern, priority, ours } => write!(
                f,
                "index template {name} (pattern {pattern}, priority {priority}) would win over ours (priority \
                 {ours}); set ELASTIC_INDEX to a name that it does not match, or give it a lower priority"
            ),
        }
    }
}
