//! How often each rule matched and told something. Whoever holds a clone reads it while the set runs.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sigma::{About, Rules};

/// A set of rules, and where it is counted what they do.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The rules.
    pub rules: Rules,
    /// The counts.
    pub tally: Tally,
}

impl From<Rules> for RuleSet {
    /// Counted for nobody.
    fn from(rules: Rules) -> Self {
        Self { rules, tally: Tally::default() }
    }
}

/// The counts of a set, by the ids of its rules and correlations, else their titles.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<HashMap<String, Arc<Counts>>>);

/// What one rule did.
#[derive(Debug, Default)]
pub struct Counts {
    matches: AtomicU64,
    findings: AtomicU64,
}

impl Tally {
    /// Counts for these rules. Those that an earlier set had go on.
    pub fn of(rules: &Rules, earlier: &Self) -> Self {
        let single = rules.rules().iter().map(|rule| &rule.about);
        let all = single.chain(rules.correlations().iter().map(|correlation| &correlation.about));
        let counts = all.map(|about| {
            let id = about.id_or_title();
            (id.to_owned(), earlier.0.get(id).cloned().unwrap_or_default())
        });
        Self(Arc::new(counts.collect()))
    }

    /// What a rule did.
    pub fn get(&self, id: &str) -> Option<&Counts> {
        self.0.get(id).map(AsRef::as_ref)
    }

    pub(super) fn matched(&self, about: &About) {
        if let Some(counts) = self.get(about.id_or_title()) {
            counts.matches.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn found(&self, id: &str) {
        if let Some(counts) = self.get(id) {
            counts.findings.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Counts {
    /// Events that it matched; of a correlation how often it was met.
    pub fn matches(&self) -> u64 {
        self.matches.load(Ordering::Relaxed)
    }

    /// Findings that it made: runs of matches about one thing, each once.
    pub fn findings(&self) -> u64 {
        self.findings.load(Ordering::Relaxed)
    }
}
