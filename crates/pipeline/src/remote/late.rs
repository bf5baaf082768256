//! Verdicts that came late, on their way to the events that were stored without them.

use std::sync::Arc;

use event::{EventId, Verdict};
use index::{Index, IndexError};

/// Verdicts stored at once: an index may have to write a whole file anew for them.
const TOGETHER_MAX: usize = 131_072;

/// What is not stored yet. The cursor stays before it, so that nothing is lost by a crash.
pub(super) struct Late {
    index: Arc<dyn Index>,
    verdicts: Vec<(EventId, Verdict)>,
}

impl Late {
    pub(super) fn new(index: Arc<dyn Index>) -> Self {
        Self { index, verdicts: Vec::new() }
    }

    pub(super) fn add(&mut self, mut verdicts: Vec<(EventId, Verdict)>) {
        self.verdicts.append(&mut verdicts);
    }

    /// Whether there is enough to be stored; at the end of a gap the rest.
    pub(super) fn is_due(&self, detached: bool) -> bool {
        self.verdicts.len() >= TOGETHER_MAX || !detached && !self.verdicts.is_empty()
    }

    /// Stores what there is, once the index has the events.
    pub(super) async fn store(&mut self) -> Result<(), IndexError> {
        let Some((last, _)) = self.verdicts.last() else { return Ok(()) };
        let mut written = self.index.written();
        // An index that is gone takes nothing any more, and says so.
        drop(written.wait_for(|written| *written > last.position).await);
        self.index.amend(&self.verdicts).await?;
        self.verdicts.clear();
        Ok(())
    }
}
