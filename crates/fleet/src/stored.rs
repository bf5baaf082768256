//! Values as the database keeps them.

use event::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::FleetError;

/// A time of the database.
pub(crate) fn time(nanos: i64) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(nanos))
}

/// A value of the database, of what is named.
pub(crate) fn json<T: DeserializeOwned>(text: &str, what: impl Fn() -> String) -> Result<T, FleetError> {
    serde_json::from_str(text).map_err(|_| FleetError::Damaged { what: what() })
}

/// A value as the database keeps it.
pub(crate) fn text(value: &impl Serialize) -> Result<String, FleetError> {
    serde_json::to_string(value)
        .map_err(|_| FleetError::Damaged { what: "what was to be written".to_owned() })
}
