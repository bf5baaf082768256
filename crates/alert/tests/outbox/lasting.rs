//! What lasts: transactions, crashes, bounds of time and number.

use super::*;

#[test]
fn an_alert_is_there_with_its_signal_or_not_at_all() {
    let world = World::new("");
    let changes = [change(Happening::New, &signal(1, world.now), world.now)];
    let failed = world.database.write(|tx| {
        world.outbox.record(tx, &changes, world.now)?;
        Err::<(), _>(OutboxError::Unknown { id: AlertId(SignalId(1)) })
    });
    assert!(failed.is_err());
    assert!(world.outbox.alerts(&AlertFilter::default()).unwrap().is_empty());
    assert_eq!(world.claim("email"), Claim::Nothing);
}

#[test]
fn after_a_crash_the_same_goes_out_under_the_same_key() {
    let mut world = World::new("routes:\n- {to: email, group: {by: [host], window: 10s}}\n");
    world.raise(1);
    world.raise(2);
    world.pass(10);
    let before = world.next("email");
    // Another one of the group comes while that is being sent; then the program is killed.
    world.raise(3);
    let World { dir, database, outbox, now } = world;
    drop((database, outbox));
    let routes =
        Routes::read("routes:\n- {to: email, group: {by: [host], window: 10s}}\n", channels(&["email"]))
            .unwrap();
    let (database, outbox) = open(&dir.path().join("state.db"), routes, Config::default());
    let world = World { dir, database, outbox, now };
    let after = world.next("email");
    assert_eq!(after.message.key, before.message.key);
    assert_eq!(after.message.alerts, before.message.alerts);
    assert_eq!((before.tries, after.tries), (1, 2));
    world.outbox.settle(&after, &taken(), world.now).unwrap();
    assert_eq!(world.outbox.settle(&before, &taken(), world.now).unwrap(), alert::Settled::Delivered);
    assert!(matches!(world.claim("email"), Claim::Wait(_)), "the third is another message");
}

#[test]
fn pauses_grow_to_their_bound_and_what_the_other_side_asks_for_is_kept() {
    let mut world = World::new("routes:\n- to: email\n");
    world.raise(1);
    let wait = |world: &World| match world.claim("email") {
        Claim::Wait(at) => (at.as_nanos() - world.now.as_nanos()) / 1_000_000,
        Claim::Send(_) => 0,
        Claim::Nothing => panic!("it is still to be sent"),
    };
    for bound_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000] {
        world.fail("email", SendError::passing("503"));
        let pause = wait(&world);
        assert!(pause <= bound_ms, "{pause} {bound_ms}");
        world.pass(301);
    }
    for (asked_s, kept_s) in [(1_200, 1_200), (1_000_000, 3_600)] {
        let asked =
            SendError { retry_after: Some(Duration::from_secs(asked_s)), ..SendError::passing("429") };
        world.fail("email", asked);
        assert_eq!(wait(&world), kept_s * 1000);
        world.pass(3_600);
    }
    let message = &world.deliver("email")[0];
    assert!(message.lateness().unwrap().starts_with("Delayed by "));
}

#[test]
fn what_cannot_be_delivered_becomes_a_dead_letter_that_says_why() {
    let config = || Config { tries_max: 3, ..Config::default() };
    let mut world = World::with("routes:\n- to: email\n", config());
    for id in 1..=3 {
        world.raise(id);
    }
    world.fail("email", SendError::permanent("401: wrong token"));
    for _ in 0..3 {
        world.fail("email", SendError::passing("503"));
        world.pass(400);
    }
    world.pass(24 * 3600);
    let mut said: Vec<_> = [1, 2, 3]
        .into_iter()
        .flat_map(|id| {
            if world.claim("email") != Claim::Nothing {
                world.fail("email", SendError::passing("503"));
            }
            world.outbox.alert(AlertId(SignalId(id))).unwrap().deliveries
        })
        .map(|delivery| format!("{:?} {}", delivery.state, delivery.last_error.unwrap()))
        .collect();
    said.sort();
    assert!(said.iter().all(|said| said.starts_with("Dead ")), "{said:?}");
    assert!(said.contains(&"Dead 401: wrong token".to_owned()), "{said:?}");
    assert!(said.iter().any(|said| said.contains("given up after")), "{said:?}");
}

#[test]
fn a_channel_that_is_no_longer_set_up_gets_nothing_more() {
    let world = World::new("");
    world.raise(1);
    assert_eq!(world.told("email"), ["raised 1"]);
    world.outbox.reload(Routes::everything(channels(&["email"])));
    world.tick();
    assert_eq!(world.states(1), ["email delivered 1", "telegram dead 0"]);
    assert_eq!(world.claim("telegram"), Claim::Nothing);
}

#[test]
fn an_alert_that_is_repeated_for_ever_takes_no_more_room() {
    let yaml =
        "routes:\n- {to: telegram, match: {severity: medium+}, continue: true}\n- {to: email, repeat: 1m}\n";
    let mut world = World::new(yaml);
    let signal = world.raise(1);
    for _ in 0..250 {
        world.deliver("email");
        world.pass(60);
        world.tick();
    }
    assert_eq!(world.told("telegram").len(), 1);
    let all = world.outbox.deliveries(&DeliveryFilter::default()).unwrap();
    assert!((200..=203).contains(&all.len()), "{}", all.len());
    world.resolve(&signal);
    assert_eq!(world.told("telegram"), ["resolved 1"], "whoever was told once is not forgotten");
}

#[test]
fn old_alerts_are_forgotten_unless_they_are_on_their_way() {
    let mut world = World::with("routes:\n- to: email\n", Config { alerts_max: 3, ..Config::default() });
    world.raise(1);
    world.raise(2);
    world.fail("email", SendError::passing("503"));
    assert_eq!(world.told("email"), ["raised 2"]);
    let ids = |world: &World| {
        let alerts = world.outbox.alerts(&AlertFilter::default()).unwrap();
        alerts.iter().map(|alert| alert.id.0.0).collect::<Vec<_>>()
    };
    world.pass(90 * 24 * 3600 + 1);
    world.raise(3);
    world.tick();
    assert_eq!(ids(&world), [3, 1]);
    assert_eq!(world.told("email").len(), 2);
    world.tick();
    assert_eq!(ids(&world), [3]);
    for id in 4..=9 {
        world.raise(id);
    }
    world.deliver("email");
    world.tick();
    assert_eq!(ids(&world), [9, 8, 7]);
}
