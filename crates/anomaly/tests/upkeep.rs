//! Models kept, compared, moved and replaced; drift.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path};

use anomaly::{Config, ModelError, Origin, Service, Standing};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp};

const EVENTS_MIN: usize = 2_000;

fn open(dir: &Path) -> Service {
    Service::open(Config { events_min: EVENTS_MIN, ..Config::new(dir) }).unwrap()
}

/// Events of a shop, one every two seconds.
fn shop(from: u64, count: u64) -> Vec<Event<'static>> {
    let one = |n: u64| {
        let time =
            Timestamp::saturating_from_nanos(1_700_000_000_000_000_000 + i128::from(n) * 2_000_000_000);
        let message = match n * 7919 % 10 {
            0..4 => format!("GET /items/{} took {} ms", n % 90, 5 + n * 13 % 40),
            4..7 => format!("POST /cart took {} ms", 8 + n * 17 % 60),
            7..9 => format!("served {} bytes to 10.0.0.{}", 1_000 + n * 7919 % 250_000, n % 7 + 1),
            _ => format!("session {} closed", n * 31 % 1_000),
        };
        let mut event = Event::new(message, time);
        event.source = Some("shop".into());
        event
    };
    (from..from + count).map(one).collect()
}

/// The shop after a release: it warns, is slower, and says other things.
fn released(from: u64, count: u64) -> Vec<Event<'static>> {
    let mut events = shop(from, count);
    for (event, n) in events.iter_mut().zip(from..) {
        if n % 2 == 0 {
            event.severity = Severity::Warn;
            event.message = format!("cache miss for key-{} in region {}", n * 48_271 % 65_537, n % 5).into();
        }
    }
    events
}

fn analyze(service: &Service, events: &[Event<'static>]) -> Vec<(f32, bool, Vec<String>)> {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let given = events.iter().map(|event| (id, event.clone())).collect();
    let analyzed = service.analyze(given, Position::default()).events;
    analyzed.into_iter().map(|a| (a.verdict.score, a.verdict.is_anomaly, a.verdict.reasons)).collect()
}

#[test]
fn models_are_rolled_back_compared_exported_and_imported() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = open(one.path());
    assert!(matches!(service.roll_back(), Err(ModelError::NothingBefore)));
    let a = service.train(&shop(0, 3_000)).unwrap().model;
    assert!(matches!(service.roll_back(), Err(ModelError::NothingBefore)));
    let b = service.train(&released(3_000, 3_000)).unwrap().model;
    let card = service.model();
    assert_eq!(
        (card.version.as_str(), card.origin, card.standing),
        (&*b, Some(Origin::Request), Standing::Serving)
    );
    assert_eq!(card.features.len(), 16);
    assert!((card.features.iter().map(|f| f.splits).sum::<f32>() - 1.0).abs() < 1e-3);
    assert!(card.features.iter().all(|f| (0.0..=1.0).contains(&f.surprised) && f.weight > 0.0));

    let same = service.compare(&a, &a).unwrap();
    assert_eq!((same.rank_correlation, same.differ, same.disagreements.len()), (1.0, 0, 0));
    let other = service.compare(&a, &b).unwrap();
    assert!(other.rank_correlation < 1.0 && !other.disagreements.is_empty() && other.events >= 256);
    assert!(other.disagreements.len() <= 10 && other.disagreements[0].a != other.disagreements[0].b);
    assert!(matches!(service.compare(&a, "00000009-00000000"), Err(ModelError::Unknown { .. })));

    assert_eq!(service.roll_back().unwrap().version, a);
    let standing = |service: &Service, version: &str| service.model_of(version).unwrap().standing;
    assert_eq!((standing(&service, &a), standing(&service, &b)), (Standing::Serving, Standing::RolledBack));
    assert!(matches!(service.roll_back(), Err(ModelError::NothingBefore)));
    drop(service);
    let service = open(one.path());
    assert_eq!((service.model().version, standing(&service, &b)), (a.clone(), Standing::RolledBack));
    assert!(!service.reload().unwrap());
    service.activate(&b).unwrap();
    assert_eq!((standing(&service, &a), standing(&service, &b)), (Standing::Kept, Standing::Serving));

    let exported = service.export(&b).unwrap();
    let there = open(two.path());
    let own = there.train(&shop(0, 2_500)).unwrap().model;
    let mut damaged: Vec<(Vec<u8>, &str)> =
        vec![(b"no model at all, whatever it says".to_vec(), "other bytes")];
    for at in (0..exported.len()).step_by(exported.len() / 40) {
        damaged.push((exported[..at].to_vec(), if at < 12 { "" } else { "damaged" }));
        let mut flipped = exported.clone();
        flipped[at] ^= 16;
        damaged.push((flipped, if at < 8 { "" } else { "damaged" }));
    }
    let mut newer = exported[..exported.len() - 32].to_vec();
    newer[8..12].copy_from_slice(&4u32.to_le_bytes());
    let checksum = *blake3::hash(&newer).as_bytes();
    newer.extend_from_slice(&checksum);
    damaged.push((newer, "format version 4; this program reads version 3"));
    for (bytes, why) in damaged {
        let refused = there.import(&bytes).unwrap_err().to_string();
        assert!(refused.contains(why), "{} bytes: {refused}", bytes.len());
    }
    let imported = there.import(&exported).unwrap();
    assert_eq!((imported.standing, imported.active), (Standing::Imported, false));
    assert_eq!((there.model().version, there.models().len()), (own.clone(), 2));
    assert!(!there.reload().unwrap(), "an imported model serves when it is activated");
    assert_eq!(there.import(&exported).unwrap().version, imported.version, "it is kept once");
    let event = &released(6_000, 1)[0];
    there.activate(&imported.version).unwrap();
    assert_eq!(there.export(&imported.version).unwrap(), exported);
    assert!((0.0..=1.0).contains(&there.predict(event).score));
    assert_eq!(there.roll_back().unwrap().version, own);
}

#[test]
fn a_stream_that_stays_as_it_was_does_not_drift() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    for part in 0..30 {
        analyze(&service, &shop(part * 1_000, 1_000));
        let drift = service.model().drift;
        assert!(drift.is_none_or(|drift| !drift.drifting), "{:?}", service.model().drift);
    }
    let drift = service.model().drift.unwrap();
    assert!(drift.moved.is_empty() && drift.since.is_none() && drift.events > 1_000, "{drift:?}");
}

#[test]
fn a_burst_is_no_drift() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    analyze(&service, &shop(0, 12_000));
    let last = shop(12_000, 1)[0].timestamp;
    let burst = (0..3_000).map(|n| {
        let mut event = Event::new(format!("panic: worker {n} died"), last);
        (event.source, event.severity) = (Some("shop".into()), Severity::Fatal);
        event
    });
    let burst: Vec<_> = burst.collect();
    assert!(analyze(&service, &burst).iter().filter(|(_, is_anomaly, _)| *is_anomaly).count() > 10);
    analyze(&service, &shop(12_000, 3_000));
    assert!(!service.model().drift.unwrap().drifting, "{:?}", service.model().drift);
}

/// Feeds the release until a model trained for drift serves; says after how many events, and when the
/// alarm was first seen.
fn drift(service: &Service, from: u64) -> (u64, u64) {
    let mut alarm = None;
    for part in 0..60 {
        analyze(service, &released(from + part * 256, 256));
        let model = service.model();
        if model.drift.as_ref().is_some_and(|drift| drift.drifting) {
            let drift = model.drift.clone().unwrap();
            assert!(drift.since.is_some() && !drift.moved.is_empty(), "{drift:?}");
            alarm.get_or_insert(part);
        }
        if model.origin == Some(Origin::Drift) {
            return (part * 256, alarm.unwrap() * 256);
        }
    }
    panic!(
        "{:?} {:?}",
        service.model(),
        service.models().iter().map(|m| (m.standing, m.why.clone())).collect::<Vec<_>>()
    );
}

#[test]
fn drift_is_told_and_answered_by_a_new_model_that_can_be_rolled_back() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (service, twin) = (open(one.path()), open(two.path()));
    for service in [&service, &twin] {
        analyze(service, &shop(0, 11_000));
        assert!(service.model().drift.unwrap().moved.is_empty());
    }
    let before = service.model().version;
    let (taken_over, alarm) = drift(&service, 11_000);
    assert!(
        alarm <= 4_096 && taken_over <= alarm + 1_024,
        "alarm after {alarm}, new model after {taken_over}"
    );
    // The same stream, with a restart in its midst while a model is on its way.
    let mut restarted = None;
    for part in 0..=taken_over / 256 {
        if part == alarm / 256 + 1 {
            let snapshot = twin.snapshot();
            restarted = Some(open(two.path()));
            restarted.as_ref().unwrap().restore(&snapshot).unwrap();
        }
        analyze(restarted.as_ref().unwrap_or(&twin), &released(11_000 + part * 256, 256));
    }
    let twin = restarted.unwrap();
    assert_eq!(twin.model().version, service.model().version);
    let next = released(30_000, 500);
    assert_eq!(analyze(&service, &next), analyze(&twin, &next));

    let new = service.model().version;
    assert_eq!(service.roll_back().unwrap().version, before);
    for part in 0..30 {
        analyze(&service, &released(31_000 + part * 256, 256));
        assert_eq!(service.model().version, before, "not replaced again at once");
    }
    assert!(service.model().drift.unwrap().drifting, "it goes on saying so");
    assert_eq!(service.model_of(&new).unwrap().standing, Standing::RolledBack);
    drift(&service, 40_000);
    assert_ne!(service.model().version, before);
}

#[test]
fn a_full_disk_during_training_leaves_the_model_that_serves() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let version = service.train(&shop(0, 3_000)).unwrap().model;
    let check = |service: &Service| {
        assert!(service.train(&shop(0, 3_500)).unwrap_err().to_string().contains("serves on"));
        assert_eq!(service.model().version, version);
        assert_eq!(service.predict(&shop(9_000, 1)[0]).model, version);
        assert!(!service.reload().unwrap(), "nothing half-made is taken");
    };
    // What cannot be replaced cannot be written: each in turn, so that a training breaks off at every place.
    for name in ["history", "current"] {
        let (path, aside) = (dir.path().join(name), dir.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        fs::create_dir_all(path.join("full")).unwrap();
        check(&service);
        fs::remove_dir_all(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
    }
    let aside = dir.path().with_extension("aside");
    fs::rename(dir.path(), &aside).unwrap();
    fs::write(dir.path(), b"no folder").unwrap();
    assert!(service.train(&shop(0, 3_500)).is_err());
    // By itself, too: it is counted and tried again later, and events are scored all the while.
    analyze(&service, &shop(3_000, 16_000));
    assert!(service.stats().failed_trainings > 0);
    assert_eq!(service.model().version, version);
    fs::remove_file(dir.path()).unwrap();
    fs::rename(&aside, dir.path()).unwrap();
    let after = open(dir.path());
    assert_eq!((after.model().version, after.models().len()), (version, 1));
    drop(service);
}
