//! Disks that fail, are full, or slow.

use std::sync::atomic::Ordering::SeqCst;

use super::*;

#[test]
fn a_failed_fsync_ends_writing_and_shows_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    let kept = journal.append_blocking(noted(&[b"kept"], "k", "kept")).unwrap();
    faults.fail_sync.store(true, SeqCst);
    let failed = journal.append_blocking(noted(&[b"lost"], "k", "lost"));
    assert!(matches!(failed, Err(AppendError::Poisoned)));
    faults.fail_sync.store(false, SeqCst);
    for _ in 0..3 {
        assert!(matches!(journal.append_blocking(batch(&[b"late"])), Err(AppendError::Poisoned)));
    }
    assert_eq!((all(&journal), journal.end()), ((vec![b"kept".to_vec()], 0), kept.end));
    assert_eq!((journal.note(b"k"), journal.status().poisoned), (Some(b"kept".to_vec()), true));
    assert_eq!(*journal.watch_end().borrow(), kept.end);
    drop(journal);
    // A restart may find what was written, but never anything accepted after it.
    let journal = Journal::open(config(dir.path())).unwrap();
    let found = all(&journal).0;
    assert!(found == [b"kept".as_slice()] || found == [b"kept".as_slice(), b"lost"], "{found:?}");
    journal.append_blocking(batch(&[b"again"])).unwrap();
}

#[test]
fn a_failed_write_is_as_final_as_a_failed_fsync() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    journal.append_blocking(batch(&[b"kept"])).unwrap();
    faults.fail_write.store(true, SeqCst);
    assert!(matches!(journal.append_blocking(batch(&[b"lost"])), Err(AppendError::Poisoned)));
    faults.fail_write.store(false, SeqCst);
    assert!(matches!(journal.append_blocking(batch(&[b"late"])), Err(AppendError::Poisoned)));
    drop(journal);
    assert_eq!(all(&Journal::open(config(dir.path())).unwrap()), (vec![b"kept".to_vec()], 0));
}

#[test]
fn a_full_disk_cuts_back_and_goes_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    journal.append_blocking(batch(&[b"before"])).unwrap();
    let path = segment_path(&dir.path().join("journal"), 0);
    let length = fs::metadata(&path).unwrap().len();
    // Also in the middle of a header, a record and a table.
    for free in [0, 1, 30, 60, 1000, 2000, 2060] {
        faults.free_bytes.store(free, SeqCst);
        let failed = journal.append_blocking(noted(&[&[9; 2000]], "k", "v"));
        assert!(matches!(failed, Err(AppendError::DiskFull)), "{free} free");
        assert!(AppendError::DiskFull.is_retryable());
        assert_eq!(fs::metadata(&path).unwrap().len(), length, "{free} free");
        assert_eq!((all(&journal).0.len(), journal.note(b"k")), (1, None));
    }
    faults.free_bytes.store(u64::MAX, SeqCst);
    journal.append_blocking(noted(&[b"after"], "k", "v")).unwrap();
    assert_eq!(all(&journal), (vec![b"before".to_vec(), b"after".to_vec()], 0));
    drop(journal);
    let journal = Journal::open(config(dir.path())).unwrap();
    assert_eq!(all(&journal), (vec![b"before".to_vec(), b"after".to_vec()], 0));
    assert!(verify(&dir.path().join("journal"), &dir.path().join("cursors")).unwrap().is_intact());
}

#[test]
fn opens_with_zero_free_bytes() {
    for crashed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(config(dir.path())).unwrap();
        journal.append_blocking(batch(&[b"one", b"two"])).unwrap();
        let mut old = journal.cursor("old").unwrap();
        let folder = tempfile::tempdir().unwrap();
        if crashed {
            copy(dir.path(), folder.path());
        }
        drop(journal);
        if !crashed {
            copy(dir.path(), folder.path());
        }
        old.commit(Position { segment: 0, record: 1 }).unwrap();
        let faults = std::sync::Arc::new(faults::Faults::default());
        faults.free_bytes.store(0, SeqCst);
        let disk = Disk { faults: Some(faults.clone()) };
        let journal = Journal::open_on(config(folder.path()), disk).unwrap();
        assert_eq!(all(&journal).0, [b"one", b"two"]);
        assert!(matches!(journal.append_blocking(batch(&[b"x"])), Err(AppendError::DiskFull)));
        let mut new = journal.cursor("new").unwrap();
        assert!(matches!(new.commit(journal.end()), Err(ReadError::Io { .. })));
        assert_eq!(new.position(), Position::default());
        faults.free_bytes.store(u64::MAX, SeqCst);
        new.commit(journal.end()).unwrap();
        journal.append_blocking(batch(&[b"three"])).unwrap();
        assert_eq!(all(&journal).0.len(), 3);
    }
    // A folder with nothing in it.
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    faults.free_bytes.store(0, SeqCst);
    assert!(matches!(journal.append_blocking(batch(&[b"x"])), Err(AppendError::DiskFull)));
    faults.free_bytes.store(u64::MAX, SeqCst);
    journal.append_blocking(batch(&[b"x"])).unwrap();
    let id = journal.id();
    drop(journal);
    assert_eq!(Journal::open(config(dir.path())).unwrap().id(), id);
}

#[test]
fn short_writes_are_continued() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    faults.write_max.store(7, SeqCst);
    for index in 0..5_u8 {
        journal.append_blocking(noted(&[&[index; 100]], "k", &index.to_string())).unwrap();
    }
    journal.cursor("c").unwrap().commit(journal.end()).unwrap();
    drop(journal);
    let journal = Journal::open(config(dir.path())).unwrap();
    assert_eq!((all(&journal).0.len(), journal.note(b"k")), (5, Some(b"4".to_vec())));
    assert_eq!(journal.cursor("c").unwrap().position(), journal.end());
}

/// Appends `count` batches in threads of their own, which wait for the disk.
fn appending(journal: &Journal, count: usize) -> Vec<JoinHandle<Result<Appended, AppendError>>> {
    let spawn = |index: usize| {
        let (journal, record) = (journal.clone(), index.to_string().into_bytes());
        let append = move || journal.append_blocking(batch(&[&record]));
        std::thread::Builder::new().name("appender".into()).spawn(append).unwrap()
    };
    (0..count).map(spawn).collect()
}

#[test]
fn all_that_wait_share_one_fsync() {
    const APPENDS: usize = 50;
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    journal.append_blocking(batch(&[b"opens the segment"])).unwrap();
    let (before, seen) = (journal.status(), faults.syncs.load(SeqCst));
    let gate = faults.hold_syncs();
    let first = appending(&journal, 1);
    wait_until("the first fsync", || faults.syncs.load(SeqCst) == seen + 1);
    let others = appending(&journal, APPENDS);
    wait_until("all queued", || lock(&journal.shared().queue).waiting.len() == APPENDS);
    assert_eq!(journal.end(), Position { segment: 0, record: 1 }, "not durable yet, so not shown");
    drop(gate);
    let mut ends: Vec<_> =
        first.into_iter().chain(others).map(|thread| thread.join().unwrap().unwrap().end.record).collect();
    ends.sort_unstable();
    assert_eq!(ends, (2..=APPENDS as u32 + 2).collect::<Vec<_>>());
    let after = journal.status();
    assert_eq!(after.appended_batches - before.appended_batches, APPENDS as u64 + 1);
    assert_eq!(after.syncs - before.syncs, 2);
    assert_eq!(faults.syncs.load(SeqCst) - seen, 2);
}

#[test]
fn busy_and_full_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(Config { queue_bytes: 1000, ..config(dir.path()) });
    journal.append_blocking(batch(&[b"opens the segment"])).unwrap();
    let seen = faults.syncs.load(SeqCst);
    let gate = faults.hold_syncs();
    let waiting = appending(&journal, 1);
    wait_until("the fsync", || faults.syncs.load(SeqCst) == seen + 1);
    let path = segment_path(&dir.path().join("journal"), 0);
    let length = fs::metadata(&path).unwrap().len();
    let refused = journal.append_blocking(batch(&[&[1; 1000]]));
    assert!(matches!(refused, Err(AppendError::Busy)), "{refused:?}");
    let refused = journal.append_blocking(batch(&[&vec![1; 16 << 20]]));
    let Err(AppendError::Full { used, budget }) = refused else { panic!("{refused:?}") };
    assert!(used < budget && budget == 16 << 20);
    drop(gate);
    assert!(waiting.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!((fs::metadata(&path).unwrap().len(), all(&journal).0.len()), (length, 2));
    // The queue is empty again: also a batch larger than it is taken.
    journal.append_blocking(batch(&[&[1; 5000]])).unwrap();
    assert_eq!(journal.status().queued_bytes, 0);
}

#[test]
fn the_budget_holds_and_committing_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(Config { budget_bytes: 1 << 20, ..config(dir.path()) }).unwrap();
    let mut cursor = journal.cursor("reader").unwrap();
    for _ in 0..3 {
        let full = loop {
            match journal.append_blocking(batch(&[&[1; 10_000]])) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(full, AppendError::Full { .. }) && full.is_retryable(), "{full:?}");
        let on_disk: u64 = fs::read_dir(dir.path().join("journal"))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!((1 << 19..=1 << 20).contains(&on_disk), "{on_disk}");
        cursor.commit(journal.end()).unwrap();
        wait_until("room", || journal.append_blocking(batch(&[b"room"])).is_ok());
    }
}

#[test]
fn closing_finishes_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, faults) = open_failing(config(dir.path()));
    journal.append_blocking(batch(&[b"opens the segment"])).unwrap();
    let seen = faults.syncs.load(SeqCst);
    let gate = faults.hold_syncs();
    let mut waiting = appending(&journal, 1);
    wait_until("the fsync", || faults.syncs.load(SeqCst) == seen + 1);
    waiting.extend(appending(&journal, 10));
    wait_until("all queued", || lock(&journal.shared().queue).waiting.len() == 10);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // Gives up waiting, but what waits is still taken.
    runtime.block_on(journal.close(Duration::from_millis(1)));
    assert!(matches!(journal.append_blocking(batch(&[b"late"])), Err(AppendError::Closed)));
    drop(gate);
    runtime.block_on(journal.close(Duration::from_secs(20)));
    assert!(waiting.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(all(&journal).0.len(), 12);
    drop(journal);
    let journal = Journal::open(config(dir.path())).unwrap();
    assert_eq!((all(&journal).0.len(), journal.status().truncated_bytes), (12, 0));
    assert_eq!(journal.end(), Position { segment: 0, record: 12 }, "closed in order, so continued");
}

#[test]
fn a_damaged_cursor_goes_back_at_most_to_its_other_slot() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    let mut cursor = journal.cursor("c").unwrap();
    for record in 1..=3 {
        journal.append_blocking(batch(&[b"r"])).unwrap();
        cursor.commit(Position { segment: 0, record }).unwrap();
    }
    drop((journal, cursor));
    let path = dir.path().join("cursors/c.cursor");
    let whole = fs::read(&path).unwrap();
    // The fourth write (the first made the file) went to the first slot.
    for (what, at, bytes, expected) in
        [("newer slot", 44, 1, 2), ("older slot", 4096 + 44, 1, 3), ("all", 0, whole.len(), 0)]
    {
        let mut damaged = whole.clone();
        damaged[at..at + bytes].fill(0xaa);
        fs::write(&path, damaged).unwrap();
        let journal = Journal::open(config(dir.path())).unwrap();
        let mut cursor = journal.cursor("c").unwrap();
        assert_eq!(cursor.position().record, expected, "{what}");
        assert_eq!(journal.status().problems.len(), 1, "{what}");
        cursor.commit(journal.end()).unwrap();
        drop((journal, cursor));
        let journal = Journal::open(config(dir.path())).unwrap();
        assert_eq!(journal.cursor("c").unwrap().position(), journal.end(), "{what}");
        assert!(journal.status().problems.is_empty(), "{what}");
    }
}

#[test]
fn a_damaged_meta_is_restored_from_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    let id = journal.id();
    journal.append_blocking(batch(&[b"one"])).unwrap();
    drop(journal);
    let meta = dir.path().join("journal/meta");
    let whole = fs::read(&meta).unwrap();
    for damaged in [None, Some(vec![]), Some(whole[..20].to_vec()), Some(vec![0; whole.len()])] {
        match damaged {
            None => fs::remove_file(&meta).unwrap(),
            Some(bytes) => fs::write(&meta, bytes).unwrap(),
        }
        let journal = Journal::open(config(dir.path())).unwrap();
        assert_eq!((journal.id(), journal.status().problems.len()), (id, 1));
        assert_eq!(all(&journal).0[0], b"one");
        drop(journal);
    }
    fs::write(segment_path(&dir.path().join("journal"), 0), [0; 100]).unwrap();
    fs::write(&meta, [0; 44]).unwrap();
    assert!(matches!(Journal::open(config(dir.path())), Err(OpenError::NoKey { .. })));
    let mut newer = whole;
    newer[8] = 2;
    let crc = crc32c::crc32c(&newer[..40]).to_le_bytes();
    newer[40..44].copy_from_slice(&crc);
    fs::write(&meta, newer).unwrap();
    assert!(matches!(Journal::open(config(dir.path())), Err(OpenError::Version { found: 2, .. })));
}
