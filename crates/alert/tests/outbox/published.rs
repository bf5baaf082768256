//! Reports that are due.

use alert::{Pages, Published};

use super::*;

fn mail() -> ChannelConfig {
    let config =
        alert::channel::EmailConfig::new("a@example.com", vec!["b@example.com".to_owned()], "127.0.0.1", 25);
    ChannelConfig::new("mail", ChannelKind::Email(config))
}

fn report(name: &str, channels: &[&str]) -> Published {
    Published {
        name: name.to_owned(),
        words: Words { title: "Report".to_owned(), what: "No signals.".to_owned(), ..Words::default() },
        pages: Pages { html: "<p>No signals.</p>".to_owned(), plain: "No signals.".to_owned() },
        period: (at("2024-04-30T12:00:00Z"), noon()),
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
    }
}

#[test]
fn a_report_is_sent_once_over_crashes() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let mut all = channels(&["chat"]);
        all.push(mail());
        open(&dir.path().join("state.db"), Routes::read("", all).unwrap(), Config::default()).1
    };
    let outbox = start();
    assert!(!outbox.is_published("monday").unwrap());
    assert_eq!(outbox.publish(report("monday", &[]), noon()).unwrap(), ["mail"], "over mail alone");
    drop(outbox);
    // Killed before it was sent, and once more after it was tried.
    let outbox = start();
    assert!(outbox.is_published("monday").unwrap());
    assert_eq!(outbox.publish(report("monday", &[]), noon()).unwrap(), Vec::<String>::new());
    let Claim::Send(first) = outbox.claim("mail", noon()).unwrap() else { panic!("it waits") };
    drop(outbox);
    let outbox = start();
    let Claim::Send(again) = outbox.claim("mail", noon()).unwrap() else { panic!("it waits") };
    assert_eq!(again.message.key, first.message.key, "a mail is the same to all that compare them");
    let told = &again.message.alerts[0];
    assert_eq!(told.pages, Some(report("monday", &[]).pages));
    assert_eq!(again.message.headline(), "[REPORT] Report");
    outbox.settle(&again, &taken(), noon()).unwrap();
    assert_eq!(outbox.claim("mail", noon()).unwrap(), Claim::Nothing);
    assert_eq!(outbox.claim("chat", noon()).unwrap(), Claim::Nothing);
    assert_eq!(outbox.publish(report("tuesday", &[]), noon()).unwrap(), ["mail"]);
}

#[test]
fn a_report_goes_to_the_channels_that_are_named_and_to_chats_in_short() {
    let world = World::new("");
    assert_eq!(world.outbox.publish(report("monday", &[]), noon()).unwrap(), Vec::<String>::new());
    assert!(
        !world.outbox.is_published("monday").unwrap(),
        "nothing sends mail, so that it can still be sent"
    );
    assert_eq!(world.outbox.publish(report("monday", &["telegram"]), noon()).unwrap(), ["telegram"]);
    let told = world.deliver("telegram");
    assert_eq!((told.len(), &told[0].alerts[0].pages), (1, &None));
    assert_eq!(told[0].alerts[0].words.what, "No signals.");
    let listed = world.outbox.alerts(&AlertFilter::default()).unwrap();
    assert_eq!(listed.iter().map(|alert| alert.r#type.as_str()).collect::<Vec<_>>(), [alert::REPORT]);
    world.tick();
    assert_eq!(world.told("telegram"), Vec::<String>::new(), "nobody has to acknowledge it");
}
