//! What nobody should send, and what no disk should hold.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path, sync::OnceLock};

use anomaly::{Config, Label, ModelError, Service};
use event::{Analyzed, Event, EventId, Field, JournalId, Position, Severity, Timestamp, Value, VerdictState};
use proptest::prelude::*;

fn open(dir: &Path, events_min: usize) -> Service {
    let template = template::Config { shapes_max: 4_000, templates_max: 1_000 };
    Service::open(Config { events_min, template, ..Config::new(dir) }).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::saturating_from_nanos(1_700_000_000_000_000_000 + i128::from(seconds) * 1_000_000_000)
}

fn served(n: u64) -> Event<'static> {
    Event::new(format!("served {} bytes to 10.0.0.{}", n * 7919 % 50_000, n % 7), at(n))
}

fn analyze(service: &Service, events: Vec<Event<'static>>) -> Vec<Analyzed<'static>> {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let analyzed =
        service.analyze(events.into_iter().map(|event| (id, event)).collect(), Position::default()).events;
    for one in &analyzed {
        assert!((0.0..=1.0).contains(&one.verdict.score), "{:?}", one.verdict);
        assert_eq!(one.verdict.is_anomaly, !one.verdict.reasons.is_empty(), "{:?}", one.verdict);
    }
    analyzed
}

#[test]
fn too_few_events_are_kept_and_say_how_many_are_needed() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 100);
    for n in 0..9 {
        let trained = service.train(&(n * 11..(n + 1) * 11).map(served).collect::<Vec<_>>()).unwrap();
        assert_eq!((trained.state, trained.needed), (VerdictState::WarmingUp, 100 - (n + 1) * 11));
        assert_eq!(service.predict(&served(3)).needed, trained.needed);
        assert!(service.model().version.is_empty() && service.models().is_empty());
    }
    let trained = service.train(&[served(99)]).unwrap();
    assert_eq!((trained.state, trained.needed, trained.events), (VerdictState::Scored, 0, 1));
}

#[test]
fn one_repeated_line_and_one_repeated_time_make_a_model_that_flags_neither() {
    for (name, stream) in [
        ("one line", (0..6_000).map(|n| Event::new("the same line", at(n))).collect::<Vec<_>>()),
        ("one line at one time", vec![Event::new("the same line", at(1)); 6_000]),
        ("one time", (0..6_000).map(|n| Event { timestamp: at(1), ..served(n) }).collect()),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let service = open(dir.path(), 1_000);
        let analyzed = analyze(&service, stream);
        let flagged = analyzed.iter().skip(1_000).filter(|one| one.verdict.is_anomaly).count();
        assert!(flagged <= 10, "{name}: {flagged}");
        let drift = service.model().drift.unwrap();
        assert!(!drift.drifting, "{name}: {drift:?}");
        assert!(service.compare(&service.model().version, &service.model().version).is_ok());
    }
}

#[test]
fn endless_new_templates_stay_within_the_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 1_000);
    let word = |mut n: u64| {
        let mut word = String::new();
        for _ in 0..6 {
            word.push((b'a' + (n % 26) as u8) as char);
            n /= 26;
        }
        word
    };
    for part in 0..10u64 {
        let lines = (part * 6_000..(part + 1) * 6_000).map(|n| {
            let (one, other) = (word(n * 2_654_435_761), word(n * 40_503));
            Event::new(format!("{one} {other} {} {}", word(n), "x ".repeat(n as usize % 7)), at(n))
        });
        analyze(&service, lines.collect());
        let stats = service.stats();
        assert!(stats.templates <= 1_001 && stats.shapes <= 16_384 && stats.models <= 9, "{stats:?}");
    }
    let snapshot = service.snapshot();
    assert!(snapshot.len() < 40 << 20, "{}", snapshot.len());
    service.restore(&snapshot).unwrap();
}

#[test]
fn odd_texts_and_numbers_are_scored_like_any() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 300);
    analyze(&service, (0..1_000).map(served).collect());
    let mut odd: Vec<String> = vec![
        String::new(),
        "\0\0\0".to_owned(),
        "\u{feff}served \u{fffd}\u{fffd} bytes".to_owned(),
        String::from_utf8_lossy(b"caf\xe9 ser\xff\xfeved 12 bytes").into_owned(),
        "\u{202e}setyb 21 devres \u{200b}\u{1f4a5}".to_owned(),
        "=".repeat(100_000),
        "é".repeat(500_000),
        "a b ".repeat(250_000),
        format!("served {} bytes to 10.0.0.1", "9".repeat(900_000)),
    ];
    for number in [
        "NaN",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1e999",
        "-1e999",
        "1e-999",
        "0.0000001",
        "-0",
        "1e38",
        "99999999999999999999",
    ] {
        odd.push(format!("served {number} bytes to 10.0.0.1"));
        odd.push(format!("took={number} ratio={number}"));
    }
    let times = [Timestamp::MIN, Timestamp::MAX, at(0), at(1_000)];
    for (n, text) in odd.iter().enumerate() {
        let mut event = Event::new(text.clone(), times[n % times.len()]);
        event.source = Some(text.chars().take(1_000).collect::<String>().into());
        event.severity = Severity::from_u8((n % 6) as u8).unwrap();
        let said = service.predict(&event);
        assert!((0.0..=1.0).contains(&said.score), "{said:?}");
        analyze(&service, vec![event.clone(), event.clone()]);
        let given = service.give_feedback(&event, Label::Bad, "", at(0)).unwrap();
        assert!(service.predict(&event).is_anomaly);
        assert!(given.message.len() <= 4_096);
    }
    let events: Vec<_> = odd.iter().map(|text| Event::new(text.clone(), at(5))).collect();
    service.train(&events.iter().cycle().take(400).cloned().collect::<Vec<_>>()).unwrap();
    let found = service.conditions();
    assert!(found.conditions.iter().all(|condition| !condition.text.is_empty()));
    let snapshot = service.snapshot();
    drop(service);
    let service = open(dir.path(), 300);
    assert!(service.feedback_problem().is_none());
    service.restore(&snapshot).unwrap();
}

/// A model and a snapshot, as written.
fn written() -> &'static (Vec<u8>, Vec<u8>) {
    static WRITTEN: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let service = open(dir.path(), 200);
        analyze(&service, (0..1_200).map(served).collect());
        (service.export(&service.model().version).unwrap(), service.snapshot())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_model_or_snapshot_cut_anywhere_or_altered_anywhere_is_refused(place in 0.0f64..1.0, bit in 0u8..8) {
        static SERVICE: OnceLock<(tempfile::TempDir, Service)> = OnceLock::new();
        let (_, service) = SERVICE.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            let service = open(dir.path(), 200);
            service.train(&(0..300).map(served).collect::<Vec<_>>()).unwrap();
            (dir, service)
        });
        let before = service.model().version;
        let (model, snapshot) = written();
        let at = |bytes: &[u8]| (bytes.len() as f64 * place) as usize;
        prop_assert!(service.import(&model[..at(model)]).is_err());
        prop_assert!(service.restore(&snapshot[..at(snapshot)]).is_err());
        let flipped = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let place = at(&bytes);
            bytes[place] ^= 1 << bit;
            bytes
        };
        prop_assert!(service.import(&flipped(model)).is_err());
        prop_assert!(service.restore(&flipped(snapshot)).is_err());
        prop_assert_eq!(service.model().version, before);
        prop_assert_eq!(service.models().len(), 1);
    }
}

#[test]
fn a_damaged_history_costs_remarks_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 200);
    service.train(&(0..300).map(served).collect::<Vec<_>>()).unwrap();
    let version = service.train(&(0..400).map(served).collect::<Vec<_>>()).unwrap().model;
    let path = dir.path().join("history");
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let service = open(dir.path(), 200);
        assert_eq!(service.model().version, version);
        assert!(matches!(service.roll_back(), Err(ModelError::NothingBefore)), "{length}");
    }
    fs::write(&path, &bytes).unwrap();
    assert!(open(dir.path(), 200).roll_back().is_ok());
}

#[test]
fn a_hundred_thousand_templates_in_little_room() {
    let dir = tempfile::tempdir().unwrap();
    let template = template::Config { shapes_max: 400, templates_max: 100 };
    let service = Service::open(Config { events_min: 1_000, template, ..Config::new(dir.path()) }).unwrap();
    // Words of letters that stand for no number, each line with words of its own.
    let word = |n: u64| -> String {
        format!("{n:x}").bytes().map(|digit| char::from(b'g' + (digit & 15) + (digit >> 6) * 9)).collect()
    };
    for part in 0..10 {
        let lines = (part * 10_000..(part + 1) * 10_000).map(|n: u64| {
            let words: Vec<String> = (0..1 + n % 9).map(|at| word(n * 31 + at * 7_919 + 4_096)).collect();
            Event::new(words.join(" "), at(n))
        });
        analyze(&service, lines.collect());
        let stats = service.stats();
        assert!(stats.templates <= 101 && stats.shapes <= 16_384, "{stats:?}");
    }
    assert!(service.snapshot().len() < 24 << 20);
    assert_eq!(service.predict(&served(1)).state, VerdictState::Scored);
    // Training on as many does the same, and names the templates it has room for.
    let trained = service.train(&(0..2_000).map(served).collect::<Vec<_>>()).unwrap();
    assert!(trained.templates <= 101, "{trained:?}");
}

#[test]
fn fields_hold_whatever_numbers_and_texts() {
    let dir = tempfile::tempdir().unwrap();
    let session_keys = vec!["labels.key".to_owned()];
    let service = Service::open(Config { events_min: 300, session_keys, ..Config::new(dir.path()) }).unwrap();
    let values = [
        Value::Float(f64::NAN),
        Value::Float(f64::INFINITY),
        Value::Float(f64::NEG_INFINITY),
        Value::Float(-0.0),
        Value::Float(f64::MIN_POSITIVE),
        Value::Int(i64::MIN),
        Value::Int(i64::MAX),
        Value::Bool(true),
        Value::Null,
        Value::Json("[1e999,{\"a\":NaN}]".into()),
        Value::String("".into()),
        Value::String("-".into()),
        Value::String("\u{fffd}\0\u{202e}".into()),
        Value::String("é".repeat(500_000).into()),
    ];
    let paths = [
        "labels.key",
        "trace.id",
        "process.pid",
        "user.name",
        "source.ip",
        "http.response.status_code",
        "source.bytes",
        "url.path",
        "",
    ];
    for turn in 0..40u64 {
        let mut events = Vec::new();
        for (n, value) in (0..).zip(&values) {
            for (m, path) in (0..).zip(paths) {
                let mut event = served(turn * 500 + n * 20 + m);
                event.source = (m % 2 == 0).then(|| "web".into());
                event.fields.push(Field { path: path.into(), value: value.clone() });
                events.push(event);
            }
        }
        for event in &events {
            assert!((0.0..=1.0).contains(&service.predict(event).score));
        }
        if turn == 20 {
            service.train(&events).unwrap();
        }
        analyze(&service, events);
    }
    // Keys are remembered by their hash and a few bytes of their text.
    let snapshot = service.snapshot();
    assert!(snapshot.len() < 8 << 20, "{}", snapshot.len());
    service.restore(&snapshot).unwrap();
}

#[test]
fn a_snapshot_of_a_newer_version_says_so_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 200);
    analyze(&service, (0..400).map(served).collect());
    let before = service.snapshot();
    let mut newer = before[..before.len() - 32].to_vec();
    newer[8..12].copy_from_slice(&99u32.to_le_bytes());
    let checksum = *blake3::hash(&newer).as_bytes();
    newer.extend_from_slice(&checksum);
    let refused = service.restore(&newer).unwrap_err().to_string();
    assert!(refused.contains("the snapshot is of format version 99"), "{refused}");
    assert_eq!(service.snapshot(), before);
}
