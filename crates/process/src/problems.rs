//! What could not be read of processes, gathered over a scan.

use std::{collections::HashMap, sync::Arc};

use crate::{executable::Hashed, kind::Problem};

/// What, why, and of how many processes.
#[derive(Debug, Default)]
pub(crate) struct Problems(HashMap<(&'static str, String), u64>);

impl Problems {
    /// Of one process more.
    pub(crate) fn note(&mut self, what: &'static str, reason: impl ToString) {
        *self.0.entry((what, reason.to_string())).or_default() += 1;
    }

    /// The hash, or nothing and a note of why.
    pub(crate) fn hash(&mut self, hashed: Hashed) -> Option<Arc<str>> {
        const WHAT: &str = "executable_hash";
        match hashed {
            Hashed::Known(hash) => return Some(hash),
            Hashed::Later => self.note(WHAT, "this scan has read as much as it may; the next goes on"),
            Hashed::TooLarge => self.note(WHAT, "the file is larger than what is hashed"),
            Hashed::Failed(error) => self.note(WHAT, error),
        }
        None
    }

    /// In their order.
    pub(crate) fn told(self) -> Vec<Problem> {
        let problem = |((what, reason), processes): ((&str, String), u64)| Problem {
            what: what.to_owned(),
            processes,
            reason,
        };
        let mut problems: Vec<Problem> = self.0.into_iter().map(problem).collect();
        problems.sort_by(|a, b| (&a.what, &a.reason).cmp(&(&b.what, &b.reason)));
        problems
    }
}
