//! `log-sentinel tail`: events as they come in.

use std::time::Duration;

use reqwest::Response;
use retry::Backoff;
use serde_json::Value as Json;

use super::{note, print, print_json, query::readable};
use crate::{
    AppError,
    cli::Output,
    client::{Client, ClientError},
    wording::plain,
};

/// Bounds of the pauses before connecting again: the first and the last.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Prints events until the reader of the output ends. Where the stream breaks off, it is taken up again
/// behind the last event seen.
///
/// # Errors
/// When the collector does not answer at first or refuses, or output cannot be written.
pub(crate) async fn run(client: &Client, query: &str, output: Output) -> Result<(), AppError> {
    let mut response = client.get("/api/v1/tail", &[("q", query)]).await?;
    let mut frames = Frames::default();
    loop {
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => frames.feed(&chunk),
                Ok(None) | Err(_) => break,
            }
            while let Some(frame) = frames.next() {
                let Some(line) = show(&frame, output) else { continue };
                let printed = if output == Output::Text { print(&line) } else { print_json(&line) };
                if !printed? {
                    return Ok(());
                }
            }
        }
        frames.buffer.clear();
        note(&format!("the connection to {} ended; connecting again", client.shown()));
        response = again(client, query, frames.last_id.as_deref()).await?;
        let from = if frames.last_id.is_some() { "the last event seen" } else { "here" };
        note(&format!("connected again; going on from {from}"));
    }
}

/// Connects again, for as long as nobody says no.
async fn again(client: &Client, query: &str, last_id: Option<&str>) -> Result<Response, AppError> {
    let mut parameters = vec![("q", query)];
    parameters.extend(last_id.map(|id| ("after", id)));
    let mut backoff = Backoff::new(RETRY_MIN, RETRY_MAX);
    loop {
        tokio::time::sleep(backoff.pause()).await;
        match client.get("/api/v1/tail", &parameters).await {
            Ok(response) => return Ok(response),
            Err(refusal @ ClientError::Refused { status: 400..=428, .. }) => return Err(refusal.into()),
            Err(_) => {}
        }
    }
}

/// A stream of server-sent events, cut into them.
#[derive(Debug, Default)]
struct Frames {
    buffer: Vec<u8>,
    /// Up to here there is no end of a frame.
    searched: usize,
    /// The last id that came.
    last_id: Option<String>,
}

impl Frames {
    fn feed(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    fn next(&mut self) -> Option<String> {
        let from = self.searched.min(self.buffer.len());
        let Some(end) = self.buffer[from..].windows(2).position(|pair| pair == b"\n\n") else {
            self.searched = self.buffer.len().saturating_sub(1);
            return None;
        };
        let frame: Vec<u8> = self.buffer.drain(..from + end + 2).collect();
        self.searched = 0;
        let frame = String::from_utf8_lossy(&frame).into_owned();
        if let Some(id) = frame.lines().find_map(|line| line.strip_prefix("id:")) {
            self.last_id = Some(id.trim().to_owned());
        }
        Some(frame)
    }
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
        note(&format!("events are missing here, for they are stored no more: {}", plain(&data)));
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
        assert_eq!(show("id: 2\n\n", Output::Ndjson), None);
    }

    #[test]
    fn a_stream_is_cut_into_frames_wherever_it_is_split() {
        let stream = "id: 1\n\n:\n\nid: 2\ndata: {\"a\":\"b\"}\n\nevent: x\ndata: y\n\nid: 3\nda";
        for size in [1, 2, 3, 100] {
            let (mut frames, mut found) = (Frames::default(), vec![]);
            for chunk in stream.as_bytes().chunks(size) {
                frames.feed(chunk);
                found.extend(std::iter::from_fn(|| frames.next()));
            }
            assert_eq!(found.len(), 4, "{size}");
            assert_eq!(found.concat(), &stream[..stream.len() - 8], "{size}");
            assert_eq!(frames.last_id.as_deref(), Some("2"), "a frame that is not whole counts for nothing");
        }
    }
}
