//! What a question may read.

use event::Timestamp;

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
}
