//! `log-sentinel train` and `predict`: the anomaly service from a terminal.

use std::{fs, io::Read, path::Path};

use super::print;
use crate::{AppError, client::Client};

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Trains on a file.
///
/// # Errors
/// When the file cannot be read or the service refuses it.
pub(crate) async fn train_file(client: &Client, file: &Path) -> Result<(), AppError> {
    post(client, "/train", read(file)?).await
}

/// Trains on the stored events that match.
///
/// # Errors
/// When the service refuses it.
pub(crate) async fn train_stored(client: &Client, query: &str) -> Result<(), AppError> {
    post(client, "/train", serde_json::json!({"source": "store", "query": query}).to_string().into_bytes())
        .await
}

/// Scores a file.
///
/// # Errors
/// When the file cannot be read or the service refuses it.
pub(crate) async fn predict(client: &Client, file: &Path) -> Result<(), AppError> {
    post(client, "/predict", read(file)?).await
}

async fn post(client: &Client, path: &str, body: Vec<u8>) -> Result<(), AppError> {
    let whole = serde_json::from_slice::<&serde_json::value::RawValue>(&body).is_ok();
    let answer = client.post(path, &[], &[if whole { JSON } else { NDJSON }], body).await?;
    print(&format!("{answer:#}\n"))?;
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, AppError> {
    let failed = |source| AppError::File { action: "read", path: file.to_owned(), source };
    if file == Path::new("-") {
        let mut bytes = vec![];
        std::io::stdin().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    fs::read(file).map_err(failed)
}
