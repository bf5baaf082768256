//! What the lines of a text say of those behind them.

use std::time::Duration;

use event::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest list of columns that is kept, in bytes.
const COLUMNS_BYTES_MAX: usize = 4096;
/// What was written longer before its receipt is of the past; else lines are received as they are written.
const PAST: Duration = Duration::from_secs(24 * 3600);

/// What the lines so far say of those that follow. Who reads a file in parts hands it from one part to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Of the last event with a time of its own: that, and its receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<(Timestamp, Timestamp)>,
    /// The columns of a W3C log, as its last `#Fields:` names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<String>,
    /// The last line said nothing of those behind it: no head of a log goes on here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_within: bool,
}

impl Before {
    /// The time of a line that has none: that of the last one that had one. Where lines are received as they are
    /// written, it is as much later as the line was received later.
    pub(crate) fn time(&self, received: Timestamp) -> Option<Timestamp> {
        let (time, known) = self.time?;
        let is_past = time < known.saturating_sub(PAST);
        let later = received.as_nanos().saturating_sub(known.as_nanos()).max(0);
        Some(if is_past { time } else { time.saturating_add(later) })
    }

    /// Notes the time of an event.
    pub(crate) fn saw(&mut self, time: Timestamp, received: Timestamp) {
        self.time = Some((time, received));
    }

    pub(crate) fn columns(&self) -> Option<&str> {
        self.columns.as_deref()
    }

    /// Notes the columns of the lines behind.
    pub(crate) fn name_columns(&mut self, columns: &str) {
        self.columns = Some(columns.to_owned()).filter(|columns| columns.len() <= COLUMNS_BYTES_MAX);
    }

    /// Forgets them.
    pub(crate) fn drop_columns(&mut self) {
        self.columns = None;
    }

    /// Whether a line that says something of those behind it is believed: where a log begins, behind another such line,
    /// and in a log that has columns.
    pub(crate) fn is_head(&self) -> bool {
        !self.is_within || self.columns.is_some()
    }

    /// Notes whether the last line said something of those behind it.
    pub(crate) fn passed(&mut self, directive: bool) {
        self.is_within = !directive;
    }
}
