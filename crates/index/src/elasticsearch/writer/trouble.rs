//! What goes wrong at present, and how the component's health says it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use telemetry::health::Component;
use tokio::time::Instant;

use crate::elasticsearch::Cluster;

/// Who notices: a worker by its number, or the upkeep.
pub(super) const UPKEEP: usize = usize::MAX;
/// The upkeep, of a bulk that waits too long.
pub(super) const OVERDUE: usize = usize::MAX - 1;

/// Refused events are told of so often at most.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Events that the cluster refused for good, told of from time to time.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<(Option<Instant>, u64)>);

impl Refusals {
    /// So many more were refused; the last of them so.
    pub(super) fn met(&self, events: u64, kind: &str, reason: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (told_at, untold) = &mut *state;
        *untold += events;
        if told_at.is_none_or(|told_at| told_at.elapsed() >= TOLD_EVERY) {
            let reason = one_line(reason);
            tracing::warn!(
                events = *untold,
                kind,
                reason,
                "the cluster refused events; they are kept: log-sentinel dlq list"
            );
            (*told_at, *untold) = (Some(Instant::now()), 0);
        }
    }
}

/// The start of the server's reason, in one line and without what it quotes: that is log content,
/// which does not belong into our own log.
fn one_line(reason: &str) -> String {
    let mut quote = None;
    let shown = reason.chars().filter(|&c| match quote {
        Some(open) => {
            if c == open {
                quote = None;
            }
            false
        }
        None if c == '\'' || c == '"' => {
            quote = Some(c);
            false
        }
        None => true,
    });
    shown.take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One trouble for each who notices one.
#[derive(Debug)]
pub(super) struct Troubles {
    health: Component,
    noticed: Mutex<BTreeMap<usize, String>>,
}

impl Troubles {
    pub(super) fn new(health: Component) -> Self {
        Self { health, noticed: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, who: usize, reason: String) {
        self.lock().insert(who, reason.clone());
        self.health.degraded(reason);
    }

    pub(super) fn clear(&self, who: usize, cluster: &Cluster) {
        self.lock().remove(&who);
        self.report(cluster);
    }

    /// Brings the component's health to what is the matter.
    pub(super) fn report(&self, cluster: &Cluster) {
        let noticed = self.lock().values().next().cloned();
        let out = || {
            let (node, fault) = cluster.nodes().out().into_iter().next()?;
            Some(format!("the node {node} is taken out until it answers again: {fault}"))
        };
        let slow = || {
            let (node, seconds) = cluster.nodes().slowest()?;
            Some(format!(
                "the node {node} answers slowly, {seconds:.1} s a bulk; look at its load, disks and garbage collection"
            ))
        };
        match noticed.or_else(out).or_else(slow) {
            Some(reason) => self.health.degraded(reason),
            None => self.health.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_shown_without_log_content() {
        let reason =
            "failed to parse field [labels.n] in document with id 'abc'.\nPreview: 'secret', \"no\" end";
        assert_eq!(
            one_line(reason),
            "failed to parse field [labels.n] in document with id . Preview: ,  end"
        );
        assert_eq!(one_line(&"x".repeat(1000)).len(), 300);
    }
}
