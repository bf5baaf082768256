//! What can be wrong with a rule.

use std::fmt;

use thiserror::Error;

/// A rule that was refused: where it stands, and what is wrong with it.
#[derive(Debug, Error)]
pub struct RuleError {
    /// The file, as its caller named it.
    pub file: String,
    /// The line in the file, from 1.
    pub line: usize,
    /// The rule's id, else its title, where either could be read.
    pub rule: Option<String>,
    /// The place within the rule, such as `detection.selection.CommandLine|re`.
    pub field: String,
    /// What is wrong.
    #[source]
    pub reason: Reason,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", self.reason)
    }
}

/// Why a rule was refused.
#[derive(Debug, Error)]
pub enum Reason {
    /// The file is not YAML.
    #[error("not YAML: {0}")]
    Yaml(String),
    /// A part is missing that every rule has.
    #[error("is missing")]
    Missing,
    /// A part is of another form.
    #[error("{0} is expected")]
    Expected(&'static str),
    /// A key stands twice in one map.
    #[error("stands here twice")]
    Twice,
    /// A modifier that the specification does not know.
    #[error("unknown modifier {0:?}")]
    UnknownModifier(String),
    /// Modifiers that do not go together.
    #[error("modifier {0:?} does not go with {1:?}")]
    Modifiers(String, String),
    /// A regular expression that is none, or that costs too much.
    #[error("regular expression: {0}")]
    Expression(#[from] Box<regex::Error>),
    /// A network that is none.
    #[error("{0:?} is no network in CIDR notation")]
    Network(String),
    /// A value that cannot be encoded as its modifiers ask.
    #[error("cannot be encoded: {0}")]
    Encoding(&'static str),
    /// A placeholder without values.
    #[error("placeholder %{0}% has no values")]
    Placeholder(String),
    /// A condition that cannot be read.
    #[error("condition: {0}")]
    Condition(String),
    /// A name in a condition that the rule does not define.
    #[error("nothing in this rule is called {0:?}")]
    UnknownName(String),
    /// A correlation that names a rule which is not there.
    #[error("no rule with the id or name {0:?} is loaded")]
    UnknownRule(String),
    /// Correlations that wait for each other.
    #[error("correlations refer to each other in a circle")]
    Circle,
    /// Two rules with one id or name.
    #[error("the id or name {0:?} is taken by another rule")]
    Taken(String),
    /// A time span that cannot be read.
    #[error("{0:?} is no time span such as 90s, 15m, 1h or 7d")]
    Timespan(String),
    /// The rule costs too much.
    #[error("costs too much: more than {max} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The most there may be.
        max: usize,
    },
}

/// A fault within a document, before its file is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) field: String,
    pub(crate) reason: Reason,
}

impl Fault {
    pub(crate) fn new(line: usize, reason: impl Into<Reason>) -> Self {
        Self { line, field: String::new(), reason: reason.into() }
    }

    /// The same fault, one part further out.
    pub(crate) fn within(mut self, part: &str) -> Self {
        let dot = if self.field.is_empty() { "" } else { "." };
        self.field = format!("{part}{dot}{}", self.field);
        self
    }
}

impl From<regex::Error> for Reason {
    fn from(error: regex::Error) -> Self {
        Self::Expression(Box::new(error))
    }
}
