// What is done with each input of the fuzz target `letters`; an ordinary test does the same.

use std::{convert::Infallible, path::Path, sync::OnceLock};

use dead_letter::{Config, DeadLetterStream};
use event::{Event, EventId, JournalId, Position, Timestamp};
use index::{DeadLetter, DeadLetters};
use journal::Journal;
use tempfile::TempDir;

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

fn open(dir: &Path, main: &Journal) -> DeadLetterStream {
    let config = Config { dir: dir.join("dead_letters"), budget_bytes: 8 << 20 };
    DeadLetterStream::open(config, main, Position::default()).unwrap()
}

fn files(dir: &Path) -> Journal {
    let here = journal::Config::new(dir);
    let dir = dir.join("dead_letters");
    Journal::open(journal::Config { cursors_dir: dir.join("cursors"), dir, ..here }).unwrap()
}

/// A main journal, and a letter as it is kept.
fn honest() -> &'static (TempDir, Journal, Vec<u8>) {
    static HONEST: OnceLock<(TempDir, Journal, Vec<u8>)> = OnceLock::new();
    HONEST.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let main = Journal::open(journal::Config::new(dir.path())).unwrap();
        let mut event = Event::new("refused", Timestamp::MIN);
        event.set("labels.size", "large");
        let id = EventId { journal: JournalId(7), position: Position { segment: 0, record: 3 } };
        let (kind, reason) = ("mapper_parsing_exception".to_owned(), "failed to parse".to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stream = open(dir.path(), &main);
        runtime.block_on(stream.put(vec![DeadLetter { id, event, kind, reason }])).unwrap();
        drop(stream);
        let records = files(dir.path()).read(Position::default(), 1 << 20).unwrap();
        let record = records.iter().next().unwrap().1.to_vec();
        (dir, main, record)
    })
}

/// Opens a stream that holds a letter, bytes, and changes to the letter: what is listed is taken in again once, the
/// good one whatever stands beside it.
pub(crate) fn letters(bytes: &[u8]) {
    let (_, main, record) = honest();
    let dir = tempfile::tempdir().unwrap();
    let mut batch = journal::Batch::new();
    for record in [record, bytes, &changed(record, bytes)] {
        batch.push_with(|out| out.extend_from_slice(record));
    }
    files(dir.path()).append_blocking(batch).unwrap();
    let stream = open(dir.path(), main);
    let mut listed = Vec::new();
    let each = stream.each(stream.start(), |kept| {
        listed.push(kept.letter.event);
        true
    });
    each.unwrap();
    assert_eq!((stream.len(), listed[0].message.as_ref()), (listed.len() as u64, "refused"));
    let mut taken = Vec::new();
    let replayed = stream.replay(|events, _| {
        taken.extend(events);
        Ok::<_, Infallible>(())
    });
    assert_eq!(replayed.unwrap(), listed.len() as u64);
    // By their text, for NaN differs from itself.
    assert_eq!(format!("{taken:?}"), format!("{listed:?}"));
    assert!(stream.is_empty() && stream.discard().unwrap() == 0);
}
