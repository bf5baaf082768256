//! A report as data; its JSON has these members.

use event::Timestamp;
use finding::{EntityType, FindingKind, Level};
use serde::Serialize;
use signal::SignalId;

use crate::{
    coverage::Coverage,
    noise::Noise,
    period::{Period, Unit},
    response::Response,
};

/// What a time came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What it is about, in event time.
    pub period: Period,
    /// What that is compared with: the same time whole weeks earlier.
    pub before: Period,
    /// When it was made; where signals stand is told as of then.
    pub made_at: Timestamp,
    /// The one organization that it is about; none where it is about all.
    pub organization: Option<String>,
    /// Whether every signal of both times was counted; else the ones last seen.
    pub is_complete: bool,
    /// How many signals.
    pub signals: Signals,
    /// How many of each kind, the most frequent first; kinds that there were only before as well.
    pub kinds: Vec<OfKind>,
    /// Whom they are about most.
    pub entities: Vec<About>,
    /// How many distinct ones they are about, and how many of these there was nothing about before.
    pub entities_total: u64,
    /// As [`Report::entities_total`] says.
    pub entities_new: u64,
    /// How soon somebody had them, the gravest first, then all together.
    pub response: Vec<Response>,
    /// What nobody looked at.
    pub unseen: Unseen,
    /// Rules whose signals nobody acts on, those with most of them first.
    pub noise: Vec<Noise>,
    /// What is watched.
    pub coverage: Coverage,
    /// Each organization by itself, where there are several.
    pub organizations: Vec<OfOrganization>,
}

/// A number, and what it was before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// In the time of the report.
    pub now: u64,
    /// In the time that it is compared with.
    pub before: u64,
}

/// How many signals there were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signals {
    /// Those seen in the time and shown.
    pub total: Counted,
    /// Those of them that began in it.
    pub began: Counted,
    /// Those of them that still ask for attention.
    pub open: u64,
    /// Those seen in the time and hidden: suppressed, or said to be expected.
    pub hidden: Counted,
    /// How many of each severity, the gravest first.
    pub by_severity: Vec<BySeverity>,
    /// When they began, bar by bar.
    pub over_time: OverTime,
}

/// Signals of a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BySeverity {
    /// The severity.
    pub severity: Level,
    /// How many.
    pub signals: Counted,
}

/// Signals by when they began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverTime {
    /// What a bar stands for.
    pub unit: Unit,
    /// Where each bar begins; the first at the beginning of the time.
    pub begins: Vec<Timestamp>,
    /// How many began in each bar, of each severity in the order of [`Signals::by_severity`].
    pub began: Vec<[u64; Level::ALL.len()]>,
}

/// Signals of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OfKind {
    /// The kind.
    pub kind: FindingKind,
    /// The gravest of them.
    pub severity: Level,
    /// How many.
    pub signals: Counted,
}

/// Signals about one address, user, host or the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// What it is.
    pub r#type: EntityType,
    /// Its name: text of others.
    pub value: String,
    /// The gravest of them.
    pub severity: Level,
    /// How many.
    pub signals: Counted,
}

/// Signals that nobody looked at: nobody acknowledged, resolved, labelled, assigned, snoozed or noted anything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unseen {
    /// How many.
    pub total: u64,
    /// How many of them are over, because nothing more came.
    pub over: u64,
    /// The first of them by rank.
    pub signals: Vec<UnseenSignal>,
}

/// A signal that nobody looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnseenSignal {
    /// Its name.
    pub id: SignalId,
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// How grave.
    pub severity: Level,
    /// What comes first, from 0 to 100.
    pub rank: f64,
    /// In one line, in the reader's language.
    pub title: String,
    /// When it was last seen.
    pub last: Timestamp,
    /// How many events it stands for.
    pub count: u64,
}

/// Signals of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfOrganization {
    /// Its name; empty for events that are nobody's.
    pub organization: String,
    /// How many.
    pub signals: Counted,
    /// Those that still ask for attention.
    pub open: u64,
    /// Those that nobody looked at.
    pub unseen: u64,
    /// How many of each severity, the gravest first.
    pub by_severity: Vec<BySeverity>,
}
