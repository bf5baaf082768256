//! The outbox on a real database, with a clock that is handed in.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod assessed;
mod faults;
mod lasting;
mod made;
mod published;
mod sender;
mod told;
mod trouble;

use std::{path::Path, sync::Arc, time::Duration};

use alert::{
    AlertFilter, AlertId, Batch, Claim, Config, DeliveryFilter, DeliveryState, Message, Outbox, OutboxError,
    Routes, Words,
    channel::{ChannelConfig, ChannelKind, Format, Receipt, SendError, Stream, StreamConfig},
};
use event::Timestamp;
use finding::{Entity, EntityType, Facts, FindingKind, Level};
use signal::{Change, Happening, Signal, SignalId, Standing, State};
use state::Database;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn noon() -> Timestamp {
    at("2024-05-01T12:00:00Z")
}

fn plus(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(seconds * 1_000_000_000)
}

/// A brute force on web-1, of medium severity, whose last event has just come.
fn signal(id: u128, now: Timestamp) -> Signal {
    Signal {
        id: SignalId(id),
        kind: FindingKind::SshBruteForce,
        severity: Level::Medium,
        confidence: 0.9,
        state: State::New,
        first: now,
        last: now,
        received: now,
        count: 5,
        entities: vec![
            Entity::new(EntityType::SourceIp, format!("192.0.2.{}", id % 250)),
            Entity::new(EntityType::Host, "web-1"),
        ],
        rule: "ssh_brute_force".to_owned(),
        techniques: vec![],
        facts: Facts::new(),
        incident: None,
        organization: None,
        evidence: vec![],
        standing: Standing::default(),
    }
}

fn change(what: Happening, signal: &Signal, now: Timestamp) -> Change {
    let by = matches!(what, Happening::Acknowledged).then(|| "ana".to_owned());
    Change { number: 0, what, at: now, by, note: None, before: None, signal: signal.clone() }
}

/// Channels that nothing is sent over: tests take what is due themselves.
fn channels(names: &[&str]) -> Vec<ChannelConfig> {
    let kind = || ChannelKind::Stream(StreamConfig { stream: Stream::Stderr, format: Format::Plain });
    names.iter().map(|name| ChannelConfig::new(*name, kind())).collect()
}

fn taken() -> Result<Receipt, SendError> {
    Ok(Receipt::new("taken"))
}

fn open(path: &Path, routes: Routes, config: Config) -> (Arc<Database>, Outbox) {
    let database = Arc::new(Database::open(path).unwrap());
    let words =
        |signal: &Signal| Words { title: format!("Logins fail ({})", signal.id.0), ..Words::default() };
    let outbox = Outbox::open(Arc::clone(&database), routes, Box::new(words), config).unwrap();
    (database, outbox)
}

struct World {
    dir: tempfile::TempDir,
    database: Arc<Database>,
    outbox: Outbox,
    now: Timestamp,
}

impl World {
    /// At noon, with routes of this file and the channels email and telegram.
    fn new(yaml: &str) -> Self {
        Self::with(yaml, Config::default())
    }

    fn with(yaml: &str, config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let routes = Routes::read(yaml, channels(&["email", "telegram"])).unwrap();
        let (database, outbox) = open(&dir.path().join("state.db"), routes, config);
        Self { dir, database, outbox, now: noon() }
    }

    fn pass(&mut self, seconds: i64) {
        self.now = plus(self.now, seconds);
    }

    fn record(&self, what: Happening, signal: &Signal) {
        let changes = [change(what, signal, self.now)];
        self.database.write(|tx| self.outbox.record(tx, &changes, self.now)).unwrap();
    }

    fn raise(&self, id: u128) -> Signal {
        let signal = signal(id, self.now);
        self.record(Happening::New, &signal);
        signal
    }

    fn resolve(&self, signal: &Signal) {
        self.record(Happening::Resolved, &Signal { state: State::Resolved, ..signal.clone() });
    }

    fn claim(&self, channel: &str) -> Claim {
        self.outbox.claim(channel, self.now).unwrap()
    }

    fn next(&self, channel: &str) -> Batch {
        match self.claim(channel) {
            Claim::Send(batch) => *batch,
            other => panic!("{channel}: {other:?}"),
        }
    }

    /// Takes all that is due over a channel, and has it delivered.
    fn deliver(&self, channel: &str) -> Vec<Message> {
        let mut messages = vec![];
        while let Claim::Send(batch) = self.claim(channel) {
            self.outbox.settle(&batch, &taken(), self.now).unwrap();
            messages.push(batch.message);
        }
        messages
    }

    /// What is due over a channel, in short: `raised 1`, or `raised 2 + resolved 1` for what is one message.
    fn told(&self, channel: &str) -> Vec<String> {
        let short = |message: &Message| {
            let alerts = message.alerts.iter();
            let alerts = alerts.map(|alert| format!("{} {}", alert.occasion.as_str(), alert.alert.0.0));
            alerts.collect::<Vec<_>>().join(" + ")
        };
        self.deliver(channel).iter().map(short).collect()
    }

    fn fail(&self, channel: &str, error: SendError) -> Batch {
        let batch = self.next(channel);
        self.outbox.settle(&batch, &Err(error), self.now).unwrap();
        batch
    }

    fn tick(&self) {
        while self.outbox.tick(self.now).unwrap() {}
    }

    /// States of the deliveries of an alert, with what was said: `email delivered 1`.
    fn states(&self, id: u128) -> Vec<String> {
        let alert = self.outbox.alert(AlertId(SignalId(id))).unwrap();
        let state = |state: DeliveryState| serde_json::to_value(state).unwrap().as_str().unwrap().to_owned();
        alert
            .deliveries
            .iter()
            .map(|own| format!("{} {} {}", own.channel, state(own.state), own.tries))
            .collect()
    }

    fn reasons(&self, id: u128) -> Vec<String> {
        let explanation = self.outbox.explain(AlertId(SignalId(id))).unwrap();
        explanation.tellings.last().unwrap().reasons.clone()
    }

    fn count(&self, state: DeliveryState) -> usize {
        let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
        self.outbox.deliveries(&filter).unwrap().len()
    }
}
