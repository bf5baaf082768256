//! What is destroyed is told: records found and records told lost are those that were acknowledged.

use std::path::PathBuf;

use proptest::{prelude::*, sample::Index};

use super::*;

const BATCHES: u32 = 12;
const RECORDS: u32 = 3;

/// Segments of three or four batches each.
fn small(dir: &Path) -> Config {
    Config { segment_bytes: 8192, ..config(dir) }
}

fn record(number: u32) -> Vec<u8> {
    let mut record = number.to_be_bytes().to_vec();
    record.resize(700, (number % 251) as u8 | 1);
    record
}

/// A folder as a journal leaves it that was stopped in order, or killed.
fn written(killed: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(small(dir.path())).unwrap();
    journal.cursor("reader").unwrap();
    for batch_number in 0..BATCHES {
        let records: Vec<_> = (0..RECORDS).map(|at| record(batch_number * RECORDS + at)).collect();
        journal.append_blocking(batch(&records.iter().map(Vec::as_slice).collect::<Vec<_>>())).unwrap();
    }
    if !killed {
        drop(journal);
        return dir;
    }
    let copied = tempfile::tempdir().unwrap();
    copy(dir.path(), copied.path());
    copied
}

fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let journal = dir.join("journal");
    crate::recover::segments(&journal).unwrap().iter().map(|number| segment_path(&journal, *number)).collect()
}

/// Opens it and reads everything; gives what was found and what was told lost.
fn account(dir: &Path) -> (u64, u64, Vec<Problem>) {
    let report = verify(&dir.join("journal"), &dir.join("cursors")).unwrap();
    let journal = Journal::open(small(dir)).unwrap();
    let (mut from, mut found, mut lost, mut last) = (Position::default(), 0, 0, None);
    loop {
        let records = journal.read(from, 5000).unwrap();
        lost += records.damaged();
        for (_, bytes) in records.iter() {
            let number = u32::from_be_bytes(*bytes.first_chunk().unwrap());
            assert!(last < Some(number) && record(number) == bytes, "{number} behind {last:?}");
            (last, found) = (Some(number), found + 1);
        }
        if records.is_empty() {
            break;
        }
        from = records.end();
    }
    let status = journal.status();
    assert_eq!(status.damaged_records, lost);
    // It looks closer than a start does, at notes nobody needs any more, say.
    assert!(!report.is_intact() || lost == 0 && status.problems.is_empty(), "{report:?}");
    assert_eq!((report.records, report.damaged_records), (found, lost), "{report:?}");
    let end = journal.end();
    let next = journal.append_blocking(batch(&[b"next"])).unwrap();
    assert!(next.first >= end);
    assert_eq!(journal.read(next.first, 100).unwrap().iter().next().unwrap().1, b"next");
    (found, lost, status.problems)
}

type Way = (&'static str, fn(&[PathBuf]));

#[test]
fn every_way_to_destroy_data_is_told_with_what_is_lost() {
    let overwrite: fn(&[PathBuf]) = |files| {
        let newest = files.last().unwrap();
        fs::write(newest, vec![0; fs::metadata(newest).unwrap().len() as usize]).unwrap();
    };
    let ways: [Way; 8] = [
        ("the newest overwritten with zeros", overwrite),
        ("the newest overwritten with other bytes", |files| {
            fs::write(files.last().unwrap(), vec![7; 3000]).unwrap()
        }),
        ("the newest emptied", |files| fs::write(files.last().unwrap(), []).unwrap()),
        ("the newest removed", |files| fs::remove_file(files.last().unwrap()).unwrap()),
        ("the newest halved", |files| {
            let bytes = fs::read(files.last().unwrap()).unwrap();
            fs::write(files.last().unwrap(), &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("one in the middle removed", |files| fs::remove_file(&files[1]).unwrap()),
        ("one in the middle halved", |files| {
            let bytes = fs::read(&files[1]).unwrap();
            fs::write(&files[1], &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("a hole in the newest", |files| {
            let mut bytes = fs::read(files.last().unwrap()).unwrap();
            let end = bytes.len();
            bytes[end / 2..].fill(0);
            fs::write(files.last().unwrap(), bytes).unwrap();
        }),
    ];
    for killed in [false, true] {
        let sound = written(killed);
        let all = u64::from(BATCHES * RECORDS);
        for (what, destroy) in ways {
            let dir = tempfile::tempdir().unwrap();
            copy(sound.path(), dir.path());
            let files = segment_files(dir.path());
            assert!(files.len() >= 3);
            destroy(&files);
            let (found, lost, problems) = account(dir.path());
            assert!(lost > 0 && found + lost == all, "{what}, killed {killed}: {found} found, {lost} lost");
            assert!(!problems.is_empty(), "{what}, killed {killed}: nothing said at the start");
        }
        assert_eq!(account(sound.path()), (all, 0, vec![]));
    }
}

#[test]
fn what_was_read_before_is_no_loss() {
    let dir = written(false);
    let journal = Journal::open(small(dir.path())).unwrap();
    let end = journal.end();
    journal.cursor("reader").unwrap().commit(Position { segment: end.segment, record: 1 }).unwrap();
    drop(journal);
    let files = segment_files(dir.path());
    assert_eq!(files.len(), 1, "the others went");
    fs::remove_file(&files[0]).unwrap();
    let journal = Journal::open(small(dir.path())).unwrap();
    assert_eq!(journal.status().problems.len(), 1);
    let read = journal.read(journal.cursor("reader").unwrap().position(), 1 << 20).unwrap();
    assert_eq!((read.damaged(), read.len()), (u64::from(end.record) - 1, 0));
}

#[test]
fn a_whole_segment_of_another_journal_or_under_another_name_is_refused() {
    let (dir, other) = (written(false), written(false));
    let files = segment_files(dir.path());
    let sound = fs::read(&files[1]).unwrap();
    fs::copy(&segment_files(other.path())[1], &files[1]).unwrap();
    let refused = |dir: &Path| {
        let looked_at = verify(&dir.join("journal"), &dir.join("cursors")).map(drop);
        [Journal::open(small(dir)).map(drop), looked_at]
    };
    for result in refused(dir.path()) {
        let Err(OpenError::Foreign { path, .. }) = result else { panic!("{result:?}") };
        assert_eq!(path, files[1]);
    }
    fs::copy(&files[0], &files[1]).unwrap();
    for result in refused(dir.path()) {
        let Err(OpenError::Misnamed { path, found: 0 }) = result else { panic!("{result:?}") };
        assert_eq!(path, files[1]);
    }
    fs::write(&files[1], sound).unwrap();
    assert_eq!(account(dir.path()).1, 0, "nothing was changed");
}

#[test]
fn small_files_of_a_newer_version_are_refused_by_name() {
    for (name, length) in
        [("journal/acknowledged", 56), ("journal/manifest", 0), ("cursors/reader.cursor", 52)]
    {
        let dir = written(false);
        let path = dir.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
        let end = if length == 0 { bytes.len() - 4 } else { length - 4 };
        let crc = crc32c::crc32c(&bytes[..end]);
        bytes[end..end + 4].copy_from_slice(&crc.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let opened = Journal::open(small(dir.path())).map(drop);
        let Err(OpenError::Version { path: named, found: 2 }) = opened else { panic!("{name}: {opened:?}") };
        assert_eq!((named, fs::read(&path).unwrap()), (path.clone(), bytes), "{name}");
    }
}

#[test]
fn below_the_reserve_nothing_is_stored_and_it_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let reserve = 1 << 16;
    let (journal, faults) = open_failing(Config { reserve_bytes: reserve, ..config(dir.path()) });
    journal.append_blocking(batch(&[b"before"])).unwrap();
    faults.free_space.store(reserve - 1, std::sync::atomic::Ordering::SeqCst);
    wait_until("the lack of space is seen", || journal.status().free_bytes == Some(reserve - 1));
    let refused = journal.append_blocking(batch(&[b"refused"])).unwrap_err();
    assert!(matches!(refused, AppendError::Reserve { .. }) && refused.is_retryable(), "{refused}");
    assert_eq!(all(&journal).0.len(), 1);
    // Readers and trimming go on meanwhile.
    journal.cursor("reader").unwrap().commit(journal.end()).unwrap();
    faults.free_space.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    wait_until("space is back", || journal.append_blocking(batch(&[b"after"])).is_ok());
}

#[test]
#[cfg(unix)]
fn files_deleted_beneath_it_are_noticed_and_nothing_more_is_acknowledged() {
    for idle in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(config(dir.path())).unwrap();
        journal.append_blocking(batch(&[b"kept"])).unwrap();
        fs::remove_dir_all(dir.path().join("journal")).unwrap();
        if idle {
            wait_until("it is noticed", || journal.status().gone);
        }
        assert!(matches!(journal.append_blocking(batch(&[b"lost"])), Err(AppendError::Poisoned)));
        assert!(journal.status().gone && journal.status().poisoned);
    }
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Truncate(Index),
    Remove,
    Fill(Index, usize, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        2 => any::<Index>().prop_map(Damage::Truncate),
        1 => Just(Damage::Remove),
        2 => (any::<Index>(), 1..5000_usize, prop_oneof![Just(0), any::<u8>()])
            .prop_map(|(at, length, byte)| Damage::Fill(at, length, byte)),
    ]
}

fn apply(path: &Path, damage: &Damage) {
    let mut bytes = fs::read(path).unwrap();
    match damage {
        Damage::Remove => return fs::remove_file(path).unwrap(),
        Damage::Flip(at, bits) => *at.get_mut(&mut bytes) ^= bits,
        Damage::Truncate(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Fill(at, length, byte) => {
            let start = at.index(bytes.len());
            let end = bytes.len().min(start + length);
            bytes[start..end].fill(*byte);
        }
    }
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn found_and_told_lost_are_what_was_acknowledged(killed in any::<bool>(), file in any::<Index>(), damage in damage()) {
        let dir = written(killed);
        let mut files = segment_files(dir.path());
        let small = ["journal/meta", "journal/manifest", "journal/acknowledged", "cursors/reader.cursor"];
        files.extend(small.iter().map(|name| dir.path().join(name)));
        apply(&files[file.index(files.len())], &damage);
        let (found, lost, _) = account(dir.path());
        prop_assert_eq!(found + lost, u64::from(BATCHES * RECORDS));
    }
}
