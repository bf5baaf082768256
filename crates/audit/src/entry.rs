//! Records as they are read again, to be shown or exported.

use std::path::Path;

use event::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    ReadError,
    files::{self, Lines},
    line::{Kind, Line},
};

/// A record that was read. What names it has is text, so that those of later versions are shown too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entry {
    /// Its place in the record, from 1.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: EntryActor,
    /// What was done, such as `key.created`.
    pub action: String,
    /// To what.
    pub target: String,
    /// `asked`, `done`, `refused` or `failed`.
    pub outcome: String,
    /// Whatever else there is to know.
    #[serde(default)]
    pub details: Map<String, Json>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EntryActor {
    /// `key`, `session`, `command_line`, `system` or `open`.
    pub kind: String,
    /// Which one.
    #[serde(default)]
    pub id: String,
    /// Where the request came from.
    pub address: Option<String>,
}

/// Calls `each` with the records of a folder and the lines in which they stand, oldest first, until it gives false. Only
/// reads, verifies nothing, and works while the program runs. Gives how many lines could not be read.
///
/// # Errors
/// When there is no record, or a file cannot be read.
pub fn each(dir: &Path, mut each: impl FnMut(&[u8], Entry) -> bool) -> Result<u64, ReadError> {
    let paths = files::list(dir)?;
    if paths.is_empty() {
        return Err(ReadError::Nothing { dir: dir.to_owned() });
    }
    let mut unreadable = 0;
    for path in &paths {
        let mut lines = Lines::open(path)?;
        while let Some(raw) = lines.next()? {
            match entry(raw.bytes) {
                Ok(Some(entry)) => {
                    if !each(raw.bytes, entry) {
                        return Ok(unreadable);
                    }
                }
                Ok(None) => {}
                // The last line may be half written.
                Err(()) => unreadable += u64::from(raw.is_complete),
            }
        }
    }
    Ok(unreadable)
}

/// The record in a line; None for a checkpoint and the first line of a file.
pub(crate) fn entry(line: &[u8]) -> Result<Option<Entry>, ()> {
    match Line::parse(line) {
        Some(parsed) if parsed.kind != Kind::Record => Ok(None),
        _ => serde_json::from_slice(line).map(Some).map_err(drop),
    }
}
