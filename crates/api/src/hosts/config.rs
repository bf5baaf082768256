//! A part of the `monitoring` object in a body, and the refusal of one that does not fit.

use fleet::{Selector, Unfit};
use problem::{Problem, StatusCode};
use serde_json::{Map, Value, json};

use crate::params::bad_parameter;

/// What a body must be.
pub(super) const FORM: &str =
    r#"the `monitoring` object of an agent or a part of it, such as {"cpu": {"threshold": 90}}"#;

/// The object itself, also where it is given as the file of an agent has it: below `monitoring`.
pub(super) fn said(bytes: Vec<u8>) -> Result<Map<String, Value>, Problem> {
    let mut said: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("the body must be {FORM}: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read", detail)
    })?;
    Ok(match said.remove("monitoring") {
        Some(Value::Object(inner)) if said.is_empty() => inner,
        Some(other) => {
            said.insert("monitoring".to_owned(), other);
            said
        }
        None => said,
    })
}

/// Which sections are to be changed, for the record.
pub(super) fn sections(said: &Map<String, Value>) -> String {
    said.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The labels that a parameter names.
pub(super) fn selector(parameter: &str, text: &str) -> Result<Selector, Problem> {
    text.parse().map_err(|reason| bad_parameter(parameter, format!("'{parameter}': {reason}")))
}

pub(super) fn unfit(unfit: &[Unfit]) -> Problem {
    let told: Vec<String> = unfit.iter().map(ToString::to_string).collect();
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let field = unfit.first().map(|one| one.field.clone()).unwrap_or_default();
    Problem::new(status, "bad_config", "The configuration does not fit", told.join("; "))
        .field(field)
        .member("unfit", json!(unfit))
}
