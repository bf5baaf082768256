//! What was found damaged, for whoever watches the program.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use crate::locks::lock;

/// Something that was learned or said and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `model`, `history`, `models`, `feedback`, `templates` or `starters`.
    pub what: &'static str,
    /// What is wrong, and what is done instead.
    pub text: String,
}

/// The latest of each kind.
#[derive(Debug, Default)]
pub(crate) struct Problems(Mutex<BTreeMap<&'static str, String>>);

impl Problems {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        lock(&self.0)
    }

    pub(crate) fn all(&self) -> Vec<Problem> {
        let problem = |(what, text): (&&'static str, &String)| Problem { what, text: text.clone() };
        self.lock().iter().map(problem).collect()
    }

    pub(crate) fn found(&self, what: &'static str, text: String) {
        self.lock().insert(what, text);
    }

    pub(crate) fn of_files<const N: usize>(&self, files: [(&'static str, Option<String>); N]) {
        for (what, problem) in files {
            if let Some(problem) = problem {
                self.found(what, problem);
            }
        }
    }

    pub(crate) fn solved(&self, what: &'static str) {
        self.lock().remove(what);
    }

    pub(crate) fn of(&self, what: &str) -> Option<String> {
        self.lock().get(what).cloned()
    }
}
