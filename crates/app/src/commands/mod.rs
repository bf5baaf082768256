//! The commands that are not `run`: each a file, each talking to a collector over its ordinary API.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod dlq;
pub(crate) mod elastic;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod journal;
pub(crate) mod model;
pub(crate) mod query;
pub(crate) mod tail;

use std::io::{self, Write};

/// Writes to standard output; false when nobody reads it any more, which ends a command quietly.
///
/// # Errors
/// When writing fails for another reason.
pub(crate) fn print(text: &str) -> io::Result<bool> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}
