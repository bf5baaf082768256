//! Every channel against a real server of its own kind, in this process.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod files;
mod http;
mod identity;
mod mail;
mod server;
mod syslog;

use std::{sync::Arc, time::Duration};

use alert::{
    Message,
    channel::{Channel, ChannelConfig, ChannelKind, Receipt, SendError},
};
use finding::{Entity, EntityType, Facts, FindingKind, Level};
use signal::{Signal, SignalId, Standing, State};

/// What logs may hold: markup of every service, mentions, new lines, what reorders a line.
const HOSTILE: &str =
    "<b>@everyone</b> <!channel> <@U1> **x** `y` [a](http://b) | \\ = \"q\"\r\nBcc: c@d.e\u{202e}";

/// A message whose every text of others is [`HOSTILE`].
fn message() -> Message {
    let mut message = alert::sample(&alert::Voice::default());
    let telling = &mut message.alerts[0];
    telling.words.title = format!("Logins of {HOSTILE}");
    telling.words.what = HOSTILE.to_owned();
    telling.samples = vec![HOSTILE.to_owned()];
    message.key = "00000000000000000000000000000000-ops-1".to_owned();
    message.channel = "ops".to_owned();
    message
}

/// A signal of five failed logins.
fn signal() -> Signal {
    let at = event::Timestamp::parse("2024-05-01T11:59:00Z").unwrap();
    Signal {
        id: SignalId(0xff),
        kind: FindingKind::SshBruteForce,
        severity: Level::Medium,
        confidence: 0.9,
        state: State::New,
        first: at,
        last: at,
        received: at,
        count: 5,
        entities: vec![Entity::new(EntityType::SourceIp, "192.0.2.7")],
        rule: "ssh_brute_force".to_owned(),
        techniques: vec!["T1110".to_owned()],
        facts: Facts::new(),
        incident: None,
        organization: None,
        evidence: vec![],
        standing: Standing::default(),
    }
}

fn open(kind: ChannelKind) -> Arc<dyn Channel> {
    let config = ChannelConfig { timeout: Duration::from_secs(5), ..ChannelConfig::new("ops", kind) };
    config.open().unwrap()
}

async fn send(kind: ChannelKind) -> Result<Receipt, SendError> {
    open(kind).send(&message()).await
}

/// How a channel's setting is refused.
fn refused(kind: ChannelKind) -> String {
    ChannelConfig::new("ops", kind).open().err().unwrap().to_string()
}
