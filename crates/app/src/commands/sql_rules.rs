//! Rules in SQL, tested and explained.

use std::path::PathBuf;

use inquiry::rules::{Rule, trials};
use rulebook::Files;

use super::{note, print};
use crate::{AppError, wording::plain};

/// The files of SQL that are meant, those of folders in the order of their names.
///
/// # Errors
/// When one cannot be read.
pub(super) fn given(files: &[PathBuf]) -> Result<Files, AppError> {
    let mut found = vec![];
    for file in files {
        found.extend(rulebook::below_ending(file, &["sql"])?);
    }
    found.retain(|(name, _)| name.ends_with(".sql"));
    Ok(found)
}

/// Runs the tests of these files; gives how many hold and how many do not.
pub(super) fn test(files: &Files) -> (usize, usize) {
    let (mut held, mut failed) = (0, 0);
    for (name, text) in files {
        let rule = match Rule::read(name, text) {
            Ok(rule) => rule,
            Err(fault) => {
                failed += 1;
                note(&plain(&fault.to_string()));
                continue;
            }
        };
        for outcome in trials(&rule) {
            if outcome.is_held() {
                held += 1;
                continue;
            }
            failed += 1;
            let found = match &outcome.found {
                Ok(rows) => format!("{rows} rows, {} expected", outcome.expected),
                Err(reason) => plain(reason),
            };
            note(&format!(
                "{}: rule {}: test \"{}\": {found}",
                plain(name),
                plain(&rule.id),
                plain(&outcome.name)
            ));
        }
    }
    (held, failed)
}

/// Prints what is known of the rules that are meant; says whether there are any.
///
/// # Errors
/// When output cannot be written.
pub(super) fn explain(files: &Files, wanted: &str) -> Result<bool, AppError> {
    let mut is_there = false;
    for (name, text) in files {
        let rule = match Rule::read(name, text) {
            Ok(rule) => rule,
            Err(fault) => {
                note(&plain(&fault.to_string()));
                continue;
            }
        };
        if rule.id != wanted && !rule.title.to_lowercase().contains(&wanted.to_lowercase()) {
            continue;
        }
        is_there = true;
        print(&told(&rule))?;
    }
    Ok(is_there)
}

fn told(rule: &Rule) -> String {
    let mut text = format!("{}\n", plain(&rule.title));
    let mut row = |name: &str, value: &str| text.push_str(&format!("  {name:<14} {}\n", plain(value)));
    row("id", &rule.id);
    row("file", &rule.file);
    row("finds", rule.description.as_deref().unwrap_or(&rule.title));
    row("level", rule.severity.as_str());
    let window = rule.window.as_secs();
    row(
        "asked",
        &match rule.on {
            None => format!("every {} s, over {window} s", rule.every.as_secs()),
            Some(table) => {
                format!("when rows of {table} come, over these alone; of other tables over {window} s")
            }
        },
    );
    let tables: Vec<&str> = rule.question.tables().iter().map(|table| table.name).collect();
    row("reads", &tables.join(", "));
    row("techniques", &rule.techniques.join(", "));
    row("is wrong about", &rule.false_positives.join("; "));
    for step in &rule.question.plan().steps {
        row("plan", step);
    }
    for outcome in trials(rule) {
        row("cost", &format!("{} steps in the test \"{}\"", outcome.steps, outcome.name));
    }
    for hint in &rule.question.plan().hints {
        row("hint", hint);
    }
    text
}
