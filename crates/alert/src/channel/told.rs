//! Channels as they are shown: what they are and where they lead, and no secret.

use serde_json::{Map, Value as Json, json};

use super::{
    config::{ChannelConfig, ChannelKind},
    email::Encryption,
    line::Format,
    stream::Stream,
    syslog::Transport,
};

impl ChannelConfig {
    /// The members by which a file sets it up, without secrets; `secrets` names those that are set.
    pub fn told(&self) -> Map<String, Json> {
        let mut told = Map::new();
        let mut say = |members: Json| {
            if let Json::Object(members) = members {
                told.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
            }
        };
        say(json!({"name": self.name, "type": self.type_name(), "fallback": self.fallback}));
        say(json!({"timeout": format!("{}s", self.timeout.as_secs())}));
        say(
            json!({"rate": self.rate.map_or("none".to_owned(), |rate| format!("{}/{}s", rate.messages, rate.per.as_secs()))}),
        );
        let given = |all: &[(&str, bool)]| -> Vec<String> {
            all.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (*name).to_owned()).collect()
        };
        let secrets = match &self.kind {
            ChannelKind::Webhook(config) => {
                say(json!({"template": config.template, "content_type": config.content_type}));
                given(&[
                    ("url", true),
                    ("secret", config.secret.is_some()),
                    ("headers", !config.headers.is_empty()),
                ])
            }
            ChannelKind::Telegram(config) => {
                say(json!({"chat_id": config.chat_id, "api": config.api}));
                given(&[("bot_token", true)])
            }
            ChannelKind::Discord(_) | ChannelKind::Slack(_) => given(&[("webhook_url", true)]),
            ChannelKind::Email(config) => {
                let (from, to, server, port) = (&config.from, &config.to, &config.server, config.port);
                say(
                    json!({"from": from, "to": to, "server": server, "port": port, "username": config.username}),
                );
                say(json!({"encryption": encryption(config.encryption)}));
                given(&[("password", config.password.is_some())])
            }
            ChannelKind::Syslog(config) => {
                let transport = match config.transport {
                    Transport::Udp => "udp",
                    Transport::Tcp => "tcp",
                    Transport::Tls => "tls",
                };
                say(json!({"server": config.server, "port": config.port, "transport": transport}));
                say(json!({"format": format_name(config.format), "facility": config.facility}));
                vec![]
            }
            ChannelKind::Sentinel(config) => {
                say(json!({"url": config.url}));
                given(&[("api_key", config.api_key.is_some())])
            }
            ChannelKind::File(config) => {
                say(json!({"path": config.path, "format": format_name(config.format)}));
                say(json!({"bytes_max": config.bytes_max, "keep": config.keep}));
                vec![]
            }
            ChannelKind::Stream(config) => {
                say(json!({"format": format_name(config.format)}));
                vec![]
            }
        };
        told.insert("secrets".to_owned(), secrets.into());
        told
    }

    fn type_name(&self) -> &'static str {
        match &self.kind {
            ChannelKind::Webhook(_) => "webhook",
            ChannelKind::Telegram(_) => "telegram",
            ChannelKind::Discord(_) => "discord",
            ChannelKind::Slack(_) => "slack",
            ChannelKind::Email(_) => "email",
            ChannelKind::Syslog(_) => "syslog",
            ChannelKind::Sentinel(_) => "log_sentinel",
            ChannelKind::File(_) => "file",
            ChannelKind::Stream(config) if config.stream == Stream::Stdout => "stdout",
            ChannelKind::Stream(_) => "stderr",
        }
    }
}

fn encryption(encryption: Encryption) -> Option<&'static str> {
    match encryption {
        Encryption::ByPort => None,
        Encryption::StartTls => Some("starttls"),
        Encryption::Tls => Some("tls"),
        Encryption::None => Some("none"),
    }
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Cef => "cef",
        Format::Plain => "plain",
    }
}
