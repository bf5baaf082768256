//! What came of a run.

use event::Timestamp;
use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// There are rows.
    Matched,
    /// There are none, and all was read.
    NoMatch,
    /// Not all could be read: neither rows nor their absence say anything.
    CouldNotEvaluate,
    /// It went over its budget.
    Suspended,
    /// It could not be worked out, or nothing could be read.
    Failed,
}

impl Ended {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::NoMatch => "no_match",
            Self::CouldNotEvaluate => "could_not_evaluate",
            Self::Suspended => "suspended",
            Self::Failed => "failed",
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Last {
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub ended: Ended,
    /// Why, where it found neither rows nor none.
    pub reason: Option<String>,
    /// Rows of the answer.
    pub rows: u64,
    /// Those that were not there before.
    pub new_rows: u64,
    /// Rows that were read for it.
    pub rows_read: u64,
    /// Tables that lacked rows.
    pub tables_cut: u64,
    /// Milliseconds, with reading.
    pub took_ms: f64,
    /// Steps of answering.
    pub steps: u64,
    /// It went over its time or memory, which others on the machine may have taken: a second time in a row suspends it.
    #[serde(default)]
    pub is_over: bool,
    /// What it was asked about has to be asked about again.
    #[serde(default)]
    pub is_stuck: bool,
    /// How it was answered.
    pub plan: Vec<String>,
}
