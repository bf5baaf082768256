//! What a question may read.

use event::Timestamp;
use fleet::ProcessPlace;

/// Whose rows are read, and of when.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The organization whose rows are read; None reads all.
    pub organization: Option<String>,
    /// The time that it is for the question.
    pub at: Timestamp,
    /// Nothing before it is read, where a table has times.
    pub from: Option<Timestamp>,
    /// Nothing from it on is read.
    pub to: Option<Timestamp>,
    /// Of changes of processes those are read that were kept behind the first place up to the second, whatever their times.
    pub changes: Option<(ProcessPlace, ProcessPlace)>,
}
