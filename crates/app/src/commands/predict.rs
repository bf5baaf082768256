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

/// The header for a body that is one JSON document, lines of JSON, or plain lines. A line in brackets, as some
/// servers write, is no JSON for that.
pub(super) fn content_type(body: &[u8]) -> (&'static str, &'static str) {
    let is_json = |text: &[u8]| serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok();
    let text = body.trim_ascii_start();
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let media = match text.first() {
        _ if is_json(body) => "application/json",
        Some(b'{') => "application/x-ndjson",
        Some(b'[') if is_json(first) => "application/x-ndjson",
        _ => "text/plain",
    };
    ("content-type", media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_declared_as_what_it_is() {
        for (body, expected) in [
            ("[{\"message\":\"a\"},\n{\"message\":\"b\"}]", "application/json"),
            (" {\n\"message\":\"a\"}\n", "application/json"),
            ("{\"message\":\"a\"}\n{\"message\":\"b\"}\n", "application/x-ndjson"),
            ("{\"message\":\"a\"\n", "application/x-ndjson"),
            ("[1]\n[2]", "application/x-ndjson"),
            ("Jun  1 12:00:00 web-1 sshd[42]: Accepted password for a\n", "text/plain"),
            ("[Sat Jun 01 12:00:00 2024] [error] no such file\n", "text/plain"),
        ] {
            assert_eq!(content_type(body.as_bytes()).1, expected, "{body}");
        }
    }
}
