//! How much work may go on at once, so that asking never starves taking in.

use std::{sync::Arc, time::Duration};

use problem::{Problem, StatusCode};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a request waits for its turn before it is sent away.
const PATIENCE: Duration = Duration::from_secs(1);

/// Admits a number of requests at a time. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// A place, kept until it is dropped: by the work itself, not by whoever waits for it.
    ///
    /// # Errors
    /// 429 when none becomes free soon.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(busy("as many requests of this kind are being worked on as may be; ask again later")),
        }
    }

    /// A place, or None at once.
    pub(crate) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// 429 for requests that may be sent again a second later.
pub(crate) fn busy(detail: &'static str) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Too busy", detail)
        .retry_after(Duration::from_secs(1))
}
