//! `log-sentinel tail`: events as they come in.

use std::{collections::HashSet, time::Duration};

use event::field::TIMESTAMP;
use reqwest::Response;
use retry::Backoff;
use serde_json::Value as Json;

use super::{
    note, print, print_json,
    query::{PAGE, in_zone, parameters, readable, values},
};
use crate::{
    AppError,
    cli::{Output, Search},
    client::{Client, ClientError},
    hits::Hits,
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
    let asked = [("q", query)];
    let response = client.get("/api/v1/tail", &asked).await?;
    go_on(client, &asked, output, response, |event| Some(line(event, output, &[]))).await
}

/// Prints what a search finds, the newest last, then what comes in.
///
/// # Errors
/// As [`run`].
pub(crate) async fn follow(client: &Client, search: &Search) -> Result<(), AppError> {
    let fields = &search.fields;
    let output = search.output.printed().ok_or(AppError::FollowedCsv)?;
    let (query, names) = (search.question.query.join(" "), fields.join(","));
    let zone = search.question.zone.as_deref().unwrap_or_default();
    let asked = [("q", query.as_str()), ("fields", names.as_str()), ("zone", zone)];
    // Opened first, so that nothing is lost between the two; what both have is printed once.
    let response = client.get("/api/v1/tail", &asked).await?;
    let mut found = newest(client, search).await?;
    let local = |event: &mut Json| {
        if output == Output::Text {
            in_zone(&search.question, event, &[TIMESTAMP]);
        }
    };
    found.iter_mut().for_each(local);
    let mut seen: HashSet<String> = found.iter().filter_map(id).collect();
    let text: String = found.iter().rev().map(|hit| line(hit, output, fields)).collect();
    let printed = if output == Output::Text { print(&text) } else { print_json(&text) };
    if !printed? {
        return Ok(());
    }
    let fresh = |event: &Json| {
        let is_known = id(event).is_some_and(|id| seen.remove(&id));
        let mut event = event.clone();
        local(&mut event);
        (!is_known).then(|| line(&event, output, fields))
    };
    go_on(client, &asked, output, response, fresh).await
}

fn id(hit: &Json) -> Option<String> {
    hit["_id"].as_str().map(str::to_owned)
}

/// The hits of a search, as many as one answer may have.
async fn newest(client: &Client, search: &Search) -> Result<Vec<Json>, AppError> {
    let mut asked = parameters(&search.question);
    asked.push(("limit", search.limit.min(PAGE).to_string()));
    asked.push(("fields", search.fields.join(",")));
    let asked: Vec<_> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (mut hits, mut found) = (Hits::ask(client, &asked).await?, Vec::new());
    while let Some(hit) = hits.next().await? {
        found.push(hit);
    }
    Ok(found)
}

/// Prints what a stream brings, as [`run`]; what `line` makes nothing of is left out.
///
/// # Errors
/// As [`run`].
async fn go_on(
    client: &Client,
    asked: &[(&str, &str)],
    output: Output,
    mut response: Response,
    mut line: impl FnMut(&Json) -> Option<String>,
) -> Result<(), AppError> {
    let mut frames = Frames::default();
    loop {
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => frames.feed(&chunk),
                Ok(None) | Err(_) => break,
            }
            while let Some(frame) = frames.next() {
                let Some(line) = event(&frame).and_then(|event| line(&event)) else { continue };
                let printed = if output == Output::Text { print(&line) } else { print_json(&line) };
                if !printed? {
                    return Ok(());
                }
            }
        }
        frames.buffer.clear();
        note(&format!("the connection to {} ended; connecting again", client.shown()));
        response = again(client, asked, frames.last_id.as_deref()).await?;
        let from = if frames.last_id.is_some() { "the last event seen" } else { "here" };
        note(&format!("connected again; going on from {from}"));
    }
}

/// Connects again, for as long as nobody says no.
async fn again(client: &Client, asked: &[(&str, &str)], last_id: Option<&str>) -> Result<Response, AppError> {
    let mut parameters = asked.to_vec();
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

/// The event of a server-sent one; None for heartbeats.
fn event(frame: &str) -> Option<Json> {
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
    serde_json::from_str(&data).ok()
}

fn line(event: &Json, output: Output, fields: &[String]) -> String {
    match output {
        Output::Text if !fields.is_empty() => values(event, fields) + "\n",
        Output::Text => readable(event) + "\n",
        Output::Json => format!("{event:#}\n"),
        Output::Ndjson => format!("{event}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_lines_and_heartbeats_nothing() {
        let frame = "id: 1\ndata: {\"message\":\"hello\"}\n\n";
        let shown = |frame: &str| event(frame).map(|event| line(&event, Output::Ndjson, &[]));
        assert_eq!(shown(frame).as_deref(), Some("{\"message\":\"hello\"}\n"));
        assert_eq!(shown(": heartbeat\n\n"), None);
        assert_eq!(shown("id: 2\n\n"), None);
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
