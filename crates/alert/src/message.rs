//! What is sent: alerts in words and in data, frozen when they were recorded.

use std::{fmt, str::FromStr};

use event::Timestamp;
use finding::{Entity, EntityType, Level};
use serde::{Deserialize, Serialize};
use signal::{Signal, SignalId};

/// The name of an alert: that of its signal, so that either leads to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(pub SignalId);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AlertId {
    type Err = <SignalId as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Why an alert is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// It was raised.
    Raised,
    /// It has become graver.
    Escalated,
    /// Nobody has acknowledged it yet.
    Repeated,
    /// It is over.
    Resolved,
    /// Another channel does not deliver.
    Trouble,
    /// Somebody tries the channel.
    Test,
}

impl Occasion {
    /// Every one.
    pub const ALL: &[Self] =
        &[Self::Raised, Self::Escalated, Self::Repeated, Self::Resolved, Self::Trouble, Self::Test];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Repeated => "repeated",
            Self::Resolved => "resolved",
            Self::Trouble => "trouble",
            Self::Test => "test",
        }
    }
}

/// A signal in words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// In one line.
    pub title: String,
    /// What happened.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What to do next.
    pub next: Vec<String>,
}

impl From<signal::narrative::Narrative> for Words {
    fn from(narrative: signal::narrative::Narrative) -> Self {
        let signal::narrative::Narrative { title, what, why, next } = narrative;
        Self { title, what, why, next }
    }
}

impl Words {
    /// Longer titles are cut, in characters.
    pub const TITLE_MAX: usize = 160;
    /// Longer texts are cut, in characters.
    pub const TEXT_MAX: usize = 1500;
    /// Further steps are left out.
    pub const NEXT_MAX: usize = 8;

    /// The same within the bounds.
    pub fn bounded(mut self) -> Self {
        self.title = cut(&self.title, Self::TITLE_MAX);
        self.what = cut(&self.what, Self::TEXT_MAX);
        self.why = cut(&self.why, Self::TEXT_MAX);
        self.next.truncate(Self::NEXT_MAX);
        self.next = self.next.iter().map(|step| cut(step, Self::TEXT_MAX / 2)).collect();
        self
    }
}

/// A text of at most so many characters; what was cut off is marked by `…`.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// An alert told once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    /// The alert.
    pub alert: AlertId,
    /// Which telling of the alert it is, from 1.
    pub revision: u32,
    /// Why it is told.
    pub occasion: Occasion,
    /// How grave it is.
    pub severity: Level,
    /// The kind of its signal; `channel_down` and `test` have none.
    pub kind: String,
    /// In words.
    #[serde(flatten)]
    pub words: Words,
    /// Whom it is about, the main one first.
    pub entities: Vec<Entity>,
    /// The organization whose events they are.
    pub organization: Option<String>,
    /// How many events it stands for.
    pub count: u64,
    /// When it began, in event time.
    pub first: Timestamp,
    /// When it was last seen, in event time.
    pub last: Timestamp,
    /// When this telling was recorded.
    pub recorded: Timestamp,
    /// Lines of logs that it was found from, as they came.
    pub samples: Vec<String>,
    /// The signal as it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
}

impl Telling {
    /// Further lines of logs are left out.
    pub const SAMPLES_MAX: usize = 3;
    /// Further entities are left out.
    pub const ENTITIES_MAX: usize = 20;

    /// A signal, told on this occasion in these words.
    pub fn of(signal: &Signal, words: Words, occasion: Occasion, revision: u32, now: Timestamp) -> Self {
        let samples = signal.evidence.iter().rev().take(Self::SAMPLES_MAX).rev();
        Self {
            alert: AlertId(signal.id),
            revision,
            occasion,
            severity: signal.severity,
            kind: signal.kind.as_str().to_owned(),
            words: words.bounded(),
            entities: signal.entities.iter().take(Self::ENTITIES_MAX).cloned().collect(),
            organization: signal.organization.clone(),
            count: signal.count,
            first: signal.first,
            last: signal.last,
            recorded: now,
            samples: samples.map(|evidence| evidence.message.clone()).collect(),
            signal: Some(signal.clone()),
        }
    }

    /// The machine that it is about.
    pub fn host(&self) -> Option<&str> {
        self.entity(EntityType::Host)
    }

    /// The first entity of a type.
    pub fn entity(&self, of: EntityType) -> Option<&str> {
        self.entities.iter().find(|entity| entity.r#type == of).map(|entity| entity.value.as_str())
    }

    /// Its title with what a reader must know first: `[HIGH] …`, `[RESOLVED] …`.
    pub fn headline(&self) -> String {
        let mark = match self.occasion {
            Occasion::Resolved => "RESOLVED".to_owned(),
            Occasion::Test => "TEST".to_owned(),
            Occasion::Repeated => format!("{}, STILL OPEN", self.severity.as_str().to_uppercase()),
            Occasion::Raised | Occasion::Escalated | Occasion::Trouble => {
                self.severity.as_str().to_uppercase()
            }
        };
        format!("[{mark}] {}", self.words.title)
    }
}

/// What one channel is to send at once: one alert, or several that were held back together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// The same whenever this is sent again, and for nothing else: alert, channel, revision.
    pub key: String,
    /// The channel.
    pub channel: String,
    /// When it is sent.
    pub sent: Timestamp,
    /// By how many seconds it is later than it should have been; 0 where that is no more than
    /// [`Message::LATE_AFTER_S`].
    pub late_s: u64,
    /// What is told, the gravest first; never empty, and at most [`Message::ALERTS_MAX`].
    pub alerts: Vec<Telling>,
}

impl Message {
    /// The most alerts in one message.
    pub const ALERTS_MAX: usize = 50;
    /// A message that is sent later than this after it was due says so.
    pub const LATE_AFTER_S: u64 = 120;

    /// The gravest of its alerts. A message without any, which nothing makes, has none.
    pub fn main(&self) -> Option<&Telling> {
        self.alerts.first()
    }

    /// Its title in one line.
    pub fn headline(&self) -> String {
        let others = self.alerts.len().saturating_sub(1);
        let main = self.main().map(Telling::headline).unwrap_or_default();
        match others {
            0 => main,
            others => format!("{main} (and {others} more)"),
        }
    }

    /// The sentence that a late message begins with.
    pub fn lateness(&self) -> Option<String> {
        let main = self.main().filter(|_| self.late_s > 0)?;
        let minutes = self.late_s.div_ceil(60);
        let (happened, recorded) = (seconds(main.last), seconds(main.recorded));
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        Some(format!(
            "Delayed by {minutes} {unit}: this happened at {happened} and was recorded at {recorded}."
        ))
    }

    /// The key of one of its alerts, where each is sent by itself.
    pub fn key_of(&self, telling: &Telling) -> String {
        key(telling.alert, &self.channel, telling.revision)
    }
}

/// What a receiver recognises a message by: alert, channel and revision, in characters that suit a header.
pub fn key(alert: AlertId, channel: &str, revision: u32) -> String {
    format!("{alert}-{channel}-{revision}")
}

/// A point in time as people are shown it, in UTC to the second.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
