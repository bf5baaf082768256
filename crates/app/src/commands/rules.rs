//! `log-sentinel rules`: what rules hold, find and cover, without a server.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use detect::{rules, trial};
use serde_json::json;
use sigma::{About, LogSource, Rules};

use super::{note, print, print_json};
use crate::{
    AppError,
    cli::{Output, RulesAction},
    rule_files::{self, Files},
    wording::plain,
};

/// Does what was asked of rules.
///
/// # Errors
/// When a file cannot be read, a rule is refused or a test does not hold.
pub(crate) fn run(action: &RulesAction) -> Result<(), AppError> {
    match action {
        RulesAction::Test { files } => test(&given(files)?),
        RulesAction::Explain { rule, files } => explain(&loaded(&given(files)?)?, rule),
        RulesAction::Coverage { files, output } => coverage(&loaded(&given(files)?)?, *output),
    }
}

/// The files that are meant, those of folders in the order of their names.
fn given(files: &[PathBuf]) -> Result<Files, AppError> {
    if files.is_empty() {
        return Ok(rule_files::shipped());
    }
    let mut found = vec![];
    for file in files {
        found.extend(rule_files::below(file)?);
    }
    Ok(found)
}

/// The rules of these files; those that are refused are named, and the others are there.
fn loaded(files: &Files) -> Result<Rules, AppError> {
    let (rules, errors) = rules::read(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    for error in &errors {
        note(&plain(&error.to_string()));
    }
    match rules.rules().is_empty() && rules.correlations().is_empty() {
        true => Err(AppError::NoRules),
        false => Ok(rules),
    }
}

fn test(files: &Files) -> Result<(), AppError> {
    let (mut held, mut failed) = (0, 0);
    for (name, text) in files {
        let outcomes = match trial::run(name, text, intake::system_clock()) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                failed += 1;
                note(&plain(&error.to_string()));
                continue;
            }
        };
        for outcome in outcomes {
            if outcome.is_held() {
                held += 1;
                continue;
            }
            failed += 1;
            note(&format!(
                "{}: rule {}: test \"{}\": {} found, {} expected",
                plain(name),
                plain(&outcome.rule),
                plain(&outcome.trial.name),
                outcome.findings.len(),
                outcome.trial.findings
            ));
        }
    }
    print(&format!("{held} tests hold, {failed} do not\n"))?;
    if failed == 0 { Ok(()) } else { Err(AppError::RulesFailed) }
}

/// What all rules and correlations say of themselves, and the log source of a rule.
fn all(rules: &Rules) -> impl Iterator<Item = (&About, Option<&LogSource>)> {
    let single = rules.rules().iter().map(|rule| (&rule.about, Some(&rule.log_source)));
    single.chain(rules.correlations().iter().map(|correlation| (&correlation.about, None)))
}

fn explain(rules: &Rules, wanted: &str) -> Result<(), AppError> {
    let lower = wanted.to_lowercase();
    let is_meant =
        |about: &About| about.id.as_deref() == Some(wanted) || about.title.to_lowercase().contains(&lower);
    let found: Vec<_> = all(rules).filter(|(about, _)| is_meant(about)).map(told).collect();
    if found.is_empty() {
        return Err(AppError::UnknownRule(wanted.to_owned()));
    }
    print(&found.join("\n"))?;
    Ok(())
}

fn told((about, source): (&About, Option<&LogSource>)) -> String {
    let mut text = format!("{}\n", plain(&about.title));
    let mut row = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ignored = writeln!(text, "  {name:<14} {}", plain(value));
    };
    row("id", about.id.as_deref().unwrap_or("none"));
    row("file", &about.file);
    row("finds", about.description.as_deref().unwrap_or(&about.title));
    row("level", &format!("{:?}", about.level.unwrap_or(sigma::Level::Medium)).to_lowercase());
    if let Some(source) = source {
        let parts = [&source.category, &source.product, &source.service];
        row("looks at", &parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(", "));
    }
    row("techniques", &about.techniques().collect::<Vec<_>>().join(", "));
    row("is wrong about", &about.false_positives.join("; "));
    text
}

fn coverage(rules: &Rules, output: Output) -> Result<(), AppError> {
    let mut techniques: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (about, _) in all(rules) {
        for technique in about.techniques() {
            techniques.entry(technique).or_default().push(&about.title);
        }
    }
    match output {
        Output::Text => {
            let mut text = String::new();
            for (technique, titles) in &techniques {
                let titles: Vec<_> = titles.iter().map(|title| plain(title)).collect();
                // Writing to a string does not fail.
                let _ignored = writeln!(text, "{:<12} {}", plain(technique), titles.join("; "));
            }
            print(&text)?;
        }
        _ => {
            for (technique, titles) in &techniques {
                print_json(&format!("{}\n", json!({"technique": technique, "rules": titles})))?;
            }
        }
    }
    Ok(())
}
