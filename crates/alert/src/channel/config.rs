//! Which channels there are, and how each is set up.

use std::{sync::Arc, time::Duration};

use super::{
    discord::{Discord, DiscordConfig},
    email::{Email, EmailConfig},
    file::{FileConfig, ToFile},
    send::{Channel, ChannelError},
    sentinel::{Sentinel, SentinelConfig},
    slack::{Slack, SlackConfig},
    stream::{StreamConfig, ToStream},
    syslog::{Syslog, SyslogConfig},
    telegram::{Telegram, TelegramConfig},
    webhook::{Webhook, WebhookConfig},
};

/// A channel: its name, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Its name, by which routes and people call it: `a-z`, digits, `_` and `-`.
    pub name: String,
    /// Where it leads.
    pub kind: ChannelKind,
    /// Who is told when it does not deliver; None for the first other channel by name.
    pub fallback: Option<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How many messages it takes; what is beyond becomes one message.
    pub rate: Option<Rate>,
}

/// How many messages there are at most within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many.
    pub messages: u32,
    /// Within so long.
    pub per: Duration,
}

/// Where a channel leads.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described by what it holds")]
pub enum ChannelKind {
    Webhook(WebhookConfig),
    Telegram(TelegramConfig),
    Discord(DiscordConfig),
    Slack(SlackConfig),
    Email(EmailConfig),
    Syslog(SyslogConfig),
    Sentinel(SentinelConfig),
    File(FileConfig),
    Stream(StreamConfig),
}

impl ChannelConfig {
    /// The longest name, in bytes.
    pub const NAME_BYTES_MAX: usize = 32;
    /// How long an attempt may take where nothing is said.
    pub const TIMEOUT: Duration = Duration::from_secs(15);

    /// How many messages people get where nothing is said. Programs get all.
    pub const RATE: Rate = Rate { messages: 60, per: Duration::from_secs(3600) };

    /// A channel of this name, with defaults.
    pub fn new(name: impl Into<String>, kind: ChannelKind) -> Self {
        let is_read_by_people = matches!(
            kind,
            ChannelKind::Telegram(_)
                | ChannelKind::Discord(_)
                | ChannelKind::Slack(_)
                | ChannelKind::Email(_)
        );
        let rate = is_read_by_people.then_some(Self::RATE);
        Self { name: name.into(), kind, fallback: None, timeout: Self::TIMEOUT, rate }
    }

    /// Whether a channel can be called so.
    pub fn is_name(name: &str) -> bool {
        let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        (1..=Self::NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(is_of_name)
    }

    /// Makes it ready to send. It reads files of secrets and certificates, and connects to nobody.
    ///
    /// # Errors
    /// When what was set cannot be used.
    pub fn open(&self) -> Result<Arc<dyn Channel>, ChannelError> {
        let reason = "its name must be 1 to 32 characters of a-z, 0-9, _ and -".to_owned();
        let opened = if Self::is_name(&self.name) { self.sender() } else { Err(reason) };
        opened.map_err(|reason| ChannelError { channel: self.name.clone(), reason })
    }

    fn sender(&self) -> Result<Arc<dyn Channel>, String> {
        Ok(match &self.kind {
            ChannelKind::Webhook(config) => Arc::new(Webhook::new(config, self.timeout)?),
            ChannelKind::Telegram(config) => Arc::new(Telegram::new(config, self.timeout)?),
            ChannelKind::Discord(config) => Arc::new(Discord::new(config, self.timeout)?),
            ChannelKind::Slack(config) => Arc::new(Slack::new(config, self.timeout)?),
            ChannelKind::Email(config) => Arc::new(Email::new(config, self.timeout)?),
            ChannelKind::Syslog(config) => Arc::new(Syslog::new(config, self.timeout)?),
            ChannelKind::Sentinel(config) => Arc::new(Sentinel::new(config, self.timeout)?),
            ChannelKind::File(config) => Arc::new(ToFile(config.clone())),
            ChannelKind::Stream(config) => Arc::new(ToStream(*config)),
        })
    }
}
