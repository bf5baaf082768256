//! The group of settings of alerts: channels that the environment sets up, routes in a file, and the words they come in.

use std::path::PathBuf;

use alert::{
    Secret,
    channel::{ChannelConfig, ChannelKind, DiscordConfig, EmailConfig, Encryption, TelegramConfig, Trust},
};
use jiff::tz::TimeZone;
use signal::narrative::Language;

use super::value::Reader;

/// Who is told of signals, and in which words.
#[derive(Debug, Clone)]
pub(crate) struct Alerts {
    /// Routes and further channels.
    pub file: Option<PathBuf>,
    /// Channels that the environment sets up.
    pub channels: Vec<ChannelConfig>,
    /// An agent's way to its server, over which everything goes; there is no other then.
    pub forward: Option<ChannelConfig>,
    pub language: Language,
    pub zone: TimeZone,
}

impl Alerts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let channels = [email(reader), telegram(reader), discord(reader)].into_iter().flatten().collect();
        Self {
            file: reader.optional_path("LOG_SENTINEL_ALERTS_FILE"),
            channels,
            forward: None,
            language: match reader.one_of("LOG_SENTINEL_LANGUAGE", &["en", "pt"]).as_str() {
                "pt" => Language::Portuguese,
                _ => Language::English,
            },
            zone: reader.zone("LOG_SENTINEL_ALERTS_ZONE"),
        }
    }
}

/// What a channel needs, where it is switched on; each that is missing is a problem.
fn needed(reader: &mut Reader<'_>, is_on: &str, names: &[&str]) -> bool {
    if !reader.flag(is_on) {
        return false;
    }
    for name in names {
        if reader.string(name).is_empty() {
            reader.problem(format!("{is_on} is true and {name} is not set"));
        }
    }
    true
}

fn email(reader: &mut Reader<'_>) -> Option<ChannelConfig> {
    let port = reader.count("ALERT_EMAIL_SMTP_PORT", 1, 65_535);
    let names = ["ALERT_EMAIL_FROM", "ALERT_EMAIL_TO", "ALERT_EMAIL_SMTP_SERVER"];
    let is_on = needed(reader, "ALERT_EMAIL_ENABLED", &names);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    reader.need_each_other("ALERT_EMAIL_USERNAME", "ALERT_EMAIL_PASSWORD");
    is_on.then(|| {
        let config = EmailConfig {
            from: reader.string(names[0]),
            to: reader.list(names[1]),
            server: reader.string(names[2]),
            port: u16::try_from(port).unwrap_or(587),
            username: some(reader.string("ALERT_EMAIL_USERNAME")),
            password: some(reader.string("ALERT_EMAIL_PASSWORD")).map(Secret::Text),
            encryption: Encryption::ByPort,
            trust: Trust { ca_file: reader.optional_path("ALERT_EMAIL_CA_FILE") },
        };
        ChannelConfig::new("email", ChannelKind::Email(config))
    })
}

fn telegram(reader: &mut Reader<'_>) -> Option<ChannelConfig> {
    let names = ["ALERT_TELEGRAM_BOT_TOKEN", "ALERT_TELEGRAM_CHAT_ID"];
    needed(reader, "ALERT_TELEGRAM_ENABLED", &names).then(|| {
        let config = TelegramConfig {
            bot_token: Secret::Text(reader.string(names[0])),
            chat_id: reader.string(names[1]),
            api: reader.url("ALERT_TELEGRAM_API_URL"),
            trust: Trust::default(),
        };
        ChannelConfig::new("telegram", ChannelKind::Telegram(config))
    })
}

fn discord(reader: &mut Reader<'_>) -> Option<ChannelConfig> {
    let name = "ALERT_DISCORD_WEBHOOK_URL";
    needed(reader, "ALERT_DISCORD_ENABLED", &[name]).then(|| {
        let webhook_url = Secret::Text(reader.string(name));
        let config = DiscordConfig { webhook_url, trust: Trust::default() };
        ChannelConfig::new("discord", ChannelKind::Discord(config))
    })
}
