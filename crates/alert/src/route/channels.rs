//! Channels as a file of routes sets them up.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    fields::{Fields, duration},
    problem::suggestion,
};
use crate::{
    channel::{
        ChannelConfig, ChannelKind, DiscordConfig, EmailConfig, Encryption, FileConfig, Format, Rate,
        SentinelConfig, SlackConfig, Stream, StreamConfig, SyslogConfig, TelegramConfig, Transport, Trust,
        WebhookConfig,
    },
    secret::Secret,
    template::Template,
};

const TYPES: [&str; 10] = [
    "webhook",
    "telegram",
    "discord",
    "slack",
    "email",
    "syslog",
    "file",
    "stdout",
    "stderr",
    "log_sentinel",
];

/// Takes the channel of this name, with what its map says, into `channels`. One that is there already, because the
/// environment set it up, needs no `type`; what holds of every channel can be said of it.
pub(crate) fn read(name: &str, fields: Fields<'_>, channels: &mut BTreeMap<String, ChannelConfig>) {
    let is_named = fields.node("type").is_some();
    let config = match channels.remove(name) {
        Some(known) if !is_named => Some(known),
        Some(known) => {
            let reason = "there is a channel of this name already; take another name, or leave the type out";
            fields.wrong("type", reason);
            Some(known)
        }
        None => kind(&fields).map(|kind| ChannelConfig::new(name, kind)),
    };
    let (fallback, timeout, rate) =
        (fields.text("fallback"), fields.duration("timeout"), fields.one("rate", rate));
    if let Some(mut config) = config {
        config.fallback = fallback.or(config.fallback);
        config.timeout = timeout.unwrap_or(config.timeout);
        config.rate = rate.unwrap_or(config.rate);
        if !ChannelConfig::is_name(name) {
            fields.wrong("", "a channel's name is 1 to 32 characters of a-z, 0-9, _ and -");
        }
        channels.insert(name.to_owned(), config);
        fields.finish();
    }
}

/// `20/1h`, or `none`.
fn rate(text: &str) -> Result<Option<Rate>, String> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = || format!("'{text}' is no rate; write 20/1h for twenty messages an hour, or none");
    let (messages, per) = text.split_once('/').ok_or_else(wrong)?;
    let messages = messages.trim().parse().ok().filter(|messages| *messages > 0).ok_or_else(wrong)?;
    Ok(Some(Rate { messages, per: duration(per.trim())? }))
}

fn kind(fields: &Fields<'_>) -> Option<ChannelKind> {
    let named = fields.needed("type");
    let trust = |fields: &Fields<'_>| Trust { ca_file: fields.text("ca_file").map(PathBuf::from) };
    Some(match named.as_str() {
        "" => return None,
        "webhook" => webhook(fields, trust(fields)),
        "telegram" => ChannelKind::Telegram(TelegramConfig {
            bot_token: fields.needed_secret("bot_token"),
            chat_id: fields.needed("chat_id"),
            api: fields.text("api"),
            trust: trust(fields),
        }),
        "discord" => ChannelKind::Discord(DiscordConfig {
            webhook_url: fields.needed_secret("webhook_url"),
            trust: trust(fields),
        }),
        "slack" => ChannelKind::Slack(SlackConfig {
            webhook_url: fields.needed_secret("webhook_url"),
            trust: trust(fields),
        }),
        "email" => email(fields, trust(fields)),
        "syslog" => syslog(fields, trust(fields)),
        "file" => file(fields),
        "stdout" => stream(fields, Stream::Stdout),
        "stderr" => stream(fields, Stream::Stderr),
        "log_sentinel" => ChannelKind::Sentinel(SentinelConfig {
            url: fields.needed("url"),
            api_key: fields.secret("api_key"),
            trust: trust(fields),
        }),
        other => {
            let known = TYPES.join(", ");
            fields.wrong(
                "type",
                format!("'{other}' is no type of channel ({known}){}", suggestion(other, TYPES)),
            );
            return None;
        }
    })
}

fn webhook(fields: &Fields<'_>, trust: Trust) -> ChannelKind {
    let template = fields.text("template");
    let content_type = fields.text("content_type").unwrap_or_else(|| "application/json".to_owned());
    if let Some(text) = &template
        && let Err(reason) = Template::new(text, &content_type)
    {
        fields.wrong("template", reason);
    }
    let mut headers = BTreeMap::new();
    for (name, node) in fields.map("headers") {
        match node.text() {
            Some(value) => _ = headers.insert(name, Secret::from(value)),
            None => fields.wrong_at(node.line, "headers", format!("the header '{name}' must be one text")),
        }
    }
    let (url, secret) = (fields.needed_secret("url"), fields.secret("secret"));
    ChannelKind::Webhook(WebhookConfig { url, secret, template, content_type, headers, trust })
}

fn email(fields: &Fields<'_>, trust: Trust) -> ChannelKind {
    let encryption = |text: &str| match text {
        "starttls" => Ok(Encryption::StartTls),
        "tls" => Ok(Encryption::Tls),
        "none" => Ok(Encryption::None),
        _ => Err(format!("'{text}' is none of starttls, tls, none")),
    };
    let to = fields.texts("to").into_iter().map(|(_, to)| to).collect::<Vec<_>>();
    if to.is_empty() {
        fields.wrong("to", "it is missing");
    }
    ChannelKind::Email(EmailConfig {
        from: fields.needed("from"),
        to,
        server: fields.needed("server"),
        port: fields.number("port").unwrap_or(EmailConfig::PORT),
        username: fields.text("username"),
        password: fields.secret("password"),
        encryption: fields.one("encryption", encryption).unwrap_or(Encryption::ByPort),
        trust,
    })
}

fn syslog(fields: &Fields<'_>, trust: Trust) -> ChannelKind {
    let transport = |text: &str| match text {
        "udp" => Ok(Transport::Udp),
        "tcp" => Ok(Transport::Tcp),
        "tls" => Ok(Transport::Tls),
        _ => Err(format!("'{text}' is none of udp, tcp, tls")),
    };
    let transport = fields.one("transport", transport).unwrap_or(Transport::Udp);
    ChannelKind::Syslog(SyslogConfig {
        server: fields.needed("server"),
        port: fields.number("port").unwrap_or(if transport == Transport::Tls { 6514 } else { 514 }),
        transport,
        format: fields.one("format", format).unwrap_or(Format::Plain),
        facility: fields.number("facility").unwrap_or(SyslogConfig::FACILITY),
        trust,
    })
}

fn file(fields: &Fields<'_>) -> ChannelKind {
    let format = fields.one("format", format).unwrap_or(Format::Json);
    let mut config = FileConfig::new(fields.needed("path"), format);
    config.bytes_max = fields.number("bytes_max").unwrap_or(config.bytes_max);
    config.keep = fields.number("keep").unwrap_or(config.keep);
    ChannelKind::File(config)
}

fn stream(fields: &Fields<'_>, stream: Stream) -> ChannelKind {
    ChannelKind::Stream(StreamConfig { stream, format: fields.one("format", format).unwrap_or(Format::Json) })
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "json" => Ok(Format::Json),
        "cef" => Ok(Format::Cef),
        "plain" => Ok(Format::Plain),
        _ => Err(format!("'{text}' is none of json, cef, plain")),
    }
}
