//! The tree that a query is, whoever made it: the parser, or a program.

use event::{EventId, Timestamp, field};

use crate::{expression::Expression, texts::Texts};

/// A parsed query. Field names are resolved (`level` is `log.level`) and values are typed by what
/// the field is, so that evaluating needs no further knowledge.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// Everything.
    All,
    /// A word or phrase in `message`: consecutive tokens.
    Message(Phrase),
    /// A test of a field's values; true when any value of a list passes.
    Field {
        /// Dotted path; `message` for regular expressions alone.
        path: String,
        /// The test.
        test: Test,
    },
    /// All of them.
    And(Vec<Query>),
    /// Any of them.
    Or(Vec<Query>),
    /// Not this one.
    Not(Box<Query>),
}

impl Query {
    /// All of these; those that are themselves [`Query::And`] are taken apart.
    pub fn and(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.pop() {
            None => Self::All,
            Some(only) if flat.is_empty() => only,
            Some(last) => {
                flat.push(last);
                Self::And(flat)
            }
        }
    }

    /// Any of these, each once; those that are themselves [`Query::Or`] are taken apart. Nothing, for none.
    pub fn or(parts: Vec<Self>) -> Self {
        let mut flat: Vec<Self> = Vec::with_capacity(parts.len());
        for part in parts {
            let of_part = if let Self::Or(inner) = part { inner } else { vec![part] };
            for part in of_part {
                if !flat.contains(&part) {
                    flat.push(part);
                }
            }
        }
        match flat.pop() {
            None => Self::nothing(),
            Some(only) if flat.is_empty() => only,
            Some(last) => {
                flat.push(last);
                Self::Or(flat)
            }
        }
    }

    /// How many words, phrases and tests it has.
    pub fn tests(&self) -> u64 {
        match self {
            Self::All => 0,
            Self::Message(_) | Self::Field { .. } => 1,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::tests).sum(),
            Self::Not(part) => part.tests(),
        }
    }

    /// The ids of all events that can match, where the query names them.
    pub fn ids(&self) -> Option<Vec<EventId>> {
        match self {
            Self::Field { path, test: Test::Equals { text, .. } } if path == field::ID => {
                text.parse().ok().map(|id| vec![id])
            }
            Self::And(parts) => parts.iter().find_map(Self::ids),
            Self::Or(parts) => {
                let ids: Option<Vec<_>> = parts.iter().map(Self::ids).collect();
                ids.map(|ids| ids.concat())
            }
            _ => None,
        }
    }

    /// Whether it has a regular expression.
    pub fn has_expression(&self) -> bool {
        match self {
            Self::Field { test, .. } => matches!(test, Test::Finds(_)),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_expression),
            Self::Not(part) => part.has_expression(),
            Self::All | Self::Message(_) => false,
        }
    }

    /// What no event matches.
    pub fn nothing() -> Self {
        Self::Not(Box::new(Self::All))
    }
}

/// Consecutive tokens, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(pub Vec<TokenPattern>);

/// What a token must be. Tokens are maximal runs of Unicode letters, digits and `_`, lower-cased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPattern {
    /// This token.
    Exact(String),
    /// One that matches `*` and `?`.
    Wildcard(Wildcard),
}

/// A pattern of literal characters, `?` (one character) and `*` (any number of them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    /// As written, without escapes undone.
    pub text: String,
    /// Its parts; literals in lower case when case is ignored.
    pub parts: Vec<WildcardPart>,
    /// Whether case is ignored. Always so in a [`TokenPattern`], so that raw tokens match, too.
    pub ignore_case: bool,
}

/// A part of a [`Wildcard`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WildcardPart {
    /// These characters.
    Literal(String),
    /// Exactly one character.
    One,
    /// Any number of characters.
    Many,
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The field is there and not null.
    Exists,
    /// Text equality; with `ignore_case` for enumerations, whose text is then in lower case.
    Equals {
        /// The text.
        text: String,
        /// Whether case is ignored.
        ignore_case: bool,
    },
    /// Text equality with any of these.
    OneOf(Texts),
    /// Numeric equality; equality with `text` for values that are strings.
    Number {
        /// The number, finite.
        number: f64,
        /// As written.
        text: String,
    },
    /// True or false.
    Bool(bool),
    /// Text that matches a pattern.
    Matches(Wildcard),
    /// Text in which an expression is found.
    Finds(Expression),
    /// An address within a network, for `ip` fields: first and last address as 128-bit numbers (IPv4 mapped into IPv6).
    Network {
        /// First address.
        first: u128,
        /// Last address, not below the first.
        last: u128,
    },
    /// A numeric range.
    NumberRange(Bound<f64>, Bound<f64>),
    /// A range of time stamps, for date fields.
    TimeRange(Bound<Timestamp>, Bound<Timestamp>),
    /// A range of text, by code points.
    TextRange(Bound<String>, Bound<String>),
}

/// An end of a range.
pub type Bound<T> = std::ops::Bound<T>;
