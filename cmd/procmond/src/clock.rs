//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

use event::Timestamp;

/// The time of the machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::saturating_from_nanos(i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}
