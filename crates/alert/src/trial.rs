//! Trying a channel before it matters.

use event::Timestamp;

use crate::{
    channel::{ChannelError, Receipt, SendError},
    message::{Message, Occasion},
    route::Routes,
    template::sample,
    voice::Voice,
};

/// Why a test did not come through.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is no such channel.
    #[error("no channel is called '{channel}'; there are: {known}")]
    Unknown {
        /// What was asked for.
        channel: String,
        /// Those that there are.
        known: String,
    },
    /// It is set up wrongly.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The other side did not take it.
    #[error("'{channel}' did not deliver: {source}")]
    Send {
        /// The channel.
        channel: String,
        /// Why.
        source: SendError,
    },
}

impl Routes {
    /// Sends a test over a channel, past the outbox: it is there or it is not, and is not tried again. In English.
    ///
    /// # Errors
    /// When there is no such channel, or it does not deliver.
    pub async fn send_test(&self, channel: &str, now: Timestamp) -> Result<Receipt, TestError> {
        self.send_test_in(channel, &Voice::default(), now).await
    }

    /// As [`Routes::send_test`], in a language.
    ///
    /// # Errors
    /// When there is no such channel, or it does not deliver.
    pub async fn send_test_in(
        &self,
        channel: &str,
        voice: &Voice,
        now: Timestamp,
    ) -> Result<Receipt, TestError> {
        let Some(config) = self.channel(channel) else {
            let known: Vec<&str> = self.channels().map(|channel| channel.name.as_str()).collect();
            return Err(TestError::Unknown { channel: channel.to_owned(), known: known.join(", ") });
        };
        let mut message = Message { channel: channel.to_owned(), sent: now, ..sample(voice) };
        // Two tests are two messages.
        message.key = format!("test-{channel}-{}", now.as_nanos());
        for telling in &mut message.alerts {
            (telling.occasion, telling.recorded) = (Occasion::Test, now);
            (telling.first, telling.last) = (now, now);
        }
        let sending = config.open()?;
        let sent = sending.send(&message).await;
        sent.map_err(|source| TestError::Send { channel: channel.to_owned(), source })
    }

    /// What is wrong with the channels as they are set up, found without talking to anybody.
    pub fn check(&self) -> Vec<ChannelError> {
        self.channels().filter_map(|channel| channel.open().err()).collect()
    }
}
