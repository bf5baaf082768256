//! What changes of signals.

use event::{Position, Timestamp};
use finding::{Finding, Level};
use serde::{Deserialize, Serialize};

use crate::{BoxError, Evidence, Signal, State};

/// A finding on its way into a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// What was found.
    pub finding: Finding,
    /// The organization whose events they are.
    pub organization: Option<String>,
    /// What the events say that are to be shown; those of the finding, as far as they could be read.
    pub evidence: Vec<Evidence>,
}

/// How far a reader came, kept in the same transaction as what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<'a> {
    /// The reader's name, which also says of which journal, where there are several.
    pub name: &'a str,
    /// The first position that it has not read.
    pub position: Position,
}

/// What happened to a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It is there; or it is shown for the first time, having been hidden.
    New,
    /// More of it came.
    Grew,
    /// It has become graver, or ten times as much.
    Escalated,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// It came again after it was over, or somebody said that it is not over.
    Reopened,
    /// Nobody is to be told of it for a while.
    Snoozed,
    /// It was given to somebody.
    Assigned,
    /// Somebody wrote something down about it.
    Noted,
    /// Somebody said whether it is expected.
    Labelled,
    /// It is hidden from now on.
    Hidden,
    /// It is no longer hidden.
    Shown,
}

impl Happening {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::New,
        Self::Grew,
        Self::Escalated,
        Self::Acknowledged,
        Self::Resolved,
        Self::Reopened,
        Self::Snoozed,
        Self::Assigned,
        Self::Noted,
        Self::Labelled,
        Self::Hidden,
        Self::Shown,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grew => "grew",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Snoozed => "snoozed",
            Self::Assigned => "assigned",
            Self::Noted => "noted",
            Self::Labelled => "labelled",
            Self::Hidden => "hidden",
            Self::Shown => "shown",
        }
    }
}

/// A change of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its number in the feed; later ones are higher.
    pub number: u64,
    /// What happened.
    pub what: Happening,
    /// When it was written down, by the time of receipt.
    pub at: Timestamp,
    /// Who did it; none where it happened by itself.
    pub by: Option<String>,
    /// What was said with it, while it is made; read later, the timeline has it.
    pub note: Option<String>,
    /// How it was before; none where nobody could have been told of it.
    pub before: Option<Before>,
    /// The signal as it is now.
    pub signal: Signal,
}

/// What a signal was before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Where it stood.
    pub state: State,
    /// How grave it was.
    pub severity: Level,
    /// How many events it stood for.
    pub count: u64,
}

impl Before {
    pub(crate) fn of(signal: &Signal) -> Self {
        Self { state: signal.state, severity: signal.severity, count: signal.count }
    }
}

/// What was said of a signal, for whoever learns from that.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Its place among all opinions, which rises with the age of the signals.
    pub place: u64,
    /// The signal, with what was said of it and the events that it is known by.
    pub signal: Signal,
}

/// An entry in the history of a signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the time of receipt.
    pub at: Timestamp,
    /// What happened.
    pub what: Happening,
    /// Where the signal stood afterwards.
    pub state: State,
    /// How grave it was afterwards.
    pub severity: Level,
    /// How many events it stood for afterwards.
    pub count: u64,
    /// Who did it; none where it happened by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What was said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is written in the transaction of changes of signals, such as who is to be told of them.
pub type Beside =
    std::sync::Arc<dyn Fn(&rusqlite::Transaction<'_>, &[Change]) -> Result<(), BoxError> + Send + Sync>;
