//! What a visitor asked for, as people are told it.

use finding::fact;
use serde::{Deserialize, Serialize};

use super::visit::Visit;
use crate::Finding;

/// What is noted of each run: the first so many, and so much of each.
const PATHS: usize = 6;
const PATH_BYTES: usize = 96;
const STATUSES: usize = 4;
const SIGNS: usize = 4;

/// The first things that a visitor asked for in a run, and how they were answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Asked {
    paths: Vec<String>,
    statuses: Vec<String>,
    signs: Vec<String>,
    /// Whether any of it was answered as who asked had wished; None where no answer is known.
    is_answered: Option<bool>,
}

impl Asked {
    /// What it holds beside itself at most: names of signs are short.
    pub(super) const BYTES_MAX: usize = PATHS * (size_of::<String>() + PATH_BYTES)
        + STATUSES * (size_of::<String>() + 4)
        + SIGNS * (size_of::<String>() + 32);

    /// Takes note of one more request.
    pub(super) fn note(&mut self, visit: &Visit<'_>) {
        if let Some(sign) = visit.sign {
            add(&mut self.signs, SIGNS, sign.as_str());
        }
        let Some(request) = visit.request else { return };
        add(&mut self.paths, PATHS, &request.target[..request.target.floor_char_boundary(PATH_BYTES)]);
        if let Some(status) = request.status {
            add(&mut self.statuses, STATUSES, &status.to_string());
            self.is_answered = Some(self.is_answered == Some(true) || request.is_answered());
        }
    }

    /// The finding, knowing this too.
    pub(super) fn told(&self, finding: Finding) -> Finding {
        let lists =
            [(fact::PATHS, &self.paths), (fact::STATUSES, &self.statuses), (fact::SIGNS, &self.signs)];
        lists.into_iter().filter(|(_, list)| !list.is_empty()).fold(finding, |finding, (name, list)| {
            finding.fact(name, fact::list(list.iter().map(String::as_str)))
        })
    }

    /// The same with whether any of it was answered, where an answer means that it succeeded.
    pub(super) fn told_with_outcome(&self, finding: Finding) -> Finding {
        let finding = self.told(finding);
        match self.is_answered {
            Some(is_answered) => finding.fact(fact::SUCCEEDED, is_answered),
            None => finding,
        }
    }
}

fn add(list: &mut Vec<String>, most: usize, text: &str) {
    if list.len() < most {
        fact::add(list, text);
    }
}
