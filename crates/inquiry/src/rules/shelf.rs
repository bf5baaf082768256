//! The rules that there are, and how they stand.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rulebook::{Fault, Files};
use telemetry::{clean, health::Component, metric};

use super::{
    kept::Remembered,
    last::{Ended, Last},
    rule::Rule,
};

/// The names of files of rules end so.
pub(crate) const ENDING: &str = "sql";

/// Whether a rule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does.
    On,
    /// It was switched off.
    Off,
    /// It went over its budget, and runs again when its text changes.
    Suspended(String),
    /// It cannot be read; what ran before runs on, where there is one.
    Broken(Fault),
}

/// What is told of a rule.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The rule; None of what cannot be read and never could.
    pub rule: Option<Arc<Rule>>,
    /// The file, below the folder.
    pub file: String,
    /// Whether it runs.
    pub state: State,
    /// Rows that it found since the program started.
    pub matches: u64,
    /// Signals or additions to them since then.
    pub findings: u64,
    /// What came of its last run.
    pub last: Option<Last>,
}

/// How a rule stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// The hash of the text for which this holds.
    pub(crate) hash: String,
    pub(crate) suspended: Option<String>,
    pub(crate) last: Option<Last>,
    pub(crate) matches: u64,
    pub(crate) findings: u64,
}

#[derive(Default)]
struct Inner {
    files: Option<Files>,
    rules: Vec<Arc<Rule>>,
    faults: Vec<Fault>,
    standing: BTreeMap<String, Standing>,
}

/// The rules of a folder. Share it by Arc.
pub struct Shelf {
    dir: Option<PathBuf>,
    off: Vec<String>,
    health: Component,
    state: Mutex<Inner>,
}

impl Shelf {
    /// Reads the rules of a folder; those of these ids do not run.
    #[must_use]
    pub fn open(dir: Option<PathBuf>, off: Vec<String>, health: Component) -> Self {
        let shelf = Self { dir, off, health, state: Mutex::default() };
        shelf.look();
        shelf
    }

    fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the folder again, if something in it changed. Of a file that cannot be read any more, the rule that it held runs on. Blocks on
    /// the disk.
    pub fn look(&self) {
        let Some(dir) = &self.dir else { return };
        let folder = format!("{}/", dir.display());
        let files = match rulebook::below_ending(dir, &[ENDING]) {
            Ok(files) => files,
            Err(error) => {
                self.health.degraded(format!("{error}; the rules of before run"));
                return;
            }
        };
        if self.state().files.as_ref() == Some(&files) {
            return;
        }
        let read: Vec<(String, Result<Rule, Fault>)> = files
            .iter()
            .map(|(name, text)| {
                let name = name.strip_prefix(&folder).unwrap_or(name).to_owned();
                let rule = Rule::read(&name, text);
                (name, rule)
            })
            .collect();
        let mut state = self.state();
        let before = std::mem::take(&mut state.rules);
        (state.faults, state.files) = (Vec::new(), Some(files));
        for (name, rule) in read {
            let rule = rule.map(Arc::new).or_else(|fault| {
                state.faults.push(fault);
                before.iter().find(|rule| rule.file == name).cloned().ok_or(())
            });
            let Ok(rule) = rule else { continue };
            if let Some(other) = state.rules.iter().find(|other| other.id == rule.id) {
                let reason = format!("{} has a rule of this id", other.file);
                let (file, id) = (rule.file.clone(), rule.id.clone());
                state.faults.push(Fault { file, line: 1, rule: Some(id), field: "id".to_owned(), reason });
                continue;
            }
            state.rules.push(rule);
        }
        self.tell(&state);
    }

    fn tell(&self, state: &Inner) {
        metrics::gauge!(metric::SQL_RULES).set(state.rules.len() as f64);
        for fault in &state.faults {
            tracing::warn!(rule = %clean::line(&fault.to_string()), "a rule in SQL is refused");
        }
        match state.faults.first() {
            None => self.health.ok(),
            Some(first) => self.health.degraded(format!(
                "{} rules in SQL are refused, the others run; the first: {}",
                state.faults.len(),
                clean::line(&first.to_string())
            )),
        }
    }

    /// Those that run.
    pub(crate) fn running(&self) -> Vec<Arc<Rule>> {
        let state = self.state();
        let runs = |rule: &&Arc<Rule>| {
            let standing = state.standing.get(&rule.id);
            let is_suspended =
                standing.is_some_and(|standing| standing.suspended.is_some() && standing.hash == rule.hash);
            !is_suspended && !self.off.contains(&rule.id)
        };
        state.rules.iter().filter(runs).cloned().collect()
    }

    /// Those over their budget: id, title and why.
    pub(crate) fn suspended(&self) -> Vec<(String, String, String)> {
        let entries = self.entries().into_iter();
        entries
            .filter_map(|entry| match (entry.rule, entry.state) {
                (Some(rule), State::Suspended(reason)) => Some((rule.id.clone(), rule.title.clone(), reason)),
                _ => None,
            })
            .collect()
    }

    /// Takes over what is remembered.
    pub(crate) fn remember(&self, remembered: BTreeMap<String, Remembered>) {
        let mut state = self.state();
        for (id, Remembered { last, hash, suspended }) in remembered {
            let standing = state.standing.entry(id).or_default();
            (standing.last, standing.hash, standing.suspended) = (last, hash, suspended);
        }
    }

    /// What came of a run.
    pub(crate) fn ran(&self, rule: &Rule, last: Last, findings: u64) {
        let mut state = self.state();
        let standing = state.standing.entry(rule.id.clone()).or_default();
        standing.hash.clone_from(&rule.hash);
        standing.suspended = (last.ended == Ended::Suspended).then(|| last.reason.clone()).flatten();
        standing.matches += last.new_rows;
        standing.findings += findings;
        standing.last = Some(last);
    }

    /// Whether the last run of a rule with this text went over its time or memory.
    pub(crate) fn was_over(&self, rule: &Rule) -> bool {
        let state = self.state();
        let standing = state.standing.get(&rule.id).filter(|standing| standing.hash == rule.hash);
        standing.and_then(|standing| standing.last.as_ref()).is_some_and(|last| last.is_over)
    }

    /// Whether what the last run of a rule was asked about has to be asked about again.
    pub(crate) fn is_stuck(&self, rule: &Rule) -> bool {
        let state = self.state();
        let standing = state.standing.get(&rule.id).filter(|standing| standing.hash == rule.hash);
        standing.and_then(|standing| standing.last.as_ref()).is_some_and(|last| last.is_stuck)
    }

    /// When a rule was asked last, in nanoseconds since 1970.
    pub(crate) fn ran_at(&self, rule: &str) -> Option<i64> {
        Some(self.state().standing.get(rule)?.last.as_ref()?.at.as_nanos())
    }

    /// All rules, by their files.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let state = self.state();
        let of = |rule: &Arc<Rule>| {
            let standing = state.standing.get(&rule.id).cloned().unwrap_or_default();
            let fault = state.faults.iter().find(|fault| fault.file == rule.file);
            let suspended = standing.suspended.filter(|_| standing.hash == rule.hash);
            let known = match (fault, suspended) {
                (Some(fault), _) => State::Broken(fault.clone()),
                (None, Some(reason)) => State::Suspended(reason),
                (None, None) if self.off.contains(&rule.id) => State::Off,
                (None, None) => State::On,
            };
            Entry {
                rule: Some(Arc::clone(rule)),
                file: rule.file.clone(),
                state: known,
                matches: standing.matches,
                findings: standing.findings,
                last: standing.last,
            }
        };
        let mut entries: Vec<Entry> = state.rules.iter().map(of).collect();
        let without_rule =
            state.faults.iter().filter(|fault| state.rules.iter().all(|rule| rule.file != fault.file));
        entries.extend(without_rule.map(|fault| Entry {
            rule: None,
            file: fault.file.clone(),
            state: State::Broken(fault.clone()),
            matches: 0,
            findings: 0,
            last: None,
        }));
        entries
    }

    /// The text of a file, as it was read last.
    #[must_use]
    pub fn source(&self, file: &str) -> Option<String> {
        let folder = format!("{}/", self.dir.as_ref()?.display());
        let state = self.state();
        let found = state.files.iter().flatten().find(|(name, _)| name.strip_prefix(&folder) == Some(file));
        found.map(|(_, text)| text.clone())
    }

    /// Its files, by their names below the folder.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let Some(dir) = &self.dir else { return Vec::new() };
        let folder = format!("{}/", dir.display());
        let state = self.state();
        state
            .files
            .iter()
            .flatten()
            .filter_map(|(name, _)| name.strip_prefix(&folder))
            .map(str::to_owned)
            .collect()
    }

    /// What is wrong with a text in the place of a file, beside the other rules.
    #[must_use]
    pub fn check(&self, file: &str, text: &str) -> Vec<Fault> {
        let rule = match Rule::read(file, text) {
            Ok(rule) => rule,
            Err(fault) => return vec![fault],
        };
        let state = self.state();
        let other = state.rules.iter().find(|other| other.id == rule.id && other.file != file);
        let fault = other.map(|other| Fault {
            file: file.to_owned(),
            line: 1,
            rule: Some(rule.id.clone()),
            field: "id".to_owned(),
            reason: format!("{} has a rule of this id", other.file),
        });
        fault.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use telemetry::health::Health;

    use super::*;

    fn rule(id: &str, column: &str) -> String {
        format!("-- id: {id}\n-- title: A rule\n-- severity: low\nSELECT host, {column} FROM logs")
    }

    #[test]
    fn what_changes_is_read_again_and_what_breaks_runs_on_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        let shelf =
            Shelf::open(Some(dir.path().to_owned()), vec!["off".to_owned()], health.component("sql_rules"));
        assert!(shelf.entries().is_empty());
        fs::write(dir.path().join("a.sql"), rule("a", "level")).unwrap();
        fs::write(dir.path().join("off.sql"), rule("off", "level")).unwrap();
        fs::write(dir.path().join("other.yml"), "title: x").unwrap();
        shelf.look();
        let ids = || shelf.running().iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(), ["a"]);
        assert_eq!(shelf.files(), ["a.sql", "off.sql"]);

        fs::write(dir.path().join("a.sql"), rule("a", "levl")).unwrap();
        fs::write(dir.path().join("b.sql"), rule("b", "nothing")).unwrap();
        fs::write(dir.path().join("c.sql"), rule("off", "level")).unwrap();
        shelf.look();
        assert_eq!(ids(), ["a"], "it runs on as it was");
        let broken: Vec<String> = shelf
            .entries()
            .into_iter()
            .filter(|entry| matches!(entry.state, State::Broken(_)))
            .map(|entry| entry.file)
            .collect();
        assert_eq!(broken.len(), 3, "{broken:?}");
        assert!(health.reports()[0].reason.contains("a.sql"), "{:?}", health.reports());
        fs::write(dir.path().join("a.sql"), rule("a", "message")).unwrap();
        fs::remove_file(dir.path().join("b.sql")).unwrap();
        fs::remove_file(dir.path().join("c.sql")).unwrap();
        shelf.look();
        assert!(shelf.running()[0].question.reads("logs", "message"));
        assert_eq!(shelf.check("d.sql", &rule("a", "level")).len(), 1, "the id is taken");
        assert_eq!(shelf.check("a.sql", &rule("a", "level")), []);
    }

    #[test]
    fn a_rule_over_its_budget_runs_again_when_its_text_changes() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.sql"), rule("a", "level")).unwrap();
        let shelf = Shelf::open(Some(dir.path().to_owned()), vec![], Health::new().component("sql_rules"));
        let a = shelf.running().remove(0);
        let remembered =
            Remembered { last: None, hash: a.hash.clone(), suspended: Some("it took too long".to_owned()) };
        shelf.remember([("a".to_owned(), remembered)].into());
        assert!(shelf.running().is_empty());
        assert_eq!(shelf.suspended().len(), 1);
        fs::write(dir.path().join("a.sql"), rule("a", "message")).unwrap();
        shelf.look();
        assert_eq!(shelf.running().len(), 1);
    }
}
