//! What this program wants on the server: the files of `infra/elastic/`, fitted to the settings and
//! to what the server can do.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{
    Config, SetupError, VERSION,
    found::Abilities,
    object::{Kind, MANAGED_BY, Object, hash},
};

const INDEX_TEMPLATE: &str = include_str!("../../../../../infra/elastic/index-template.json");
const LIFECYCLE: &str = include_str!("../../../../../infra/elastic/lifecycle.json");
const MAPPINGS: &str = include_str!("../../../../../infra/elastic/mappings.json");
const MAPPINGS_OPENSEARCH: &str = include_str!("../../../../../infra/elastic/mappings-opensearch.json");
const MAPPINGS_WITHOUT_TOKENIZER: &str =
    include_str!("../../../../../infra/elastic/mappings-without-tokenizer.json");
const SETTINGS: &str = include_str!("../../../../../infra/elastic/settings.json");

/// The name that stands in the files.
const FILED_NAME: &str = "logs-sentinel";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// An index is closed at the latest after this.
const ROLLOVER_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Into how many indexes the time of the retention is cut, so that little is kept beyond it.
const ROLLOVERS_PER_RETENTION: u32 = 10;

/// Everything wanted, in the order in which it has to be written.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) objects: Vec<Object>,
    /// Hash of all that a new index takes over. It stands in the index's mappings, too, so that one
    /// can see whether the present index has it.
    pub(super) content: String,
    /// The priority of the index template.
    pub(super) priority: i64,
}

impl Wanted {
    pub(super) fn new(config: &Config, abilities: Abilities) -> Result<Self, SetupError> {
        let stream = &config.data_stream;
        let named = |part: &str| format!("{stream}@{part}");
        let mut mapped = mapped(abilities)?;
        let settings = settings(config)?;
        let lifecycle = lifecycle_component(config, abilities);
        let content = hash(
            Kind::Component,
            &json!({"template": {
                "mappings": [mapped, settings, lifecycle],
            }}),
        );
        mapped["mappings"]["_meta"] =
            json!({"managed_by": MANAGED_BY, "version": VERSION, "content": content});
        let component = |part: &str, template: Json| {
            Object::new(Kind::Component, named(part), json!({"template": template}))
        };
        let mut objects = vec![];
        if abilities.policies {
            let policy = policy(config.retention)?;
            objects.push(Object::new(Kind::Policy, stream.clone(), policy));
        }
        if !abilities.ignores_missing {
            objects.push(Object { operators: true, ..component("custom", json!({})) });
        }
        objects.push(component("mappings", mapped));
        objects.push(component("settings", json!({"settings": settings})));
        let has_lifecycle = lifecycle.is_some();
        objects.extend(lifecycle.map(|template| component("lifecycle", template)));
        let template = index_template(config, abilities, has_lifecycle)?;
        let priority = template["priority"].as_i64().unwrap_or_default();
        objects.push(Object::new(Kind::Template, stream.clone(), template));
        Ok(Self { objects, content, priority })
    }

    /// What the mappings of a new index will be.
    pub(super) fn mappings(&self) -> &Json {
        let mut bodies = self.objects.iter().map(|object| &object.body["template"]["mappings"]);
        bodies.find(|mappings| mappings.is_object()).unwrap_or(&Json::Null)
    }
}

fn parsed(file: &'static str, text: &str) -> Result<Json, SetupError> {
    serde_json::from_str(text).map_err(|source| SetupError::File { file, source })
}

/// Mappings, and the settings that a server needs to check them.
fn mapped(abilities: Abilities) -> Result<Json, SetupError> {
    let mut mapped = if abilities.opensearch {
        parsed("mappings-opensearch.json", MAPPINGS_OPENSEARCH)?
    } else {
        parsed("mappings.json", MAPPINGS)?
    };
    if !abilities.tokenizer {
        let mut over = parsed("mappings-without-tokenizer.json", MAPPINGS_WITHOUT_TOKENIZER)?;
        mapped["settings"] = over["settings"].take();
        lay_over(&mut mapped["mappings"], over["mappings"].take());
    }
    Ok(mapped)
}

/// Merges mappings: a field takes the place of the one at the same path, and so does all else.
fn lay_over(under: &mut Json, over: Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) if !over.contains_key("type") => {
            for (key, over) in over {
                lay_over(under.entry(key).or_insert(Json::Null), over);
            }
        }
        (under, over) => *under = over,
    }
}

/// The index settings below `index`, with the numbers of shards and replicas.
fn settings(config: &Config) -> Result<Json, SetupError> {
    let mut file = parsed("settings.json", SETTINGS)?;
    let index = &mut file["index"];
    if let Some(shards) = config.shards {
        index["number_of_shards"] = json!(shards);
    }
    if let Some(object) = index.as_object_mut() {
        match config.replicas {
            Some(replicas) => {
                object.remove("auto_expand_replicas");
                object.insert("number_of_replicas".to_owned(), json!(replicas));
            }
            // A single node stays green, and further nodes get a copy.
            None if !object.contains_key("number_of_replicas") => {
                object.insert("auto_expand_replicas".to_owned(), json!("0-1"));
            }
            None => {}
        }
    }
    Ok(file)
}

fn index_template(config: &Config, abilities: Abilities, has_lifecycle: bool) -> Result<Json, SetupError> {
    let mut template = parsed("index-template.json", INDEX_TEMPLATE)?;
    let stream = &config.data_stream;
    template["index_patterns"] = json!([stream]);
    let parts: Vec<String> = template["composed_of"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .filter(|part| has_lifecycle || !part.ends_with("@lifecycle"))
        .map(|part| part.replacen(FILED_NAME, stream, 1))
        .collect();
    template["composed_of"] = json!(parts);
    if abilities.ignores_missing {
        template["ignore_missing_component_templates"] = json!([format!("{stream}@custom")]);
    }
    if !abilities.opensearch {
        // Also where the cluster forbids indexes to come into being by themselves.
        template["allow_auto_create"] = json!(true);
    }
    Ok(template)
}

/// What binds an index to its lifecycle, where the server has one.
fn lifecycle_component(config: &Config, abilities: Abilities) -> Option<Json> {
    if abilities.policies {
        Some(json!({"settings": {"index": {"lifecycle": {"name": config.data_stream}}}}))
    } else if abilities.stream_lifecycles {
        Some(json!({"lifecycle": stream_lifecycle(config.retention)}))
    } else {
        None
    }
}

/// The lifecycle of a data stream.
pub(super) fn stream_lifecycle(retention: Option<Duration>) -> Json {
    match retention {
        Some(retention) => json!({"data_retention": time_value(retention)}),
        None => json!({}),
    }
}

fn policy(retention: Option<Duration>) -> Result<Json, SetupError> {
    let mut file = parsed("lifecycle.json", LIFECYCLE)?;
    let phases = &mut file["policy"]["phases"];
    let max_age = match retention {
        Some(retention) => whole_days(retention / ROLLOVERS_PER_RETENTION).clamp(HOUR, ROLLOVER_AGE_MAX),
        None => ROLLOVER_AGE_MAX,
    };
    phases["hot"]["actions"]["rollover"]["max_age"] = json!(time_value(max_age));
    match retention {
        Some(retention) => phases["delete"]["min_age"] = json!(time_value(retention)),
        None => {
            if let Some(phases) = phases.as_object_mut() {
                phases.remove("delete");
            }
        }
    }
    Ok(file)
}

/// Down to whole days, or hours where it is less than one.
fn whole_days(duration: Duration) -> Duration {
    let unit = if duration >= DAY { DAY } else { HOUR };
    Duration::from_secs(duration.as_secs() / unit.as_secs() * unit.as_secs())
}

/// A duration in the largest unit that says it exactly: `30d`, `36h`, `90m`, `1s`.
pub(super) fn time_value(duration: Duration) -> String {
    let seconds = duration.as_secs().max(1);
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds.is_multiple_of(length) {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}
