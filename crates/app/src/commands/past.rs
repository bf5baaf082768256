//! `log-sentinel rules noise|backtest`: what rules and detectors would have told of what is stored, or of files.

use std::fmt::Write;

use detect::{
    Proposal, Remedy, Teller, outcome_json,
    past::{Outcome, Past, Told},
    propose,
};
use event::{Analyzed, Batch, Document, EventId, JournalId, Position};
use serde_json::json;
use sigma::Rules;

use super::{note, print};
use crate::{
    AppError, Settings,
    cli::{Output, PastAsked},
    client::{Client, ClientError},
    formats,
    log_files::{LogFiles, Unreadable},
    wording::{grouped, many, plain, short, table},
};

/// Events of files that are analysed at once.
const BATCH: usize = 512;
/// A hit is never longer: its message is cut on its way in.
const HIT_BYTES_MAX: usize = 64 << 20;

/// Goes through what is asked for.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn gone_through(
    settings: &Settings,
    client: &Client,
    asked: &PastAsked,
    mut past: Past,
) -> Result<Outcome, AppError> {
    if asked.logs.is_empty() {
        stored(client, asked, &mut past).await?;
        return Ok(past.end());
    }
    let (door, asked) = (formats::door(settings)?, asked.clone());
    let work = move || {
        files(&door, &asked, &mut past)?;
        Ok(past.end())
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| AppError::Io(std::io::Error::other(error)))?
}

/// Sees what a collector has stored, the oldest first.
async fn stored(client: &Client, asked: &PastAsked, past: &mut Past) -> Result<(), AppError> {
    let limit = asked.limit.to_string();
    let mut parameters = vec![("order", "asc"), ("format", "ndjson"), ("limit", limit.as_str())];
    parameters.extend([("q", asked.query.as_str()), ("from", asked.from.as_str())]);
    parameters.extend(asked.to.as_deref().map(|to| ("to", to)));
    let mut response = client.get("/api/v1/search", &parameters).await?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(plain);
    let (total, partial) = (header("x-total"), header("x-partial"));
    let cut = || ClientError::Cut { url: client.shown().to_owned() };
    let broken = |source| ClientError::Answer { url: client.shown().to_owned(), source };
    let (mut line, mut seen) = (vec![], 0);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        let mut rest = &chunk[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            line.extend_from_slice(&rest[..end]);
            see(past, &line).ok_or_else(cut)?;
            line.clear();
            (rest, seen) = (&rest[end + 1..], seen + 1);
        }
        line.extend_from_slice(rest);
        if line.len() > HIT_BYTES_MAX {
            return Err(cut().into());
        }
    }
    if let Some(why) = partial {
        note(&format!("incomplete: {why}"));
    }
    left_out(seen, total.and_then(|total| total.parse().ok()).unwrap_or(seen));
    Ok(())
}

fn left_out(seen: u64, total: u64) {
    if total > seen {
        note(&format!(
            "the first {} of {} were looked at; ask for more with --limit, or for a shorter time with --from and --to",
            grouped(seen),
            many(total, "event", "events")
        ));
    }
}

/// None where it is no hit.
fn see(past: &mut Past, line: &[u8]) -> Option<()> {
    let document: Document = serde_json::from_slice(line).ok()?;
    let id = document.get("_id")?.as_str()?.parse().ok()?;
    past.see(&Analyzed::of_document(id, &document)?);
    Some(())
}

/// Sees what stands in log files, by an analysis of its own.
fn files(door: &intake::Config, asked: &PastAsked, past: &mut Past) -> Result<(), AppError> {
    let failed = |Unreadable { path, source }| AppError::File { action: "read", path, source };
    let dir = tempfile::tempdir()?;
    let service = anomaly::Service::open(anomaly::Config::new(dir.path()))
        .map_err(|error| AppError::Io(std::io::Error::other(error)))?;
    let mut files = LogFiles::open(&asked.logs, door).map_err(failed)?;
    let mut place = Position::default();
    let mut batch = Vec::with_capacity(BATCH);
    let mut left = asked.limit;
    loop {
        let event = if left == 0 { None } else { files.next(door).map_err(failed)? };
        let is_last = event.is_none();
        batch.extend(event.map(|event| {
            let id = EventId { journal: JournalId(0), position: place };
            place = place.next();
            (id, event)
        }));
        left = left.saturating_sub(1);
        if batch.len() == BATCH || is_last {
            let analyzed: Batch<'_> = service.analyze(std::mem::take(&mut batch), place);
            analyzed.events.iter().for_each(|event| past.see(event));
        }
        if is_last {
            break;
        }
    }
    if files.next(door).map_err(failed)?.is_some() {
        note(&format!(
            "the first {} were looked at; --limit asks for more",
            many(asked.limit, "event", "events")
        ));
    }
    for (path, why) in files.damaged() {
        note(&format!("{}: {why}; what stood behind that was not looked at", crate::wording::name(path)));
    }
    Ok(())
}

/// Prints what would have been told, the noisiest first, and what would make that less.
///
/// # Errors
/// When output cannot be written.
pub(crate) fn noise(outcome: &Outcome, rules: &Rules, output: Output) -> Result<(), AppError> {
    if output != Output::Text {
        return super::show(
            output,
            &outcome_json(outcome, &outcome.told.iter().collect::<Vec<_>>(), rules),
            Some("rules"),
            |_| String::new(),
        );
    }
    let mut text = head(outcome);
    let rows: Vec<_> = outcome.told.iter().map(|told| row(told, outcome, rules)).collect();
    match rows.is_empty() {
        true => text.push_str("nothing would have been told\n"),
        false => {
            text += &table(["A DAY", "FINDINGS", "EVENTS", "SEVERITY", "KIND", "RULE", "MOST ABOUT"], &rows)
        }
    }
    let mut proposed = outcome.told.iter().filter_map(|told| {
        let teller = Teller::of(rules, told);
        Some((propose(told, teller.rule)?, told, teller))
    });
    if let Some(first) = proposed.next() {
        text += "\nProposed where one thing makes half or more. Read before use: what is usual may be what to look at.\n";
        std::iter::once(first).chain(proposed).for_each(|(proposal, told, teller)| {
            text.push('\n');
            text += &worded(&proposal, told, &teller);
        });
    }
    print(&text)?;
    Ok(())
}

fn head(outcome: &Outcome) -> String {
    match outcome.period {
        None => "no events\n".to_owned(),
        Some((first, last)) => format!(
            "{} from {first} to {last}, {:.1} days\n",
            many(outcome.events, "event", "events"),
            outcome.days()
        ),
    }
}

fn row(told: &Told, outcome: &Outcome, rules: &Rules) -> [String; 7] {
    let most = told.most(1);
    let most = most.first().map(|(entity, about)| {
        format!("{} {} ({})", entity.r#type.as_str(), short(&entity.value), grouped(about.findings))
    });
    [
        format!("{:.1}", told.findings as f64 / outcome.days()),
        grouped(told.findings),
        grouped(told.events),
        told.level.as_str().to_owned(),
        told.kind.as_str().to_owned(),
        short(&Teller::of(rules, told).title),
        most.unwrap_or_default(),
    ]
}

fn worded(proposal: &Proposal, told: &Told, teller: &Teller<'_>) -> String {
    let entity = &proposal.entity;
    let mut text = format!(
        "{}: {:.0} % about {} {}\n",
        short(&teller.title),
        proposal.share * 100.0,
        entity.r#type.as_str(),
        short(&entity.value)
    );
    let more = match &proposal.remedy {
        Remedy::Filter(filter) => {
            let lines: String = filter.lines().map(|line| format!("    {}\n", plain(line))).collect();
            format!("  a filter, in a file of its own below LOG_SENTINEL_RULES_DIR:\n{lines}")
        }
        Remedy::OwnAddress(address) => {
            format!("  if it is one of your own: LOG_SENTINEL_OWN_ADDRESSES={}\n", plain(address))
        }
        Remedy::Suppression { .. } => format!("  {}\n", suppression(proposal, told)),
    };
    text += &more;
    text
}

/// What to send to suppress it.
fn suppression(proposal: &Proposal, told: &Told) -> String {
    let entity = format!("{}:{}", proposal.entity.r#type.as_str(), proposal.entity.value);
    let matching = json!({"kind": told.kind.as_str(), "rule": told.rule, "entity": entity});
    let body = json!({"matching": matching, "reason": "…", "expires_at": "…"});
    format!("POST /api/v1/suppressions {}", plain(&body.to_string()))
}

/// Prints how often these rules, given by id and title, would have told something, and examples.
///
/// # Errors
/// When output cannot be written.
pub(crate) fn backtest(
    outcome: &Outcome,
    rules: &Rules,
    wanted: &[(String, String)],
    output: Output,
) -> Result<(), AppError> {
    let told = || wanted.iter().map(|(rule, _)| outcome.of_rule(rule));
    if output != Output::Text {
        return super::show(
            output,
            &outcome_json(outcome, &told().flatten().collect::<Vec<_>>(), rules),
            Some("rules"),
            |_| String::new(),
        );
    }
    let mut text = head(outcome);
    for ((_, title), told) in wanted.iter().zip(told()) {
        let Some(told) = told else {
            text += &format!("\n{}: would have told nothing\n", plain(title));
            continue;
        };
        // Writing to a string does not fail.
        let _ignored = writeln!(
            text,
            "\n{}: {}, {:.1} a day, of {}",
            plain(&Teller::of(rules, told).title),
            many(told.findings, "finding", "findings"),
            told.findings as f64 / outcome.days(),
            many(told.events, "event", "events"),
        );
        for (entity, about) in told.most(5) {
            let value = short(&entity.value);
            let _ignored =
                writeln!(text, "  {:>7}  {} {value}", grouped(about.findings), entity.r#type.as_str());
        }
        for example in &told.examples {
            let _ignored = writeln!(text, "  {}  {}", example.at, short(&example.message));
        }
    }
    print(&text)?;
    Ok(())
}
