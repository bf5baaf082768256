//! What goes wrong at present, and how the component's health says it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use telemetry::health::Component;

use crate::elasticsearch::Cluster;

/// Who notices: a worker by its number, or the upkeep.
pub(super) const UPKEEP: usize = usize::MAX;

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
            let (node, fault) = cluster.nodes_out().into_iter().next()?;
            Some(format!("the node {node} is taken out until it answers again: {fault}"))
        };
        let slow = || {
            let (node, seconds) = cluster.slow_node()?;
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

/// An error and its causes in one line.
pub(super) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = error.source();
    }
    words
}
