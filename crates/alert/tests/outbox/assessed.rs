//! What a language model says of a signal goes to whoever decides about it elsewhere.

use alert::{Occasion, channel::SentinelConfig};

use super::*;

fn server() -> ChannelConfig {
    let config = SentinelConfig {
        url: "http://127.0.0.1:1/ingest".to_owned(),
        api_key: None,
        trust: Default::default(),
    };
    ChannelConfig::new("server", ChannelKind::Sentinel(config))
}

fn said(by: &str, signal: &Signal, now: Timestamp) -> Change {
    let (by, note) = (Some(by.to_owned()), Some("Guessing, without success.".to_owned()));
    Change { by, note, ..change(Happening::Noted, signal, now) }
}

/// A signal that a language model and a person said something of.
fn recorded(routes: Routes) -> (tempfile::TempDir, Outbox) {
    let dir = tempfile::tempdir().unwrap();
    let (database, outbox) = open(&dir.path().join("state.db"), routes, Config::default());
    let signal = signal(7, noon());
    for changes in [
        [change(Happening::New, &signal, noon())],
        [said(signal::ASSISTANT, &signal, noon())],
        // What people say of it stays here.
        [said("ana", &signal, noon())],
    ] {
        database.write(|tx| outbox.record(tx, &changes, noon())).unwrap();
    }
    (dir, outbox)
}

#[test]
fn what_is_said_of_a_signal_follows_it_to_another_log_sentinel() {
    let (_dir, outbox) = recorded(Routes::forwarding(server()));
    // The server is away: what is said waits behind what it is said of.
    let Claim::Send(raised) = outbox.claim("server", noon()).unwrap() else { panic!("it waits") };
    outbox.settle(&raised, &Err(SendError::passing("away")), noon()).unwrap();
    assert!(matches!(outbox.claim("server", noon()).unwrap(), Claim::Wait(_)));
    let later = plus(noon(), 3_600);
    let mut told = vec![];
    while let Claim::Send(batch) = outbox.claim("server", later).unwrap() {
        outbox.settle(&batch, &taken(), later).unwrap();
        assert_eq!(batch.message.alerts.len(), 1);
        told.push((batch.message.alerts[0].occasion, batch.message.alerts[0].words.what.clone()));
    }
    let expected =
        [(Occasion::Raised, String::new()), (Occasion::Assessed, "Guessing, without success.".to_owned())];
    assert_eq!(told, expected);
    // The alert itself is told as before.
    let listed = outbox.alerts(&AlertFilter::default()).unwrap();
    assert_eq!(listed[0].message, "Logins fail (7)");
}

#[test]
fn nobody_else_is_told_what_is_said_of_it() {
    let mut all = channels(&["chat"]);
    all.push(server());
    let (_dir, outbox) = recorded(Routes::read("", all).unwrap());
    let later = plus(noon(), 3_600);
    let occasions = |channel: &str| {
        let mut occasions = vec![];
        while let Claim::Send(batch) = outbox.claim(channel, later).unwrap() {
            outbox.settle(&batch, &taken(), later).unwrap();
            occasions.extend(batch.message.alerts.iter().map(|told| told.occasion));
        }
        occasions
    };
    assert_eq!(occasions("chat"), [Occasion::Raised]);
    assert_eq!(occasions("server"), [Occasion::Raised, Occasion::Assessed]);
}
