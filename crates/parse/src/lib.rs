//! Bytes to events and per-record problems, one module per format.
//!
//! Pure: no I/O, no clock ([`Context::received`] is now), and nothing that input can make panic.
//! It must never learn of a transport, a store or a detector.

mod access;
mod ansi;
mod application;
mod auth;
mod before;
mod body;
mod container;
mod cut;
mod decoding;
mod envelope;
mod explain;
mod export;
mod fit;
mod formats;
mod framing;
mod header;
mod inner;
mod joining;
mod json;
mod laurel;
mod level;
mod line;
mod list;
mod logfmt;
mod names;
mod nested;
mod object;
mod own;
mod record;
#[cfg(test)]
mod samples;
mod scale;
mod signs;
mod stamp;
mod stamped;
mod syslog;
mod time;
mod truncate;
pub mod utf16;
mod w3c;
mod windows;

use event::Timestamp;

pub use before::Before;
pub use body::body;
pub use decoding::original_bytes;
pub use explain::{Explanation, explain};
pub use joining::{Complete, Joining, Pattern};
pub use level::level_from_message;
pub use line::line;
pub use own::{Definition, FormatError, Formats};

/// What a parser must be told about the world.
#[derive(Debug, Clone)]
pub struct Context<'c> {
    /// Receipt: the time stamp of lines without one.
    pub received: Timestamp,
    /// Before when time stamps without a year were written, but for a day: usually `received`; for a file that is
    /// read later, the time it was last written.
    pub near: Timestamp,
    /// Zone of time stamps that name none.
    pub zone: &'c jiff::tz::TimeZone,
    /// Path of the file the line comes from: `log.file.path`; its stem is the last resort for `service.name`.
    pub file: Option<&'c str>,
    /// Host of lines that name none.
    pub host: Option<&'c str>,
    /// What the lines before say of this one and those behind it.
    pub before: Option<&'c Before>,
    /// Which lines of a text are one event; None when each is one.
    pub joining: Option<&'c Joining>,
    /// Formats of one's own, which are asked for first.
    pub formats: Option<&'c Formats>,
    /// Longest line, or message of a record, in bytes; what is longer is cut and marked.
    pub line_bytes_max: usize,
}

impl<'c> Context<'c> {
    /// For records that come from no file and name their host themselves.
    pub fn new(received: Timestamp, zone: &'c jiff::tz::TimeZone, line_bytes_max: usize) -> Self {
        Self {
            received,
            near: received,
            zone,
            file: None,
            host: None,
            before: None,
            joining: None,
            formats: None,
            line_bytes_max,
        }
    }
}

/// Why a record of a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line or element number, from 1.
    pub line: u64,
    /// Column in bytes, from 1, where it is known.
    pub column: Option<u64>,
    /// The field concerned, where it is one.
    pub field: Option<String>,
    /// What is wrong, in words.
    pub reason: String,
}

/// Takes each record of a body, or what is wrong with it.
pub(crate) type Take<'f, 'a> = &'f mut dyn FnMut(Result<event::Event<'a>, Problem>);

/// Form of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An object, an array, or NDJSON, told apart by looking.
    Json,
    /// One object a line.
    Ndjson,
    /// Plain lines.
    Lines,
}
