//! What was found damaged, for whoever watches the program.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

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
pub(super) struct Problems(Mutex<BTreeMap<&'static str, String>>);

impl Problems {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn found(&self, what: &'static str, text: String) {
        self.lock().insert(what, text);
    }

    pub(super) fn of_files<const N: usize>(&self, files: [(&'static str, Option<String>); N]) {
        for (what, problem) in files {
            if let Some(problem) = problem {
                self.found(what, problem);
            }
        }
    }

    pub(super) fn solved(&self, what: &'static str) {
        self.lock().remove(what);
    }

    pub(super) fn of(&self, what: &str) -> Option<String> {
        self.lock().get(what).cloned()
    }
}

impl super::Service {
    /// What was found damaged since the start, or lies set aside.
    pub fn problems(&self) -> Vec<Problem> {
        let problem = |(what, text): (&&'static str, &String)| Problem { what, text: text.clone() };
        self.problems.lock().iter().map(problem).collect()
    }
}
