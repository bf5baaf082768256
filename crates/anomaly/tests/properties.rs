//! What holds for any stream, at any point of it.

use std::fs;

use anomaly::{Config, Service};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp};
use proptest::prelude::*;

#[expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]
fn open(dir: &std::path::Path) -> Service {
    Service::open(Config { events_min: 200, ..Config::new(dir) }).unwrap()
}

/// An event of one of a few programs; times may step back.
fn any_event() -> impl Strategy<Value = Event<'static>> {
    let message = prop_oneof![
        (0u32..60, 0u32..70_000)
            .prop_map(|(host, port)| format!("Accepted key from 10.0.0.{host} port {port}")),
        (0u64..1 << 40).prop_map(|bytes| format!("served {bytes} bytes")),
        "[a-z]{1,6} [a-z]{1,6} [0-9.]{1,8}",
        ".{0,40}",
    ];
    (message, 0u64..40_000, 0u8..4, 0u8..6).prop_map(|(message, seconds, source, level)| {
        let nanos = 1_700_000_000_000_000_000 + i128::from(seconds) * 1_000_000_000;
        let mut event = Event::new(message, Timestamp::saturating_from_nanos(nanos));
        event.source = (source > 0).then(|| format!("program-{source}").into());
        event.severity = Severity::from_u8(level).unwrap_or(Severity::Info);
        event
    })
}

fn verdicts(service: &Service, events: &[Event<'static>]) -> Vec<(f32, bool, Vec<String>)> {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let given = events.iter().map(|event| (id, event.clone())).collect();
    let analyzed = service.analyze(given, Position::default()).events;
    analyzed.into_iter().map(|a| (a.verdict.score, a.verdict.is_anomaly, a.verdict.reasons)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_snapshot_at_any_point_goes_on_with_the_same_verdicts(
        events in prop::collection::vec(any_event(), 300..700),
        cut in 0.0f64..1.0,
    ) {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let service = open(one.path());
        let (before, after) = events.split_at((events.len() as f64 * cut) as usize);
        verdicts(&service, before);
        let snapshot = service.snapshot();
        for version in service.models().into_iter().map(|model| model.version) {
            fs::create_dir(two.path().join(&version)).unwrap();
            let from = one.path().join(&version).join("model.bin");
            fs::copy(from, two.path().join(&version).join("model.bin")).unwrap();
        }
        let other = open(two.path());
        other.restore(&snapshot).unwrap();
        let (went_on, began_anew) = (verdicts(&service, after), verdicts(&other, after));
        prop_assert_eq!(&went_on, &began_anew);
        prop_assert_eq!(service.snapshot(), other.snapshot());
        for (score, is_anomaly, reasons) in went_on {
            prop_assert!((0.0..=1.0).contains(&score));
            prop_assert!(is_anomaly != reasons.is_empty(), "{reasons:?}");
        }
    }

    #[test]
    fn prediction_says_what_analysis_would(events in prop::collection::vec(any_event(), 250..400), next in any_event()) {
        let dir = tempfile::tempdir().unwrap();
        let service = open(dir.path());
        verdicts(&service, &events);
        // An event apart from the stream is not compared with the stream's clock; this one continues it.
        let mut next = next;
        next.source.clone_from(&events[0].source);
        next.timestamp = events.iter().filter(|event| event.source == next.source).map(|event| event.timestamp).max().unwrap();
        let predicted = service.predict(&next);
        prop_assert!((0.0..=1.0).contains(&predicted.score));
        if predicted.template.is_some() {
            let (score, ..) = verdicts(&service, &[next]).remove(0);
            prop_assert!((predicted.score - score).abs() <= 0.002, "{} {score}", predicted.score);
        }
    }
}

#[test]
fn every_truncation_of_a_model_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let event = |n: u64| {
        let nanos = 1_700_000_000_000_000_000 + i128::from(n) * 1_000_000_000;
        Event::new(format!("served {} bytes", n * 7919 % 5_000), Timestamp::saturating_from_nanos(nanos))
    };
    let events: Vec<_> = (0..300).map(event).collect();
    let (here, there) = (open(one.path()), open(two.path()));
    let old = here.train(&events[..250]).unwrap().model;
    there.train(&events[..280]).unwrap();
    let new = there.train(&events).unwrap().model;
    let place = one.path().join(&new);
    fs::create_dir(&place).unwrap();
    let bytes = fs::read(two.path().join(&new).join("model.bin")).unwrap();
    let head = 0..bytes.len().min(600);
    let sampled = (600..bytes.len()).step_by(2_999);
    let tail = bytes.len().saturating_sub(50).max(600)..bytes.len();
    for length in head.chain(sampled).chain(tail) {
        fs::write(place.join("model.bin"), &bytes[..length]).unwrap();
        assert!(here.activate(&new).is_err(), "cut to {length} bytes");
    }
    fs::write(place.join("model.bin"), &bytes).unwrap();
    assert_eq!(here.model().version, old);
    assert_eq!(here.activate(&new).unwrap().version, new);
}
