//! What can go wrong, and what to do about it.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// Why the database could not be opened. Its file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file operation failed.
    #[error("could not {action} {path}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{path} is no database of Log Sentinel; move it away and start again")]
    Other {
        /// The file.
        path: PathBuf,
    },
    /// A newer program made it.
    #[error(
        "{path} has version {found} of {what}, this program knows up to {known}; use the program that wrote it, or a \
         newer one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Whose version: the file's own, or the owner of some tables.
        what: &'static str,
        /// The version in the file.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// Its content is not as it was written.
    #[error(
        "{path} is damaged: {found}. Restore it from a backup; or move it away together with the files -wal and -shm \
         beside it to begin without signals: events are not in it"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says of it.
        found: String,
    },
    /// SQLite refused something else.
    #[error("could not {action} {path}")]
    Sqlite {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: StateError,
    },
}

/// Why something was not read or written. What was to be written in the same transaction was not written either.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// No space is left.
    #[error("the disk that holds state.db is full; free some space and try again")]
    DiskFull {
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The content of the file is not as it was written.
    #[error("state.db is damaged; restart the program, which says what to do")]
    Damaged {
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file cannot be read or written.
    #[error("state.db cannot be read or written; see whether its disk is well")]
    Io {
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Another process holds the file.
    #[error("another process holds state.db; end it and try again")]
    Busy {
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A statement was refused.
    #[error("state.db refused a statement")]
    Refused {
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl From<rusqlite::Error> for StateError {
    fn from(source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { source },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { source },
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied,
            ) => Self::Io { source },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { source },
            _ => Self::Refused { source },
        }
    }
}
