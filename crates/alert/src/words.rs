//! Why an alert is told, and a signal in words.

use serde::{Deserialize, Serialize};

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
    /// A report that was due.
    Report,
    /// A language model says something of it.
    Assessed,
}

impl Occasion {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Raised,
        Self::Escalated,
        Self::Repeated,
        Self::Resolved,
        Self::Trouble,
        Self::Test,
        Self::Report,
        Self::Assessed,
    ];

    /// Whether it comes behind what was told before, and stands in place of nothing.
    pub const fn is_sequel(self) -> bool {
        matches!(self, Self::Resolved | Self::Assessed)
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Repeated => "repeated",
            Self::Resolved => "resolved",
            Self::Trouble => "trouble",
            Self::Test => "test",
            Self::Report => "report",
            Self::Assessed => "assessed",
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
