//! The Event Log of Windows, as its own program `wevtutil` gives it: in XML with the texts that people read, a batch at a time.
//!
//! The number of the last record stands in the journal record that holds the events, so that a crash between the two
//! repeats nothing. A log that was cleared and counts from the beginning again is read from there.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use journal::Note;
use telemetry::{health::Component, task::Stop};
use tokio::process::Command;

use crate::{Delivery, Door, Origin};

/// What the number of the last record of a log is noted under, its name behind it.
const NOTE: &str = "event_log/";
/// The first time, what is older is not read: milliseconds.
const FIRST_MS: u64 = 24 * 3600 * 1000;
/// Events of one batch.
const BATCH: usize = 200;
/// The program has so long for a batch.
const PATIENCE: Duration = Duration::from_secs(120);
/// A log that says nothing new is asked so often whether it was begun anew.
const ASKED_EVERY: Duration = Duration::from_secs(60);

/// What is read.
#[derive(Debug, Clone)]
pub struct Config {
    /// `wevtutil`.
    pub program: PathBuf,
    /// The logs, by name.
    pub logs: Vec<String>,
    /// How long to wait when nothing more is there.
    pub interval: Duration,
}

impl Default for Config {
    /// Those that every machine has.
    fn default() -> Self {
        Self {
            program: "wevtutil.exe".into(),
            logs: ["System", "Security", "Application"].map(str::to_owned).into(),
            interval: Duration::from_secs(5),
        }
    }
}

/// Reads the logs until told to stop. One that cannot be read does not hold up the others.
pub async fn read(config: Config, door: Door, health: Component, stop: Stop) {
    let mut reader = Reader { config: &config, door: &door, asked: HashMap::new() };
    while !stop.is_cancelled() {
        let (mut wrong, mut has_more) = (vec![], false);
        for log in &config.logs {
            match stop.run_until_cancelled(reader.look(log)).await {
                None => return,
                Some(Ok(taken)) => has_more |= taken >= BATCH,
                Some(Err(reason)) => wrong.push(format!("{log}: {reason}")),
            }
        }
        match wrong.is_empty() {
            true => health.ok(),
            false => health.degraded(format!("of the Event Log cannot be read {}", wrong.join("; "))),
        }
        let pause = if has_more { Duration::ZERO } else { config.interval };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

struct Reader<'r> {
    config: &'r Config,
    door: &'r Door,
    /// When each log was last asked whether it was begun anew.
    asked: HashMap<String, Instant>,
}

impl Reader<'_> {
    /// Takes in a batch of what is new in a log; how many events.
    async fn look(&mut self, log: &str) -> Result<usize, String> {
        let key = [NOTE, log].concat().into_bytes();
        let last = self.door.journal().note(&key).and_then(|last| String::from_utf8(last).ok()?.parse().ok());
        let query = match last {
            Some(last) => behind(last),
            None => format!("*[System[TimeCreated[timediff(@SystemTime)<={FIRST_MS}]]]"),
        };
        let mut said = self.ask(log, &query, BATCH, false).await?;
        if let Some(last) = last
            && elements(&said).next().is_none()
            && self.is_anew(log, last).await?
        {
            tracing::warn!(
                log,
                "the log counts its records anew, as one that was cleared may; it is read from its beginning"
            );
            said = self.ask(log, &behind(0), BATCH, false).await?;
        }
        let events: Vec<&str> = elements(&said).collect();
        let Some(last) = events.iter().filter_map(|event| record(event)).next_back() else { return Ok(0) };
        self.door.append_at_last("event_log", || self.delivery(&events, &key, last)).await;
        Ok(events.len())
    }

    fn delivery(&self, events: &[&str], key: &[u8], last: u64) -> Delivery {
        let mut delivery = self.door.own_delivery();
        let context = self.door.context(&Origin::default());
        for event in events {
            delivery.put(Ok(parse::line(event.as_bytes(), &context)));
            delivery.came(event.len());
        }
        delivery.note(Note { key: key.to_vec(), value: Some(last.to_string().into_bytes()) });
        delivery
    }

    /// Whether the newest record of a log has a lower number than one that was read.
    async fn is_anew(&mut self, log: &str, last: u64) -> Result<bool, String> {
        let now = Instant::now();
        if self.asked.get(log).is_some_and(|at| now.duration_since(*at) < ASKED_EVERY) {
            return Ok(false);
        }
        self.asked.insert(log.to_owned(), now);
        let said = self.ask(log, "*", 1, true).await?;
        Ok(elements(&said).next().and_then(record).is_some_and(|newest| newest < last))
    }

    /// What the program says of a log: at most `count` events, from the oldest on or the newest first.
    async fn ask(&self, log: &str, query: &str, count: usize, newest_first: bool) -> Result<String, String> {
        let child = Command::new(&self.config.program)
            .args(["qe", log, "/f:RenderedXml", "/uni:true"])
            .args([format!("/q:{query}"), format!("/c:{count}"), format!("/rd:{newest_first}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} cannot be run: {error}", self.config.program.display()))?;
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let output =
            output.map_err(|_| "no answer in time".to_owned())?.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let said = text(&output.stderr);
        let said: String = said.trim().chars().filter(|c| !c.is_control()).take(200).collect();
        Err(if said.is_empty() { output.status.to_string() } else { said })
    }
}

/// The query for what comes behind a record.
fn behind(last: u64) -> String {
    format!("*[System[EventRecordID>{last}]]")
}

/// It is asked for UTF-16, as only that holds every character; what else it writes is taken for UTF-8.
fn text(bytes: &[u8]) -> String {
    match parse::utf16::order(bytes) {
        Some(order) => parse::utf16::decoded(bytes, order),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The events that are whole.
fn elements(said: &str) -> impl Iterator<Item = &str> {
    const END: &str = "</Event>";
    said.split_inclusive(END).filter(|part| part.ends_with(END)).map(str::trim_start)
}

/// The number of an event's record: the first, as what was reported may have such a name too.
fn record(event: &str) -> Option<u64> {
    let (_, behind) = event.split_once("<EventRecordID>")?;
    behind.split_once('<')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_events_are_told_from_the_rest() {
        let said = "\u{feff}<Event><System><EventRecordID>7</EventRecordID></System></Event>\r\n<Event><System>\
            <EventRecordID> 8 </EventRecordID></System><EventData><EventRecordID>1</EventRecordID></EventData></Event>\r\n<Event><Sys";
        let numbers: Vec<_> = elements(said).map(record).collect();
        assert_eq!(numbers, [Some(7), Some(8)]);
        let utf16: Vec<u8> = "<Event>é</Event>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&utf16), "<Event>é</Event>");
        assert_eq!(elements("").count(), 0);
    }
}
