//! The service through its public face.

use std::{fs, ops::ControlFlow};

use anomaly::{Config, ModelError, Service, TrainError};
use disk::sealed::SealedError;
use event::{Batch, Event, EventId, JournalId, Position, Severity, Timestamp, VerdictState};

#[expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]
fn open(dir: &std::path::Path, events_min: usize) -> Service {
    Service::open(Config { events_min, ..Config::new(dir) }).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::saturating_from_nanos(1_700_000_000_000_000_000 + i128::from(seconds) * 1_000_000_000)
}

/// Ordinary traffic of two programs, one event every two seconds.
fn ordinary(from: u64, count: u64) -> Vec<Event<'static>> {
    (from..from + count)
        .map(|n| {
            let (source, message) = match n % 5 {
                0 => (
                    "sshd",
                    format!(
                        "Accepted publickey for deploy from 10.0.0.{} port {}",
                        n % 7 + 1,
                        30_000 + n * 7 % 20_000
                    ),
                ),
                1 => (
                    "sshd",
                    format!("Connection closed by 10.0.0.{} port {}", n % 7 + 1, 30_000 + n * 11 % 20_000),
                ),
                2 if n % 250 == 2 => {
                    ("sshd", format!("Failed password for admin from 10.0.0.9 port {}", 40_000 + n % 999))
                }
                2 => ("web", format!("GET /items/{} took {} ms", n % 90, 5 + n * 13 % 40)),
                3 => ("web", format!("POST /cart took {} ms", 8 + n * 17 % 60)),
                _ => ("web", format!("served {} bytes to 10.0.0.{}", 1_000 + n * 7919 % 250_000, n % 7 + 1)),
            };
            let mut event = Event::new(message, at(n * 2));
            event.source = Some(source.into());
            event.host = Some("web-1".into());
            event
        })
        .collect()
}

fn analyze<'a>(service: &Service, events: Vec<Event<'a>>) -> Batch<'a> {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    service.analyze(events.into_iter().map(|event| (id, event)).collect(), Position::default())
}

fn verdicts(batch: &Batch<'_>) -> Vec<(f32, bool, Vec<String>)> {
    let verdict =
        |a: &event::Analyzed<'_>| (a.verdict.score, a.verdict.is_anomaly, a.verdict.reasons.clone());
    batch.events.iter().map(verdict).collect()
}

#[test]
fn two_logs_are_learned_and_predicted_without_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 2_000);
    assert!(matches!(service.train(&[]), Err(TrainError::NothingUsable)));
    let single = service.predict(&ordinary(0, 1)[0]);
    assert_eq!((single.state, single.needed, single.is_anomaly), (VerdictState::WarmingUp, 2_000, false));
    let trained = service.train(&ordinary(0, 2)).unwrap();
    assert_eq!((trained.state, trained.events, trained.needed), (VerdictState::WarmingUp, 2, 1_998));
    let prediction = service.predict(&ordinary(0, 1)[0]);
    assert!(prediction.template.is_some() && (0.0..=1.0).contains(&prediction.score));
    assert_eq!(service.model().needed, 1_998);
}

#[test]
fn a_first_model_comes_by_itself_and_ordinary_events_stay_ordinary() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 2_000);
    let first = analyze(&service, ordinary(0, 6_000));
    assert_eq!(first.events[0].verdict.state, VerdictState::WarmingUp);
    assert_eq!(first.events[5_999].verdict.state, VerdictState::Scored);
    let next = analyze(&service, ordinary(6_000, 10_000));
    let flagged = next.events.iter().filter(|a| a.verdict.is_anomaly).count();
    assert!(flagged <= 20, "{flagged} of 10,000 flagged");
    assert!(next.events.iter().all(|a| (0.0..=1.0).contains(&a.verdict.score)));
}

#[test]
fn oddities_are_flagged_and_explained() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 2_000);
    analyze(&service, ordinary(0, 20_000));
    let odd = |message: &str, severity| {
        let mut event = Event::new(message.to_owned(), at(40_001));
        (event.source, event.host, event.severity) = (Some("sshd".into()), Some("web-1".into()), severity);
        event
    };
    let fatal = service.predict(&odd("out of memory: cannot allocate session table", Severity::Fatal));
    assert!(fatal.is_anomaly, "{fatal:?}");
    assert!(
        fatal.reasons.iter().any(|reason| reason.contains("first time this template is seen from 'sshd'")),
        "{fatal:?}"
    );
    let mut large = odd("served 940000000 bytes to 10.0.0.3", Severity::Info);
    large.source = Some("web".into());
    let large = service.predict(&large);
    assert!(large.is_anomaly, "{large:?}");
    assert!(large.reasons.iter().any(|reason| reason.starts_with("940,000,000 is ")), "{large:?}");

    let burst: Vec<_> = (0..40)
        .map(|n| {
            let mut event = odd("", Severity::Info);
            event.message = format!("Failed password for admin from 10.0.0.9 port {}", 40_000 + n).into();
            event
        })
        .collect();
    let burst = analyze(&service, burst);
    let flagged: Vec<_> = burst.events.iter().filter(|a| a.verdict.is_anomaly).collect();
    assert!(!flagged.is_empty(), "{:?}", verdicts(&burst));
    assert!(
        flagged.iter().any(|a| a.verdict.reasons.iter().any(|r| r.contains("within a minute"))),
        "{flagged:?}"
    );
    assert!(flagged.iter().all(|a| (1..=4).contains(&a.verdict.reasons.len())));
}

#[test]
fn the_same_snapshot_gives_the_same_verdicts() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = open(one.path(), 2_000);
    analyze(&service, ordinary(0, 5_000));
    let snapshot = service.snapshot();
    assert_eq!(snapshot, service.snapshot());
    for entry in fs::read_dir(one.path()).unwrap().map(Result::unwrap).filter(|e| e.path().is_dir()) {
        fs::create_dir(two.path().join(entry.file_name())).unwrap();
        fs::copy(entry.path().join("model.bin"), two.path().join(entry.file_name()).join("model.bin"))
            .unwrap();
    }
    let other = open(two.path(), 2_000);
    other.restore(&snapshot).unwrap();
    assert_eq!(other.model().version, service.model().version);
    let (a, b) = (analyze(&service, ordinary(5_000, 3_000)), analyze(&other, ordinary(5_000, 3_000)));
    assert_eq!(verdicts(&a), verdicts(&b));
    assert_eq!(service.snapshot(), other.snapshot());
}

/// Made when windows knew nothing of failures and snapshots nothing of sessions: fifty events of one template.
#[test]
fn a_snapshot_with_a_window_of_layout_2_is_gone_on_from() {
    let old = include_bytes!("fixtures/window-2.snapshot");
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 1_000);
    service.restore(old).unwrap();
    assert_eq!((service.model().events, service.stats().templates), (50, 1));
    let mut event = Event::new("took 51 ms for 10.0.0.3", at(51));
    event.source = Some("shop".into());
    let known = service.predict(&event).template.unwrap();
    assert_eq!(known.text, "took <int> ms for <ip>");
    let newest = service.snapshot();
    assert_ne!(newest, old);
    service.restore(&newest).unwrap();
    assert_eq!(service.snapshot(), newest);
    for length in 0..old.len() {
        assert!(service.restore(&old[..length]).is_err(), "{length}");
    }
}

#[test]
fn damaged_snapshots_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 2_000);
    analyze(&service, ordinary(0, 100));
    let snapshot = service.snapshot();
    for length in (0..snapshot.len()).step_by(37) {
        assert!(service.restore(&snapshot[..length]).is_err(), "{length}");
    }
    for at in (0..snapshot.len()).step_by(41) {
        let mut flipped = snapshot.clone();
        flipped[at] ^= 4;
        assert!(service.restore(&flipped).is_err(), "{at}");
    }
    assert_eq!(service.snapshot(), snapshot);
}

#[test]
fn prediction_changes_nothing_and_training_serves_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 2_000);
    let trained = service.train(&ordinary(0, 3_000)).unwrap();
    assert_eq!(trained.state, VerdictState::Scored);
    assert_eq!(service.model().version, trained.model);
    let before = service.snapshot();
    let prediction = service.predict(&ordinary(3_000, 1)[0]);
    assert_eq!((prediction.state, prediction.model), (VerdictState::Scored, trained.model));
    assert!(prediction.score < 0.5);
    assert_eq!(service.snapshot(), before);
}

#[test]
fn models_of_another_process_are_taken_and_broken_ones_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (here, there) = (open(one.path(), 500), open(two.path(), 500));
    let old = here.train(&ordinary(0, 600)).unwrap().model;
    there.train(&ordinary(0, 700)).unwrap();
    let new = there.train(&ordinary(0, 800)).unwrap().model;
    let bytes = fs::read(two.path().join(&new).join("model.bin")).unwrap();
    let place = one.path().join(&new);
    fs::create_dir(&place).unwrap();

    assert!(!open(two.path(), 500).reload().unwrap());
    let step = bytes.len() / 60;
    for length in (0..bytes.len()).step_by(step.max(1)) {
        fs::write(place.join("model.bin"), &bytes[..length]).unwrap();
        assert!(
            matches!(here.activate(&new), Err(ModelError::Sealed(SealedError::Damaged { .. }))),
            "{length}"
        );
    }
    fs::write(place.join("model.bin"), b"something else altogether, and long enough to be read").unwrap();
    assert!(matches!(here.activate(&new), Err(ModelError::Sealed(SealedError::Foreign { .. }))));
    assert!(here.reload().is_err());
    assert_eq!(here.model().version, old);
    assert!(matches!(here.activate("../../etc"), Err(ModelError::Unknown { .. })));

    let fresh = open(one.path(), 500);
    assert_eq!(fresh.model().version, old);
    fs::write(place.join("model.bin"), &bytes).unwrap();
    assert_eq!(here.activate(&new).unwrap().version, new);
    assert_eq!(here.activate(&old).unwrap().version, old);
    fs::write(one.path().join("current"), &new).unwrap();
    assert!(here.reload().unwrap());
    assert_eq!(here.model().version, new);
    assert_eq!(here.models().iter().filter(|model| model.active).count(), 1);
}

#[test]
fn hostile_streams_stay_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 300);
    let repeated = vec![Event::new("the same line", at(1)); 1_000];
    let batch = analyze(&service, repeated);
    assert!(batch.events.iter().skip(600).all(|a| !a.verdict.is_anomaly));
    let backwards = (0..500).map(|n| Event::new(format!("tick {n}"), at(1_000_000 - n * 100))).collect();
    analyze(&service, backwards);
    let extremes = [Timestamp::MIN, Timestamp::MAX, at(5), Timestamp::MAX, Timestamp::MIN];
    analyze(
        &service,
        extremes.map(|time| Event::new("tick 99999999999999999999999 1e999 NaN -inf", time)).to_vec(),
    );
    analyze(&service, vec![Event::new("x1 ".repeat(350_000), at(7)), Event::new("", at(8))]);
    let many = (0..30_000u32)
        .map(|n| Event::new(format!("word{} {}", n, "y".repeat(n as usize % 9)), at(9)))
        .collect();
    let batch = analyze(&service, many);
    assert!(batch.events.iter().all(|a| (0.0..=1.0).contains(&a.verdict.score)));
    assert!(service.stats().shapes <= 16_384);
}

/// One line of a shop's web server every seven seconds.
fn shop(n: u64) -> Event<'static> {
    event_at(at(n * 7), "web", format!("GET /item/{n} took {} ms", 20 + n % 9), Severity::Info)
}

fn event_at(time: Timestamp, source: &'static str, message: String, severity: Severity) -> Event<'static> {
    let mut event = Event::new(message, time);
    (event.source, event.severity) = (Some(source.into()), severity);
    event
}

#[test]
fn a_single_log_is_judged_whenever_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 2_000);
    service.train(&(0..3_000).map(shop).collect::<Vec<_>>()).unwrap();
    let end = 2_999 * 7;
    let start = 1_700_000_000u64;
    for seconds in
        [start + end + 1, start + end + 100, start + end + 86_400, start + end + 31_536_000, start - 3_600]
    {
        let time = Timestamp::saturating_from_nanos(i128::from(seconds) * 1_000_000_000);
        for usual in ["GET /item/17 took 24 ms", "GET /item/2999 took 21 ms", "GET /item/3 took 31 ms"] {
            let usual = service.predict(&event_at(time, "web", usual.to_owned(), Severity::Info));
            assert!(!usual.is_anomaly && usual.score < 0.3, "{seconds}: {usual:?}");
        }
        for source in ["web", "kernel"] {
            let panic = "kernel panic: out of memory in worker".to_owned();
            let odd = service.predict(&event_at(time, source, panic, Severity::Fatal));
            assert!(odd.is_anomaly, "{seconds}: {odd:?}");
        }
    }
    let long = format!("GET /item/17{} took 24 ms", "x".repeat(4_000));
    assert!(service.predict(&event_at(at(end + 7), "web", long, Severity::Info)).score > 0.3);
}

#[test]
fn training_without_any_variety_leaves_trifles_ordinary() {
    let line = |n: u64| event_at(at(n), "web", "GET /health took 12 ms".to_owned(), Severity::Info);
    let still = |n: u64| Event { timestamp: at(5), ..shop(n) };
    let cases: [(&str, Vec<Event<'_>>, Event<'_>, &str); 4] = [
        ("one line", (0..3_000).map(line).collect(), line(3_000), "GET /health took 13 ms"),
        ("one line, one time", vec![line(5); 3_000], line(5), "GET /health took 13 ms"),
        ("one time", (0..3_000).map(still).collect(), still(7), "GET /item/17 took 29 ms"),
        ("an empty line", vec![Event::new("", at(5)); 3_000], Event::new("", at(6)), "."),
    ];
    for (name, training, same, other) in cases {
        let dir = tempfile::tempdir().unwrap();
        let service = open(dir.path(), 2_000);
        service.train(&training).unwrap();
        for later in [0, 1, 100, 86_400] {
            let nanos = i128::from(same.timestamp.as_nanos()) + later * 1_000_000_000;
            let timestamp = Timestamp::saturating_from_nanos(nanos);
            let usual = service.predict(&Event { timestamp, ..same.clone() });
            assert!(!usual.is_anomaly && usual.score < 0.3, "{name}, {later}: {usual:?}");
            let near = service.predict(&Event { timestamp, message: other.into(), ..same.clone() });
            assert!((0.0..=1.0).contains(&near.score), "{name}, {later}: {near:?}");
            if near.template.is_some() {
                assert!(!near.is_anomaly, "{name}, {later}: {near:?}");
            }
        }
        analyze(&service, vec![same; 50]);
    }
}

#[test]
fn a_card_that_contradicts_its_model_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 500);
    let version = service.train(&ordinary(0, 600)).unwrap().model;
    let path = dir.path().join(&version).join("card.json");
    let card = fs::read(&path).unwrap();
    let refused =
        || matches!(service.activate(&version), Err(ModelError::Sealed(SealedError::Damaged { .. })));
    for length in 0..card.len() {
        fs::write(&path, &card[..length]).unwrap();
        assert!(refused(), "cut to {length} bytes");
    }
    let altered = String::from_utf8(card.clone()).unwrap().replace("\"events\": 600", "\"events\": 601");
    fs::write(&path, altered).unwrap();
    assert!(refused());
    assert!(service.models().is_empty());
    fs::write(&path, &card).unwrap();
    assert_eq!(service.activate(&version).unwrap().events, 600);
    fs::remove_file(&path).unwrap();
    assert!(service.activate(&version).is_ok());
}

#[test]
fn a_training_says_how_far_it_is_and_ends_when_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path(), 100);
    let events = ordinary(0, 1_500);
    let mut told = Vec::new();
    let mut all = |learned| {
        told.push(learned);
        ControlFlow::Continue(())
    };
    let first = service.train_watched(&events, &mut all).unwrap().model;
    assert!(told.is_sorted() && told.len() > 3, "{told:?}");
    assert_eq!((told.first(), told.last()), (Some(&0), Some(&1_500)));

    // Wherever it is cancelled, nothing but templates is left of it.
    let dir = tempfile::tempdir().unwrap();
    let other = open(dir.path(), 100);
    for last in 0..told.len() {
        let mut asked = 0;
        let mut until = |_| {
            asked += 1;
            if asked > last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = other.train_watched(&events, &mut until).unwrap_err();
        assert!(matches!(error, TrainError::Cancelled), "{error}");
        assert_eq!(asked, last + 1, "it was asked on after it was told to end");
        let model = other.model();
        assert_eq!((model.version.as_str(), model.events, model.needed), ("", 0, 100), "{last}");
        assert!(other.models().is_empty(), "{last}");
    }
    assert!(other.stats().templates > 0);
    assert_eq!(other.train(&events).unwrap().model, first, "the same model as if nothing had been before");
    let cancelled = other.train_watched(&ordinary(9_000, 600), &mut |_| ControlFlow::Break(()));
    assert!(cancelled.is_err() && other.model().version == first, "the model before serves on");
}
