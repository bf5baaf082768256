//! The group of settings of alerts: channels that the environment sets up, routes in a file, and the words they come in.

use std::path::PathBuf;

use alert::{
    Secret, WEEKDAYS,
    channel::{ChannelConfig, ChannelKind, DiscordConfig, EmailConfig, Encryption, TelegramConfig, Trust},
};
use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};
use report::{Every, Schedule};
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
    /// Reports that are sent by themselves.
    pub reports: Option<Reports>,
}

/// When a report is due, and who gets it.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    pub schedule: report::Schedule,
    /// None named: all that send mail.
    pub channels: Vec<String>,
}

impl Alerts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let channels: Vec<ChannelConfig> =
            [email(reader), telegram(reader), discord(reader)].into_iter().flatten().collect();
        let file = reader.optional_path("LOG_SENTINEL_ALERTS_FILE");
        let sends_mail =
            file.is_some() || channels.iter().any(|channel| matches!(channel.kind, ChannelKind::Email(_)));
        Self {
            reports: reports(reader, sends_mail),
            file,
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

/// When a report is due. Which channels there are is known where the environment alone sets them up.
fn reports(reader: &mut Reader<'_>, sends_mail: bool) -> Option<Reports> {
    let day = reader.one_of("LOG_SENTINEL_REPORT_WEEKDAY", &WEEKDAYS.map(|(name, _)| name));
    let weekday = WEEKDAYS.iter().find(|(name, _)| *name == day).map_or(Weekday::Monday, |(_, day)| *day);
    let wanted = "a time of the day such as 07:00";
    let time = reader.parse("LOG_SENTINEL_REPORT_TIME", wanted, Time::midnight(), time_of_day);
    let zone = reader.zone("LOG_SENTINEL_REPORT_ZONE");
    let channels = reader.list("LOG_SENTINEL_REPORT_CHANNELS");
    let every = match reader.one_of("LOG_SENTINEL_REPORT_EVERY", &["never", "day", "week"]).as_str() {
        "day" => Every::Day,
        "week" => Every::Week(weekday),
        _ => return None,
    };
    if channels.is_empty() && !sends_mail {
        reader.problem(
            "LOG_SENTINEL_REPORT_EVERY is set and no channel sends mail; set ALERT_EMAIL_ENABLED, or name channels in \
             LOG_SENTINEL_REPORT_CHANNELS"
                .to_owned(),
        );
    }
    Some(Reports { schedule: Schedule { every, time, zone }, channels })
}

/// Hours and minutes.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
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
