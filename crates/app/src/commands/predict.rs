//! `log-sentinel predict`: how strange the logs of a file are.

use std::path::Path;

use super::{print_json, read};
use crate::{AppError, client::Client};

/// Scores a file.
///
/// # Errors
/// When the file cannot be read or the service refuses it.
pub(crate) async fn run(client: &Client, file: &Path) -> Result<(), AppError> {
    let body = read(file)?;
    let answer = client.post("/predict", &[], &[content_type(&body)], body).await?;
    print_json(&format!("{answer:#}\n"))?;
    Ok(())
}

/// The header for a body that is one JSON document, else lines of JSON.
pub(super) fn content_type(body: &[u8]) -> (&'static str, &'static str) {
    let whole = serde_json::from_slice::<&serde_json::value::RawValue>(body).is_ok();
    ("content-type", if whole { "application/json" } else { "application/x-ndjson" })
}
