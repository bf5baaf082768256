//! What was never said before where it matters, and what the analysis calls strange.

use event::{Severity, Value};
use finding::fact;
use serde::{Deserialize, Serialize};

use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Kind, Level, Occurrence, Origin, Seen,
    StateError, Time,
    detector::{remembered, state},
    met::{Kept, Met},
    sources::{is_error, source_of},
    table::{Occupancy, Table},
    window::{Limit, Moment, Windows},
};

const DAY: i64 = 86_400_000_000_000;
/// A source is known after so long and so many events.
const LEARNED: i64 = 2 * DAY;
const LEARNED_EVENTS: u64 = 200;
/// Messages that are remembered of all sources.
const MESSAGES_MAX: usize = 65_536;
const SOURCES_MAX: usize = 4_096;
/// A source of which more is found in a day is one where this is usual.
const A_DAY: u32 = 4;
/// Of a message that is called strange more is told after so long.
const QUIET: std::time::Duration = std::time::Duration::from_secs(86_400);
/// What else is strange of an address within so long is told as more of the same.
const STORY: i64 = DAY / 24;
/// Addresses of which that is remembered.
const CLIENTS_MAX: usize = 4_096;

/// What is known of a source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Known {
    first: i64,
    events: u64,
    day: i64,
    today: u32,
}

/// Something strange of an address that was told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Story {
    /// Under which template.
    template: String,
    /// When more of it was last seen.
    at: i64,
}

/// Finds messages of a kind never seen, and those that the analysis finds strange.
#[derive(Debug)]
pub struct Patterns {
    sources: Table<u64, Known>,
    /// Source with template, and source with shape.
    messages: Met,
    strange: Windows<(u64, u64)>,
    /// Source with address.
    clients: Table<(u64, Origin), Story>,
}

impl Patterns {
    /// With nothing known.
    pub fn new(config: &Config) -> Self {
        let limit = Limit { points: 1, within: QUIET };
        Self {
            sources: Table::new(SOURCES_MAX),
            messages: Met::new(MESSAGES_MAX),
            strange: Windows::new(limit, config.keys_max / 4),
            clients: Table::new(CLIENTS_MAX),
        }
    }

    /// The template under which something strange of the same address was told of this source shortly before; from now on
    /// this one, where nothing was.
    fn story(&mut self, source: u64, seen: &Seen<'_>, template: &str) -> Option<String> {
        let at = seen.at().as_nanos();
        let key = (source, Origin::of(seen.activity.address?));
        let story = self.clients.touch(&key);
        let is_recent = !story.template.is_empty() && at.abs_diff(story.at) <= STORY.unsigned_abs();
        if !is_recent {
            *story = Story { template: Entity::new(EntityType::Template, template).value, at };
            return None;
        }
        story.at = story.at.max(at);
        (story.template != template).then(|| story.template.clone())
    }
}

/// Whether an event tells of somebody who does not get in. Others count those: that one of them is strange, too, says
/// nothing more.
fn is_counted(seen: &Seen<'_>) -> bool {
    let event = &seen.analyzed.event;
    let says = |field, wanted| match event.field(field) {
        Some(Value::String(text)) => text.as_ref() == wanted,
        Some(Value::Json(list)) => list.contains(wanted),
        _ => false,
    };
    seen.activity.kind == Kind::SshSuspicious
        || says("event.outcome", "failure") && says("event.category", "authentication")
}

impl Detector for Patterns {
    fn name(&self) -> &'static str {
        "patterns"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let analyzed = seen.analyzed;
        let Some(template) = &analyzed.template else { return };
        let source = seen.source;
        let at = seen.at().as_nanos();
        let known = self.sources.touch(&source);
        if known.events == 0 {
            known.first = at;
        }
        known.events += 1;
        let is_learned = known.events >= LEARNED_EVENTS && at - known.first >= LEARNED;
        let keys = [source ^ template.id.0, source ^ analyzed.shape.rotate_left(17)];
        // Both are noted, known or not.
        let is_known = keys.map(|key| self.messages.note(key)).contains(&true);
        let is_grave = || is_error(&analyzed.event) && analyzed.event.severity >= Severity::Error;
        let found = if !is_known && is_learned && is_grave() {
            (FindingKind::NewPattern, "new_pattern")
        } else if analyzed.verdict.is_anomaly && is_learned && !is_counted(seen) {
            (FindingKind::Anomaly, "anomaly")
        } else {
            return;
        };
        let moment = Moment::new(seen.at(), 1);
        let Some(told) = self.strange.count(&(source, template.id.0), moment, analyzed.id) else {
            return;
        };
        let story = match found.0 {
            FindingKind::Anomaly => self.story(source, seen, &template.text),
            _ => None,
        };
        let Some(known) = self.sources.get_mut(&source) else { return };
        if at / DAY > known.day {
            (known.day, known.today) = (at / DAY, 0);
        }
        known.today += u32::from(!told.is_update && story.is_none());
        if known.today > A_DAY {
            return;
        }
        let (name, host) = source_of(&analyzed.event);
        let own = Entity::new(EntityType::Template, template.text.as_str());
        let more = [Entity::new(EntityType::Service, name), Entity::new(EntityType::Host, host)];
        let client = seen.activity.address.map(|address| Origin::of(address).entity());
        let of = |about, told| Finding::of_run(found.0, Level::Low, found.1, about, told);
        findings.push(match (story, found.0) {
            (Some(template), _) => {
                let evidence = vec![analyzed.id];
                let this =
                    Occurrence { first: seen.at(), last: seen.at(), count: 1, is_update: false, evidence };
                of(Entity::new(EntityType::Template, template), this).and(more).and([own]).and(client)
            }
            (None, FindingKind::Anomaly) => of(own, told)
                .and(more)
                .and(client)
                .fact(fact::SCORE, f64::from(analyzed.verdict.score))
                .fact(fact::REASONS, fact::list(analyzed.verdict.reasons.iter().map(String::as_str))),
            (None, _) => of(own, told).and(more),
        });
    }

    fn tick(&mut self, time: Time, _findings: &mut Vec<Finding>) {
        drop(self.strange.over(time.seen));
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(&(&self.sources, &self.messages, &self.strange, &self.clients))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        // Those of earlier versions know no clients.
        let (sources, messages, strange, clients): (_, Kept, _, _) = remembered(snapshot).or_else(|_| {
            let (sources, messages, strange) = remembered(snapshot)?;
            Ok::<_, StateError>((sources, messages, strange, Table::new(1)))
        })?;
        self.sources.take_up(sources);
        self.messages.take_up(messages);
        self.strange.take_up(strange);
        self.clients.take_up(clients);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        let tables = [
            self.sources.occupancy(0),
            self.messages.occupancy(),
            self.strange.occupancy(),
            self.clients.occupancy(Entity::BYTES_MAX),
        ];
        tables.into_iter().sum()
    }
}
