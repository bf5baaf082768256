//! What was found.

use std::collections::BTreeMap;

use event::{Analyzed, EventId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Entity, FindingKind, Level};

/// Something that a person should be told, with what it was found from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// How grave.
    pub level: Level,
    /// The rule that found it: a Sigma rule's id, else the detector's name.
    pub rule: String,
    /// Whom or what it is about, the main one first; never empty.
    pub entities: Vec<Entity>,
    /// Techniques of MITRE ATT&CK, such as `T1110`.
    pub techniques: Vec<String>,
    /// When it began, in event time.
    pub first: Timestamp,
    /// When it was last seen, in event time.
    pub last: Timestamp,
    /// How many events it stands for.
    pub count: u64,
    /// Whether it tells more of what was found before: the same kind, rule and main entity.
    pub is_update: bool,
    /// The first and the last few events that it was found from.
    pub evidence: Vec<EventId>,
    /// What else is known, by the names of [`crate::fact`].
    #[serde(default)]
    pub facts: Facts,
}

/// What is known beside entities, times and counts.
pub type Facts = BTreeMap<String, Value>;

/// A run of events as it is told: all that came with no pause longer than the detector's window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// When it began.
    pub first: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// How many events it stands for.
    pub count: u64,
    /// Whether this tells more of a run that was told before.
    pub is_update: bool,
    /// The first and the last few events.
    pub evidence: Vec<EventId>,
}

impl Finding {
    /// A finding of a run of events.
    pub fn of_run(kind: FindingKind, level: Level, rule: &str, about: Entity, run: Occurrence) -> Self {
        Self {
            kind,
            level,
            rule: rule.to_owned(),
            entities: vec![about],
            techniques: Vec::new(),
            first: run.first,
            last: run.last,
            count: run.count,
            is_update: run.is_update,
            evidence: run.evidence,
            facts: Facts::new(),
        }
    }

    /// A finding of one event.
    pub fn of_event(
        kind: FindingKind,
        level: Level,
        rule: &str,
        about: Entity,
        event: &Analyzed<'_>,
    ) -> Self {
        let at = event.event.timestamp;
        let run = Occurrence { first: at, last: at, count: 1, is_update: false, evidence: vec![event.id] };
        Self::of_run(kind, level, rule, about, run)
    }

    /// The same with a technique of ATT&CK.
    pub fn technique(mut self, technique: &str) -> Self {
        self.techniques.push(technique.to_owned());
        self
    }

    /// The same, knowing this too; one of the names of [`crate::fact`].
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The same about more.
    pub fn and(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        for entity in entities {
            if !entity.value.is_empty() && !self.entities.contains(&entity) {
                self.entities.push(entity);
            }
        }
        self
    }
}
