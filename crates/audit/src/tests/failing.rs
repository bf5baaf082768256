//! A disk that is full or broken.

use std::{
    fs,
    sync::{Arc, atomic::Ordering::SeqCst},
};

use super::{Faults, at, record, small};
use crate::{Audit, RecordError, Source, files, verify};

fn faults(audit: &Audit) -> Arc<Faults> {
    audit.faults()
}

#[test]
fn a_full_disk_refuses_takes_half_a_line_back_and_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
    let before = audit.record(&record(1)).unwrap();
    let bytes = fs::metadata(files::path(dir.path(), 0)).unwrap().len();
    for room in [0, 1, 100] {
        faults(&audit).free_bytes.store(room, SeqCst);
        let refused = audit.record(&record(2)).unwrap_err();
        assert!(matches!(refused, RecordError::DiskFull { .. }), "{refused}");
        assert!(matches!(audit.status().problem, Some(RecordError::DiskFull { .. })));
        assert_eq!(fs::metadata(files::path(dir.path(), 0)).unwrap().len(), bytes);
    }
    assert_eq!((audit.status().records, audit.status().failures), (1, 3));
    faults(&audit).free_bytes.store(u64::MAX, SeqCst);
    assert_eq!(audit.record(&record(3)).unwrap(), before + 1, "no number is given to what was refused");
    assert!(audit.status().problem.is_none());
    audit.close(at(3)).unwrap();
    let report = verify(&Source::Folder(dir.path().to_owned()), None, &[]).unwrap();
    assert!(report.is_sound() && report.unsigned == 0, "{report:?}");
}

#[test]
fn after_a_failed_fsync_or_write_nothing_is_recorded_until_a_restart() {
    for (fail_sync, fail_write) in [(true, false), (false, true)] {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
        let acknowledged = audit.record(&record(1)).unwrap();
        faults(&audit).fail_sync.store(fail_sync, SeqCst);
        faults(&audit).fail_write.store(fail_write, SeqCst);
        for _ in 0..2 {
            let refused = audit.record(&record(2)).unwrap_err();
            assert!(matches!(refused, RecordError::Broken { .. }), "{refused}");
            faults(&audit).fail_sync.store(false, SeqCst);
            faults(&audit).fail_write.store(false, SeqCst);
        }
        assert!(audit.close(at(3)).is_err());
        drop(audit);
        let audit = Audit::open(small(dir.path()), None, at(4)).unwrap();
        assert!(audit.record(&record(5)).unwrap() > acknowledged);
        let report = verify(&Source::Folder(dir.path().to_owned()), None, &[]).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
    }
}

#[test]
fn a_file_that_is_altered_or_exchanged_beside_the_running_program_ends_recording() {
    let alter: [fn(&std::path::Path); 3] = [
        |path| fs::write(path, b"").unwrap(),
        |path| fs::remove_file(path).unwrap(),
        |path| {
            let copy = path.with_extension("copy");
            fs::copy(path, &copy).unwrap();
            fs::rename(copy, path).unwrap();
        },
    ];
    for alter in alter {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
        alter(&files::path(dir.path(), 0));
        let refused = audit.record(&record(1)).unwrap_err();
        assert!(refused.to_string().contains("altered by another process"), "{refused}");
        assert_eq!(audit.status().failures, 1);
    }
}

#[test]
fn callers_beside_each_other_share_what_fails_and_each_gets_a_number_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..20).map(|_| audit.record(&record(1)).unwrap()).collect::<Vec<_>>()))
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), 160);
    assert_eq!(audit.status().records, 160);
    audit.close(at(2)).unwrap();
    assert!(matches!(audit.record(&record(3)), Err(RecordError::Closed)));
    let mut read = vec![];
    crate::each(dir.path(), |_, entry| {
        read.push(entry.seq);
        true
    })
    .unwrap();
    assert!(seqs.iter().all(|seq| read.contains(seq)));
    assert!(verify(&Source::Folder(dir.path().to_owned()), None, &[]).unwrap().is_sound());
}
