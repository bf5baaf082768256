//! What is learned of sessions beside the stream. It is state of the stream, saved with its place as templates and
//! window are, since it speaks of this stream's own templates and keys; the models of events do not carry it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use disk::sealed::{Reader, SealedError, Writer};
use session::{KindModel, Models};

/// What was learned of kinds of sessions.
pub(crate) type Learned = Vec<Arc<KindModel>>;

/// What was learned of sessions, and what is being learned.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    pub(crate) models: Arc<Models>,
    pub(crate) pending: Option<JoinHandle<Learned>>,
    /// Tells what is being learned that nobody waits for it any more.
    pub(crate) given_up: Arc<AtomicBool>,
}

impl Learning {
    /// A training under way is left out: it begins anew then.
    pub(crate) fn write(&self, out: &mut Writer) {
        self.models.write(out);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let models = Arc::new(Models::read(input)?);
        Ok(Self { models, pending: None, given_up: Arc::default() })
    }
}

impl Drop for Learning {
    fn drop(&mut self) {
        self.given_up.store(true, Relaxed);
        // A panic in it was reported where it happened.
        drop(self.pending.take().map(JoinHandle::join));
    }
}
