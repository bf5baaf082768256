//! What can be declared of findings.

use std::time::Duration;

use crate::{Entity, EntityType, FindingKind, Level, Seen};

/// A run of the same goes on as long as no pause is longer.
pub(crate) const PAUSE: Duration = Duration::from_secs(3_600);

/// What is found when so many events say so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Declaration {
    /// The rule of its findings.
    pub(crate) rule: &'static str,
    pub(crate) kind: FindingKind,
    pub(crate) level: Level,
    /// A technique of ATT&CK; empty where it is none.
    pub(crate) technique: &'static str,
    /// So many, at most 16, ...
    pub(crate) times: u32,
    /// ... within so long, at most an hour.
    pub(crate) within: Duration,
    /// Whether so many different things are asked for, not so many events.
    pub(crate) are_different: bool,
    /// Only after this rule has found something of the same entity.
    pub(crate) after: Option<&'static str>,
}

impl Declaration {
    /// Found when one event says so.
    pub(crate) const fn once(
        rule: &'static str,
        kind: FindingKind,
        level: Level,
        technique: &'static str,
    ) -> Self {
        let within = PAUSE;
        Self { rule, kind, level, technique, times: 1, within, are_different: false, after: None }
    }

    /// The same when so many say so within so many seconds.
    pub(crate) const fn often(self, times: u32, seconds: u64) -> Self {
        Self { times, within: Duration::from_secs(seconds), ..self }
    }

    /// The same where as many different things are asked for.
    pub(crate) const fn of_different(self) -> Self {
        Self { are_different: true, ..self }
    }

    /// The same where another was found before.
    pub(crate) const fn after(self, rule: &'static str) -> Self {
        Self { after: Some(rule), ..self }
    }
}

/// That an event says what was declared.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) declaration: &'static Declaration,
    pub(crate) about: Entity,
    pub(crate) more: Vec<Entity>,
    /// A hash of what it was done with, where different things count.
    pub(crate) what: u64,
    /// What else is known, by the names of [`finding::fact`].
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Match {
    pub(crate) fn new(declaration: &'static Declaration, about: Entity) -> Self {
        Self { declaration, about, more: Vec::new(), what: 0, facts: Vec::new() }
    }

    pub(crate) fn and(mut self, more: impl IntoIterator<Item = Entity>) -> Self {
        self.more.extend(more);
        self
    }

    /// The same, knowing this too.
    pub(crate) fn fact(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.facts.push((name, text.into()));
        self
    }
}

/// The host of an event.
pub(crate) fn host_of(seen: &Seen<'_>) -> Option<Entity> {
    seen.analyzed.event.host.as_deref().map(|host| Entity::new(EntityType::Host, host))
}
