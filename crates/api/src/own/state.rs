//! What the routes about the service itself share.

use std::{sync::Arc, time::Duration};

use index::Index;
use search::Searcher;
use serde::Serialize;

use crate::gate::Gate;

/// Questions about the room that are worked on at once.
const AT_ONCE: usize = 2;

/// A setting as it may be told.
#[derive(Debug, Clone, Serialize)]
pub struct OwnSetting {
    /// Its name in the environment.
    pub name: &'static str,
    /// What is in force; None where it is unset. Secrets and passwords in addresses are masked.
    pub value: Option<String>,
    /// What holds where nobody sets it; empty where that is nothing.
    pub default: &'static str,
    /// Where the value comes from: `default`, `file`, `.env`, `environment` or `flag`.
    pub origin: &'static str,
    /// The file that it comes from, of `file`.
    pub file: Option<String>,
    /// Whether its value is never told.
    pub secret: bool,
    /// What it does.
    pub help: &'static str,
}

/// What the routes of [`crate::own()`] need.
#[derive(Clone)]
pub struct OwnState {
    /// All settings, in the order in which people meet them.
    pub settings: Arc<[OwnSetting]>,
    /// Counts events of the last days.
    pub searcher: Searcher,
    /// What holds the events.
    pub index: Arc<dyn Index>,
    /// Whether the index is a cluster, whose disks are not this one.
    pub is_elsewhere: bool,
    /// Age after which events are deleted.
    pub retention: Option<Duration>,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) state: Arc<OwnState>,
    pub(super) places: Gate,
}

impl Shared {
    pub(super) fn new(state: OwnState) -> Self {
        Self { state: Arc::new(state), places: Gate::new(AT_ONCE) }
    }
}
