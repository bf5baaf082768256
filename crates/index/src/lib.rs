//! Where analysed events become searchable: the [`Index`] trait, the naive
//! reference [`scan`] and the embedded store. What every index owes its callers is held by the
//! contract suite in `tests/contract`, which runs on each of them.
//!
//! This crate must never know how events came in, nor decide what is strange about them.

mod dead_letter;
pub mod elasticsearch;
pub mod embedded;
mod error;
mod events;
mod histogram;
mod interval;
mod limits;
pub mod live;
mod merge;
mod page;
mod request;
pub mod scan;
mod sort_key;
pub mod upkeep;
mod width;

use async_trait::async_trait;
use event::{Batch, EventId, JournalId, Position, Timestamp, Verdict};
use tokio::sync::watch;

pub use dead_letter::{DeadLetter, DeadLetters};
pub use error::IndexError;
pub use histogram::{Bucket, Histogram, HistogramRequest};
pub use interval::{BUCKETS_CHOSEN, Interval};
pub use limits::{CancelOnDrop, Lanes, LanesConfig, Limits, Meter, Place};
pub use merge::OTHER;
pub use request::*;
pub use sort_key::{Cursor, InvalidCursor, Order, SortKey};
pub use width::{Unit, Width};

/// A place that keeps analysed events searchable. Writing is idempotent by event id.
///
/// Every question keeps to its [`Limits`], and the work on it ends soon after its future is dropped.
#[async_trait]
pub trait Index: Send + Sync {
    /// Told before the first write: which journal the batches come from, where its cursor for this
    /// index stands, and where it ended at the start (what lies between may have been written by an
    /// earlier process). Gives the position at which writing goes on: behind the last durable event.
    fn attach(&self, journal: JournalId, cursor: Position, end: Position) -> Position;

    /// Takes a batch over. Batches come in journal order, from one writer. An index in this process
    /// has made it searchable when this returns; a remote one may hold a bounded number of batches,
    /// and [`Index::written`] tells when they are there. After an error nothing of the batch was
    /// taken over, and it may be given again.
    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError>;

    /// Makes what is searchable durable and returns the journal position behind what is. It does not
    /// wait for a remote index: what that has not answered for yet is left out. Cheap when there is
    /// nothing to do.
    async fn commit(&self) -> Result<Position, IndexError>;

    /// Behind the furthest event of this journal that the store holds, whoever wrote it: beyond the
    /// journal's end when the journal is an older copy of itself. The start where nobody else writes.
    async fn reached(&self, _journal: JournalId) -> Result<Position, IndexError> {
        Ok(Position::default())
    }

    /// Whether [`Index::commit`] makes durable what others have answered for, and not what it was given.
    fn answers_later(&self) -> bool {
        false
    }

    /// The journal whose ids other events turned out to have, if any: it was copied.
    fn collided(&self) -> Option<JournalId> {
        None
    }

    /// Behind the last event that questions to this index find, whenever that moves.
    fn written(&self) -> watch::Receiver<Position>;

    /// Lets everyone else who reads the same store find what is written, too.
    async fn refresh(&self) -> Result<(), IndexError> {
        Ok(())
    }

    /// Hits, in the order asked for.
    async fn search(&self, request: SearchRequest, limits: &Limits) -> Result<SearchResult, IndexError>;

    /// Matching events in the order of the journal.
    async fn follow(&self, request: FollowRequest, limits: &Limits) -> Result<Followed, IndexError>;

    /// Counts over time.
    async fn histogram(&self, request: HistogramRequest, limits: &Limits) -> Result<Histogram, IndexError>;

    /// The values of one field with their counts, most frequent first.
    async fn field_values(
        &self,
        request: FieldValuesRequest,
        limits: &Limits,
    ) -> Result<FieldValues, IndexError>;

    /// The fields that occur.
    async fn fields(&self, limits: &Limits) -> Result<Vec<FieldInfo>, IndexError>;

    /// Templates with their counts, most frequent first.
    async fn patterns(&self, request: PatternsRequest, limits: &Limits) -> Result<Patterns, IndexError>;

    /// Gives events that were stored without a verdict the ones that came later, durable when this returns;
    /// says how many. [`Index::written`] must have reached the events before. Those that are not there, or have
    /// a verdict, are left as they are, so it may be told again.
    async fn amend(&self, verdicts: &[(EventId, Verdict)]) -> Result<u64, IndexError>;

    /// Begins a new unit of storage where the present one has become old or large enough, so that
    /// what is too old can go; true when it did. An index that sees to that by itself does nothing.
    async fn roll_over(&self) -> Result<bool, IndexError> {
        Ok(false)
    }

    /// Removes events older than this, as whole units of storage: none younger goes, some older may stay.
    async fn expire(&self, before: Timestamp) -> Result<u64, IndexError>;

    /// Figures for metrics and health.
    fn stats(&self) -> IndexStats;

    /// What of a time range is known to be destroyed; a query that meets damage finds it before it
    /// answers with the rest.
    fn losses(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Losses {
        let _ = (from, to);
        Losses::default()
    }

    /// Files that were missing or damaged at the start, whose events a journal may still have.
    fn lost_files(&self) -> Vec<LostFile> {
        Vec::new()
    }

    /// Files that were deleted beneath the running process. It may still read them; the next start cannot.
    fn missing_files(&self) -> u64 {
        0
    }

    /// Takes in events again that a lost file held, wherever the index stands otherwise.
    async fn restore(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let _ = batch;
        Ok(())
    }

    /// All events of a lost file that could be had were taken in again, so many: makes them durable,
    /// once, and what is left is lost for good.
    async fn restored(&self, file: u64, events: u64) -> Result<(), IndexError> {
        let _ = (file, events);
        Ok(())
    }
}
