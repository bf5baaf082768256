//! What a question to a cluster may assume.

use std::time::{Duration, Instant};

use event::{JournalId, Position};

/// What a question may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Name of the data stream.
    pub(crate) data_stream: String,
    /// The journal whose position `covered` is.
    pub(crate) journal: JournalId,
    /// Everything before it is visible.
    pub(crate) covered: Position,
    /// Until when the answer to a question is waited for.
    pub(crate) deadline: Instant,
    /// How long any other request may take.
    pub(crate) timeout: Duration,
}
