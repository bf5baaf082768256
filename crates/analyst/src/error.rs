//! Why there is no assessment.

use std::time::Duration;

/// Why there is no assessment. None of them holds the key, the address of the service or text of logs.
#[derive(Debug, thiserror::Error)]
pub enum AnalystError {
    /// What is set up cannot be used.
    #[error("the language model cannot be asked: {reason}; correct OPENAI_BASE_URL or OPENAI_API_KEY")]
    SetUp {
        /// What is wrong.
        reason: &'static str,
    },
    /// As much was asked in the last hour as may be.
    #[error(
        "as many questions were asked in the last hour as may be; raise LOG_SENTINEL_AI_PER_HOUR, or wait"
    )]
    Budget,
    /// It did not answer the last times, and is left alone for a while.
    #[error("the language model did not answer the last times and is left alone for {} s", wait.as_secs())]
    LeftAlone {
        /// How long.
        wait: Duration,
    },
    /// It did not answer in time.
    #[error("the language model did not answer in time")]
    TimedOut,
    /// It cannot be reached.
    #[error("the language model cannot be reached; look at OPENAI_BASE_URL and the network")]
    Unreachable,
    /// It refused.
    #[error(
        "the language model's service answered {status}; 401 and 403 mean that it does not take OPENAI_API_KEY"
    )]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// What it said has not the form that was asked for.
    #[error("the answer of the language model is not used: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: &'static str,
    },
}
