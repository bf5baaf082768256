//! What could not be read.

use std::fmt::Display;

/// What could not be read, while the rest was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// A file, a mount, an interface, a unit.
    pub what: String,
    /// Why, in words.
    pub reason: String,
}

impl Problem {
    pub(crate) fn new(what: impl Display, reason: impl Display) -> Self {
        Self { what: what.to_string(), reason: reason.to_string() }
    }
}
