//! The stream through its public API, on real folders.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use dead_letter::{Config, DeadLetterError, DeadLetterStream};
use event::{Event, EventId, Position, Timestamp, codec};
use index::{DeadLetter, DeadLetters};
use journal::{Batch, Journal};

fn main_journal(dir: &Path) -> Journal {
    Journal::open(journal::Config::new(dir)).unwrap()
}

fn open(dir: &Path, main: &Journal, budget_bytes: u64) -> DeadLetterStream {
    let config = Config { dir: dir.join("dead_letters"), budget_bytes };
    DeadLetterStream::open(config, main, Position::default()).unwrap()
}

fn letter(main: &Journal, record: u32, message: &str) -> DeadLetter {
    DeadLetter {
        id: EventId { journal: main.id(), position: Position { segment: 0, record } },
        event: Event::new(message.to_owned(), Timestamp::MIN),
        kind: "mapper_parsing_exception".to_owned(),
        reason: "failed to parse".to_owned(),
    }
}

fn replay(stream: &DeadLetterStream, main: &Journal) -> Result<u64, DeadLetterError> {
    stream.replay(|events, note| {
        let mut batch = Batch::new();
        events.iter().for_each(|event| batch.push_with(|out| codec::encode(event, out)));
        batch.note(note);
        main.append_blocking(batch).map(drop)
    })
}

fn messages(stream: &DeadLetterStream) -> Vec<String> {
    let mut found = vec![];
    stream
        .each(Position::default(), |kept| {
            found.push(kept.letter.event.message.into_owned());
            true
        })
        .unwrap();
    found
}

fn journalled(main: &Journal) -> Vec<String> {
    let records = main.read(Position::default(), 1 << 20).unwrap();
    records.iter().map(|(_, record)| codec::decode(record).unwrap().message.into_owned()).collect()
}

#[tokio::test]
async fn letters_survive_a_restart_once_and_are_taken_in_again_once() {
    let dir = tempfile::tempdir().unwrap();
    let main = main_journal(dir.path());
    {
        let stream = open(dir.path(), &main, 8 << 20);
        assert!(stream.is_empty());
        stream.put(vec![letter(&main, 1, "one"), letter(&main, 2, "two")]).await.unwrap();
        assert_eq!(stream.len(), 2);
    }
    let stream = open(dir.path(), &main, 8 << 20);
    // The index reads the same events again after a restart, and refuses one of them again.
    stream.put(vec![letter(&main, 2, "two"), letter(&main, 3, "three")]).await.unwrap();
    assert_eq!(messages(&stream), ["one", "two", "three"]);
    assert_eq!(stream.len(), 3);

    assert_eq!(replay(&stream, &main).unwrap(), 3);
    assert_eq!(replay(&stream, &main).unwrap(), 0);
    assert!(stream.is_empty() && messages(&stream).is_empty());
    assert_eq!(journalled(&main), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_crash_between_taking_in_and_moving_on_takes_nothing_in_twice() {
    let dir = tempfile::tempdir().unwrap();
    let main = main_journal(dir.path());
    let stream = open(dir.path(), &main, 8 << 20);
    stream.put(vec![letter(&main, 1, "one")]).await.unwrap();
    let cursor = dir.path().join("dead_letters/cursors/open.cursor");
    let before = std::fs::read(&cursor).unwrap_or_default();
    replay(&stream, &main).unwrap();
    drop(stream);
    // As if the process had ended before the cursor was written.
    std::fs::write(&cursor, before).unwrap();
    let stream = open(dir.path(), &main, 8 << 20);
    assert_eq!(replay(&stream, &main).unwrap(), 0);
    assert_eq!(journalled(&main), ["one"]);
}

#[tokio::test]
async fn discarded_letters_are_gone_and_a_full_stream_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let main = main_journal(dir.path());
    let stream = open(dir.path(), &main, 1 << 20);
    let long = "x".repeat(200 << 10);
    let mut kept = 0;
    while stream.put(vec![letter(&main, kept, &long)]).await.is_ok() {
        kept += 1;
        assert!(kept < 10, "the budget does not bite");
    }
    assert_eq!(stream.len(), u64::from(kept));
    assert_eq!(stream.discard().unwrap(), u64::from(kept));
    stream.put(vec![letter(&main, 99, "room again")]).await.unwrap();
    assert_eq!(messages(&stream), ["room again"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn letters_put_while_others_are_taken_in_again_are_all_counted() {
    let dir = tempfile::tempdir().unwrap();
    let main = main_journal(dir.path());
    let stream = std::sync::Arc::new(open(dir.path(), &main, 8 << 20));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (stream, main) = (stream.clone(), main.clone());
        writers.spawn(async move {
            for number in 0..50 {
                stream.put(vec![letter(&main, writer * 50 + number, "again")]).await.unwrap();
            }
        });
    }
    let takers = (0..2).map(|_| {
        let (stream, main) = (stream.clone(), main.clone());
        tokio::task::spawn_blocking(move || (0..20).map(|_| replay(&stream, &main).unwrap()).sum::<u64>())
    });
    let takers: Vec<_> = takers.collect();
    let mut taken = 0;
    for taker in takers {
        taken += taker.await.unwrap();
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    assert_eq!((stream.len(), messages(&stream).len() as u64), (200 - taken, 200 - taken));
    assert_eq!(stream.discard().unwrap(), 200 - taken);
    assert!(stream.is_empty());
}

#[tokio::test]
async fn damaged_letters_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let main = main_journal(dir.path());
    let stream = open(dir.path(), &main, 8 << 20);
    stream
        .put((0..3).map(|number| letter(&main, number, &format!("letter {number}"))).collect())
        .await
        .unwrap();
    assert!(stream.damage().is_empty());
    drop(stream);
    let segment = dir.path().join("dead_letters/0000000000.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(8).position(|window| window == b"letter 1").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let stream = open(dir.path(), &main, 8 << 20);
    assert_eq!(messages(&stream), ["letter 0", "letter 2"]);
    let (health, stop) = (telemetry::health::Health::new(), telemetry::task::Stop::new());
    let stream = std::sync::Arc::new(stream);
    let watching = stream.clone().watch(health.component("dead_letters"), stop.clone());
    let told = async {
        let reason = || health.reports()[0].reason.clone();
        while reason().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        reason()
    };
    let ((), told) = tokio::join!(watching, told);
    assert!(
        told.contains("2 events that the index refused") && told.contains("1 records could not be read"),
        "{told}"
    );
}
