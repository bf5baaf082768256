//! What a rule may cost at most.

use crate::error::Reason;

/// The most values of one rule, after its modifiers have made several of one.
pub const VALUES_MAX: usize = 20_000;
/// The most regular expressions of one rule.
pub const EXPRESSIONS_MAX: usize = 64;
/// The most bytes of memory that one regular expression may take.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 20;
/// The most bytes of the tables that a regular expression builds as it runs, for each thread.
pub(crate) const EXPRESSION_CACHE_BYTES: usize = 256 << 10;
/// The most names, operators and parentheses in a condition.
pub const CONDITION_WORDS_MAX: usize = 1_000;
/// The most levels of parentheses and `not` in a condition.
pub const CONDITION_DEPTH_MAX: usize = 64;

/// What is left for one rule.
#[derive(Debug)]
pub(crate) struct Budget {
    values: usize,
    expressions: usize,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { values: VALUES_MAX, expressions: EXPRESSIONS_MAX }
    }

    pub(crate) fn take_values(&mut self, values: usize) -> Result<(), Reason> {
        let left = self.values.checked_sub(values);
        self.values = left.ok_or(Reason::TooMuch { what: "values", max: VALUES_MAX })?;
        Ok(())
    }

    pub(crate) fn take_expression(&mut self) -> Result<(), Reason> {
        let left = self.expressions.checked_sub(1);
        self.expressions =
            left.ok_or(Reason::TooMuch { what: "regular expressions", max: EXPRESSIONS_MAX })?;
        Ok(())
    }
}
