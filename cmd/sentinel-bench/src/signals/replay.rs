//! Whole logs, gone through in the order of their times.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anomaly::{Config, Service};
use anyhow::Result;
use detect::{Engine, Entity, Finding, FindingKind};
use event::{Event, EventId, JournalId, Position, Timestamp};
use serde_json::{Value as Json, json};

use crate::lines;

/// Events analysed in one call, as the pipeline would.
const BATCH: usize = 512;

/// So long after the last event runs of ten minutes are surely over.
const AFTER_NANOS: i64 = 30 * 60_000_000_000;

/// What a signal is told apart by.
type Key = (FindingKind, String, Entity);

pub(super) fn run(files: &[PathBuf], named: Option<&str>, now: Timestamp) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let service = Service::open(Config::new(dir.path()))?;
    let mut engine = Engine::new(detect::Config::default());
    let mut signals: BTreeMap<Key, Finding> = BTreeMap::new();
    let events = read(files, named, now)?;
    let last = events.last().map_or(Timestamp::MIN, |event| event.timestamp);
    let ids =
        |at: usize| EventId { journal: JournalId(0), position: Position { segment: 0, record: at as u32 } };
    for (batch, part) in events.chunks(BATCH).enumerate() {
        let given = part.iter().enumerate().map(|(at, event)| (ids(batch * BATCH + at), event.clone()));
        let end = ids(batch * BATCH + part.len()).position;
        engine.see(&service.analyze(given.collect(), end));
        merge(&mut signals, engine.drain());
    }
    engine.tick(last.saturating_add(AFTER_NANOS));
    merge(&mut signals, engine.drain());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut by_time: Vec<&Finding> = signals.values().collect();
    by_time.sort_by_key(|finding| finding.first);
    let messages: HashMap<EventId, &Event<'_>> = {
        let wanted: BTreeSet<EventId> =
            by_time.iter().flat_map(|finding| finding.evidence.iter().copied()).collect();
        wanted.into_iter().filter_map(|id| Some((id, events.get(id.position.record as usize)?))).collect()
    };
    for (number, finding) in by_time.into_iter().enumerate() {
        writeln!(out, "{}", signal(number + 1, finding, &messages))?;
    }
    Ok(out.flush()?)
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

/// Findings of the same kind, rule and main entity are one signal.
fn merge(signals: &mut BTreeMap<Key, Finding>, findings: Vec<Finding>) {
    for finding in findings {
        let Some(about) = finding.entities.first().cloned() else { continue };
        let key = (finding.kind, finding.rule.clone(), about);
        match signals.get_mut(&key) {
            Some(known) => {
                let count = if finding.is_update {
                    finding.count.max(known.count)
                } else {
                    known.count + finding.count
                };
                let level = known.level.max(finding.level);
                let entities = std::mem::take(&mut known.entities);
                *known = Finding {
                    count,
                    level,
                    first: known.first.min(finding.first),
                    entities,
                    ..finding.clone()
                }
                .and(finding.entities);
            }
            None => drop(signals.insert(key, finding)),
        }
    }
}

fn signal(number: usize, finding: &Finding, messages: &HashMap<EventId, &Event<'_>>) -> Json {
    let entities: Vec<Json> = finding
        .entities
        .iter()
        .map(|entity| json!({"type": entity.r#type.as_str(), "value": entity.value}))
        .collect();
    let evidence: Vec<Json> = finding
        .evidence
        .iter()
        .map(|id| {
            let event = messages.get(id);
            json!({
                "id": id,
                "@timestamp": event.map(|event| event.timestamp),
                "message": event.map(|event| event.message.as_ref()),
            })
        })
        .collect();
    let about = finding.entities.first().map_or("", |entity| entity.value.as_str());
    json!({
        "id": number.to_string(),
        "kind": finding.kind.as_str(),
        "title": format!("{}: {about}", finding.kind.as_str().replace('_', " ")),
        "severity": finding.level.as_str(),
        "state": "new",
        "first": finding.first,
        "last": finding.last,
        "count": finding.count,
        "entities": entities,
        "rule": finding.rule,
        "technique": finding.techniques,
        "evidence": evidence,
    })
}
