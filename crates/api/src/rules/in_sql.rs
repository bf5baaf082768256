//! Rules in SQL, as clients are told them.

use inquiry::rules::{Entry, Last, Outcome, Rule, Shelf, State, trials};
use rulebook::Fault;
use serde_json::{Value, json};

use super::state::why;

/// Whether a file of this name holds a rule in SQL.
pub(super) fn is_sql(file: &str) -> bool {
    file.ends_with(".sql")
}

/// What is wrong with a text in the place of a file, and how its tests go.
pub(super) fn check(shelf: &Shelf, file: &str, text: &str) -> (Vec<Fault>, Value) {
    let faults = shelf.check(file, text);
    (faults, tests(file, text))
}

/// How the tests of a text go.
pub(super) fn tests(file: &str, text: &str) -> Value {
    let outcomes = Rule::read(file, text).map(|rule| trials(&rule)).unwrap_or_default();
    let failed = outcomes.iter().filter(|outcome| !outcome.is_held()).map(|outcome| {
        json!({
            "name": outcome.name,
            "expected": outcome.expected,
            "found": outcome.found.as_ref().ok(),
            "problem": outcome.found.as_ref().err(),
        })
    });
    let held = outcomes.iter().filter(|outcome| Outcome::is_held(outcome)).count();
    json!({"held": held, "failed": failed.collect::<Vec<_>>(), "problem": null})
}

/// The rule of this id with its source, its plan and hints.
pub(super) fn one(shelf: &Shelf, id: &str, days: f64) -> Option<Value> {
    let entries = shelf.entries();
    let entry = entries.iter().find(|entry| entry.rule.as_ref().is_some_and(|rule| rule.id == id))?;
    let rule = entry.rule.as_ref()?;
    let mut json = entry_json(entry, days);
    json["source"] = shelf.source(&entry.file).into();
    json["plan"] = json!(rule.question.plan().steps);
    json["hints"] = json!(rule.question.plan().hints);
    Some(json)
}

pub(super) fn entry_json(entry: &Entry, days: f64) -> Value {
    let (state, reason, line) = match &entry.state {
        State::On => ("on", None, 1),
        State::Off => ("off", Some("it is named in LOG_SENTINEL_RULES_OFF".to_owned()), 1),
        State::Suspended(reason) => ("suspended", Some(reason.clone()), 1),
        State::Broken(fault) => ("broken", Some(why(fault)), fault.line),
    };
    let rule = entry.rule.as_deref();
    let broken = match &entry.state {
        State::Broken(fault) => fault.rule.clone(),
        _ => None,
    };
    json!({
        "id": rule.map(|rule| rule.id.clone()).or(broken),
        "title": rule.map(|rule| &rule.title),
        "description": rule.and_then(|rule| rule.description.as_ref()),
        "level": rule.map(|rule| rule.severity),
        "type": "sql",
        "origin": "own",
        "file": entry.file,
        "line": line,
        "technique": rule.map_or(&[][..], |rule| &rule.techniques),
        "false_positives": rule.map_or(&[][..], |rule| &rule.false_positives),
        "log_source": null,
        "state": state,
        "reason": reason,
        "cost_ns": null,
        "is_held_against_all": false,
        "matches": entry.matches,
        "findings": entry.findings,
        "findings_a_day": (entry.findings as f64 / days * 100.0).round() / 100.0,
        "version": rule.map(|rule| rule.version),
        "every_s": rule.filter(|rule| rule.on.is_none()).map(|rule| rule.every.as_secs()),
        "on": rule.and_then(|rule| rule.on),
        "window_s": rule.map(|rule| rule.window.as_secs()),
        "last_run": entry.last.as_ref().map(last_json),
    })
}

fn last_json(last: &Last) -> Value {
    json!({
        "at": last.at,
        "outcome": last.ended.as_str(),
        "reason": last.reason,
        "rows": last.rows,
        "new_rows": last.new_rows,
        "rows_read": last.rows_read,
        "tables_cut": last.tables_cut,
        "took_ms": last.took_ms,
        "steps": last.steps,
        "plan": last.plan,
    })
}
