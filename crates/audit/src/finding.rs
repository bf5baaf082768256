//! What shows that a record is not as it was written.

use std::{fmt, path::PathBuf};

/// What kind of tampering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A line says something else than it did.
    Edit,
    /// The last lines are gone.
    CutTail,
    /// Lines are gone.
    Removal,
    /// Lines are there that were never written.
    Insertion,
    /// Lines stand in another order.
    Reorder,
    /// Lines and their hashes were written anew, without the key or behind the back of who kept checkpoints.
    Rewrite,
    /// A line is earlier than one before it: the machine's clock was set back.
    ClockRolledBack,
}

impl Kind {
    /// In a few words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::CutTail => "cut tail",
            Self::Removal => "removal",
            Self::Insertion => "insertion",
            Self::Reorder => "reorder",
            Self::Rewrite => "rewrite",
            Self::ClockRolledBack => "clock rolled back",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The first bad line, and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of tampering.
    pub kind: Kind,
    /// The file where it shows.
    pub file: PathBuf,
    /// The line where it shows, from 1.
    pub line: u64,
    /// The sequence number of the first line that is not as it was written, or is gone. For a rewrite the first that
    /// may not be: the key vouches for those before it.
    pub record: u64,
    /// The last one concerned, where several are and it is known.
    pub through: Option<u64>,
    /// How it shows, in words.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, file, line, record, through, why } = self;
        write!(formatter, "{kind} at {}, line {line}, record {record}", file.display())?;
        if let Some(through) = through.filter(|through| through > record) {
            write!(formatter, " to {through}")?;
        }
        write!(formatter, ": {why}")
    }
}
