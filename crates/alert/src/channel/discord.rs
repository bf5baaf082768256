//! Discord: a webhook of a channel. It takes no key, so a message whose answer is lost may come twice.

use std::time::Duration;

use serde_json::json;

use super::{
    http,
    send::{Channel, Receipt, SendError, told},
    trust::Trust,
};
use crate::{compose, markup::Markdown, message::Message, secret::Secret};

/// The longest `content` that Discord takes, in characters.
const CONTENT_MAX: usize = 2000;
/// `SUPPRESS_EMBEDS`: addresses in a message are not visited for a preview.
const NO_PREVIEWS: u32 = 1 << 2;

/// A channel in Discord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscordConfig {
    /// The webhook's address; who has it can write there.
    pub webhook_url: Secret,
    /// Whom to trust there.
    pub trust: Trust,
}

impl DiscordConfig {
    /// A channel by its webhook.
    pub fn new(webhook_url: Secret) -> Self {
        Self { webhook_url, trust: Trust::default() }
    }
}

/// Sends to one webhook.
pub(crate) struct Discord {
    url: reqwest::Url,
    http: reqwest::Client,
}

impl Discord {
    pub(crate) fn new(config: &DiscordConfig, timeout: Duration) -> Result<Self, String> {
        let mut url = http::address(&config.webhook_url.reveal().map_err(|error| told(&error))?)?;
        // Only then does the answer say that the message is there.
        url.query_pairs_mut().append_pair("wait", "true");
        Ok(Self { url, http: http::client(&config.trust, timeout)? })
    }
}

#[async_trait::async_trait]
impl Channel for Discord {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let body = json!({
            "content": compose::fitting(&compose::lines(message, &Markdown), CONTENT_MAX),
            "allowed_mentions": {"parse": []},
            "flags": NO_PREVIEWS,
        });
        let answer = http::exchange(self.http.post(self.url.clone()).json(&body), "Discord").await?;
        Ok(Receipt::new(&format!("message {}", answer.json()["id"].as_str().unwrap_or("taken"))))
    }
}
