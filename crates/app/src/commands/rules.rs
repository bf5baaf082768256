//! `log-sentinel rules`: what rules hold, find and cover, and what they would have told of what is past.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
};

use detect::{past::Past, rules, trial};
use rulebook::Files;
use serde_json::json;
use sigma::{About, LogSource, Rules};

use super::{note, past, print, print_json, sql_rules, thresholds};
use crate::{
    AppError, Settings,
    cli::{Output, RulesAction},
    client::Client,
    wording::plain,
};

/// Does what was asked of rules.
///
/// # Errors
/// When a file cannot be read, a rule is refused or a test does not hold.
pub(crate) fn run(action: &RulesAction) -> Result<(), AppError> {
    match action {
        RulesAction::Test { files } => test(&given(files)?, sql_rules::test(&sql_rules::given(files)?)),
        RulesAction::Explain { rule, files } => {
            let (is_there, others) = (sql_rules::explain(&sql_rules::given(files)?, rule)?, given(files)?);
            if others.is_empty() && is_there { Ok(()) } else { explain(&loaded(&others)?, rule, is_there) }
        }
        RulesAction::Coverage { files, output } => coverage(&loaded(&given(files)?)?, *output),
        // What is past is gone through by `over_past`.
        RulesAction::Noise { .. } | RulesAction::Backtest { .. } => Ok(()),
    }
}

/// Goes through what is past, where that was asked.
///
/// # Errors
/// When a file cannot be read, no rule is meant, or the collector does not answer.
pub(crate) async fn over_past(
    settings: &Settings,
    client: &Client,
    action: &RulesAction,
) -> Result<(), AppError> {
    let config = || settings.detection.engine.clone();
    match action {
        RulesAction::Noise { files, past: asked } => {
            let rules = loaded(&if files.is_empty() { running(settings)? } else { given(files)? })?;
            let past = Past::new(config(), rules.clone());
            let outcome = past::gone_through(settings, client, asked, past).await?;
            past::noise(&outcome, &rules, asked.output)
        }
        RulesAction::Backtest { rule: None, past: asked } => thresholds::backtest(client, asked).await,
        RulesAction::Backtest { rule: Some(rule), past: asked } => {
            let is_file = Path::new(rule).exists();
            let rules = loaded(&if is_file { given(&[rule.into()])? } else { running(settings)? })?;
            let is_wanted = |about: &About| is_file || is_meant(about, rule);
            let wanted: Vec<_> = all(&rules)
                .filter(|(about, _)| is_wanted(about))
                .map(|(about, _)| (about.id_or_title().to_owned(), about.title.clone()))
                .collect();
            if wanted.is_empty() {
                return Err(AppError::UnknownRule(rule.clone()));
            }
            let past = Past::of_rules(config(), rules.clone());
            let outcome = past::gone_through(settings, client, asked, past).await?;
            past::backtest(&outcome, &rules, &wanted, asked.output)
        }
        RulesAction::Test { .. } | RulesAction::Explain { .. } | RulesAction::Coverage { .. } => run(action),
    }
}

/// The files that run in the program: those that come along and those of the folder.
fn running(settings: &Settings) -> Result<Files, AppError> {
    let mut files = rulebook::shipped();
    if let Some(dir) = &settings.detection.rules.dir {
        files.extend(rulebook::below(dir)?);
    }
    Ok(files)
}

/// The files that are meant, those of folders in the order of their names.
fn given(files: &[PathBuf]) -> Result<Files, AppError> {
    if files.is_empty() {
        return Ok(rulebook::shipped());
    }
    let mut found = vec![];
    for file in files {
        found.extend(rulebook::below(file)?);
    }
    // A file may be named itself, whatever it is.
    found.retain(|(name, _)| !name.ends_with(".sql"));
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

fn test(files: &Files, (mut held, mut failed): (usize, usize)) -> Result<(), AppError> {
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

/// Whether a rule has this id, or this in its title.
fn is_meant(about: &About, wanted: &str) -> bool {
    about.id.as_deref() == Some(wanted) || about.title.to_lowercase().contains(&wanted.to_lowercase())
}

fn explain(rules: &Rules, wanted: &str, is_there: bool) -> Result<(), AppError> {
    let found: Vec<_> = all(rules).filter(|(about, _)| is_meant(about, wanted)).map(told).collect();
    if found.is_empty() && !is_there {
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
