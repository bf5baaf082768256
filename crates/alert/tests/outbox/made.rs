//! Channels and silences that are made while the outbox runs.

use serde_json::{Map, Value as Json, json};

use super::*;

fn said(json: Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap()
}

fn silence(until: &str) -> Map<String, Json> {
    said(json!({"match": {"host": "web-*"}, "until": until, "reason": "disks are exchanged"}))
}

#[test]
fn a_channel_that_is_made_is_told_at_once_and_after_a_restart_until_it_is_removed() {
    let world = World::new("");
    let pager = json!({"type": "webhook", "url": "https://example.com/hunter2", "secret": "hunter3"});
    let made = world.outbox.make_channel("pager", said(pager), "ana", world.now).unwrap();
    let shown = Json::Object(made.told()).to_string();
    assert!(!shown.contains("hunter") && shown.contains(r#""secrets":["url","secret"]"#), "{shown}");
    world.raise(1);
    assert_eq!(world.told("pager"), ["raised 1"]);

    let changed = world.outbox.change_channel("pager", said(json!({"type": "webhook"})), "bob", world.now);
    assert_eq!(changed.unwrap(), made, "what is a secret stays");
    let moved = json!({"type": "webhook", "url": "https://elsewhere.example.com/"});
    let moved = world.outbox.change_channel("pager", said(moved), "bob", world.now).unwrap();
    assert_eq!(moved.told()["secrets"], json!(["url"]), "and goes nowhere else");
    let by: Vec<_> = world.outbox.made_channels().unwrap().into_iter().map(|made| made.by).collect();
    assert_eq!(by, ["bob"]);

    let routes = || Routes::read("", channels(&["email", "telegram"])).unwrap();
    let (_, again) = open(&world.dir.path().join("state.db"), routes(), Config::default());
    assert!(again.is_made("pager") && again.routes().channel("pager").is_some());
    // The file wins by name.
    again.reload(Routes::read("", channels(&["email", "pager"])).unwrap());
    assert!(!again.is_made("pager") && again.routes().channel("pager").unwrap().told()["type"] == "stderr");
    again.reload(routes());
    again.remove_channel("pager").unwrap();
    assert!(again.routes().channel("pager").is_none());
    assert!(matches!(again.remove_channel("pager"), Err(OutboxError::NoChannel { .. })));
}

#[test]
fn what_cannot_be_used_is_refused_and_changes_nothing() {
    let world = World::new("");
    let make = |name: &str, json: Json| world.outbox.make_channel(name, said(json), "ana", world.now);
    assert!(matches!(make("email", json!({"type": "stderr"})), Err(OutboxError::Taken { .. })));
    assert!(matches!(make("x", json!({"type": "stdrr"})), Err(OutboxError::Wrong { .. })));
    assert!(matches!(
        make("x", json!({"type": "slack", "webhook_url": "no url"})),
        Err(OutboxError::Unusable { .. })
    ));
    let change = world.outbox.change_channel("email", said(json!({"type": "stderr"})), "ana", world.now);
    assert!(matches!(change, Err(OutboxError::NoChannel { .. })), "that of the environment");
    for (silence, place) in [
        (json!({"until": "2030-01-01T00:00:00Z", "reason": "x"}), "match"),
        (json!({"match": {"host": "x"}, "reason": "x"}), "until"),
        (json!({"match": {"host": "x"}, "until": "2030-01-01T00:00:00Z"}), "reason"),
        (json!({"match": {"hots": "x"}, "until": "2030-01-01T00:00:00Z", "reason": "x"}), "match.hots"),
    ] {
        match world.outbox.silence(said(silence), "ana", world.now) {
            Err(OutboxError::Wrong { problems }) => assert_eq!(problems[0].place, place),
            other => panic!("{other:?}"),
        }
    }
    let past = world.outbox.silence(silence("2024-05-01T11:00:00Z"), "ana", world.now);
    assert!(matches!(past, Err(OutboxError::Over { .. })));
    assert!(world.outbox.made_channels().unwrap().is_empty());
    assert!(world.outbox.silences(world.now).unwrap().is_empty());
}

#[test]
fn nobody_is_told_while_a_silence_holds_and_it_can_be_ended() {
    let mut world = World::new("");
    world.raise(1);
    world.deliver("email");
    let hidden = world.outbox.would_silence(&silence("2030-01-01T00:00:00Z"), world.now).unwrap();
    assert_eq!((hidden.alerts, hidden.newest.len()), (1, 1));
    let other = said(json!({"match": {"host": "db-*"}, "until": "2030-01-01T00:00:00Z", "reason": "x"}));
    assert_eq!(world.outbox.would_silence(&other, world.now).unwrap().alerts, 0);

    let first = world.outbox.silence(silence("2024-05-01T13:00:00Z"), "ana", world.now).unwrap();
    assert!(first.is_active && first.by == "ana" && first.said["reason"] == "disks are exchanged");
    world.raise(2);
    assert!(world.told("email").is_empty());
    let reasons = world.outbox.explain(AlertId(SignalId(2))).unwrap().tellings[0].reasons.join("; ");
    assert!(reasons.contains("silenced until") && reasons.contains("disks are exchanged"), "{reasons}");
    world.outbox.end_silence(first.number).unwrap();
    assert!(matches!(world.outbox.end_silence(first.number), Err(OutboxError::NoSilence { .. })));
    world.raise(3);
    assert_eq!(world.told("email"), ["raised 3"]);

    world.outbox.silence(silence("2024-05-01T13:00:00Z"), "ana", world.now).unwrap();
    world.pass(7200);
    world.raise(4);
    assert_eq!(world.told("email"), ["raised 4"], "it has ended by itself");
    assert!(!world.outbox.silences(world.now).unwrap()[0].is_active);
}
