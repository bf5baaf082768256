//! What is sent: alerts in words and in data, frozen when they were recorded.

use std::{fmt, str::FromStr};

use event::Timestamp;
use finding::{Entity, EntityType, Level};
use serde::{Deserialize, Serialize};
use signal::{Signal, SignalId};

use crate::voice::Voice;
pub(crate) use crate::words::cut;
pub use crate::words::{Occasion, Words};

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

/// A text as a whole, for channels that carry pages; others tell its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// As a page of HTML of its own.
    pub html: String,
    /// For those who read no HTML.
    pub plain: String,
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
    /// As a whole, where there is more to read than its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
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
            pages: None,
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
    pub fn headline(&self, voice: &Voice) -> String {
        format!("{} {}", voice.mark(self.occasion, self.severity), self.words.title)
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
    /// In which language and zone.
    #[serde(skip)]
    pub voice: Voice,
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
        let main = self.main().map(|main| main.headline(&self.voice)).unwrap_or_default();
        self.voice.with_others(&main, self.alerts.len().saturating_sub(1))
    }

    /// The sentence that a late message begins with.
    pub fn lateness(&self) -> Option<String> {
        let main = self.main().filter(|_| self.late_s > 0)?;
        Some(self.voice.late(self.late_s.div_ceil(60), main.last, main.recorded))
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
