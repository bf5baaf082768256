//! Whole logs, gone through in the order of their times, and what becomes of them: the signals that the program would
//! have made.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use anomaly::{Config, Service};
use anyhow::Result;
use detect::{Engine, Finding};
use event::{Event, EventId, JournalId, Position, Timestamp};
use serde_json::Value as Json;
use signal::{
    Evidence, Filter, Observed, Signal, Store,
    narrative::{self, Reader},
};
use state::Database;

use crate::lines;

/// Events analysed in one call, as the pipeline would.
const BATCH: usize = 512;

/// So long after the last event runs of ten minutes are surely over.
const AFTER_NANOS: i64 = 30 * 60_000_000_000;

pub(super) fn run(files: &[PathBuf], named: Option<&str>, now: Timestamp) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let service = Service::open(Config::new(dir.path().join("models")))?;
    let database = Arc::new(Database::open(dir.path().join("state.db"))?);
    let store = Store::open(database, signal::Config::default())?;
    let mut engine = Engine::new(detect::Config::default());
    let events = read(files, named, now)?;
    let last = events.last().map_or(Timestamp::MIN, |event| event.timestamp);
    let ids =
        |at: usize| EventId { journal: JournalId(0), position: Position { segment: 0, record: at as u32 } };
    let keep = |findings: Vec<Finding>, at: Timestamp| -> Result<()> {
        let observed = findings.into_iter().map(|finding| with_lines(finding, &events)).collect();
        store.observe(observed, None, at, |_, _| Ok(()))?;
        Ok(())
    };
    for (batch, part) in events.chunks(BATCH).enumerate() {
        let given = part.iter().enumerate().map(|(at, event)| (ids(batch * BATCH + at), event.clone()));
        let end = ids(batch * BATCH + part.len()).position;
        engine.see(&service.analyze(given.collect(), end));
        keep(engine.drain(), part.last().map_or(last, |event| event.timestamp))?;
    }
    let end = last.saturating_add(AFTER_NANOS);
    engine.tick(end);
    keep(engine.drain(), end)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for signal in by_beginning(&store)? {
        writeln!(out, "{}", told(&signal))?;
    }
    Ok(out.flush()?)
}

/// A finding with what its events say.
fn with_lines(finding: Finding, events: &[Event<'_>]) -> Observed {
    let line = |id: &EventId| {
        let event = events.get(id.position.record as usize)?;
        Some(Evidence::new(*id, event.timestamp, &event.message))
    };
    let evidence = finding.evidence.iter().filter_map(line).collect();
    Observed { finding, organization: None, evidence }
}

/// Every signal, in the order in which they began.
fn by_beginning(store: &Store) -> Result<Vec<Signal>> {
    let (mut signals, mut filter) = (Vec::new(), Filter { limit: 1000, ..Filter::default() });
    loop {
        let page = store.list(&filter)?;
        signals.extend(page.signals);
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    signals.sort_by_key(|signal| (signal.first, signal.id));
    Ok(signals)
}

/// A signal as the API tells it.
fn told(signal: &Signal) -> Json {
    let words = narrative::of(signal, &Reader::default());
    Json::Object(signal.told([&words.title, &words.what, &words.why], &words.next))
}

/// All events of the files, by time; those of one file at one time in their order.
fn read(files: &[PathBuf], named: Option<&str>, now: Timestamp) -> Result<Vec<Event<'static>>> {
    let zone = jiff::tz::TimeZone::UTC;
    let mut events = Vec::new();
    for file in files {
        let path = file.to_string_lossy();
        let context =
            parse::Context { file: Some(named.unwrap_or(&path)), ..parse::Context::new(now, &zone, 1 << 20) };
        let mut text = Vec::new();
        io::Read::read_to_end(&mut lines::open(file)?, &mut text)?;
        parse::body(parse::Format::Lines, &text, &context, |event| {
            // The clock is that of the events: each is received when it happened.
            events.extend(event.ok().map(Event::into_owned).map(|mut event| {
                event.observed_timestamp = event.timestamp;
                event
            }));
        });
    }
    events.sort_by_key(|event: &Event<'_>| event.timestamp);
    Ok(events)
}
