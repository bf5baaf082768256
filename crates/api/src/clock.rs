//! The time of day, read here and nowhere else in this crate.

use event::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now()).unwrap_or(Timestamp::MIN)
}
