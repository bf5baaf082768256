//! Tests that need a failing disk or a crash.

mod damage;
mod failing;
pub(crate) mod faults;
mod model;

use std::{fs, path::Path};

use super::*;

/// Worth trimming.
const TRIMMED_BYTES: usize = 100_000;

fn config(dir: &Path) -> Config {
    Config { segment_bytes: 1 << 20, budget_bytes: 16 << 20, notes_max: 100, ..Config::new(dir) }
}

fn open_failing(config: Config) -> (Journal, std::sync::Arc<faults::Faults>) {
    let faults = std::sync::Arc::new(faults::Faults::default());
    let journal = Journal::open_on(config, Disk { faults: Some(faults.clone()) }).unwrap();
    (journal, faults)
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn batch(records: &[&[u8]]) -> Batch {
    let mut batch = Batch::new();
    for record in records {
        batch.push_with(|bytes| bytes.extend_from_slice(record));
    }
    batch
}

fn noted(records: &[&[u8]], key: &str, value: &str) -> Batch {
    let mut batch = batch(records);
    batch.note(Note { key: key.into(), value: Some(value.into()) });
    batch
}

fn all(journal: &Journal) -> (Vec<Vec<u8>>, u64) {
    let (mut from, mut found, mut damaged) = (Position::default(), Vec::new(), 0);
    loop {
        let records = journal.read(from, 1000).unwrap();
        damaged += records.damaged();
        found.extend(records.iter().map(|(_, record)| record.to_vec()));
        from = records.end();
        if records.is_empty() {
            return (found, damaged);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            match fs::copy(entry.path(), to.join(entry.file_name())) {
                // Deleted by the journal meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}

#[test]
fn what_was_appended_is_read_back_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    let id = journal.id();
    let big = vec![7; 200_000];
    let appended = journal.append_blocking(noted(&[b"one", b"", &big], "k", "v")).unwrap();
    assert_eq!(appended.first, Position { segment: 0, record: 0 });
    assert_eq!(appended.end, Position { segment: 0, record: 3 });
    assert!(matches!(Journal::open(config(dir.path())), Err(OpenError::Locked { .. })));
    drop(journal);
    let journal = Journal::open(config(dir.path())).unwrap();
    assert_eq!((journal.id(), journal.end()), (id, appended.end));
    assert_eq!(journal.note(b"k"), Some(b"v".to_vec()));
    assert_eq!(all(&journal), (vec![b"one".to_vec(), Vec::new(), big], 0));
    journal.append_blocking(batch(&[b"four"])).unwrap();
    assert_eq!(all(&journal).0.len(), 4);
}

#[test]
fn a_tail_torn_at_any_byte_loses_only_batches_that_end_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    let path = segment_path(&dir.path().join("journal"), 0);
    let mut ends = Vec::new();
    for index in 0..4_u8 {
        journal.append_blocking(noted(&[&[index; 30], &[index; 5]], "last", &index.to_string())).unwrap();
        ends.push(fs::metadata(&path).unwrap().len());
    }
    let whole = fs::read(&path).unwrap();
    let meta = fs::read(dir.path().join("journal/meta")).unwrap();
    for length in 0..=whole.len() {
        let crashed = tempfile::tempdir().unwrap();
        fs::create_dir_all(crashed.path().join("journal")).unwrap();
        fs::write(crashed.path().join("journal/meta"), &meta).unwrap();
        fs::write(segment_path(&crashed.path().join("journal"), 0), &whole[..length]).unwrap();
        let kept = ends.iter().filter(|&&end| end <= length as u64).count();
        let again = Journal::open(config(crashed.path())).unwrap();
        let (found, damaged) = all(&again);
        assert_eq!((found.len(), damaged), (2 * kept, 0), "cut at {length}");
        let note = kept.checked_sub(1).map(|last| last.to_string().into_bytes());
        assert_eq!(again.note(b"last"), note, "cut at {length}");
        again.append_blocking(batch(&[b"new"])).unwrap();
        assert_eq!(all(&again).0.last().unwrap(), b"new", "cut at {length}");
    }
}

/// Every byte of a block but its records', and some of everything else, the same ones in each run.
fn places_to_damage(path: &Path, key: format::Key, length: usize) -> Vec<usize> {
    use proptest::{sample::subsequence, strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut some = |places: std::ops::Range<usize>, count| {
        let places: Vec<_> = places.collect();
        subsequence(places, count).new_tree(&mut runner).unwrap().current()
    };
    let mut places = some(0..format::FILE_HEADER, 8);
    let mut scan = scan::Scan::open(path, key, 0, format::FILE_HEADER as u64, length as u64, length).unwrap();
    let mut blocks = 0;
    while let Some(item) = scan.next(true).unwrap() {
        let scan::Item::Block { offset, header } = item else { panic!("{item:?}") };
        let (start, end) = (offset as usize, (offset + header.block_bytes()) as usize);
        let payload = start + format::BLOCK_HEADER;
        let table = payload + header.payload_bytes as usize;
        if blocks == 2 {
            places.extend((start..payload).chain(table..end));
        } else {
            places.extend(some(start..payload, 4));
        }
        if payload < table {
            places.extend(some(payload..table, 6));
        }
        blocks += 1;
    }
    assert_eq!(blocks, 7, "the notes carried over, five batches, the close");
    places
}

#[test]
fn a_flipped_byte_loses_at_most_its_record_or_block() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    for index in 0..5_u8 {
        journal.append_blocking(noted(&[&[index; 20], &[index; 40], &[index; 30]], "k", "v")).unwrap();
    }
    let key = journal.shared().key;
    drop(journal);
    let path = segment_path(&dir.path().join("journal"), 0);
    let whole = fs::read(&path).unwrap();
    for at in places_to_damage(&path, key, whole.len()) {
        let damaged_dir = tempfile::tempdir().unwrap();
        copy(dir.path(), damaged_dir.path());
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(segment_path(&damaged_dir.path().join("journal"), 0), &bytes).unwrap();
        let journal = Journal::open(config(damaged_dir.path())).unwrap();
        let (found, damaged) = all(&journal);
        assert!(found.len() >= 12 && found.len() as u64 + damaged == 15, "{at}: {} {damaged}", found.len());
        assert_eq!(journal.status().damaged_records, damaged, "{at}");
        for record in &found {
            assert!([20, 40, 30].contains(&record.len()) && record.iter().all(|byte| byte == &record[0]));
        }
        drop(journal);
        let (mut seen, mut lost) = (0, 0);
        lost += cat(&damaged_dir.path().join("journal"), |_, _| {
            seen += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!((seen, lost), (found.len(), damaged), "{at}");
    }
}

#[test]
fn segments_go_when_every_cursor_is_past_them_and_notes_stay() {
    let dir = tempfile::tempdir().unwrap();
    let small = Config { segment_bytes: 100_000, ..config(dir.path()) };
    let journal = Journal::open(small.clone()).unwrap();
    let (mut fast, slow) = (journal.cursor("fast").unwrap(), journal.cursor("slow").unwrap());
    for index in 0..10 {
        journal.append_blocking(noted(&[&[1; 60_000]], &format!("k{index}"), "v")).unwrap();
    }
    fast.commit(journal.end()).unwrap();
    assert_eq!(journal.status().start.segment, 0);
    drop((fast, slow));
    drop(journal);
    // A cursor of an earlier run counts before anybody asks for it.
    let journal = Journal::open(small).unwrap();
    let mut fast = journal.cursor("fast").unwrap();
    assert_eq!(fast.position(), journal.end());
    fast.commit(journal.end()).unwrap();
    assert_eq!((all(&journal).0.len(), journal.notes(b"k").len()), (10, 10));
    let mut slow = journal.cursor("slow").unwrap();
    slow.commit(journal.end()).unwrap();
    wait_until("trimmed", || journal.status().bytes <= 10_000);
    assert_eq!(journal.notes(b"k").len(), 10);
    assert_eq!(journal.end().record, 0);
    assert!(journal.read(slow.position(), 100).unwrap().is_empty());
    journal.append_blocking(batch(&[b"next"])).unwrap();
    let next = journal.read(slow.position(), 100).unwrap();
    assert_eq!(next.iter().next().unwrap().1, b"next");
}

#[test]
fn notes_outlive_an_unclean_stop_and_everything_being_read() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    journal.append_blocking(noted(&[b"record"], "k", "v")).unwrap();
    let crashed = tempfile::tempdir().unwrap();
    copy(dir.path(), crashed.path());
    drop(journal);
    for _ in 0..3 {
        // Never closed in order: the process behind the copy died.
        let journal = Journal::open(config(crashed.path())).unwrap();
        let mut cursor = journal.cursor("reader").unwrap();
        cursor.commit(journal.end()).unwrap();
        assert_eq!(journal.note(b"k").as_deref(), Some(&b"v"[..]));
        drop(cursor);
        drop(journal);
    }
}

#[test]
fn reading_from_a_deleted_segment_begins_at_the_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(Config { segment_bytes: 4096, ..config(dir.path()) }).unwrap();
    for index in 0..4_u8 {
        journal.append_blocking(batch(&[&[index; 5000]])).unwrap();
    }
    let mut cursor = journal.cursor("reader").unwrap();
    cursor.commit(Position { segment: 2, record: 0 }).unwrap();
    assert_eq!(journal.status().start, Position { segment: 2, record: 0 });
    for gone in [Position::default(), Position { segment: 1, record: 0 }, Position { segment: 1, record: 77 }]
    {
        let records = journal.read(gone, 1).unwrap();
        let (position, record) = records.iter().next().unwrap();
        assert_eq!((position, record[0]), (Position { segment: 2, record: 0 }, 2), "from {gone}");
        assert_eq!(records.damaged(), 0);
    }
}

#[test]
fn commits_of_one_name_at_once_never_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    for _ in 0..20 {
        journal.append_blocking(batch(&[b"r"])).unwrap();
    }
    std::thread::scope(|scope| {
        for start in 0..4 {
            let mut cursor = journal.cursor("shared").unwrap();
            scope.spawn(move || {
                for record in (start..=20).step_by(4) {
                    cursor.commit(Position { segment: 0, record }).unwrap();
                    assert!(cursor.position().record >= record);
                }
            });
        }
    });
    drop(journal);
    let journal = Journal::open(config(dir.path())).unwrap();
    assert_eq!(journal.cursor("shared").unwrap().position(), Position { segment: 0, record: 20 });
    assert!(journal.status().problems.is_empty());
}

#[test]
fn an_orderly_stop_leaves_little_when_all_is_read() {
    for all_read in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(config(dir.path())).unwrap();
        let (mut fast, mut slow) = (journal.cursor("fast").unwrap(), journal.cursor("slow").unwrap());
        let large = vec![1; TRIMMED_BYTES];
        let end = journal.append_blocking(noted(&[&large, b"last"], "k", "v")).unwrap().end;
        fast.commit(end).unwrap();
        slow.commit(if all_read { end } else { Position { record: 1, ..end } }).unwrap();
        drop((journal, fast, slow));
        let bytes: u64 = fs::read_dir(dir.path().join("journal"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "segment"))
            .map(|entry| entry.metadata().unwrap().len())
            .sum();
        assert_eq!(bytes < 1000, all_read, "{bytes}");
        let journal = Journal::open(config(dir.path())).unwrap();
        let slow = journal.cursor("slow").unwrap();
        let unread = journal.read(slow.position(), 1000).unwrap();
        assert_eq!(unread.len(), usize::from(!all_read));
        assert_eq!((journal.note(b"k"), journal.status().problems), (Some(b"v".to_vec()), Vec::new()));
        journal.append_blocking(batch(&[b"next"])).unwrap();
        assert_eq!(all(&journal).0.last().unwrap(), b"next");
    }
}

#[test]
fn notes_outlive_a_crash_after_which_all_is_read() {
    for large in [10, TRIMMED_BYTES] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(config(dir.path())).unwrap();
        journal.cursor("reader").unwrap();
        journal.append_blocking(noted(&[&vec![1; large]], "k", "v")).unwrap();
        let crashed = tempfile::tempdir().unwrap();
        copy(dir.path(), crashed.path());
        // A segment that was only just begun has no notes yet.
        fs::write(segment_path(&crashed.path().join("journal"), 1), []).unwrap();
        for _ in 0..3 {
            let journal = Journal::open(config(crashed.path())).unwrap();
            assert_eq!((journal.note(b"k"), journal.status().problems), (Some(b"v".to_vec()), Vec::new()));
            let mut reader = journal.cursor("reader").unwrap();
            reader.commit(journal.end()).unwrap();
            assert!(journal.read(reader.position(), 1000).unwrap().is_empty());
        }
    }
}

#[test]
fn a_batch_torn_behind_an_orderly_close_is_no_orderly_close() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    journal.append_blocking(batch(&[b"kept"])).unwrap();
    drop(journal);
    let path = segment_path(&dir.path().join("journal"), 0);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([7; 30]);
    fs::write(&path, bytes).unwrap();
    for _ in 0..3 {
        let journal = Journal::open(config(dir.path())).unwrap();
        assert_eq!((all(&journal).0.len(), journal.end()), (1, Position { segment: 1, record: 0 }));
        journal.cursor("reader").unwrap().commit(journal.end()).unwrap();
        assert_eq!(journal.status().problems, []);
    }
}
