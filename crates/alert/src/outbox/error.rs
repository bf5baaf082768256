//! What can go wrong, and what to do about it.

use state::StateError;

use crate::message::AlertId;

/// Why alerts could not be read or changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The database could not be read or written.
    #[error("could not read or change alerts")]
    State(#[from] StateError),
    /// What is kept cannot be understood.
    #[error("what state.db keeps of an alert cannot be read; restore the file from a backup")]
    Unreadable(#[from] serde_json::Error),
    /// There is no such alert.
    #[error("there is no alert {id}; it may have been older than alerts are kept")]
    Unknown {
        /// What was asked for.
        id: AlertId,
    },
    /// The signal of an alert could not be changed with it.
    #[error("could not change the signal of an alert")]
    Signal(#[from] signal::StoreError),
}

impl From<rusqlite::Error> for OutboxError {
    fn from(source: rusqlite::Error) -> Self {
        StateError::from(source).into()
    }
}
