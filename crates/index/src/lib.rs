//! Where analysed events become searchable: the [`Index`] trait, the query language, the naive
//! reference [`scan`] and the embedded store. What every index owes its callers is held by the
//! contract suite in `tests/contract`, which runs on each of them.
//!
//! This crate must never know how events came in, nor decide what is strange about them.

mod cursor;
pub mod embedded;
mod merge;
pub mod query;
mod request;
pub mod scan;

use async_trait::async_trait;
use event::{Batch, JournalId, Position, Timestamp};

pub use cursor::InvalidCursor;
pub use merge::OTHER;
pub use request::*;

/// A place that keeps analysed events searchable. Writing is idempotent by event id.
#[async_trait]
pub trait Index: Send + Sync {
    /// Makes a batch searchable (not yet durable). Batches come in journal order, from one writer.
    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError>;

    /// Makes everything written durable and returns the journal position behind it. Cheap when
    /// there is nothing to do.
    async fn commit(&self) -> Result<Position, IndexError>;

    /// Behind the last durable event of this journal: where a restarted writer goes on.
    fn committed(&self, journal: JournalId) -> Position;

    /// Behind the last searchable event.
    fn written(&self) -> Position;

    /// Hits, newest first.
    async fn search(&self, request: SearchRequest) -> Result<SearchResult, IndexError>;

    /// Counts over time.
    async fn histogram(&self, request: HistogramRequest) -> Result<Histogram, IndexError>;

    /// The values of one field with their counts, most frequent first.
    async fn field_values(&self, request: FieldValuesRequest) -> Result<FieldValues, IndexError>;

    /// The fields that occur.
    async fn fields(&self) -> Result<Vec<FieldInfo>, IndexError>;

    /// Templates with their counts, most frequent first.
    async fn patterns(&self, request: PatternsRequest) -> Result<Patterns, IndexError>;

    /// Removes events older than this, as whole units of storage: none younger goes, some older may stay.
    async fn expire(&self, before: Timestamp) -> Result<u64, IndexError>;

    /// Figures for metrics and health.
    fn stats(&self) -> IndexStats;
}

/// Why an index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Reading or writing a file failed.
    #[error("cannot {action} {path}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what this program wrote.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A query needs more than it may have.
    #[error("the query needs more than {limit}; narrow its time range")]
    QueryTooLarge {
        /// The limit, with its unit and setting.
        limit: String,
    },
    /// After a failed fsync nothing more is written.
    #[error("the index stopped writing after a failed fsync; restart once the disk is sound")]
    Poisoned,
}
