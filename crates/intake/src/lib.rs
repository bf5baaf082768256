//! Every way in: HTTP and watched files. Bytes are parsed, made durable in the journal, and only
//! then answered for.
//!
//! Admission is all or nothing: under load a whole request is refused before anything of it is
//! stored, and a watched file waits. Everything held is bounded by a setting.
//!
//! This crate must never know an index or what is done with an event once it is in the journal,
//! and must never answer for an event that is not durable.

pub mod http;
pub mod tail;

use event::Timestamp;
use jiff::tz::TimeZone;

/// How lines are understood.
#[derive(Debug, Clone)]
pub struct Parsing {
    /// Longest line or record text in bytes (1 MiB by default); a longer one is cut and marked
    /// `truncated`. Setting `LOG_SENTINEL_LINE_BYTES_MAX`.
    pub line_bytes_max: usize,
    /// Zone of time stamps that name none (UTC by default). Setting `LOG_SENTINEL_ZONE`.
    pub zone: TimeZone,
    /// Host of lines of watched files that name none: this machine. Lines that came over the
    /// network are not given it.
    pub host: Option<String>,
}

impl Default for Parsing {
    fn default() -> Self {
        Self { line_bytes_max: 1 << 20, zone: TimeZone::UTC, host: None }
    }
}

/// Where the time of receipt comes from.
pub type Clock = fn() -> Timestamp;

/// The time of receipt by the system's clock.
pub fn system_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::saturating_from_nanos(i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}
