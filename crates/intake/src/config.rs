//! How records are understood, and where they come from.

use std::{sync::Arc, time::Duration};

use event::Timestamp;
use jiff::tz::TimeZone;
use parse::{Before, Joining};

/// How records are understood, and how much of them may be held.
#[derive(Debug, Clone)]
pub struct Config {
    /// Longest line or record text in bytes (1 MiB by default); a longer one is cut and marked
    /// `truncated`. Setting `LOG_SENTINEL_LINE_BYTES_MAX`.
    pub line_bytes_max: usize,
    /// Which lines of a text are one event, and how many at most (stack traces and the like by default); None when
    /// each line is one. Settings `LOG_SENTINEL_JOIN_LINES`, `LOG_SENTINEL_EVENT_START`,
    /// `LOG_SENTINEL_EVENT_LINES_MAX`, `LOG_SENTINEL_EVENT_BYTES_MAX`.
    pub joining: Option<Joining>,
    /// Zone of time stamps that name none (UTC by default). Setting `LOG_SENTINEL_ZONE`.
    pub zone: TimeZone,
    /// Formats of the user's own, which lines are looked at for first. Setting `LOG_SENTINEL_FORMATS_FILE`.
    pub formats: Arc<parse::Formats>,
    /// This machine: the host of lines of watched files that name none. Lines that came over the
    /// network are not given it.
    pub host: Option<String>,
    /// The age from which stored events are deleted: what is older already is counted as it comes. Setting
    /// `LOG_SENTINEL_RETENTION`.
    pub retention: Option<Duration>,
    /// What all deliveries that answer to somebody may hold at a time. Setting
    /// `LOG_SENTINEL_IN_FLIGHT_BYTES_MAX`.
    pub held_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            line_bytes_max: 1 << 20,
            joining: Some(Joining::default()),
            zone: TimeZone::UTC,
            formats: Arc::default(),
            host: None,
            retention: None,
            held_bytes_max: body::Config::default().in_flight_bytes_max,
        }
    }
}

/// Where records come from, as far as they do not say so themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'o> {
    /// The file that holds them: `log.file.path`.
    pub file: Option<&'o str>,
    /// When that file was last written; time stamps without a year are taken to lie in the year before.
    pub written: Option<Timestamp>,
    /// The host of records that name none.
    pub host: Option<&'o str>,
    /// What the part of the file before says of this one.
    pub before: Option<&'o Before>,
    /// The file is damaged within these records: their end is missing, and they are flagged.
    pub is_cut: bool,
}
