//! Who is told of which alert, when, and together with what.

use std::{collections::BTreeMap, time::Duration};

use event::Timestamp;
use finding::{EntityType, Level};
use serde_json::{Value as Json, json};

use super::{
    channels,
    condition::{Condition, level},
    fields::{Fields, Problems},
    hours::{Digest, Hours},
    problem::{RouteProblem, suggestion},
    yaml,
};
use crate::{channel::ChannelConfig, message::Telling};

/// The most routes, silences, and inhibitions of one file, of each.
pub(crate) const ENTRIES_MAX: usize = 1000;
/// The most channels, each of which has a task.
const CHANNELS_MAX: usize = 100;
/// Alerts are repeated no more often.
const REPEAT_MIN: Duration = Duration::from_secs(60);

/// What alerts of one kind of route have in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) name: String,
    condition: Condition,
    pub(super) to: Vec<String>,
    /// Whether it leads to every channel that there is.
    pub(super) is_for_all: bool,
    /// As it is said in the file.
    pub(super) said: Json,
    goes_on: bool,
    group: Option<Group>,
    quiet: Option<Quiet>,
    digest: Option<Digest>,
    pub(crate) repeat: Option<Duration>,
    pub(crate) escalate: Option<Escalation>,
}

/// Alerts that are alike in these are told together when they come within the window.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    by: Vec<Trait>,
    window: Duration,
}

/// Something in which alerts can be alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trait {
    Severity,
    Kind,
    Organization,
    Entity(EntityType),
}

/// Hours in which only grave alerts are told at once.
#[derive(Debug, Clone, PartialEq)]
struct Quiet {
    hours: Hours,
    except: Level,
}

/// Who is told as well when nobody has acknowledged an alert for so long.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Escalation {
    pub(crate) after: Duration,
    pub(crate) to: Vec<String>,
}

/// While an alert is open that `when` holds of, those that `silences` holds of and that are alike in `same` are told
/// to nobody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inhibition {
    when: Condition,
    silences: Condition,
    same: Vec<Trait>,
}

/// Nobody is told of alerts that `condition` holds of, until then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Silence {
    pub(super) condition: Condition,
    pub(super) until: Timestamp,
    pub(super) reason: String,
    /// As it is said where it was made.
    pub(super) said: Json,
}

/// Channels, and who is told what over them.
#[derive(Debug, Clone, PartialEq)]
pub struct Routes {
    pub(super) channels: BTreeMap<String, ChannelConfig>,
    pub(crate) routes: Vec<Route>,
    inhibitions: Vec<Inhibition>,
    pub(super) silences: Vec<Silence>,
}

/// Something to hand to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The channel.
    pub channel: String,
    /// The route that led there.
    pub route: String,
    /// When it goes out at the earliest.
    pub due: Timestamp,
    /// What goes out over the channel with the same text here is one message.
    pub group: Option<String>,
}

/// What becomes of an alert, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Who is told.
    pub planned: Vec<Planned>,
    /// One sentence for each route, silence and inhibition that had a say.
    pub reasons: Vec<String>,
}

impl Routes {
    /// Without a file: every alert of severity medium and above goes to each of these channels.
    pub fn everything(channels: Vec<ChannelConfig>) -> Self {
        let channels: BTreeMap<_, _> =
            channels.into_iter().map(|channel| (channel.name.clone(), channel)).collect();
        let routes = vec![default_route(channels.keys().cloned().collect())];
        Self { channels, routes, inhibitions: default_inhibitions(), silences: vec![] }
    }

    /// Every alert of whatever severity goes to this channel, and none holds another one back: whoever is told decides
    /// what becomes of them.
    pub fn forwarding(channel: ChannelConfig) -> Self {
        let to = vec![channel.name.clone()];
        let route = Route { condition: condition_of("severity: [info+]"), to, ..route_named("forward") };
        let channels = BTreeMap::from([(channel.name.clone(), channel)]);
        Self { channels, routes: vec![route], inhibitions: vec![], silences: vec![] }
    }

    /// Reads a file of routes. `channels` are those that the environment set up.
    ///
    /// # Errors
    /// With everything that is wrong with the file, in order.
    pub fn read(yaml: &str, channels: Vec<ChannelConfig>) -> Result<Self, Vec<RouteProblem>> {
        let document = yaml::document(yaml).map_err(|problem| vec![problem])?;
        let problems = Problems::default();
        let top = Fields::new(&document, "", &problems);
        let mut routes = Self::everything(channels);
        for (name, node) in top.map("channels") {
            let fields = Fields::new(node, format!("channels.{name}"), &problems);
            channels::read(&name, fields, &mut routes.channels);
        }
        if routes.channels.len() > CHANNELS_MAX {
            top.wrong(
                "channels",
                format!("there are {}, and {CHANNELS_MAX} are the most", routes.channels.len()),
            );
        }
        let names: Vec<&str> = routes.channels.keys().map(String::as_str).collect();
        routes.routes = match top.node("routes") {
            None => vec![default_route(routes.channels.keys().cloned().collect())],
            Some(_) => read_routes(&top, &names),
        };
        if top.node("inhibit").is_some() {
            routes.inhibitions = bounded(&top, "inhibit").into_iter().map(inhibition).collect();
        }
        routes.silences = bounded(&top, "silences").into_iter().map(silence).collect();
        for (name, node) in top.map("channels") {
            let fields = Fields::new(node, format!("channels.{name}"), &problems);
            if let Some(fallback) = routes.channels.get(&name).and_then(|channel| channel.fallback.as_deref())
            {
                let others: Vec<&str> = names.iter().copied().filter(|other| *other != name).collect();
                nowhere(fallback, &others).into_iter().for_each(|reason| fields.wrong("fallback", reason));
            }
        }
        top.finish();
        let mut problems = problems.into_inner();
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(routes) } else { Err(problems) }
    }

    /// The channels.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelConfig> {
        self.channels.values()
    }

    /// A channel by its name.
    pub fn channel(&self, name: &str) -> Option<&ChannelConfig> {
        self.channels.get(name)
    }

    /// Who is told when this channel does not deliver.
    pub(crate) fn fallback(&self, name: &str) -> Option<&str> {
        let set = self.channels.get(name).and_then(|channel| channel.fallback.as_deref());
        let other = || self.channels.keys().map(String::as_str).find(|other| *other != name);
        set.filter(|fallback| self.channels.contains_key(*fallback)).or_else(other)
    }

    pub(crate) fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// Whether a route asks for alerts of this severity by name, so that they are kept although they are below
    /// medium.
    pub(crate) fn wants(&self, alert: &Telling, now: Timestamp) -> bool {
        self.routes
            .iter()
            .any(|route| route.condition.says_severity() && route.condition.fault(alert, now).is_none())
    }

    /// The inhibitions that could silence an alert.
    pub(crate) fn inhibitions(&self, alert: &Telling, now: Timestamp) -> Vec<&Inhibition> {
        self.inhibitions.iter().filter(|inhibition| inhibition.silences.fault(alert, now).is_none()).collect()
    }

    /// What becomes of an alert that is recorded now, as far as no other alert has a say.
    pub fn decide(&self, alert: &Telling, now: Timestamp) -> Decision {
        let mut decision = Decision::default();
        let silenced = self
            .silences
            .iter()
            .find(|silence| now < silence.until && silence.condition.fault(alert, now).is_none());
        if let Some(silence) = silenced {
            let text = format!("silenced until {}: {}", silence.until, silence.reason);
            decision.reasons.push(text);
            return decision;
        }
        for route in &self.routes {
            if let Some(fault) = route.condition.fault(alert, now) {
                decision.reasons.push(format!("route '{}' is not for it: {fault}", route.name));
                continue;
            }
            route.plan(alert, now, &mut decision);
            if !route.goes_on {
                break;
            }
        }
        if self.channels.is_empty() {
            decision.reasons.push("no channel is set up".to_owned());
        } else if decision.planned.is_empty() {
            decision.reasons.push("no route leads it to anybody".to_owned());
        }
        decision
    }
}

impl Route {
    /// Leads an alert to the channels of the route that it does not go to yet.
    pub(crate) fn plan(&self, alert: &Telling, now: Timestamp, decision: &mut Decision) {
        let (due, group, when) = self.when(alert, now);
        for channel in &self.to {
            if decision.planned.iter().any(|planned| planned.channel == *channel) {
                continue;
            }
            let (channel, route) = (channel.clone(), self.name.clone());
            decision.reasons.push(format!("route '{route}' leads it to '{channel}' {when}"));
            decision.planned.push(Planned { channel, route, due, group: group.clone() });
        }
    }

    fn when(&self, alert: &Telling, now: Timestamp) -> (Timestamp, Option<String>, String) {
        let name = &self.name;
        if let Some(quiet) = &self.quiet
            && alert.severity < quiet.except
            && let Some(end) = quiet.hours.end(now)
        {
            return (end, Some(format!("quiet {name}")), format!("when its quiet hours end, at {end}"));
        }
        if let Some(digest) = &self.digest {
            let next = digest.next(now);
            return (next, Some(format!("digest {name}")), format!("with the digest at {next}"));
        }
        if let Some(group) = &self.group {
            let due = now.saturating_add(i64::try_from(group.window.as_nanos()).unwrap_or(i64::MAX));
            let values: Vec<String> = group.by.iter().map(|by| by.of(alert).unwrap_or_default()).collect();
            let key = format!("group {name} {}", serde_json::to_string(&values).unwrap_or_default());
            return (due, Some(key), format!("together with what is alike, by {due}"));
        }
        (now, None, "at once".to_owned())
    }
}

impl Inhibition {
    /// Whether it is about alerts of one machine only.
    pub(crate) fn is_of_host(&self) -> bool {
        self.same.contains(&Trait::Entity(EntityType::Host))
    }

    /// Whether an open alert silences another one.
    pub(crate) fn holds(&self, open: &Telling, other: &Telling, now: Timestamp) -> bool {
        let alike = |by: &Trait| by.of(open).is_some_and(|value| by.of(other) == Some(value));
        open.alert != other.alert && self.when.fault(open, now).is_none() && self.same.iter().all(alike)
    }
}

impl Trait {
    fn read(text: &str) -> Result<Self, String> {
        let known = [
            ("severity", Self::Severity),
            ("kind", Self::Kind),
            ("organization", Self::Organization),
            ("source.ip", Self::Entity(EntityType::SourceIp)),
            ("user", Self::Entity(EntityType::User)),
            ("host", Self::Entity(EntityType::Host)),
            ("service", Self::Entity(EntityType::Service)),
            ("process", Self::Entity(EntityType::Process)),
        ];
        let names = || known.iter().map(|(name, _)| *name);
        let found = known.iter().find(|(name, _)| *name == text).map(|(_, found)| *found);
        found.ok_or_else(|| {
            let list = names().collect::<Vec<_>>().join(", ");
            format!("'{text}' is none of {list}{}", suggestion(text, names()))
        })
    }

    fn of(self, alert: &Telling) -> Option<String> {
        match self {
            Self::Severity => Some(alert.severity.as_str().to_owned()),
            Self::Kind => Some(alert.kind.clone()),
            Self::Organization => alert.organization.clone(),
            Self::Entity(of) => alert.entity(of).map(str::to_owned),
        }
    }
}

fn default_route(to: Vec<String>) -> Route {
    let everything = "severity: [medium+]";
    let said = json!({"match": {"severity": ["medium+"]}});
    Route { condition: condition_of(everything), to, is_for_all: true, said, ..route_named("default") }
}

fn route_named(name: &str) -> Route {
    Route {
        name: name.to_owned(),
        condition: Condition::default(),
        to: vec![],
        is_for_all: false,
        said: Json::Null,
        goes_on: false,
        group: None,
        quiet: None,
        digest: None,
        repeat: None,
        escalate: None,
    }
}

/// A machine that is away takes its services with it.
fn default_inhibitions() -> Vec<Inhibition> {
    let silences =
        "kind: [service_down, source_silent, host_cpu, host_memory, host_disk, host_network, host_load]";
    vec![Inhibition {
        when: condition_of("kind: agent_silent"),
        silences: condition_of(silences),
        same: vec![Trait::Entity(EntityType::Host)],
    }]
}

/// A condition of our own.
fn condition_of(yaml: &str) -> Condition {
    let problems = Problems::default();
    let document = yaml::document(yaml);
    document.map(|node| Condition::read(Fields::new(&node, "", &problems))).unwrap_or_default()
}

fn bounded<'a>(top: &Fields<'a>, key: &str) -> Vec<Fields<'a>> {
    let mut list = top.list(key);
    if list.len() > ENTRIES_MAX {
        top.wrong(key, format!("there are {}, and {ENTRIES_MAX} are the most", list.len()));
        list.truncate(ENTRIES_MAX);
    }
    list
}

fn read_routes(top: &Fields<'_>, names: &[&str]) -> Vec<Route> {
    let mut routes: Vec<Route> = vec![];
    for (at, fields) in bounded(top, "routes").into_iter().enumerate() {
        if let Some(all) =
            routes.iter().find(|route| route.condition == Condition::default() && !route.goes_on)
        {
            fields.wrong(
                "",
                format!("nothing ever comes here: route '{}' before it takes everything", all.name),
            );
        }
        let route = read_route(fields, at, names, &routes);
        routes.push(route);
    }
    routes
}

fn read_route(fields: Fields<'_>, at: usize, names: &[&str], before: &[Route]) -> Route {
    let name = fields.text("name").unwrap_or_else(|| format!("routes[{at}]"));
    if before.iter().any(|route| route.name == name) {
        fields.wrong("name", format!("another route is called '{name}'"));
    }
    let to = destinations(&fields, "to", names);
    let is_for_all = fields.texts("to").iter().any(|(_, name)| name == "*");
    let said = fields.json();
    let group = fields.fields("group").map(|group| {
        let (by, window) = (group.parsed("by", Trait::read), group.duration("window"));
        group.finish();
        Group { by, window: window.unwrap_or(Duration::from_secs(30)) }
    });
    let quiet = fields.fields("quiet").map(|quiet| {
        let except = quiet.one("except", level).unwrap_or(Level::High);
        let hours = Hours::read(&quiet);
        quiet.finish();
        Quiet { hours, except }
    });
    let digest = fields.fields("digest").and_then(|digest| {
        let read = Digest::read(&digest);
        digest.finish();
        read
    });
    let escalate = fields.fields("escalate").and_then(|escalate| {
        let after = escalate.duration("after");
        if after.is_none() {
            escalate.wrong("after", "it is missing; write 30m");
        }
        let to = destinations(&escalate, "to", names);
        escalate.finish();
        Some(Escalation { after: after?, to })
    });
    let repeat = fields.duration("repeat");
    if repeat.is_some_and(|repeat| repeat < REPEAT_MIN) {
        fields.wrong("repeat", "alerts are repeated every minute at most; write 1m or more");
    }
    if digest.is_some() && group.is_some() {
        fields.wrong("digest", "a digest holds everything already; leave `group` out");
    }
    let condition = fields.fields("match").map(Condition::read).unwrap_or_default();
    let goes_on = fields.flag("continue");
    fields.finish();
    Route { name, condition, to, is_for_all, said, goes_on, group, quiet, digest, repeat, escalate }
}

/// Channels by name; `*` for all.
fn destinations(fields: &Fields<'_>, key: &str, names: &[&str]) -> Vec<String> {
    let named = fields.texts(key);
    if named.is_empty() {
        fields.wrong(key, "it leads nowhere; name channels, or '*' for all");
    }
    let mut to: Vec<String> = vec![];
    for (line, name) in named {
        if name == "*" {
            to.extend(names.iter().map(|name| (*name).to_owned()));
        } else if let Some(reason) = nowhere(&name, names) {
            fields.wrong_at(line, key, reason);
        } else {
            to.push(name);
        }
    }
    to
}

fn nowhere(name: &str, names: &[&str]) -> Option<String> {
    let known = if names.is_empty() {
        "none is set up".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    let like = suggestion(name, names.iter().copied());
    (!names.contains(&name)).then(|| format!("no channel is called '{name}' ({known}){like}"))
}

fn inhibition(fields: Fields<'_>) -> Inhibition {
    let condition = |key: &str| {
        let found = fields.fields(key).map(Condition::read).unwrap_or_default();
        if found == Condition::default() {
            fields.wrong(key, "it must say which alerts");
        }
        found
    };
    let (when, silences) = (condition("when"), condition("silences"));
    let same = fields.parsed("same", Trait::read);
    fields.finish();
    Inhibition { when, silences, same }
}

pub(super) fn silence(fields: Fields<'_>) -> Silence {
    let said = fields.json();
    let condition = fields.fields("match").map(Condition::read).unwrap_or_default();
    if condition == Condition::default() {
        fields.wrong("match", "it must say which alerts");
    }
    let until = fields.one("until", |text| Timestamp::parse(text).map_err(|error| error.to_string()));
    if until.is_none() {
        fields.wrong("until", "a silence must end; give a time such as 2024-06-01T12:00:00Z");
    }
    let reason = fields.needed("reason");
    fields.finish();
    Silence { condition, until: until.unwrap_or_default(), reason, said }
}
