//! Tests within rule files: log lines with their times, and how many findings must come of them.
//!
//! They stand below the key `tests` of a rule, each with a `name`, a `file` that says what the lines would have been
//! read from, the `lines`, and the number of `findings` that this rule must make of them: runs of one entity count
//! once. They are read by the parser and seen by the engine that the stream has, with the lines' own times for a clock.

use event::{Analyzed, EventId, JournalId, Position, Timestamp};
use serde::Deserialize;
use sigma::{RuleError, Rules};

use crate::{Activity, Config, Detector, Finding, Seen, SigmaRules, rules, sources::key_of};

/// Longer lines are cut, as in the stream.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A test of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What it shows.
    pub name: String,
    /// The file that the lines would have been read from, such as `auth.log`.
    #[serde(default)]
    pub file: Option<String>,
    /// The lines, in order.
    pub lines: Vec<String>,
    /// How many findings they must give.
    pub findings: usize,
}

/// How a trial went.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The rule's id, else its title.
    pub rule: String,
    /// The trial.
    pub trial: Trial,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// Whether it gave what it must.
    pub fn is_held(&self) -> bool {
        self.findings.len() == self.trial.findings
    }
}

/// Why a file's tests could not be run.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// Its tests are written otherwise.
    #[error("{file}: tests: {reason}")]
    Form {
        /// The file.
        file: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// A rule in it was refused.
    #[error(transparent)]
    Rule(#[from] Box<RuleError>),
}

/// What is read of a document beside the rule itself.
#[derive(Deserialize)]
struct Document {
    title: Option<String>,
    id: Option<String>,
    #[serde(default)]
    tests: Vec<Trial>,
}

/// Runs the tests of a file with rules, each rule by itself but for what its correlations count. Lines that have no
/// time are taken to be of `now`.
///
/// # Errors
/// When a rule is refused, or the tests are not written as they should.
pub fn run(file: &str, text: &str, now: Timestamp) -> Result<Vec<Outcome>, TrialError> {
    let (rules, errors) = rules::read([(file, text)]);
    if let Some(error) = errors.into_iter().next() {
        return Err(Box::new(error).into());
    }
    let mut outcomes = vec![];
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let form = |error: serde_yaml_ng::Error| TrialError::Form {
            file: file.to_owned(),
            reason: error.to_string(),
        };
        let Document { title, id, tests } = Document::deserialize(document).map_err(form)?;
        let rule = id.or(title).unwrap_or_default();
        for trial in tests {
            let mut findings = seen(rules.clone(), &trial, now);
            findings.retain(|finding| finding.rule == rule && !finding.is_update);
            outcomes.push(Outcome { rule: rule.clone(), trial, findings });
        }
    }
    Ok(outcomes)
}

/// The lines of all tests that stand in a file, with the file that each would have been read from; none of a file that
/// cannot be read.
pub(crate) fn lines(text: &str) -> Vec<(Option<String>, String)> {
    let documents = serde_yaml_ng::Deserializer::from_str(text);
    let tests = documents.filter_map(|document| Document::deserialize(document).ok()).flat_map(|it| it.tests);
    tests.flat_map(|trial| trial.lines.into_iter().map(move |line| (trial.file.clone(), line))).collect()
}

fn seen(rules: Rules, trial: &Trial, now: Timestamp) -> Vec<Finding> {
    let mut detector = SigmaRules::new(rules, &Config::default());
    let mut findings = vec![];
    let zone = jiff::tz::TimeZone::UTC;
    let context =
        parse::Context { file: trial.file.as_deref(), ..parse::Context::new(now, &zone, LINE_BYTES_MAX) };
    let mut latest = Timestamp::MIN;
    for (number, line) in (0..).zip(&trial.lines) {
        let event = parse::line(line.as_bytes(), &context);
        latest = latest.max(event.timestamp);
        let position = Position { segment: 0, record: number };
        let analyzed = Analyzed::unanalyzed(EventId { journal: JournalId(0), position }, event);
        let activity = Activity::of(&analyzed.event);
        detector.see(
            &Seen {
                analyzed: &analyzed,
                source: key_of(&analyzed.event),
                activity: &activity,
                before: None,
                now: latest,
            },
            &mut findings,
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "
title: A shell for a service
id: 5f0f5c1e-0000-4000-8000-000000000001
logsource: {product: linux, service: sudo}
detection:
  selection:
    user.name: www-data
  condition: selection
level: high
tests:
  - name: fires
    file: auth.log
    lines:
      - '2026-11-20T10:00:00Z web-1 sudo[1]: www-data : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh'
      - '2026-11-20T10:00:09Z web-1 sudo[1]: www-data : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh'
    findings: 1
  - name: is wrong about another program
    lines:
      - '2026-11-20T10:00:00Z web-1 shop[1]: www-data : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh'
    findings: 1
";

    #[test]
    fn a_trial_is_seen_as_the_stream_is() {
        let outcomes = run("a.yml", RULE, Timestamp::MIN).unwrap();
        assert_eq!(outcomes.iter().map(Outcome::is_held).collect::<Vec<_>>(), [true, false]);
        let finding = &outcomes[0].findings[0];
        assert_eq!(finding.rule, "5f0f5c1e-0000-4000-8000-000000000001");
        assert_eq!(finding.entities[0].value, "www-data");
    }

    #[test]
    fn what_is_written_otherwise_is_told() {
        let misspelt = RULE.replace("findings: 1", "finding: 1");
        let told = run("a.yml", &misspelt, Timestamp::MIN).unwrap_err().to_string();
        assert!(told.starts_with("a.yml: tests: ") && told.contains("finding"), "{told}");
        let refused = RULE.replace("user.name:", "user.name|nearly:");
        let told = run("a.yml", &refused, Timestamp::MIN).unwrap_err().to_string();
        assert!(told.contains("nearly"), "{told}");
    }
}
