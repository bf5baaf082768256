//! What workers, upkeep and questions share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use event::{JournalId, Position};
use retry::Backoff;
use tokio::time::{Instant, sleep};

use super::{
    collision::Collisions,
    fresh::Freshness,
    pace::Pace,
    queue::Queue,
    trouble::{Refusals, Troubles},
};
use crate::{
    DeadLetters, IndexStats,
    elasticsearch::{Cluster, ClusterError, Server},
};

/// What workers, upkeep and questions share.
pub(super) struct Shared {
    pub(super) cluster: Cluster,
    pub(super) data_stream: String,
    pub(super) request_timeout: Duration,
    pub(super) retry_min: Duration,
    pub(super) retry_max: Duration,
    pub(super) queue: Queue,
    pub(super) pace: Mutex<Pace>,
    pub(super) fresh: Freshness,
    pub(super) troubles: Troubles,
    pub(super) dead_letters: Arc<dyn DeadLetters>,
    /// Bulks of which the cluster took at least one document.
    pub(super) accepted: AtomicU64,
    pub(super) figures: Mutex<IndexStats>,
    pub(super) attached: Mutex<Option<Attached>>,
    /// When each worker sent the bulk that it waits for.
    pub(super) sending: Mutex<BTreeMap<usize, Instant>>,
    pub(super) slow_after: Duration,
    pub(super) collisions: Collisions,
    pub(super) refusals: Refusals,
}

/// Which journal is written from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attached {
    /// Of the newest events; it may take another id while it is written from.
    pub(super) journal: JournalId,
    /// What comes before it may have been written by an earlier process.
    pub(super) end: Position,
    pub(super) since: Instant,
}

impl Shared {
    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn figures(&self) -> MutexGuard<'_, IndexStats> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn attached(&self) -> MutexGuard<'_, Option<Attached>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sending(&self) -> MutexGuard<'_, BTreeMap<usize, Instant>> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the oldest bulk has waited for its answer, if that is too long.
    pub(super) fn overdue(&self) -> Option<Duration> {
        let oldest = self.sending().values().min().copied()?;
        Some(oldest.elapsed()).filter(|age| *age >= self.slow_after)
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.retry_min, self.retry_max)
    }

    /// Waits as long as one does for an operator.
    pub(super) async fn slow_wait(&self) {
        let half = self.retry_max / 2;
        sleep(half + Backoff::new(half, half).pause()).await;
    }

    pub(super) async fn server(&self) -> Result<Server, ClusterError> {
        self.cluster.server().await
    }
}
