//! Why a question has no answer.

use fleet::FleetError;
use search::SearchError;
use signal::StoreError;
use sql::{Failure, Refusal};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The text is not asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It ended over a bound, or could not be worked out.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// Events could not be read.
    #[error("events could not be read")]
    Search(#[source] SearchError),
    /// What is kept of hosts could not be read.
    #[error("what is kept of hosts could not be read")]
    Fleet(#[from] FleetError),
    /// Signals could not be read.
    #[error("signals could not be read")]
    Signals(#[from] StoreError),
    /// It ended early: the program stops, or failed.
    #[error("the question ended before it was answered")]
    Ended,
}
