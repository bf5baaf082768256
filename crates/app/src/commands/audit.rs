//! `log-sentinel audit`: what is on record of who decided what, read from the data folder.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
};

use audit::{Entry, PublicKey, Report, Source, each, verify};
use event::Timestamp;

use super::{note, print, print_json};
use crate::{
    AppError, VERSION,
    cli::{AuditAction, AuditFormat},
    wording::{grouped, many, plain, short, table},
};

/// Does what is asked of the record in a data folder.
///
/// # Errors
/// When it cannot be read, or shows tampering.
pub(crate) fn run(data: &Path, action: AuditAction) -> Result<(), AppError> {
    let dir = data.join("audit");
    match action {
        AuditAction::Verify { dir: named, from, key, against } => {
            let source = match named {
                _ if !from.is_empty() => Source::Files(from),
                Some(named) => Source::Folder(record_in(named)),
                None => Source::Folder(dir),
            };
            let key = key.map(|key| PublicKey::read(&key)).transpose().map_err(audit::ReadError::from)?;
            let report = verify(&source, key.as_ref(), &against)?;
            print(&words(&report, !against.is_empty()))?;
            if report.is_sound() { Ok(()) } else { Err(AppError::Tampered) }
        }
        AuditAction::Export { format, from, to } => {
            let now = Timestamp::saturating_from_nanos(jiff::Timestamp::now().as_nanosecond());
            let time = |text: Option<String>| text.map(|text| query::time(&text, now)).transpose();
            export(&dir, format, time(from)?.unwrap_or(Timestamp::MIN), time(to)?)
        }
        AuditAction::Show { limit, actor, action } => {
            show(&dir, limit as usize, actor.as_deref(), action.as_deref())
        }
    }
}

/// The record in a folder, which may be the data folder around it.
fn record_in(dir: PathBuf) -> PathBuf {
    let inner = dir.join("audit");
    if inner.is_dir() { inner } else { dir }
}

fn export(dir: &Path, format: AuditFormat, from: Timestamp, to: Option<Timestamp>) -> Result<(), AppError> {
    let mut printed: io::Result<bool> = Ok(true);
    let unreadable = each(dir, |line, entry| {
        if entry.time >= from && to.is_none_or(|to| entry.time < to) {
            printed = match format {
                AuditFormat::Ndjson => print_json(&format!("{}\n", String::from_utf8_lossy(line))),
                AuditFormat::Cef => print(&format!("{}\n", audit::cef(&entry, VERSION))),
            };
        }
        matches!(printed, Ok(true))
    })?;
    if printed? {
        tell_unreadable(unreadable);
    }
    Ok(())
}

fn show(dir: &Path, limit: usize, actor: Option<&str>, action: Option<&str>) -> Result<(), AppError> {
    let mut newest: VecDeque<Entry> = VecDeque::new();
    let unreadable = each(dir, |_, entry| {
        if actor.is_none_or(|actor| is_by(&entry, actor))
            && action.is_none_or(|action| is_action(&entry, action))
        {
            fold(&mut newest, &entry);
            if newest.len() == limit {
                newest.pop_front();
            }
            newest.push_back(entry);
        }
        true
    })?;
    let rows: Vec<_> = newest.iter().map(row).collect();
    print(&table(["record", "time", "actor", "address", "action", "target", "outcome", "details"], &rows))?;
    tell_unreadable(unreadable);
    Ok(())
}

/// Takes out that something was asked for, once it is told how it ended.
fn fold(newest: &mut VecDeque<Entry>, ended: &Entry) {
    let Some(asked) = ended.details.get("asked").and_then(serde_json::Value::as_u64) else { return };
    if let Some(at) = newest.iter().rposition(|entry| entry.seq == asked) {
        newest.remove(at);
    }
}

fn is_by(entry: &Entry, actor: &str) -> bool {
    [entry.actor.kind.as_str(), &entry.actor.id].contains(&actor)
        || entry.actor.address.as_deref() == Some(actor)
}

/// The action itself, or any of what it was done to.
fn is_action(entry: &Entry, action: &str) -> bool {
    entry.action == action || entry.action.split_once('.').is_some_and(|(what, _)| what == action)
}

fn row(entry: &Entry) -> [String; 8] {
    let actor = if entry.actor.id.is_empty() {
        entry.actor.kind.clone()
    } else {
        format!("{} {}", entry.actor.kind, entry.actor.id)
    };
    let details = entry.details.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    [
        grouped(entry.seq),
        entry.time.to_string(),
        short(&actor),
        plain(entry.actor.address.as_deref().unwrap_or_default()),
        plain(&entry.action),
        short(&entry.target),
        plain(&entry.outcome),
        short(&details.join(" ")),
    ]
}

fn tell_unreadable(lines: u64) {
    if lines > 0 {
        let lines = many(lines, "line is", "lines are");
        note(&format!("{lines} no record and was left out: `log-sentinel audit verify` says why"));
    }
}

fn words(report: &Report, is_against: bool) -> String {
    let mut text = format!("installation {}\n", plain(&report.installation));
    if report.lines.0 <= report.lines.1 {
        text.push_str(&format!(
            "lines {} to {} in {}: {}, {}\n",
            grouped(report.lines.0),
            grouped(report.lines.1),
            many(report.files, "file", "files"),
            many(report.records, "record", "records"),
            many(report.checkpoints, "checkpoint", "checkpoints"),
        ));
    }
    if let Some(time) = report.last_checkpoint {
        text.push_str(&format!("the last checkpoint is of {time}\n"));
    }
    if report.unsigned > 0 {
        let records = many(report.unsigned, "record", "records");
        text.push_str(&format!("{records} after the last checkpoint: chained, not yet signed\n"));
    }
    if report.torn_bytes > 0 {
        let bytes = many(report.torn_bytes, "byte", "bytes");
        text.push_str(&format!(
            "{bytes} of an incomplete last line: it is being written, or was when the program was killed\n"
        ));
    }
    if !report.is_key_given {
        text.push_str("the key is the one that the record itself names: give the one that you exported (--key) to be sure\n");
    }
    match report.witnessed {
        Some(record) => {
            text.push_str(&format!("checkpoints kept elsewhere agree up to record {}\n", grouped(record)));
        }
        None if is_against && report.is_sound() => {
            text.push_str("no checkpoint kept elsewhere concerns these lines\n");
        }
        None => {}
    }
    if report.unsigned_witnesses > 0 {
        let checkpoints = many(report.unsigned_witnesses, "checkpoint", "checkpoints");
        text.push_str(&format!("{checkpoints} kept elsewhere had no signature of this key\n"));
    }
    for finding in &report.findings {
        text.push_str(&format!("{}\n", plain(&finding.to_string())));
    }
    text.push_str(if report.is_sound() {
        "the record is as it was written\n"
    } else {
        "the record was tampered with\n"
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        serde_json::from_value(serde_json::json!({
            "seq": 1204, "time": "2024-06-01T12:00:00Z", "actor": {"kind": "key", "id": "k1", "address": "192.0.2.7"},
            "action": "key.revoked", "target": "k\u{1b}[2J\u{202e}9", "outcome": "done", "details": {"reason": "lost\n"}
        }))
        .unwrap()
    }

    #[test]
    fn a_row_steers_no_terminal() {
        assert_eq!(
            row(&entry()),
            [
                "1,204",
                "2024-06-01T12:00:00Z",
                "key k1",
                "192.0.2.7",
                "key.revoked",
                r"k\u{1b}[2J\u{202e}9",
                "done",
                r#"reason="lost\n""#
            ]
        );
    }

    #[test]
    fn what_was_asked_for_gives_way_to_how_it_ended() {
        let asked = Entry { outcome: "asked".to_owned(), details: serde_json::Map::new(), ..entry() };
        let other = Entry { seq: 1205, ..asked.clone() };
        let mut newest = VecDeque::from([asked, other.clone()]);
        fold(&mut newest, &entry());
        assert_eq!(newest.len(), 2, "this one names none");
        let details = [("asked".to_owned(), 1204.into())].into_iter().collect();
        fold(&mut newest, &Entry { seq: 1206, details, ..entry() });
        assert_eq!(newest, [other]);
    }

    #[test]
    fn records_are_chosen_by_actor_and_action() {
        let entry = entry();
        for (actor, expected) in [("k1", true), ("key", true), ("192.0.2.7", true), ("k", false), ("", false)]
        {
            assert_eq!(is_by(&entry, actor), expected, "{actor}");
        }
        for (action, expected) in
            [("key.revoked", true), ("key", true), ("key.created", false), ("ke", false)]
        {
            assert_eq!(is_action(&entry, action), expected, "{action}");
        }
    }
}
