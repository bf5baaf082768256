//! Feedback through the service's public face.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path};

use anomaly::{Config, FEEDBACK_MAX, FeedbackError, Label, Service};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp, Verdict};

fn open(dir: &Path) -> Service {
    Service::open(Config { events_min: 1_000, ..Config::new(dir) }).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::saturating_from_nanos(1_700_000_000_000_000_000 + i128::from(seconds) * 1_000_000_000)
}

fn event(seconds: u64, source: &'static str, message: String, severity: Severity) -> Event<'static> {
    let mut event = Event::new(message, at(seconds));
    (event.source, event.severity) = (Some(source.into()), severity);
    event
}

fn ordinary(count: u64) -> Vec<Event<'static>> {
    let one = |n| event(n * 7, "web", format!("GET /item/{n} took {} ms", 20 + n % 9), Severity::Info);
    (0..count).map(one).collect()
}

fn odd(device: &str, blocks: u64) -> Event<'static> {
    event(21_001, "web", format!("disk {device} lost {blocks} blocks"), Severity::Fatal)
}

fn analyze(service: &Service, event: Event<'static>) -> Verdict {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    service.analyze(vec![(id, event)], Position::default()).events.remove(0).verdict
}

fn give(service: &Service, event: &Event<'_>, label: Label) -> u64 {
    service.give_feedback(event, label, "as arranged", at(0)).unwrap().id
}

#[test]
fn it_changes_scores_at_once_and_those_of_similar_events() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    service.train(&ordinary(3_000)).unwrap();
    let threshold = service.model().threshold;
    assert!(service.predict(&odd("sda", 17)).is_anomaly);
    let id = give(&service, &odd("sda", 17), Label::Normal);
    for (said, is_anomaly) in [
        (service.predict(&odd("sda", 17)), false),
        (service.predict(&odd("sda", 99)), false),
        (service.predict(&odd("sdb", 17)), true),
        (service.predict(&Event { source: Some("db".into()), ..odd("sda", 17) }), true),
    ] {
        assert_eq!(said.is_anomaly, is_anomaly, "{said:?}");
        assert_eq!(said.score >= threshold, is_anomaly, "{said:?}");
    }
    assert_eq!(service.predict(&odd("sda", 5)).reasons, [format!("marked as normal by feedback {id}")]);
    assert!(!analyze(&service, odd("sda", 18)).is_anomaly);
    service.take_back_feedback(id).unwrap();
    assert!(service.predict(&odd("sdb", 17)).is_anomaly);

    let usual = &ordinary(3_001)[3_000];
    assert!(!service.predict(usual).is_anomaly);
    let bad = give(&service, usual, Label::Bad);
    let said = analyze(&service, usual.clone());
    assert!(said.is_anomaly && said.score >= threshold, "{said:?}");
    assert_eq!(said.reasons, [format!("marked as bad by feedback {bad}")]);
    // Said later, it counts more; taken back, what was said before counts again.
    let good = give(&service, usual, Label::Normal);
    assert!(!service.predict(usual).is_anomaly);
    service.take_back_feedback(good).unwrap();
    assert!(service.predict(usual).is_anomaly);
    service.take_back_feedback(bad).unwrap();
    assert!(!service.predict(usual).is_anomaly);
    assert!(matches!(service.take_back_feedback(bad), Err(FeedbackError::Unknown { id }) if id == bad));
}

#[test]
fn several_that_agree_hold_for_the_template() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    service.train(&ordinary(3_000)).unwrap();
    // Enough devices that the word becomes a variable of one template.
    let devices = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
    let lost = |device: &str| event(22_000, "web", format!("volume {device} was lost"), Severity::Fatal);
    service.train(&devices.map(lost)).unwrap();
    assert!(service.predict(&lost("theta")).is_anomaly);
    let ids = ["alpha", "beta", "gamma"].map(|device| {
        assert!(service.predict(&lost("theta")).is_anomaly, "not yet general");
        give(&service, &lost(device), Label::Normal)
    });
    assert!(service.feedback().iter().all(|given| given.general));
    assert!(!service.predict(&lost("theta")).is_anomaly);
    let against = give(&service, &lost("delta"), Label::Bad);
    assert!(service.predict(&lost("theta")).is_anomaly, "one that differs ends it");
    service.take_back_feedback(against).unwrap();
    assert!(!service.predict(&lost("theta")).is_anomaly);
    service.take_back_feedback(ids[1]).unwrap();
    assert!(service.predict(&lost("theta")).is_anomaly);
}

#[test]
fn it_survives_restart_retraining_and_another_model_and_works_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let id = give(&service, &odd("sda", 1), Label::Bad);
    let early = service.predict(&odd("sda", 2));
    assert!(early.is_anomaly && early.model.is_empty(), "{early:?}");
    let first = service.train(&ordinary(3_000)).unwrap().model;
    give(&service, &odd("sdb", 1), Label::Normal);
    let check = |service: &Service| {
        assert_eq!(service.feedback().len(), 2);
        assert!(service.predict(&odd("sda", 3)).is_anomaly);
        assert!(!service.predict(&odd("sdb", 3)).is_anomaly);
    };
    check(&service);
    service.train(&ordinary(4_000)).unwrap();
    check(&service);
    service.activate(&first).unwrap();
    check(&service);
    let snapshot = service.snapshot();
    drop(service);
    let service = open(dir.path());
    check(&service);
    service.restore(&snapshot).unwrap();
    check(&service);
    let given = service.feedback().remove(0);
    assert_eq!((given.id, given.label, given.note.as_str()), (id, Label::Bad, "as arranged"));
    service.take_back_feedback(id).unwrap();
    assert_eq!(open(dir.path()).feedback().len(), 1);
    assert_eq!(give(&service, &odd("sda", 1), Label::Bad), 3, "ids are not given out again");
}

#[test]
fn it_is_bounded_and_a_damaged_file_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    assert!(matches!(
        service.give_feedback(&odd("sda", 1), Label::Bad, &"x".repeat(2_000), at(0)),
        Err(FeedbackError::Note)
    ));
    let huge = event(1, "web", "é".repeat(600_000), Severity::Info);
    give(&service, &huge, Label::Bad);
    assert!(service.predict(&huge).is_anomaly);
    assert!(service.feedback()[0].message.len() <= 4_096);
    let path = dir.path().join("feedback");
    let bytes = fs::read(&path).unwrap();
    let mut newer = bytes.clone();
    newer[8] = 9;
    for (name, damaged) in (0..bytes.len())
        .step_by(13)
        .map(|length| ("cut", bytes[..length].to_vec()))
        .chain([("newer", newer), ("foreign", b"something else".to_vec())])
    {
        fs::write(&path, &damaged).unwrap();
        let service = open(dir.path());
        assert!(service.feedback().is_empty(), "{name} {}", damaged.len());
        assert!(service.feedback_problem().unwrap().contains("feedback.refused"));
        assert_eq!(fs::read(dir.path().join("feedback.refused")).unwrap(), damaged);
        assert!(!path.exists());
        fs::remove_file(dir.path().join("feedback.refused")).unwrap();
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(open(dir.path()).feedback().len(), 1);
    // What cannot be stored does not hold either.
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(matches!(
        service.give_feedback(&odd("sdz", 1), Label::Bad, "", at(0)),
        Err(FeedbackError::Store(_))
    ));
    assert!(!service.predict(&odd("sdz", 1)).is_anomaly);
    assert_eq!(service.feedback().len(), 1);
    fs::create_dir_all(dir.path()).unwrap();
    for n in 1..FEEDBACK_MAX {
        // Different letters, so that they are no similar events.
        let name: String = format!("{n:04}").chars().map(|c| (b'a' + c as u8 - b'0') as char).collect();
        give(&service, &odd(&name, 1), Label::Bad);
    }
    assert!(matches!(
        service.give_feedback(&odd("one more", 1), Label::Bad, "", at(0)),
        Err(FeedbackError::Full)
    ));
    let said = Some((Label::Bad, "", at(0)));
    assert!(matches!(service.follow_from(9, said, &[odd("one more", 1)]), Err(FeedbackError::Full)));
    assert_eq!(service.feedback().len(), FEEDBACK_MAX);
}

#[test]
fn what_follows_from_a_decision_changes_and_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    service.train(&ordinary(3_000)).unwrap();
    let said = |label| Some((label, "said of a signal", at(0)));
    // Of similar events one is enough.
    let events = [odd("sda", 17), odd("sda", 18), odd("sdb", 1)];
    assert!(service.follow_from(7, said(Label::Normal), &events).unwrap());
    let kept = service.feedback();
    assert_eq!(kept.iter().map(|one| (one.id, one.origin)).collect::<Vec<_>>(), [(1, Some(7)), (2, Some(7))]);
    for is_normal in [odd("sda", 99), odd("sdb", 99)] {
        assert!(!service.predict(&is_normal).is_anomaly);
    }
    assert!(service.predict(&odd("sdc", 1)).is_anomaly);
    assert!(!service.follow_from(7, said(Label::Normal), &events[..1]).unwrap());
    assert!(matches!(service.take_back_feedback(1), Err(FeedbackError::Follows { id: 1, origin: 7 })));

    // It survives training, and being opened anew.
    service.train(&ordinary(2_500)).unwrap();
    assert!(!service.predict(&odd("sda", 3)).is_anomaly);
    drop(service);
    let service = open(dir.path());
    assert!(!service.predict(&odd("sda", 3)).is_anomaly);
    assert_eq!(service.feedback(), kept);
    assert!(!service.follow_from(7, said(Label::Normal), &events).unwrap());

    assert!(service.follow_from(8, said(Label::Normal), &[odd("sdc", 1)]).unwrap());
    assert!(!service.predict(&odd("sdc", 9)).is_anomaly);
    // Another opinion takes the place of the first; without one, scores are as before.
    assert!(service.follow_from(7, said(Label::Bad), &events).unwrap());
    assert!(service.predict(&odd("sda", 1)).is_anomaly && !service.predict(&odd("sdc", 1)).is_anomaly);
    assert!(service.follow_from(7, None, &[]).unwrap() && service.follow_from(8, None, &[]).unwrap());
    assert!(!service.follow_from(8, None, &[]).unwrap());
    assert!(service.predict(&odd("sdc", 1)).is_anomaly);
    assert_eq!(service.feedback(), []);
}

#[test]
fn a_file_of_the_first_version_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    service.train(&ordinary(3_000)).unwrap();
    give(&service, &odd("sda", 17), Label::Normal);
    let kept = service.feedback();
    drop(service);
    let path = dir.path().join("feedback");
    let mut bytes = fs::read(&path).unwrap();
    // The first version ended an entry with its pattern; a checksum of 32 bytes follows.
    bytes.truncate(bytes.len() - 33);
    bytes[8] = 1;
    bytes.extend_from_slice(blake3::hash(&bytes.clone()).as_bytes());
    fs::write(&path, &bytes).unwrap();
    let service = open(dir.path());
    assert_eq!(service.feedback(), kept);
    assert!(!service.predict(&odd("sda", 3)).is_anomaly);
}
