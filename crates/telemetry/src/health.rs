//! Which parts of this program work: what `/readyz` answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It works.
    Ok,
    /// It works in part or waits, and nothing is lost by that: a dead index, a full disk budget.
    Degraded,
    /// Nothing can be accepted while it is like this: a journal that could not make a write durable.
    Failed,
}

impl State {
    /// `ok`, `degraded` or `failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }
}

/// A component and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub component: &'static str,
    /// How it is.
    pub state: State,
    /// Why, and what to do about it; empty when it is ok.
    pub reason: String,
}

/// The health of all components. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health {
    components: Arc<Mutex<BTreeMap<&'static str, (State, String)>>>,
}

impl Health {
    /// Health with no components yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a component, ok until it says otherwise. The same name is the same component.
    pub fn component(&self, name: &'static str) -> Component {
        self.lock().entry(name).or_insert((State::Ok, String::new()));
        Component { name, health: self.clone() }
    }

    /// All components by name.
    pub fn reports(&self) -> Vec<Report> {
        self.lock()
            .iter()
            .map(|(component, (state, reason))| Report { component, state: *state, reason: reason.clone() })
            .collect()
    }

    /// Whether events can be accepted: no component has failed. Degraded ones do not matter here.
    pub fn is_ready(&self) -> bool {
        self.lock().values().all(|(state, _)| *state != State::Failed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, (State, String)>> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a component reports its health through. Each change is logged once.
#[derive(Debug, Clone)]
pub struct Component {
    name: &'static str,
    health: Health,
}

impl Component {
    /// It works.
    pub fn ok(&self) {
        self.set(State::Ok, String::new());
    }

    /// It works in part or waits; nothing is lost.
    pub fn degraded(&self, reason: impl Into<String>) {
        self.set(State::Degraded, reason.into());
    }

    /// Nothing can be accepted.
    pub fn failed(&self, reason: impl Into<String>) {
        self.set(State::Failed, reason.into());
    }

    fn set(&self, state: State, reason: String) {
        let before = self.health.lock().insert(self.name, (state, reason.clone()));
        if before.is_some_and(|(before, _)| before == state) {
            return;
        }
        match state {
            State::Ok => tracing::info!(component = self.name, "works again"),
            State::Degraded => tracing::warn!(component = self.name, "degraded: {reason}"),
            State::Failed => tracing::error!(component = self.name, "failed: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_component_ends_readiness() {
        let health = Health::new();
        let (journal, index) = (health.component("journal"), health.component("index"));
        assert!(health.is_ready());
        index.degraded("no connection");
        assert!(health.is_ready());
        journal.failed("fsync failed");
        assert!(!health.is_ready());
        let states: Vec<_> =
            health.reports().into_iter().map(|report| (report.component, report.state.as_str())).collect();
        assert_eq!(states, [("index", "degraded"), ("journal", "failed")]);
        journal.ok();
        assert!(health.is_ready());
        assert_eq!(health.reports()[1].reason, "");
    }
}
