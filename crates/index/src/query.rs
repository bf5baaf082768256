//! The query language: one text, one tree, the same answers on every index.
//!
//! | written | finds |
//! |---|---|
//! | nothing, or `*` | every event |
//! | `timeout` | events whose `message` has this token, whatever its case |
//! | `"connection refused"`, `10.0.0.1`, `foo-bar` | these tokens in `message`, one behind the other |
//! | `time*`, `*out`, `t?meout` | a token that fits; `*` is any number of characters, `?` exactly one |
//! | `user.name:root`, `user.name:"John Doe"` | events whose field has this value |
//! | `user.name:adm*` | a value that fits as a whole |
//! | `user.name:*` | events that have the field |
//! | `user.name:(root OR admin)` | either value; AND, NOT, ranges and nesting work within too |
//! | `http.response.status_code:[400 TO 499]`, `{400 TO *}` | a range: `[ ]` with its ends, `{ }` without, `*` open |
//! | `source.port:>=1024` | also `>`, `<=` and `<` |
//! | `level:>=warn` | levels by their severity |
//! | `@timestamp:>now-15m`, `timestamp:2024-06-01` | times, as [`time`] reads them; a day is the whole day |
//! | `source.ip:10.0.0.0/8`, `source.ip:192.168.*` | addresses within a network |
//! | `a b`, `a AND b`, `a && b` | both |
//! | <code>a OR b</code>, <code>a \|\| b</code> | either |
//! | `NOT a`, `!a`, `-a` | events without it |
//! | `(a OR b) c` | parentheses; else NOT binds tightest, then AND, then OR |
//! | `\*`, `"a \" b"` | a backslash takes the meaning from the next character |
//!
//! **Tokens** are maximal runs of Unicode letters, digits and `_`, lower-cased character by
//! character; everything else separates. Words and phrases search `message` alone. Within quotes
//! only the backslash has a meaning. A word without any token, such as `---`, is an error. `AND`,
//! `OR`, `NOT` and `TO` are operators in upper case only.
//!
//! **Field names** are full ECS paths. `level`, `source`, `host` and `timestamp` alone mean
//! `log.level`, `service.name`, `host.name` and `@timestamp`; a name outside the field sets of ECS
//! is looked for below `labels.`: `request_id:7` is `labels.request_id:7`. A word is `field:value`
//! when letters stand before its first colon (`12:30` and `http://…` are text, and so is `--all`).
//!
//! **Values** are compared by what their field holds ([`FieldKind`]):
//!
//! | kind | fields | equality | `*` and `?` | ranges |
//! |---|---|---|---|---|
//! | text | `message` | by tokens | within a token | refused |
//! | keyword | all others | exact, by text; numbers and booleans by their JSON | the whole value | by code points |
//! | enumeration | `log.level`, `event.outcome`, `event.category`, `event.kind`, `event.type`, `sentinel.anomaly.state`, `http.request.method`, `log.flags`, … | ignores case; `level:warning` finds `warn` | ignores case | `log.level` by severity, others refused |
//! | label | `labels.*` | as keyword, whatever the type was | the whole value | refused |
//! | long, double | ports, sizes, codes, `sentinel.anomaly.score`, … | by number: `5` is `5.0` | refused | by number |
//! | boolean | `sentinel.anomaly.is_anomaly`, … | `true` or `false` | refused | refused |
//! | date | `@timestamp`, `event.created`, … | an instant, or within a day, month, … | refused | by time, to the nanosecond |
//! | ip | `source.ip`, `host.ip`, … | an address or network | whole parts at the end | by address, IPv4 mapped into IPv6 |
//!
//! A list passes when any of its elements does. Null, an empty list, and objects within lists are no
//! value: they pass no test, not even `field:*`. `NOT` finds events that lack the field, too.
//! `event.original` is not searched.
//!
//! **Limits**: a query has at most [`LENGTH_MAX`] bytes, [`CLAUSES_MAX`] terms and [`DEPTH_MAX`]
//! levels of nesting.

mod display;
mod field;
mod matches;
mod parse;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod typed;

use event::Timestamp;

pub use field::{FieldKind, resolve};
pub use matches::{Scalar, address_number, scalars, value_at};
pub use text::{RawTokens, is_token_char, lower, lowered, raw_tokens, tokens};
pub use time::{InvalidTime, time};

/// How many bytes a query may have.
pub const LENGTH_MAX: usize = 16 * 1024;
/// How many words, phrases and tests a query may have.
pub const CLAUSES_MAX: usize = 512;
/// How deep parentheses and negations may be nested.
pub const DEPTH_MAX: usize = 32;

/// A text that is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query, column {column}: {reason}")]
pub struct QueryError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub reason: String,
}

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
        /// Dotted path, never `message`.
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
    /// Parses a query; times such as `now-15m` are taken from `now`.
    ///
    /// # Errors
    /// When the text is no query or exceeds a limit; the error names the column and what was expected.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        parse::parse(text, now)
    }

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

    /// Any of these; those that are themselves [`Query::Or`] are taken apart. Nothing, for none.
    pub fn or(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
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
    /// Numeric equality, for fields that hold numbers; `text` for those that hold strings.
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
