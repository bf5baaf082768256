//! Settings.

use std::{fmt, time::Duration};

/// Whom to ask, and how much.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The key that the service asks for. It is in no error and no log.
    pub key: String,
    /// Where the service is, as OpenAI's clients take it: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The model.
    pub model: String,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Questions in any hour.
    pub per_hour: usize,
    /// Answers that are remembered, so that the same is not asked twice.
    pub cache_max: usize,
}

impl Config {
    /// With these, 20 s, 20 questions an hour and 500 answers.
    pub fn new(key: impl Into<String>, base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            base_url: base_url.into(),
            model: model.into(),
            timeout: Duration::from_secs(20),
            per_hour: 20,
            cache_max: 500,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("model", &self.model)
            .field("per_hour", &self.per_hour)
            .finish_non_exhaustive()
    }
}
