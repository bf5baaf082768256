//! What every channel is: something that a message is handed to, and what came of it.

use std::time::Duration;

use crate::message::{Message, cut};

/// A way by which people are told.
#[async_trait::async_trait]
pub trait Channel: Send + Sync {
    /// Hands a message over. What is sent again has the same [`Message::key`].
    ///
    /// # Errors
    /// When the other side did not take it.
    async fn send(&self, message: &Message) -> Result<Receipt, SendError>;
}

/// What the other side said when it took a message, in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// For a person who looks where a message went.
    pub answer: String,
}

impl Receipt {
    /// Longer answers are cut, in characters.
    const ANSWER_MAX: usize = 200;

    /// With this answer of the other side, made safe to show.
    pub fn new(answer: &str) -> Self {
        Self { answer: cut(&telemetry::clean::line(answer), Self::ANSWER_MAX) }
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// What was attempted and what came of it, without any secret.
    pub reason: String,
    /// How long the other side wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether trying the same again cannot help.
    pub is_permanent: bool,
}

impl SendError {
    /// Longer reasons are cut, in characters.
    const REASON_MAX: usize = 300;

    /// It may go better later.
    pub fn passing(reason: impl AsRef<str>) -> Self {
        let reason = cut(&telemetry::clean::line(reason.as_ref()), Self::REASON_MAX);
        Self { reason, retry_after: None, is_permanent: false }
    }

    /// It will not.
    pub fn permanent(reason: impl AsRef<str>) -> Self {
        Self { is_permanent: true, ..Self::passing(reason) }
    }
}

/// A channel that cannot be used as it is set up.
#[derive(Debug, thiserror::Error)]
#[error("channel '{channel}': {reason}")]
pub struct ChannelError {
    /// The channel.
    pub channel: String,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

/// The error and what it came from, in one line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}
