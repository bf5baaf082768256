//! Slack: an incoming webhook. It takes no key, so a message whose answer is lost may come twice.
//!
//! Everything is in blocks of `plain_text`, in which nothing is markup; `text`, which notifications show, has
//! `&`, `<` and `>` escaped, by which alone mentions and links could be written.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{
    http,
    send::{Channel, Receipt, SendError, told},
    trust::Trust,
};
use crate::{
    compose,
    markup::{Plain, slack},
    message::{Message, cut},
    secret::Secret,
};

/// The longest texts that Slack takes in a header and in a section, in characters.
const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3000;

/// A channel in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfig {
    /// The webhook's address; who has it can write there.
    pub webhook_url: Secret,
    /// Whom to trust there.
    pub trust: Trust,
}

/// Sends to one webhook.
pub(crate) struct Slack {
    url: reqwest::Url,
    http: reqwest::Client,
}

impl Slack {
    pub(crate) fn new(config: &SlackConfig, timeout: Duration) -> Result<Self, String> {
        let url = http::address(&config.webhook_url.reveal().map_err(|error| told(&error))?)?;
        Ok(Self { url, http: http::client(&config.trust, timeout)? })
    }
}

#[async_trait::async_trait]
impl Channel for Slack {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let body = body(message);
        let answer = http::exchange(self.http.post(self.url.clone()).json(&body), "Slack").await?;
        Ok(Receipt::new(&answer.body))
    }
}

fn body(message: &Message) -> Json {
    let lines = compose::lines(message, &Plain);
    let title = telemetry::clean::line(&message.headline()).into_owned();
    let plain = |text: String| json!({"type": "plain_text", "text": text, "emoji": false});
    json!({
        "text": slack(&title),
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": [
            {"type": "header", "text": plain(cut(&title, HEADER_MAX))},
            {"type": "section", "text": plain(compose::fitting(&lines[1..], SECTION_MAX))},
        ],
    })
}
