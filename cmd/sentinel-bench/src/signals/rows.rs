//! Rows with lines of their own: what is found in each.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};
use detect::{Config, Engine, Finding, Level};
use event::{Analyzed, EventId, JournalId, Position, Timestamp};
use serde_json::{Value as Json, json};

use super::behavior;
use crate::lines;

pub(super) fn run(rows: &Path, now: Timestamp) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    lines::each(rows, |line| {
        let row: Json = serde_json::from_str(line).context("a row is no JSON")?;
        let Some(texts) = row["lines"].as_array() else { return Ok(()) };
        let texts: Vec<&str> = texts.iter().filter_map(Json::as_str).collect();
        // What is told for information only is what goes on everywhere.
        let mut found = found(&texts, now);
        found.retain(|finding| finding.level > Level::Informational);
        let signals: BTreeSet<(String, String)> = found.iter().filter_map(named).collect();
        let signals: Vec<Json> =
            signals.into_iter().map(|(kind, source)| json!({"kind": kind, "source": source})).collect();
        writeln!(out, "{}", json!({"id": row["id"], "signals": signals}))?;
        Ok(())
    })?;
    Ok(out.flush()?)
}

fn named(finding: &Finding) -> Option<(String, String)> {
    let kind = behavior::of(finding).unwrap_or_else(|| finding.kind.as_str().to_owned());
    Some((kind, finding.entities.first()?.value.clone()))
}

/// What is found in lines that stand alone: nothing was seen before, and some time passes after them.
fn found(texts: &[&str], now: Timestamp) -> Vec<Finding> {
    let zone = jiff::tz::TimeZone::UTC;
    let context = parse::Context::new(now, &zone, 1 << 20);
    let mut engine = Engine::new(Config::default());
    let mut position = Position::default();
    let text = texts.join("\n");
    parse::body(parse::Format::Lines, text.as_bytes(), &context, |event| {
        if let Ok(event) = event {
            position = position.next();
            engine.see_one(&Analyzed::unanalyzed(EventId { journal: JournalId(0), position }, event));
        }
    });
    engine.drain()
}
