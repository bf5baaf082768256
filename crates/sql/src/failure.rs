//! What can be wrong with a question, and why it can end without an answer.

use std::{fmt, time::Duration};

use crate::words::placed;

/// A place in the text, from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Place {
    /// Of a byte of the text.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A text that is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no SQL, or names what there is not.
    #[error("{at}: {reason}")]
    Wrong {
        /// Where.
        at: Place,
        /// Why.
        reason: String,
    },
    /// There is nothing in it.
    #[error("there is no question in it: write SELECT …")]
    Empty,
    /// More than one statement.
    #[error("{0}: a second statement begins here; ask one at a time")]
    Second(Place),
    /// It does other things than reading.
    #[error("{0} is not allowed here: questions read with SELECT")]
    NotReading(String),
    /// A function that is not on the list.
    #[error("the function {0}() is not allowed here; allowed are: {1}")]
    Function(String, String),
    /// A table that is none of ours.
    #[error("there is no table '{0}' to be read; there are: {1}")]
    Table(String, String),
    /// It asks for parameters.
    #[error("it has parameters ('?'), and there is nobody to fill them in")]
    Parameters,
}

impl Refusal {
    /// Where in the text it is, as far as that can be said.
    #[must_use]
    pub fn place(&self, sql: &str) -> Option<Place> {
        let words = placed(sql);
        let at = match self {
            Self::Wrong { at, .. } | Self::Second(at) => return Some(*at),
            Self::Empty => return None,
            Self::NotReading(_) => words.first(),
            Self::Function(name, _) | Self::Table(name, _) => words.iter().find(|(_, word)| word.names(name)),
            Self::Parameters => {
                words.iter().find(|(_, word)| ["?", ":", "@", "$"].iter().any(|sign| word.is(sign)))
            }
        };
        // What the engine calls otherwise than the text does is somewhere in the statement.
        at.or(words.first()).map(|(at, _)| Place::of(sql, *at))
    }
}

/// A question that ended without an answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Past the bound of steps.
    #[error("it took more than {0} steps: narrow it by time or host, or join on equal columns")]
    Steps(u64),
    /// Past the bound of time.
    #[error("it took longer than {0:?}: narrow it by time or host, or join on equal columns")]
    Time(Duration),
    /// Past the bound of memory.
    #[error("it took more than {0} bytes of memory: order or group fewer rows")]
    Memory(u64),
    /// More rows would have to be read than are allowed.
    #[error("table '{table}' has more than {bound} rows for it: narrow it by time or host")]
    RowsRead {
        /// The table that did not fit.
        table: String,
        /// Rows that may be read.
        bound: usize,
    },
    /// Rows are missing in what was read, so that neither an answer nor its absence says anything.
    #[error("could not evaluate: {rows} rows of '{table}' were lost before they could be read")]
    Dropped {
        /// The table that has a gap.
        table: String,
        /// How many.
        rows: u64,
    },
    /// A value that cannot be worked out, such as text too long.
    #[error("{0}")]
    Value(String),
    /// The engine itself failed.
    #[error("the engine failed: {0}")]
    Engine(String),
}
