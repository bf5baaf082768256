//! Telegram: `sendMessage` of the bot API. It takes no key, so a message whose answer is lost may come twice.

use std::time::Duration;

use serde_json::json;

use super::{
    http,
    send::{Channel, Receipt, SendError},
    trust::Trust,
};
use crate::{compose, markup::TelegramHtml, message::Message, secret::Secret};

/// The longest text that Telegram takes, in UTF-16 units behind the markup; ours counts the markup as well.
const TEXT_MAX: usize = 4096;
const API: &str = "https://api.telegram.org";

/// A chat in Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramConfig {
    /// Of the bot, as BotFather gave it.
    pub bot_token: Secret,
    /// The chat, group or channel; groups have negative numbers.
    pub chat_id: String,
    /// Where the bot API is; None for Telegram's own.
    pub api: Option<String>,
    /// Whom to trust there.
    pub trust: Trust,
}

impl TelegramConfig {
    /// A chat by the bot API of Telegram itself.
    pub fn new(bot_token: Secret, chat_id: impl Into<String>) -> Self {
        Self { bot_token, chat_id: chat_id.into(), api: None, trust: Trust::default() }
    }
}

/// Sends to one chat.
pub(crate) struct Telegram {
    url: reqwest::Url,
    chat_id: String,
    http: reqwest::Client,
}

impl Telegram {
    pub(crate) fn new(config: &TelegramConfig, timeout: Duration) -> Result<Self, String> {
        let token = config.bot_token.reveal().map_err(|error| super::send::told(&error))?;
        let is_token = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
        if token.is_empty() || !token.chars().all(is_token) {
            return Err(
                "its bot_token is none; BotFather gives one such as 110201543:AAHdqTcvCH1vGWJxfSeofS".into(),
            );
        }
        if config.chat_id.trim().is_empty() {
            return Err("it has no chat_id; give the number of a chat or the @name of a channel".into());
        }
        let base = http::address(config.api.as_deref().unwrap_or(API))?;
        let base = base.as_str().trim_end_matches('/');
        let url = http::address(&format!("{base}/bot{token}/sendMessage"))?;
        let http = http::client(&config.trust, timeout)?;
        Ok(Self { url, chat_id: config.chat_id.trim().to_owned(), http })
    }
}

#[async_trait::async_trait]
impl Channel for Telegram {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let text = compose::fitting(&compose::lines(message, &TelegramHtml), TEXT_MAX);
        let body = json!({
            "chat_id": self.chat_id,
            "text": text,
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
        });
        let answer = http::exchange(self.http.post(self.url.clone()).json(&body), "Telegram").await?;
        let json = answer.json();
        if json["ok"] != true {
            return Err(SendError::passing("Telegram did not say that it has taken the message"));
        }
        Ok(Receipt::new(&format!("message {}", json["result"]["message_id"])))
    }
}
