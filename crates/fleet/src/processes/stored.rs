//! A process as it is kept: its JSON, without what is not known.

use process::Process;
use serde_json::Value;

use crate::{FleetError, stored::json};

/// A process as it is kept.
pub(super) fn process(text: &str) -> Result<Process, FleetError> {
    json(text, || "a process".to_owned())
}

pub(super) fn text(process: &Process) -> Result<String, FleetError> {
    let unwritten = |_| FleetError::Damaged { what: "a process".to_owned() };
    let mut value = serde_json::to_value(process).map_err(unwritten)?;
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    serde_json::to_string(&value).map_err(unwritten)
}
