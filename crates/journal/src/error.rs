//! What can go wrong, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use event::{JournalId, Position};

/// Why a journal could not be opened or looked at.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the journal in {dir} is in use by another process; stop that one or choose another data folder")]
    Locked {
        /// The journal's folder.
        dir: PathBuf,
    },
    /// A file operation failed.
    #[error("could not {action} {path}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Written by another version of the program.
    #[error("{path} has format version {found}, this program knows version 1; use the program that wrote it")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A segment of another journal.
    #[error(
        "{path} belongs to another journal ({found}) than the one in this folder; \
         move it out of the folder, or to the folder of its own journal"
    )]
    Foreign {
        /// The segment.
        path: PathBuf,
        /// The journal it belongs to.
        found: JournalId,
    },
    /// A segment under the name of another one.
    #[error(
        "{path} is segment {found} under another name; rename it to {found:010}.segment, or move it away"
    )]
    Misnamed {
        /// The segment.
        path: PathBuf,
        /// Its own number.
        found: u32,
    },
    /// Neither `meta` nor any segment says whose journal it is.
    #[error("meta and every segment header in {dir} are damaged; restore a backup or move the folder away")]
    NoKey {
        /// The journal's folder.
        dir: PathBuf,
    },
    /// The name cannot be a file name.
    #[error("'{name}' is no cursor name: 1 to 64 of a-z, 0-9, '-' and '_' were expected")]
    CursorName {
        /// The name.
        name: String,
    },
    /// No random bytes for a new journal's id.
    #[error("the operating system gave no random bytes for a new journal")]
    Random {
        /// Why.
        source: io::Error,
    },
}

/// Why a batch was not accepted. None of it is in the journal, except after `Poisoned` and `Closed`,
/// where a restart may find it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Would pass the budget.
    #[error("the journal's disk budget is used up: {used} of {budget} bytes")]
    Full {
        /// Bytes used.
        used: u64,
        /// Bytes allowed.
        budget: u64,
    },
    /// No space left on the device.
    #[error("the disk that holds the journal is full")]
    DiskFull,
    /// So little space is free that it is kept for the index.
    #[error("the disk that holds the journal has {free} bytes free, of which {reserve} are kept in reserve")]
    Reserve {
        /// Bytes free.
        free: u64,
        /// Bytes that stay free.
        reserve: u64,
    },
    /// Too much waits already.
    #[error("the journal's queue is full")]
    Busy,
    /// The disk failed.
    #[error("a write could not be made durable; the journal accepts nothing until it is restarted")]
    Poisoned,
    /// The journal has been closed.
    #[error("the journal is closed")]
    Closed,
}

impl AppendError {
    /// Whether trying again later can help: 429 rather than 503.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::DiskFull | Self::Reserve { .. } | Self::Busy)
    }
}

/// Why reading or committing failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file operation failed.
    #[error("could not {action} {path}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no such position yet.
    #[error("{position} lies beyond the journal's end {end}")]
    Beyond {
        /// The position given.
        position: Position,
        /// The journal's end.
        end: Position,
    },
}

/// The error of opening, for an attempt on a file.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { action, path, source }
}
