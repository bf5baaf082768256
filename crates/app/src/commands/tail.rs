//! `log-sentinel tail`: events as they come in.

use serde_json::Value as Json;

use super::{print, query::readable};
use crate::{AppError, cli::Output, client::Client};

/// Prints events until the stream or the reader of the output ends.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, query: &str, output: Output) -> Result<(), AppError> {
    let mut response = client.get("/api/v1/tail", &[("q", query)]).await?;
    let mut buffer: Vec<u8> = vec![];
    let broken = |source| crate::client::ClientError::Answer { url: client.base().to_owned(), source };
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
            let frame: Vec<u8> = buffer.drain(..end + 2).collect();
            let Some(line) = show(&String::from_utf8_lossy(&frame), output) else { continue };
            if !print(&line)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What one server-sent event is to a person; None for heartbeats.
fn show(frame: &str, output: Output) -> Option<String> {
    let field = |name: &str| {
        let lines = frame.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
    };
    let (kind, data) = (field("event:"), field("data:"));
    if data.is_empty() {
        return None;
    }
    if kind == "lagged" {
        eprintln!("too slow to follow: {data}");
        return None;
    }
    let document: Json = serde_json::from_str(&data).ok()?;
    Some(match output {
        Output::Text => readable(&document) + "\n",
        Output::Json => format!("{document:#}\n"),
        Output::Ndjson => format!("{document}\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_lines_and_heartbeats_nothing() {
        let frame = "id: 1\ndata: {\"message\":\"hello\"}\n\n";
        assert_eq!(show(frame, Output::Ndjson).as_deref(), Some("{\"message\":\"hello\"}\n"));
        assert_eq!(show(": heartbeat\n\n", Output::Ndjson), None);
    }
}
