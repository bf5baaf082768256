//! Who is told of what, and when.

use super::*;

const NOBODY: &[&str] = &[];

#[test]
fn a_raise_goes_everywhere_once_and_its_resolve_after_it() {
    let mut world = World::new("");
    let signal = world.raise(1);
    assert_eq!(world.told("email"), ["raised 1"]);
    assert_eq!(world.told("email"), NOBODY, "once");
    world.pass(60);
    world.resolve(&signal);
    world.resolve(&signal);
    assert_eq!(world.told("email"), ["resolved 1"]);
    assert_eq!(world.told("telegram"), ["raised 1", "resolved 1"]);
    world.record(Happening::Reopened, &Signal { state: State::Reopened, ..signal.clone() });
    world.resolve(&signal);
    assert_eq!(world.told("email"), ["raised 1", "resolved 1"]);
    let keys: Vec<_> = world.outbox.deliveries(&DeliveryFilter::default()).unwrap();
    let mut keys: Vec<_> = keys.into_iter().filter_map(|sent| sent.delivery.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6, "each message has a key of its own, and the two of telegram have none yet");
}

#[test]
fn a_resolve_goes_to_nobody_who_did_not_get_the_raise() {
    let world = World::new("routes:\n- to: [email, telegram]\n");
    let signal = world.raise(1);
    assert_eq!(world.told("email"), ["raised 1"]);
    world.fail("telegram", SendError::permanent("400: no such chat"));
    world.resolve(&signal);
    assert_eq!(world.told("telegram"), NOBODY);
    assert!(world.told("email").contains(&"resolved 1".to_owned()));
    // What is on its way when it is over, and dies then, takes the resolve with it.
    let signal = world.raise(2);
    world.fail("telegram", SendError::passing("503"));
    world.resolve(&signal);
    let mut world = world;
    world.pass(3600);
    world.fail("telegram", SendError::permanent("400: no such chat"));
    assert_eq!(world.told("telegram"), NOBODY);
    assert_eq!(world.states(2)[2..], ["email queued 0", "telegram dead 0"]);
}

#[test]
fn a_resolve_does_not_overtake_its_raise() {
    let mut world = World::new("routes:\n- to: telegram\n");
    let signal = world.raise(1);
    world.fail("telegram", SendError::passing("503"));
    world.resolve(&signal);
    world.raise(2);
    assert_eq!(world.told("telegram"), ["raised 2"]);
    world.pass(3600);
    assert_eq!(world.told("telegram"), ["raised 1", "resolved 1"]);
}

#[test]
fn a_resolve_goes_together_with_others_only_behind_its_raise() {
    // A group: the raise is being tried, and others of it come.
    let mut world = World::new("routes:\n- {to: telegram, group: {by: [host], window: 10s}}\n");
    let signal = world.raise(1);
    world.pass(10);
    world.fail(
        "telegram",
        SendError { retry_after: Some(Duration::from_secs(1000)), ..SendError::passing("429") },
    );
    world.resolve(&signal);
    world.raise(2);
    world.pass(10);
    assert_eq!(world.told("telegram"), ["raised 2"]);
    world.pass(1000);
    assert_eq!(world.told("telegram"), ["raised 1", "resolved 1"]);
    // A channel that has room for one message, which takes all that is due but this.
    let mut world = World::new("channels:\n  email: {rate: 1/1h}\nroutes:\n- to: email\n");
    let signal = world.raise(1);
    world.fail(
        "email",
        SendError { retry_after: Some(Duration::from_secs(1000)), ..SendError::passing("429") },
    );
    world.resolve(&signal);
    world.raise(2);
    world.raise(3);
    assert_eq!(world.told("email"), ["raised 2 + raised 3"]);
    world.pass(1000);
    assert_eq!(world.told("email"), ["raised 1"], "what has its key is sent whatever the rate");
    world.pass(3600);
    assert_eq!(world.told("email"), ["resolved 1"]);
    // A whole group that has not begun goes out at once, the resolve with it.
    let mut world = World::new("routes:\n- {to: telegram, digest: {every: 1h}}\n");
    let signal = world.raise(1);
    world.resolve(&signal);
    world.raise(2);
    world.pass(3600);
    assert_eq!(world.told("telegram"), ["raised 1 + resolved 1 + raised 2"]);
}

#[test]
fn alerts_are_for_what_is_grave_or_asked_for_and_new() {
    let world = World::new(
        "routes:\n- {to: email, match: {severity: low, kind: web_scan}}\n- {to: telegram, match: {severity: [medium+]}}\n",
    );
    let of = |id, change: fn(&mut Signal)| {
        let mut signal = signal(id, world.now);
        change(&mut signal);
        world.record(Happening::New, &signal);
    };
    of(1, |signal| signal.severity = Level::Low);
    of(2, |signal| {
        signal.severity = Level::Low;
        signal.kind = FindingKind::WebScan;
    });
    of(3, |signal| signal.last = at("2024-04-30T11:59:59Z"));
    of(4, |signal| signal.standing.hidden = true);
    of(5, |signal| signal.standing.snoozed_until = Some(at("2024-05-01T13:00:00Z")));
    of(6, |_| {});
    let alerts = world.outbox.alerts(&AlertFilter::default()).unwrap();
    assert_eq!(alerts.iter().map(|alert| alert.id.0.0).collect::<Vec<_>>(), [6, 5, 3, 2]);
    assert_eq!(
        (world.told("email"), world.told("telegram")),
        (vec!["raised 2".to_owned()], vec!["raised 6".to_owned()])
    );
    assert_eq!(world.reasons(3), ["nobody is told: it was old when it came (2024-04-30 11:59:59 UTC)"]);
    assert!(world.reasons(5)[0].contains("its signal is snoozed"));
    let json = serde_json::to_value(&alerts[0]).unwrap();
    for (field, value) in [
        ("agent_name", "web-1"),
        ("type", "ssh_brute_force"),
        ("severity", "medium"),
        ("message", "Logins fail (6)"),
        ("timestamp", "2024-05-01T12:00:00Z"),
        ("signal", "00000000000000000000000000000006"),
        ("id", "00000000000000000000000000000006"),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    for field in ["acknowledged_by", "acknowledged_at", "value", "threshold"] {
        assert!(json[field].is_null() && json.as_object().unwrap().contains_key(field), "{field}");
    }
    assert_eq!(json["acknowledged"], false);
    assert_eq!(json["deliveries"][0]["state"], "queued");
}

#[test]
fn what_grows_is_told_once_and_what_becomes_graver_again() {
    let world = World::new("");
    let mut signal = world.raise(1);
    signal.count = 6;
    world.record(Happening::Grew, &signal);
    signal.severity = Level::High;
    assert_eq!(world.told("email"), ["raised 1"]);
    world.record(Happening::Escalated, &signal);
    assert_eq!(world.told("email"), ["escalated 1"]);
    assert_eq!(world.told("telegram"), ["escalated 1"], "what was not tried yet is told as it is now");
    assert_eq!(
        world.states(1),
        ["email delivered 1", "telegram dead 0", "email delivered 1", "telegram delivered 1"]
    );
}

#[test]
fn what_is_alike_is_one_message() {
    let mut world = World::new("routes:\n- {to: email, group: {by: [host], window: 30s}}\n");
    for id in 1..=49 {
        world.raise(id);
        world.pass(i64::from(id < 20));
    }
    let mut other = signal(50, world.now);
    other.entities[1].value = "web-2".to_owned();
    world.record(Happening::New, &other);
    assert!(matches!(world.claim("email"), Claim::Wait(at) if at == plus(noon(), 30)));
    world.pass(20);
    let messages = world.deliver("email");
    assert_eq!(messages.iter().map(|message| message.alerts.len()).collect::<Vec<_>>(), [49]);
    assert_eq!(messages[0].headline(), "[MEDIUM] Logins fail (1) (and 48 more)");
    world.pass(30);
    assert_eq!(world.told("email"), ["raised 50"]);
}

#[test]
fn a_channel_that_may_send_little_sends_the_rest_as_one() {
    let yaml = "channels:\n  email: {rate: 3/1h}\nroutes:\n- to: email\n";
    let mut world = World::new(yaml);
    for id in 1..=6 {
        world.raise(id);
    }
    assert_eq!(world.told("email"), ["raised 1", "raised 2", "raised 3 + raised 4 + raised 5 + raised 6"]);
    world.raise(7);
    world.pass(10);
    world.raise(8);
    assert!(matches!(world.claim("email"), Claim::Wait(at) if at == plus(noon(), 3600)));
    world.pass(3590);
    let messages = world.deliver("email");
    assert_eq!(messages.len(), 2);
    assert!(
        messages[0]
            .lateness()
            .unwrap()
            .starts_with("Delayed by 60 minutes: this happened at 2024-05-01 12:00:00 (UTC)")
    );
}

#[test]
fn nobody_is_told_again_once_somebody_has_it() {
    let yaml = "routes:\n- {to: email, repeat: 1h, escalate: {after: 30m, to: telegram}}\n";
    for has in [Happening::Acknowledged, Happening::Resolved] {
        let mut world = World::new(yaml);
        let signal = world.raise(1);
        world.tick();
        assert_eq!((world.told("email").len(), world.told("telegram").len()), (1, 0));
        world.pass(1800);
        world.tick();
        assert_eq!((world.told("email").len(), world.told("telegram")), (0, vec!["repeated 1".to_owned()]));
        for _ in 0..2 {
            world.pass(3600);
            world.tick();
            assert_eq!(
                (world.told("email"), world.told("telegram").len()),
                (vec!["repeated 1".to_owned()], 0)
            );
        }
        world.record(has, &signal);
        let resolves = usize::from(has == Happening::Resolved);
        assert_eq!((world.told("email").len(), world.told("telegram").len()), (resolves, resolves));
        world.pass(36_000);
        world.tick();
        assert_eq!((world.told("email").len(), world.told("telegram").len()), (0, 0), "{has:?}");
    }
}

#[test]
fn a_snoozed_alert_is_repeated_when_it_is_awake() {
    let mut world = World::new("routes:\n- {to: email, repeat: 1h}\n");
    let mut signal = world.raise(1);
    assert_eq!(world.told("email").len(), 1);
    signal.standing.snoozed_until = Some(plus(noon(), 10_000));
    world.record(Happening::Snoozed, &signal);
    world.pass(9_999);
    world.tick();
    assert_eq!(world.told("email"), NOBODY);
    world.pass(1);
    world.tick();
    assert_eq!(world.told("email"), ["repeated 1"]);
}

#[test]
fn what_came_while_its_signal_was_snoozed_is_told_after_all_unless_it_is_over() {
    let mut world = World::new("routes:\n- to: email\n");
    let snoozed = |id| {
        let mut signal = signal(id, world.now);
        signal.standing.snoozed_until = Some(plus(noon(), 600));
        world.record(Happening::New, &signal);
        signal
    };
    let (over, _still) = (snoozed(1), snoozed(2));
    world.resolve(&over);
    world.pass(599);
    world.tick();
    assert_eq!(world.told("email"), NOBODY);
    world.pass(1);
    world.tick();
    assert_eq!(world.told("email"), ["raised 2"]);
}

#[test]
fn quiet_hours_end_in_one_message_and_grave_ones_pass() {
    let mut world = World::new("routes:\n- {to: email, quiet: {from: '12:00', to: '14:00'}}\n");
    let mut first = world.raise(1);
    world.raise(2);
    assert!(matches!(world.claim("email"), Claim::Wait(at) if at == plus(noon(), 7200)));
    first.severity = Level::High;
    world.record(Happening::Escalated, &first);
    assert_eq!(world.told("email"), ["escalated 1"]);
    world.raise(3);
    world.pass(7200);
    let messages = world.deliver("email");
    assert_eq!((messages.len(), messages[0].alerts.len()), (1, 2));
    assert_eq!(messages[0].lateness(), None, "it was to be then");
}

#[test]
fn what_is_hidden_meanwhile_is_not_told() {
    let mut world = World::new("routes:\n- {to: email, digest: {every: 1h}, repeat: 1h}\n");
    let signal = world.raise(1);
    world.raise(2);
    world.record(Happening::Hidden, &signal);
    world.pass(3600);
    world.tick();
    assert_eq!(world.told("email"), ["raised 2"]);
    assert_eq!(world.states(1), ["email dead 0"]);
}

#[test]
fn a_host_that_is_down_explains_its_services() {
    let mut world = World::new("");
    let of = |id, kind, host: &str| {
        let mut signal = signal(id, noon());
        (signal.kind, signal.entities[1].value) = (kind, host.to_owned());
        signal
    };
    let host = of(1, FindingKind::AgentSilent, "web-1");
    world.record(Happening::New, &of(9, FindingKind::ServiceDown, "web-1"));
    world.record(Happening::New, &host);
    world.record(Happening::New, &of(2, FindingKind::ServiceDown, "web-1"));
    world.record(Happening::New, &of(3, FindingKind::ServiceDown, "web-2"));
    let gone = of(4, FindingKind::ServiceDown, "web-1");
    world.record(Happening::New, &gone);
    assert_eq!(world.told("email"), ["raised 9", "raised 1", "raised 3"]);
    assert_eq!(
        world.reasons(2),
        ["nobody is told while alert 00000000000000000000000000000001 is open, which explains it"]
    );
    let who = |signal: &Signal| world.outbox.preview(signal, world.now).unwrap();
    assert_eq!(who(&of(5, FindingKind::ServiceDown, "web-1")).reasons, world.reasons(2));
    assert_eq!(who(&of(5, FindingKind::ServiceDown, "web-2")).planned.len(), 2);
    let low = Signal { severity: Level::Low, ..of(5, FindingKind::ServiceDown, "web-2") };
    assert!(who(&low).reasons[0].starts_with("no alert"));
    assert_eq!(world.outbox.alerts(&AlertFilter::default()).unwrap().len(), 5, "nothing was written");
    world.pass(60);
    world.tick();
    assert_eq!(world.told("email"), NOBODY);
    world.resolve(&gone);
    world.resolve(&host);
    world.pass(60);
    world.tick();
    assert_eq!(
        world.told("email"),
        ["resolved 1", "raised 2"],
        "what was held back and is still so is told after all"
    );
}

#[test]
fn acknowledging_goes_both_ways_and_stays_what_it_is() {
    let world = World::new("");
    let signals = signal::Store::open(Arc::clone(&world.database), signal::Config::default()).unwrap();
    let finding = finding::Finding {
        kind: FindingKind::SshBruteForce,
        level: Level::Medium,
        rule: "ssh_brute_force".to_owned(),
        entities: vec![Entity::new(EntityType::SourceIp, "192.0.2.7")],
        techniques: vec![],
        first: world.now,
        last: world.now,
        count: 5,
        is_update: false,
        evidence: vec![event::EventId {
            journal: event::JournalId(1),
            position: event::Position { segment: 1, record: 1 },
        }],
        facts: Facts::new(),
    };
    let observed = signal::Observed { finding, organization: None, evidence: vec![] };
    let changes = signals
        .observe(vec![observed], None, world.now, |tx, changes| {
            Ok(world.outbox.record(tx, changes, world.now)?)
        })
        .unwrap();
    let id = AlertId(changes[0].signal.id);
    let unacknowledged = AlertFilter { acknowledged: Some(false), limit: None };
    assert_eq!(world.outbox.alerts(&unacknowledged).unwrap().len(), 1);
    let first = world.outbox.acknowledge(&signals, id, "ana", None, world.now).unwrap();
    assert_eq!((first.acknowledged, first.acknowledged_by.as_deref()), (true, Some("ana")));
    assert_eq!(signals.get(id.0).unwrap().unwrap().state, State::Acknowledged);
    let again = world.outbox.acknowledge(&signals, id, "bob", None, plus(world.now, 60)).unwrap();
    assert_eq!(again, first, "whoever was first has it");
    assert!(world.outbox.alerts(&unacknowledged).unwrap().is_empty());
    let unknown = AlertId(SignalId(77));
    let error = world.outbox.acknowledge(&signals, unknown, "ana", None, world.now).unwrap_err();
    assert!(matches!(error, OutboxError::Unknown { id } if id == unknown), "{error}");
    // The other way round: the signal's change acknowledges the alert.
    let signal = world.raise(5);
    world.record(Happening::Acknowledged, &signal);
    let alert = world.outbox.alert(AlertId(SignalId(5))).unwrap();
    assert_eq!(alert.acknowledged_by.as_deref(), Some("ana"));
    // The alert of a signal that is no longer kept is acknowledged alone.
    world.raise(6);
    assert!(
        world
            .outbox
            .acknowledge(&signals, AlertId(SignalId(6)), "ana", None, world.now)
            .unwrap()
            .acknowledged
    );
}
