//! Channels that do not deliver.

use super::*;

#[test]
fn a_dead_channel_delays_nobody_and_another_is_told_once() {
    let mut world = World::new("");
    world.raise(1);
    let started = world.now;
    let mut told = vec![];
    while world.now < plus(started, 3600) {
        if let Claim::Send(batch) = world.claim("telegram") {
            world.outbox.settle(&batch, &Err(SendError::passing("cannot be reached")), world.now).unwrap();
        }
        told.extend(world.deliver("email"));
        world.pass(10);
    }
    let occasions: Vec<_> = told.iter().map(|message| message.alerts[0].occasion.as_str()).collect();
    assert_eq!(occasions, ["raised", "trouble"]);
    let trouble = &told[1].alerts[0];
    assert!((300..900).contains(&((told[1].sent.as_nanos() - started.as_nanos()) / 1_000_000_000)));
    assert_eq!(trouble.words.title, "The alert channel 'telegram' does not deliver");
    assert!(
        trouble.words.what.contains("cannot be reached. Not delivered: [MEDIUM] Logins fail (1)."),
        "{trouble:?}"
    );
    world.pass(600);
    let late = world.deliver("telegram");
    assert!(late[0].lateness().unwrap().contains("this happened at 2024-05-01 12:00:00 (UTC)"));
    let over = world.deliver("email");
    assert_eq!(over[0].headline(), "[RESOLVED] The alert channel 'telegram' delivers again");
}

#[test]
fn wrong_credentials_are_told_at_the_first_dead_letter() {
    let world = World::new("channels:\n  email: {fallback: telegram}\n  log: {type: stderr}\n");
    world.raise(1);
    world.raise(2);
    world.fail("email", SendError::permanent("535: wrong password"));
    world.fail("email", SendError::permanent("535: wrong password"));
    let how = world.outbox.channels().unwrap();
    let how: Vec<_> =
        how.iter().map(|own| (own.channel.as_str(), own.failing_since, own.waiting, own.given_up)).collect();
    assert_eq!(how, [("email", Some(noon()), 0, 2), ("log", None, 2, 0), ("telegram", None, 3, 0)]);
    assert_eq!(world.told("log"), ["raised 1", "raised 2"]);
    let told = world.deliver("telegram");
    let trouble: Vec<_> =
        told.iter().filter(|message| message.alerts[0].kind == alert::CHANNEL_DOWN).collect();
    assert_eq!(trouble.len(), 1);
    assert!(trouble[0].alerts[0].words.what.contains("535: wrong password"));
    let id = trouble[0].alerts[0].alert;
    let alert = world.outbox.alert(id).unwrap();
    assert_eq!((alert.signal, alert.r#type.as_str()), (None, "channel_down"));
}

#[test]
fn the_trouble_of_a_channel_that_is_taken_away_is_over() {
    let mut world = World::new("");
    world.raise(1);
    world.fail("telegram", SendError::permanent("401: no such bot"));
    world.deliver("email");
    world.outbox.reload(Routes::everything(channels(&["email"])));
    world.tick();
    world.outbox.reload(Routes::everything(channels(&["email", "telegram"])));
    world.pass(60);
    world.tick();
    world.raise(2);
    world.fail("telegram", SendError::permanent("401: no such bot"));
    let told = world.deliver("email");
    let occasions: Vec<_> = told.iter().map(|message| message.alerts[0].occasion.as_str()).collect();
    assert_eq!(occasions, ["raised", "trouble"], "it is told anew");
}

#[test]
fn channels_that_are_all_away_tell_each_other_nothing_until_one_is_back() {
    let mut world = World::new("");
    world.raise(1);
    for _ in 0..200 {
        for channel in ["email", "telegram"] {
            if let Claim::Send(batch) = world.claim(channel) {
                world.outbox.settle(&batch, &Err(SendError::passing("no network")), world.now).unwrap();
            }
        }
        world.pass(10);
    }
    world.pass(300);
    let queued = world.count(DeliveryState::Queued) + world.count(DeliveryState::Failed);
    assert!((2..=3).contains(&queued), "{queued}");
    assert!(world.told("email").contains(&"raised 1".to_owned()));
    assert!(world.told("telegram").contains(&"raised 1".to_owned()));
}
