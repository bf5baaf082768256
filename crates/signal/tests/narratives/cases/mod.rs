//! The signals that are told.

mod changes;
mod general;
mod guessing;
mod logins;
mod machine;
mod processes;
mod stories;
mod web;

pub(crate) use stories::stories;

use event::Timestamp;
use finding::{Entity, EntityType, FindingKind, Level, fact};
use jiff::tz::TimeZone;
use serde_json::Value;
use signal::{
    Evidence, Signal, SignalId, State,
    narrative::{History, Reader, System},
};

/// A signal, and what the reader knows beside it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) signal: Signal,
    pub(crate) reader: Reader,
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let all = [
        guessing::cases(),
        logins::cases(),
        changes::cases(),
        web::cases(),
        machine::cases(),
        general::cases(),
        processes::cases(),
    ];
    all.into_iter().flatten().collect()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A signal of one event on 2024-05-01 at 03:12:33 UTC, told in UTC for a host of Debian.
fn case(name: &'static str, kind: FindingKind, rule: &str) -> Case {
    let at = time("2024-05-01T03:12:33Z");
    let signal = Signal {
        id: SignalId(1),
        kind,
        severity: Level::Medium,
        confidence: 0.9,
        state: State::New,
        first: at,
        last: at,
        received: at,
        count: 1,
        entities: vec![],
        rule: rule.to_owned(),
        techniques: vec![],
        facts: finding::Facts::new(),
        incident: None,
        organization: None,
        evidence: vec![],
        standing: signal::Standing::default(),
    };
    Case {
        name,
        signal,
        reader: Reader { system: System::Debian, history: Some(History::default()), ..Reader::default() },
    }
}

impl Case {
    fn times(mut self, count: u64, seconds: i64) -> Self {
        self.signal.count = count;
        self.signal.last = self.signal.first.saturating_add(seconds * 1_000_000_000);
        self
    }

    /// It began so many seconds later.
    fn later(mut self, seconds: i64) -> Self {
        self.signal.first = self.signal.first.saturating_add(seconds * 1_000_000_000);
        self.signal.last = self.signal.last.saturating_add(seconds * 1_000_000_000);
        self
    }

    fn grave(mut self, severity: Level) -> Self {
        self.signal.severity = severity;
        self
    }

    fn about(mut self, r#type: EntityType, value: &str) -> Self {
        self.signal.entities.push(Entity::new(r#type, value));
        self
    }

    fn from(self, address: &str) -> Self {
        self.about(EntityType::SourceIp, address)
    }

    fn user(self, user: &str) -> Self {
        self.about(EntityType::User, user)
    }

    fn service(self, service: &str) -> Self {
        self.about(EntityType::Service, service)
    }

    fn host(self, host: &str) -> Self {
        self.about(EntityType::Host, host)
    }

    fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.signal.facts.insert(name.to_owned(), value.into());
        self
    }

    fn facts(self, name: &str, values: &[&str]) -> Self {
        self.fact(name, fact::list(values.iter().copied()))
    }

    fn said(mut self, message: &str) -> Self {
        let id = event::EventId {
            journal: event::JournalId(1),
            position: event::Position { segment: 0, record: self.signal.evidence.len() as u32 },
        };
        let timestamp = self.signal.first;
        self.signal.evidence.push(Evidence::new(id, timestamp, message));
        self
    }

    fn zone(mut self, zone: &str) -> Self {
        self.reader.zone = TimeZone::get(zone).unwrap();
        self
    }

    fn system(mut self, system: System) -> Self {
        self.reader.system = system;
        self
    }

    /// Nobody asked what came before.
    fn unasked(mut self) -> Self {
        self.reader.history = None;
        self
    }

    fn earlier(mut self, count: u64, expected: u64, last: &str) -> Self {
        self.reader.history = Some(History { count, expected, last: Some(time(last)) });
        self
    }
}
