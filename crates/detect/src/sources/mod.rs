//! How much a source says: silence while it lasts, too much, too little, too many errors.

mod source;

use event::{Event, Severity, Timestamp, Value};
use finding::fact;

use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Level, Occurrence, Seen, StateError, Time,
    detector::{remembered, state},
    table::{Occupancy, Table},
};
use source::{SECOND, Source, Strange};

/// Sources that are watched.
const SOURCES_MAX: usize = 4_096;

/// Watches how much each source says. A source is a file, or a service of a host.
#[derive(Debug)]
pub struct Sources {
    sources: Table<u64, Source>,
    /// Until when silence was looked for.
    looked: i64,
}

impl Sources {
    /// With no source known.
    pub fn new(_config: &Config) -> Self {
        Self { sources: Table::new(SOURCES_MAX), looked: 0 }
    }
}

impl Detector for Sources {
    fn name(&self) -> &'static str {
        "sources"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let event = &seen.analyzed.event;
        let source = self.sources.touch(&seen.source);
        if source.name.is_empty() {
            let (name, host) = source_of(event);
            source.name = Entity::new(EntityType::Service, name).value;
            source.host = Entity::new(EntityType::Host, host).value;
        }
        let times = (event.timestamp.as_nanos(), event.observed_timestamp.as_nanos());
        for strange in source.see(times, is_error(event), seen.analyzed.id) {
            findings.push(finding(source, &strange));
        }
    }

    fn tick(&mut self, time: Time, findings: &mut Vec<Finding>) {
        let at = time.now.as_nanos();
        self.looked = at;
        let sources = &mut self.sources;
        sources.each(|_, source| {
            for strange in source.tick(at) {
                findings.push(finding(source, &strange));
            }
        });
    }

    fn resume(&mut self, now: Timestamp) {
        self.sources.each(|_, source| source.resume(now.as_nanos()));
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(&(&self.sources, self.looked))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let (sources, looked): (Table<u64, Source>, i64) = remembered(snapshot)?;
        (self.sources, self.looked) = (sources.bounded(self.sources.capacity()), looked);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        self.sources.occupancy(Source::ELSEWHERE_BYTES)
    }
}

/// The file that an event comes from, else its service, and the host.
pub(crate) fn source_of<'e>(event: &'e Event<'_>) -> (&'e str, &'e str) {
    let file = event.field("log.file.path").and_then(Value::as_str);
    let name = file.or(event.source.as_deref()).unwrap_or("logs");
    (name, event.host.as_deref().unwrap_or_default())
}

/// A hash of both.
pub(crate) fn key_of(event: &Event<'_>) -> u64 {
    let (name, host) = source_of(event);
    arithmetic::hash(name.as_bytes()) ^ arithmetic::hash(host.as_bytes()).rotate_left(1)
}

/// Whether something went wrong on the side of who says so.
pub(crate) fn is_error(event: &Event<'_>) -> bool {
    match event.field("http.response.status_code") {
        Some(Value::Int(status)) => *status >= 500,
        _ => event.severity >= Severity::Error,
    }
}

fn finding(source: &Source, strange: &Strange) -> Finding {
    let (kind, level, rule) = match strange {
        Strange::Silent { .. } => (FindingKind::SourceSilent, Level::Medium, "source_silent"),
        Strange::Spike(_) => (FindingKind::VolumeSpike, Level::Low, "volume_spike"),
        Strange::Drop(_) => (FindingKind::VolumeDrop, Level::Low, "volume_drop"),
        Strange::Errors(_) => (FindingKind::ErrorBurst, Level::Medium, "error_burst"),
    };
    let (first, last, count, is_update) = match *strange {
        Strange::Silent { since, now, .. } => (since, now, 0, false),
        Strange::Spike(amount) | Strange::Drop(amount) | Strange::Errors(amount) => {
            (amount.first, amount.last, amount.count, amount.is_update)
        }
    };
    let run = Occurrence {
        first: Timestamp::saturating_from_nanos(first.into()),
        last: Timestamp::saturating_from_nanos(last.into()),
        count,
        is_update,
        evidence: source.evidence().collect(),
    };
    let about = Entity::new(EntityType::Service, source.name.as_str());
    let host = Entity::new(EntityType::Host, source.host.as_str());
    let finding = Finding::of_run(kind, level, rule, about, run).and([host]);
    match *strange {
        Strange::Silent { usual, .. } => finding.fact(fact::USUAL_PAUSE, usual.div_euclid(SECOND)),
        Strange::Spike(amount) | Strange::Drop(amount) | Strange::Errors(amount) => finding
            .fact(fact::AMOUNT, amount.count)
            .fact(fact::USUAL_AMOUNT, amount.usual)
            .fact(fact::WITHIN, amount.within / SECOND),
    }
}
