//! What goes through the door: all of a delivery or nothing of it, counted by what became of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use event::{Event, Position, Timestamp};
use intake::{Config, Counts, Door, Origin, Refused};
use journal::{AppendError, Journal, Note};
use problem::Problem;

fn journal(dir: &Path, budget_bytes: u64) -> Journal {
    let config = journal::Config { segment_bytes: 1 << 20, budget_bytes, ..journal::Config::new(dir) };
    Journal::open(config).unwrap()
}

fn clock() -> Timestamp {
    Timestamp::parse("2026-11-29T12:00:00Z").unwrap()
}

fn stored(journal: &Journal) -> Vec<Event<'static>> {
    let records = journal.read(Position::default(), 16 << 20).unwrap();
    records.iter().map(|(_, record)| event::codec::decode(record).unwrap().into_owned()).collect()
}

#[test]
fn what_is_in_a_delivery_is_counted_by_what_became_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path(), 16 << 20);
    let age = std::time::Duration::from_secs(3600);
    let config = Config { line_bytes_max: 64, retention: Some(age), held_bytes_max: 1, ..Config::default() };
    let door = Door::new(journal.clone(), config, clock);
    let long = "x".repeat(100);
    let body = format!(
        "{{\"message\":\"{long}\"}}\n{{\"message\":\n{{\"message\":\"old\",\"time\":\"2026-11-29T10:59:59Z\"}}\n\
         {{\"message\":\"new\",\"time\":\"2026-11-29T11:00:00Z\"}}\n"
    );
    let mut delivery = door.own_delivery();
    door.read(&mut delivery, &Origin::default(), parse::Format::Ndjson, body.as_bytes());
    let refused: Vec<u64> = delivery.refused().iter().map(|problem| problem.line).collect();
    assert_eq!(refused, [2]);
    delivery.note(Note { key: b"place".to_vec(), value: Some(b"here".to_vec()) });
    let receipt = door.append_blocking(delivery).unwrap();
    assert_eq!(
        receipt.counts,
        Counts { accepted: 3, refused: 1, truncated: 1, expired: 1, ..Counts::default() }
    );
    assert_eq!((receipt.end, journal.note(b"place")), (journal.end(), Some(b"here".to_vec())));
    assert_eq!(stored(&journal)[0].message, "x".repeat(64), "cut in the journal");
}

#[test]
fn what_the_journal_does_not_take_is_given_back_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path(), 2 << 20);
    let door = Door::new(journal.clone(), Config::default(), clock);
    let mut delivery = door.delivery();
    for _ in 0..4 {
        delivery.put(Ok(Event::new("x".repeat(1 << 20), clock())));
    }
    let refused = door.append_blocking(delivery).unwrap_err();
    assert!(matches!(refused, Refused::Journal { source: AppendError::Full { .. }, .. }), "{refused}");
    assert_eq!(Problem::from(refused).status, 413, "it can never fit");
    assert_eq!(journal.end(), Position::default());
}

#[test]
fn lines_that_belong_together_are_one_event_within_the_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path(), 16 << 20);
    let config = Config { line_bytes_max: 64, ..Config::default() };
    let door = Door::new(journal.clone(), config, clock);
    let body = format!("ERROR failed\n{}INFO next\n", "\tat a.B.c(B.java:1)\n".repeat(3));
    let mut delivery = door.own_delivery();
    door.read(&mut delivery, &Origin::default(), parse::Format::Lines, body.as_bytes());
    let receipt = door.append_blocking(delivery).unwrap();
    assert_eq!(receipt.counts, Counts { accepted: 3, rest: 1, ..Counts::default() }, "nothing is cut");
    let originals: Vec<_> = stored(&journal).iter().filter_map(|event| event.original.clone()).collect();
    assert_eq!(originals.join("\n") + "\n", body);
}
