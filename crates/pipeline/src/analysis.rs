//! Where templates and verdicts come from.

use std::sync::Arc;

use event::{Batch, Event, EventId, Position};

/// What gives events their templates and verdicts.
#[derive(Debug, Clone)]
pub enum Analysis {
    /// The anomaly service of this process.
    InProcess(Arc<anomaly::Service>),
}

impl Analysis {
    /// Templates and scores events in stream order, and learns from them.
    pub(crate) async fn analyze<'a>(&self, events: Vec<(EventId, Event<'a>)>, end: Position) -> Batch<'a> {
        match self {
            Self::InProcess(service) => service.analyze(events, end),
        }
    }

    /// What has to come back after a restart.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        match self {
            Self::InProcess(service) => service.snapshot(),
        }
    }

    /// Goes on from a snapshot; after an error it has begun anew.
    pub(crate) fn restore(&self, snapshot: &[u8]) -> Result<(), anomaly::ModelError> {
        match self {
            Self::InProcess(service) => service.restore(snapshot),
        }
    }
}
