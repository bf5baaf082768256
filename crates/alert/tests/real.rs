//! Against real servers, over crashes: `infra/test/alerts.py` starts them, runs this in rounds that it ends by `kill
//! -9`, and counts what came.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use alert::{AlertId, Clock, Config, DeliveryFilter, DeliveryState, Outbox, Routes, Sender, Words};
use event::Timestamp;
use finding::{Entity, EntityType, Facts, FindingKind, Level};
use signal::{Change, Happening, Signal, SignalId, Standing, State};
use state::Database;
use telemetry::task::Stop;

/// So many alerts go to every channel.
const ALERTS: u128 = 100;

/// The folder of the test's files.
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn folder() -> PathBuf {
    std::env::var("LOG_SENTINEL_TEST_ALERTS").map(PathBuf::from).unwrap()
}

fn signal(id: u128, now: Timestamp) -> Signal {
    Signal {
        id: SignalId(id),
        kind: FindingKind::SshBruteForce,
        severity: Level::High,
        confidence: 0.9,
        state: State::New,
        first: now,
        last: now,
        received: now,
        count: 5,
        entities: vec![
            Entity::new(EntityType::SourceIp, "192.0.2.7"),
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

fn now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now()).unwrap()
}

fn count(outbox: &Outbox, state: DeliveryState) -> usize {
    let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
    outbox.deliveries(&filter).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the servers of infra/test/alerts.py"]
async fn everything_is_delivered() {
    let dir = folder();
    let yaml = std::fs::read_to_string(dir.join("routes.yaml")).unwrap();
    let routes = Routes::read(&yaml, vec![]).unwrap();
    let database = Arc::new(Database::open(dir.join("state.db")).unwrap());
    let words = |signal: &Signal| Words {
        title: format!("Logins fail on <web> & \"{}\" @everyone", signal.id),
        what: "Five logins failed. <!channel> *x*".to_owned(),
        ..Words::default()
    };
    let config = Config { pause_max: Duration::from_secs(1), ..Config::default() };
    let outbox = Arc::new(Outbox::open(Arc::clone(&database), routes, Box::new(words), config).unwrap());
    let stop = Stop::new();
    let clock: Clock = Arc::new(now);
    let sending = telemetry::task::spawn("sender", Sender::new(Arc::clone(&outbox), clock).run(stop.clone()));
    for id in 1..=ALERTS {
        if outbox.alert(AlertId(SignalId(id))).is_err() {
            let signal = signal(id, now());
            let change =
                Change { number: 0, what: Happening::New, at: now(), by: None, before: None, signal };
            database.write(|transaction| outbox.record(transaction, &[change], now())).unwrap();
        }
    }
    while count(&outbox, DeliveryState::Queued) + count(&outbox, DeliveryState::Failed) > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    sending.await.unwrap();
    assert_eq!(count(&outbox, DeliveryState::Dead), 0);
}
