//! What can go wrong, and what to do about it.

use state::StateError;

use crate::SignalId;

/// Why what was to be written beside a signal could not be.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why signals could not be read or changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database could not be read or written.
    #[error("could not read or change signals")]
    State(#[from] StateError),
    /// What is kept of a signal cannot be understood.
    #[error("what state.db keeps of signal {id} cannot be read; restore the file from a backup")]
    Unreadable {
        /// The signal.
        id: SignalId,
        /// Why.
        source: serde_json::Error,
    },
    /// There is no such signal.
    #[error("there is no signal {id}; it may have been older than signals are kept")]
    Unknown {
        /// What was asked for.
        id: SignalId,
    },
    /// What was to be written in the same transaction was not.
    #[error("could not write down signals together with what follows from them")]
    Beside {
        /// Why.
        source: BoxError,
    },
    /// A suppression cannot be made.
    #[error("this cannot be suppressed: {reason}")]
    Suppression {
        /// Why not, and what to do.
        reason: String,
    },
    /// There is no such suppression.
    #[error("there is no suppression {number}")]
    UnknownSuppression {
        /// What was asked for.
        number: u64,
    },
    /// A text is longer than it may be.
    #[error("the {what} has more than {max} bytes; shorten it")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// The most there may be.
        max: usize,
    },
    /// The place in a list is none of ours.
    #[error("'{cursor}' is no place in a list of signals; take 'next' of the page before as it is")]
    Cursor {
        /// What was given.
        cursor: String,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        StateError::from(source).into()
    }
}
