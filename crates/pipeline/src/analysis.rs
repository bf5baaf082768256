//! Where templates and verdicts come from.

use std::sync::Arc;

use event::{Batch, Event, EventId, Position, TemplateId};

use crate::remote::RemoteAnalysis;

/// What gives events their templates and verdicts.
#[derive(Debug, Clone)]
pub enum Analysis {
    /// The anomaly service of this process.
    InProcess(Arc<anomaly::Service>),
    /// Templates are found here; verdicts come from a separate service, or later when it is away.
    Remote(Arc<RemoteAnalysis>),
}

impl Analysis {
    /// All ids whose stored rows belong to this template.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        match self {
            Self::InProcess(service) => service.aliases(id),
            Self::Remote(remote) => remote.aliases(id),
        }
    }

    /// All templates that stand for other ids too.
    pub fn merged_templates(&self) -> Vec<anomaly::Merged> {
        match self {
            Self::InProcess(service) => service.merged_templates(),
            Self::Remote(remote) => remote.merged_templates(),
        }
    }

    /// Templates and scores events in stream order, and learns from them.
    pub(crate) async fn analyze<'a>(&self, events: Vec<(EventId, Event<'a>)>, end: Position) -> Batch<'a> {
        match self {
            Self::InProcess(service) => service.analyze(events, end),
            Self::Remote(remote) => remote.analyze(events, end).await,
        }
    }

    /// What has to come back after a restart.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        match self {
            Self::InProcess(service) => service.snapshot(),
            Self::Remote(remote) => remote.snapshot(),
        }
    }

    /// Goes on from a snapshot; after an error it has begun anew.
    pub(crate) fn restore(&self, snapshot: &[u8]) -> Result<(), anomaly::ModelError> {
        match self {
            Self::InProcess(service) => service.restore(snapshot),
            Self::Remote(remote) => remote.restore(snapshot).map_err(anomaly::ModelError::Templates),
        }
    }

    /// Says where the pipeline begins, after `restore`.
    pub(crate) fn start(&self, position: Position) {
        match self {
            Self::InProcess(_) => {}
            Self::Remote(remote) => remote.start(position),
        }
    }

    /// Says up to where everything is durable in the index.
    pub(crate) fn commit(&self, indexed: Position) {
        match self {
            Self::InProcess(_) => {}
            Self::Remote(remote) => remote.commit(indexed),
        }
    }
}
