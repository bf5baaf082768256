//! What is told of one rule.

use std::fmt;

use detect::{is_shipped, rules::Cost, trial};
use event::Timestamp;
use sigma::{About, LogSource, RuleError, Rules};

/// A rule or a correlation, or what stands in a file in the place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, else its title; of what cannot be read as far as either is known.
    pub id: Option<String>,
    /// What it finds, in a line.
    pub title: Option<String>,
    /// What it finds, at length.
    pub description: Option<String>,
    /// How grave a match is.
    pub level: Option<sigma::Level>,
    /// Whether it counts what other rules match.
    pub is_correlation: bool,
    /// Whose it is.
    pub origin: Origin,
    /// The file, below the folder that it is of.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Techniques of MITRE ATT&CK.
    pub techniques: Vec<String>,
    /// What else is known to match.
    pub false_positives: Vec<String>,
    /// The events that it wants to see: category, product and service, as far as it names them.
    pub log_source: Option<LogSource>,
    /// Whether it runs.
    pub state: State,
    /// Events that it matched since the program started.
    pub matches: u64,
    /// Findings that it made since then.
    pub findings: u64,
    /// Nanoseconds an event that it was measured to take; None of a correlation and of what cannot be read.
    pub cost: Option<u64>,
    /// Whether it is held against every event of its log source, for want of a text without which it cannot match.
    pub is_held_against_all: bool,
}

/// Whose a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It comes along.
    Shipped,
    /// It is of the folder of one's own.
    Own,
}

/// Whether a rule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does.
    On,
    /// It was switched off: it tells nothing, and still counts for correlations.
    Off,
    /// It costs too much and is held against no event.
    Suspended(Fault),
    /// It cannot be read.
    Broken(Fault),
}

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, below the folder that it is of.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule's id, else its title, as far as either is known.
    pub rule: Option<String>,
    /// The place within the rule, such as `detection.selection.CommandLine|re`; empty for the whole.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)
    }
}

impl Fault {
    /// Of a file whose name begins with that of the folder.
    pub(crate) fn of(error: &RuleError, folder: &str) -> Self {
        Self {
            file: relative(&error.file, folder).to_owned(),
            line: error.line,
            rule: error.rule.clone(),
            field: error.field.clone(),
            reason: error.reason.to_string(),
        }
    }
}

/// The name of a file below the folder.
pub(crate) fn relative<'f>(file: &'f str, folder: &str) -> &'f str {
    let rest = file.strip_prefix(folder).filter(|_| !folder.is_empty());
    rest.map_or(file, |rest| rest.trim_start_matches(['/', '\\']))
}

/// All rules of a set that was compiled.
pub(crate) fn entries(
    rules: &Rules,
    costs: &[Cost],
    suspended: &[(usize, Fault)],
    folder: &str,
    is_off: impl Fn(&About) -> bool,
) -> Vec<Entry> {
    let of = |about: &About| Entry {
        id: Some(about.id_or_title().to_owned()),
        title: Some(about.title.clone()),
        description: about.description.clone(),
        level: about.level,
        techniques: about.techniques().collect(),
        false_positives: about.false_positives.clone(),
        state: if is_off(about) { State::Off } else { State::On },
        ..Entry::at(origin(&about.file), relative(&about.file, folder), about.line)
    };
    let single = rules.rules().iter().enumerate().map(|(number, rule)| {
        let entry = of(&rule.about);
        let fault = suspended.iter().find(|(other, _)| *other == number);
        let cost = costs.get(number).copied().unwrap_or_default();
        Entry {
            log_source: Some(rule.log_source.clone()),
            cost: Some(cost.nanos),
            is_held_against_all: cost.is_held_against_all,
            state: fault.map_or(entry.state, |(_, fault)| State::Suspended(fault.clone())),
            ..entry
        }
    });
    let correlations = rules
        .correlations()
        .iter()
        .map(|correlation| Entry { is_correlation: true, ..of(&correlation.about) });
    single.chain(correlations).collect()
}

impl Entry {
    /// Of what cannot be read.
    pub(crate) fn broken(fault: &Fault) -> Self {
        let state = State::Broken(fault.clone());
        Self { id: fault.rule.clone(), state, ..Self::at(Origin::Own, &fault.file, fault.line) }
    }

    fn at(origin: Origin, file: &str, line: usize) -> Self {
        Self {
            id: None,
            title: None,
            description: None,
            level: None,
            is_correlation: false,
            origin,
            file: file.to_owned(),
            line,
            techniques: vec![],
            false_positives: vec![],
            log_source: None,
            state: State::On,
            matches: 0,
            findings: 0,
            cost: None,
            is_held_against_all: false,
        }
    }
}

fn origin(file: &str) -> Origin {
    if is_shipped(file) { Origin::Shipped } else { Origin::Own }
}

/// How the tests that stand in a file went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tested {
    /// How many hold.
    pub held: usize,
    /// Those that do not: the rule, the name of the test, findings made and findings expected.
    pub failed: Vec<(String, String, usize, usize)>,
    /// Why they could not be run.
    pub problem: Option<String>,
}

/// Runs the tests that stand in a file.
pub fn tested(file: &str, text: &str, now: Timestamp) -> Tested {
    let mut tested = Tested::default();
    match trial::run(file, text, now) {
        Err(error) => tested.problem = Some(error.to_string()),
        Ok(outcomes) => {
            for outcome in outcomes {
                match outcome.is_held() {
                    true => tested.held += 1,
                    false => tested.failed.push((
                        outcome.rule,
                        outcome.trial.name,
                        outcome.findings.len(),
                        outcome.trial.findings,
                    )),
                }
            }
        }
    }
    tested
}
