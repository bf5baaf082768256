//! The commands that are not `run`: each a file, each talking to a collector or an anomaly service over its
//! ordinary API.

pub(crate) mod agent;
pub(crate) mod agents;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod counts;
pub(crate) mod demo;
pub(crate) mod dlq;
pub(crate) mod elastic;
pub(crate) mod feedback;
pub(crate) mod health;
pub(crate) mod hosts;
pub(crate) mod import;
pub(crate) mod journal;
pub(crate) mod keys;
mod measuring;
pub(crate) mod models;
pub(crate) mod parse;
pub(crate) mod past;
pub(crate) mod predict;
pub(crate) mod query;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod sessions;
pub(crate) mod signals;
pub(crate) mod silences;
pub(crate) mod sql;
mod sql_rules;
pub(crate) mod starters;
pub(crate) mod tail;
pub(crate) mod templates;
pub(crate) mod terminal;
mod thresholds;
pub(crate) mod train;

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use event::Timestamp;
use serde_json::Value as Json;
use telemetry::clean;

use crate::{AppError, cli::Output};

/// Writes lines to standard output, cleaned of what steers a terminal, whatever made them; false when nobody
/// reads them any more, which ends a command quietly.
///
/// # Errors
/// When writing fails for another reason.
pub(crate) fn print(text: &str) -> io::Result<bool> {
    print_bytes(clean::lines(text).as_bytes())
}

/// As [`print`], for serialised JSON, which stays the same document.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_json(json: &str) -> io::Result<bool> {
    print_bytes(clean::json(json).as_bytes())
}

/// Writes a line to standard error, as [`print`] does.
pub(crate) fn note(line: &str) {
    terminal::error(&clean::lines(line));
}

/// As [`print`], for what is no text.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_bytes(bytes: &[u8]) -> io::Result<bool> {
    match terminal::output(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Prints an answer as asked for. Its lines as NDJSON are the elements of the member `rows`; without one the
/// answer is one line.
///
/// # Errors
/// As [`print`].
pub(crate) fn show(
    output: Output,
    answer: &Json,
    rows: Option<&str>,
    words: impl FnOnce(&Json) -> String,
) -> Result<(), AppError> {
    match (output, rows) {
        (Output::Text, _) => print(&words(answer))?,
        (Output::Json, _) => print_json(&format!("{answer:#}\n"))?,
        (Output::Ndjson, None) => print_json(&format!("{answer}\n"))?,
        (Output::Ndjson, Some(rows)) => {
            let rows = crate::wording::each(answer, rows).iter();
            print_json(&rows.map(|row| format!("{row}\n")).collect::<String>())?
        }
    };
    Ok(())
}

/// When a file was last written.
pub(crate) fn modified(metadata: &fs::Metadata) -> Option<Timestamp> {
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::saturating_from_nanos(since.as_nanos() as i128))
}

/// A whole file; `-` is standard input.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, AppError> {
    let failed = |source| AppError::File { action: "read", path: file.to_owned(), source };
    if file == Path::new("-") {
        let mut bytes = vec![];
        io::stdin().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    fs::read(file).map_err(failed)
}
