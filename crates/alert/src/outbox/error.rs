//! What can go wrong, and what to do about it.

use event::Timestamp;
use state::StateError;

use crate::{message::AlertId, route::RouteProblem};

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
    /// A channel or a silence is not as it must be.
    #[error("{}", problems.first().map(|problem| format!("{}: {}", problem.place, problem.reason)).unwrap_or_default())]
    Wrong {
        /// All that is wrong with it.
        problems: Vec<RouteProblem>,
    },
    /// A channel cannot be used as it is set up.
    #[error("it cannot be used: {reason}")]
    Unusable {
        /// Why, and what to do.
        reason: String,
    },
    /// There is a channel of this name.
    #[error("there is a channel called '{name}' already; change that one, or take another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// No channel of this name was made while the program ran.
    #[error(
        "no channel called '{name}' was made here; those of the environment and of the file are changed there"
    )]
    NoChannel {
        /// The name.
        name: String,
    },
    /// There is no such silence.
    #[error("there is no silence {number}; one of the file of routes ends there")]
    NoSilence {
        /// Its number.
        number: i64,
    },
    /// A silence that would be over.
    #[error("until: a silence must end in the future, and {until} is past")]
    Over {
        /// When it would end.
        until: Timestamp,
    },
    /// There are as many as there can be.
    #[error("there are {most} already, which are the most; remove one first")]
    Many {
        /// The bound.
        most: i64,
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
