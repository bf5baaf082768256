//! What an index could not take: handed over with its reason, so that it is kept elsewhere.

use async_trait::async_trait;
use event::{Event, EventId};

/// An accepted event that an index refuses for good.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its identity.
    pub id: EventId,
    /// The event.
    pub event: Event<'static>,
    /// The kind of refusal in the index's own terms, such as `mapper_parsing_exception`.
    pub kind: String,
    /// Why, in words.
    pub reason: String,
}

/// Where dead letters are kept. The index counts an event as done only after this succeeded.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps them durably; the same letter may come again after a restart.
    ///
    /// # Errors
    /// When they could not be kept: the index then stands still and tries again.
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}
