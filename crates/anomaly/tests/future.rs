//! One wrong clock spoils no verdict on the others.

use anomaly::{Config, Service};
use event::{Batch, Event, EventId, JournalId, Position, Timestamp};

#[expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]
fn open(dir: &std::path::Path) -> Service {
    Service::open(Config { events_min: 2_000, ..Config::new(dir) }).unwrap()
}

/// Ordinary traffic, one event every ten seconds.
fn ordinary(from: u64, count: u64) -> Vec<Event<'static>> {
    (from..from + count)
        .map(|n| {
            let at = 1_700_000_000_000_000_000 + i128::from(n) * 10_000_000_000;
            let text = match n % 3 {
                0 => format!("GET /items/{} took {} ms", n % 90, 5 + n * 13 % 40),
                1 => format!("user {} logged in from 10.0.0.{}", n % 40, n % 7),
                _ => format!("served {} bytes", 1_000 + n * 7919 % 250_000),
            };
            let mut event = Event::new(text, Timestamp::saturating_from_nanos(at));
            event.source = Some(["web", "auth"][(n % 2) as usize].into());
            event
        })
        .collect()
}

fn analyze<'a>(service: &Service, events: Vec<Event<'a>>) -> Batch<'a> {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    service.analyze(events.into_iter().map(|event| (id, event)).collect(), Position::default())
}

#[test]
fn events_of_the_far_future_count_as_of_now() {
    let flagged = |stamps: &[&str]| {
        let dir = tempfile::tempdir().expect("a folder");
        let service = open(dir.path());
        analyze(&service, ordinary(0, 6_000));
        for stamp in stamps {
            let mut event = ordinary(6_000, 1).remove(0);
            event.timestamp = Timestamp::parse(stamp).expect("a stamp");
            assert!(event.is_future());
            analyze(&service, vec![event]);
        }
        let next = analyze(&service, ordinary(6_000, 6_000));
        next.events.iter().filter(|event| event.verdict.is_anomaly).count()
    };
    let without = flagged(&[]);
    let with = flagged(&["2099-01-01T00:00:00Z", "2099-01-01T00:00:01Z", "2262-01-01T00:00:00Z"]);
    assert!(with <= without + 1, "{with} flagged beside wrong clocks, {without} without");
}
