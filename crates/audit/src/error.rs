//! What can go wrong, and what to do about it.

use std::{io, path::PathBuf, sync::Arc};

use crate::{Action, Finding};

/// Why a record was not made. What was to be recorded must then not be done either.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A text is longer than it may be.
    #[error("cannot record {}: the {what} has {bytes} bytes, at most {max} are kept; shorten it", action.as_str())]
    TooLong {
        /// What was to be recorded.
        action: Action,
        /// Which text.
        what: &'static str,
        /// Its bytes.
        bytes: usize,
        /// The most there may be.
        max: usize,
    },
    /// The details are no JSON.
    #[error("cannot record {}: its details cannot be written as JSON", action.as_str())]
    Unwritable {
        /// What was to be recorded.
        action: Action,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// Too many wait to be recorded.
    #[error("the audit record has no room for more at once; try again")]
    Busy,
    /// No space is left.
    #[error("the disk that holds the audit record is full; free some space and try again")]
    DiskFull {
        /// Why.
        source: Arc<io::Error>,
    },
    /// A write failed, or its files were altered beside the running program.
    #[error(
        "the audit record cannot be written since {what}; nothing that must be recorded is done until the program \
         is restarted, which verifies what is there"
    )]
    Broken {
        /// What happened.
        what: Arc<str>,
    },
    /// It was closed.
    #[error("the audit record is closed")]
    Closed,
}

/// Why a key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file operation failed.
    #[error("could not {action} the key {path}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error(
        "{path} is no {what} key of an audit record: one line of log-sentinel-audit-{what}-key/1 and 64 digits was expected"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// `private` or `public`.
        what: &'static str,
    },
    /// No random bytes.
    #[error("the operating system gave no random bytes for a key")]
    Random {
        /// Why.
        source: io::Error,
    },
}

/// Why a record could not be read, which says nothing of whether it was tampered with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
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
    /// There is nothing to read.
    #[error("there is no audit record in {dir}; name the folder audit of a data folder")]
    Nothing {
        /// The folder.
        dir: PathBuf,
    },
    /// It is something else.
    #[error("{path} is no file of an audit record")]
    NotAudit {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to another record.
    #[error(
        "{path} belongs to the audit record of installation {found}, not to that of installation {expected}"
    )]
    OtherInstallation {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose was expected.
        expected: String,
    },
    /// It is of another format version.
    #[error("{path} has format version {found}, this program reads version 1; use the program that wrote it")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A file of checkpoints has none.
    #[error("no checkpoint of an audit record stands in {path}")]
    NoCheckpoints {
        /// The file.
        path: PathBuf,
    },
    /// A file of checkpoints has too many.
    #[error("more than {max} checkpoints stand in {path}; take a part of it")]
    TooManyCheckpoints {
        /// The file.
        path: PathBuf,
        /// The most there may be.
        max: usize,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why a record could not be opened for writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process writes it.
    #[error(transparent)]
    InUse(#[from] disk::InUse),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is not the one with which this record is signed.
    #[error(
        "{path} is not the private key with which the audit record in {dir} is signed; restore that key, or move the \
         folder {dir} away to begin a new record"
    )]
    OtherKey {
        /// The private key.
        path: PathBuf,
        /// The record's folder.
        dir: PathBuf,
    },
    /// The private key is gone.
    #[error(
        "the private key {path} of the audit record in {dir} is not there; restore it, or move the folder {dir} away \
         to begin a new record"
    )]
    NoKey {
        /// The private key.
        path: PathBuf,
        /// The record's folder.
        dir: PathBuf,
    },
    /// It is not as it was written.
    #[error(
        "the audit record in {dir} is not as it was written: {finding}. Look at it with `log-sentinel audit verify`, \
         keep the folder for whoever looks into this, and move it away to begin a new record"
    )]
    Tampered {
        /// The record's folder.
        dir: PathBuf,
        /// What was found.
        finding: Box<Finding>,
    },
    /// The first line could not be recorded.
    #[error("the audit record in {dir} cannot be written")]
    Write {
        /// The record's folder.
        dir: PathBuf,
        /// Why.
        source: RecordError,
    },
}
