//! What can go wrong, and what to do about it.

use signal::StoreError;
use state::{OpenError, StateError};

use crate::Selector;

/// Why samples could not be kept or read. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The database could not be read or written.
    #[error("could not read or write what was measured on hosts (metrics.db)")]
    State(#[from] StateError),
    /// No agent has this name.
    #[error("there is no agent '{name}'; GET /agents lists those that are known")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// Nothing was set for this group.
    #[error(
        "nothing is set for the group '{group}'; GET /api/v1/host-groups lists those for which something is"
    )]
    UnknownGroup {
        /// What was asked for.
        group: Selector,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is kept cannot be understood.
    #[error("what metrics.db keeps of {what} is damaged; restore the file from a backup")]
    Damaged {
        /// Of what.
        what: String,
    },
    /// Signals could not be made of what was found.
    #[error("could not make signals of what was found on hosts")]
    Signals(#[from] StoreError),
}

impl From<rusqlite::Error> for FleetError {
    fn from(source: rusqlite::Error) -> Self {
        Self::State(source.into())
    }
}
