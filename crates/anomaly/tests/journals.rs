//! Scoring for journals elsewhere: each in its own order, and nothing learned twice.

use std::{ops::Range, sync::Arc};

use anomaly::{Config, Journals, ModelError, Sent, Service};
use event::{Event, EventId, JournalId, Position, Timestamp};

#[expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]
fn journals(journals_max: usize) -> (Journals, Arc<Service>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let service = Arc::new(Service::open(Config::new(dir.path())).unwrap());
    (Journals::new(Arc::clone(&service), journals_max), service, dir)
}

fn at(record: u32) -> Position {
    Position { segment: 1, record }
}

/// Records of a journal's second segment.
fn sent(journal: u128, records: Range<u32>) -> Sent<'static> {
    let journal = JournalId(journal);
    let event = |record| Event::new(format!("request {record} took 5 ms"), Timestamp::MIN);
    let events = records.clone().map(|record| (EventId { journal, position: at(record) }, event(record)));
    Sent { journal, events: events.collect(), last: records.last().map(at) }
}

#[test]
fn what_is_sent_again_is_answered_and_not_learned_again() {
    let (journals, service, _dir) = journals(2);
    let first = journals.score(sent(7, 0..10));
    assert_eq!((first.repeated, first.verdicts.len(), service.stats().scored), (0, 10, 10));
    let again = journals.score(sent(7, 5..15));
    assert_eq!((again.repeated, again.verdicts.len(), service.stats().scored), (5, 10, 15));
    assert_eq!(again.verdicts[..5], first.verdicts[5..]);
    let unread = Sent { events: vec![], ..sent(7, 15..20) };
    assert_eq!(journals.score(unread).verdicts, []);
    assert_eq!(journals.score(sent(7, 18..20)).repeated, 2, "what could not be read is behind it too");
    let new = vec![Event::new("request 1 took 5 ms", Timestamp::MIN); 2];
    assert_eq!((journals.score_new(new).repeated, service.stats().scored), (0, 17));
}

#[test]
fn the_journal_unused_for_longest_is_forgotten() {
    let (journals, ..) = journals(2);
    for (journal, repeated) in [(1, 0), (2, 0), (1, 3), (3, 0), (1, 3), (2, 0)] {
        assert_eq!(journals.score(sent(journal, 0..3)).repeated, repeated, "{journal}");
    }
}

#[test]
fn a_snapshot_has_the_bytes_that_its_format_says() {
    let (journals, service, _dir) = journals(2);
    let mut bytes = [b"LSSTREAM".as_slice(), &1u32.to_le_bytes(), &1u32.to_le_bytes()].concat();
    bytes.extend_from_slice(&7u128.to_le_bytes());
    bytes.extend_from_slice(&(1u64 << 32 | 9).to_le_bytes());
    bytes.extend_from_slice(&service.snapshot());
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    journals.restore(&bytes).unwrap();
    assert_eq!(journals.snapshot(), bytes);
    assert_eq!(journals.score(sent(7, 8..12)).repeated, 2);
    let last = bytes.len() - 1;
    for damaged in [&bytes[..last], b"something else", b""] {
        assert!(matches!(journals.restore(damaged), Err(ModelError::Sealed(_))));
    }
}
