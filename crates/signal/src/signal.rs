//! A signal, and where it stands in its life.

use std::{fmt, str::FromStr};

use event::{EventId, Timestamp};
use finding::{Entity, Facts, FindingKind, Level};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// The name of a signal: derived from what it was first found from, so that the same events give the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(pub u128);

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that names no signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a signal's id is 32 hexadecimal digits")]
pub struct InvalidId;

impl FromStr for SignalId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_id.then(|| u128::from_str_radix(text, 16).map(Self)).and_then(Result::ok).ok_or(InvalidId)
    }
}

impl Serialize for SignalId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SignalId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a signal stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Found, and nothing more happened since.
    New,
    /// It goes on.
    Ongoing,
    /// It has become graver.
    Escalating,
    /// Somebody has it.
    Acknowledged,
    /// Over: somebody said so, or it has been quiet for long enough.
    Resolved,
    /// It came again after it was resolved.
    Reopened,
}

impl State {
    /// Every state.
    pub const ALL: &[Self] =
        &[Self::New, Self::Ongoing, Self::Escalating, Self::Acknowledged, Self::Resolved, Self::Reopened];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Escalating => "escalating",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
        }
    }

    /// Whether it asks for somebody's attention.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Acknowledged)
    }
}

/// An event that a signal was found from, as far as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The event.
    pub id: EventId,
    /// When it happened.
    #[serde(rename = "@timestamp")]
    pub timestamp: Timestamp,
    /// What it says, as it came: text of others, cut at [`Evidence::MESSAGE_BYTES_MAX`].
    pub message: String,
    /// What wrote it, where that is known.
    #[serde(rename = "service.name", default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl Evidence {
    /// Longer messages are cut.
    pub const MESSAGE_BYTES_MAX: usize = 512;

    /// What an event says, as far as it is shown.
    pub fn new(id: EventId, timestamp: Timestamp, message: &str) -> Self {
        let message = message[..message.floor_char_boundary(Self::MESSAGE_BYTES_MAX)].to_owned();
        Self { id, timestamp, message, service: None }
    }

    /// Written by this service.
    #[must_use]
    pub fn of_service(self, service: Option<&str>) -> Self {
        Self { service: service.map(str::to_owned), ..self }
    }

    /// Whether nothing of what it says can have been cut off.
    pub fn is_whole(&self) -> bool {
        self.message.len() + 4 <= Self::MESSAGE_BYTES_MAX
    }
}

/// Something that a person can act on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name.
    pub id: SignalId,
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// How grave.
    pub severity: Level,
    /// How sure it is that this is what it says, from 0 to 1.
    pub confidence: f64,
    /// Where it stands.
    pub state: State,
    /// When it began, in event time.
    pub first: Timestamp,
    /// When it was last seen, in event time.
    pub last: Timestamp,
    /// When it was last added to, by the time of receipt.
    pub received: Timestamp,
    /// How many events it stands for.
    pub count: u64,
    /// Whom it is about, the main one first.
    pub entities: Vec<Entity>,
    /// The rule that found it.
    pub rule: String,
    /// Techniques of MITRE ATT&CK.
    pub techniques: Vec<String>,
    /// What else is known, by the names of [`finding::fact`].
    pub facts: Facts,
    /// The story of one entity that it belongs to.
    pub incident: Option<SignalId>,
    /// The organization whose events they are.
    pub organization: Option<String>,
    /// The first and the last few events.
    pub evidence: Vec<Evidence>,
    /// What people decided of it, and what follows from that.
    #[serde(flatten, default)]
    pub standing: Standing,
}

impl Signal {
    /// The members by which everybody is told of it, in our API and by it to others, with these words.
    pub fn told(&self, [title, what, why]: [&str; 3], next: &[String]) -> Map<String, Json> {
        let members = json!({
            "id": self.id,
            "kind": self.kind,
            "title": title,
            "severity": self.severity,
            "confidence": self.confidence,
            "state": self.state,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "entities": self.entities,
            "what": what,
            "why": why,
            "next": next,
            "incident": self.incident,
            "organization": self.organization,
            "rule": self.rule,
            "technique": self.techniques,
            "evidence": self.evidence,
        });
        match members {
            Json::Object(members) => members,
            _ => Map::new(),
        }
    }
}

/// What a person said a signal was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Nothing to act on: it is as it should be.
    Expected,
    /// What it says.
    Real,
}

impl Label {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Real => "real",
        }
    }
}

/// What people decided of a signal, and what follows from that.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// What comes first, from 0 to 100: how grave and how sure.
    pub rank: f64,
    /// What a person said of it, or of one alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Whether that was said of all alike: of the same kind, rule, main entity and organization.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Nobody is to be told of it until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// The number of the suppression that hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression: Option<u64>,
    /// Whether it is kept and counted, but not shown by default, and nobody is told: it is suppressed, or was said to be
    /// expected of one alike.
    pub hidden: bool,
    /// When it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
}
