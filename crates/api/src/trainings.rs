//! Whose turn it is to train.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to train a model, which one training at a time has, whether it was asked for over REST or gRPC. Clones
/// share it.
#[derive(Debug, Clone)]
pub struct Trainings(Arc<Semaphore>);

impl Default for Trainings {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Trainings {
    /// Whether no training has it.
    pub fn is_free(&self) -> bool {
        self.0.available_permits() > 0
    }

    /// The right to train, until it is dropped; None while another training has it.
    pub(crate) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}
