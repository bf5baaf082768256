// What is done with each input of the fuzz target `files`; an ordinary test does the same.

use std::{fs, path::PathBuf};

use audit::{ReadError, Source, each, verify};

/// A sound record; it lies beside the tests, whether this is built for them or for the target.
fn fixture() -> PathBuf {
    let here = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1"));
    if here.exists() {
        here
    } else {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1"))
    }
}

/// Verifies and reads an input as a file of a record, as its newest checkpoint and as what kept checkpoints; panics where a
/// promise is broken.
pub(crate) fn files(bytes: &[u8]) {
    let Ok(dir) = tempfile::tempdir() else { return };
    let sound = fixture();
    let Ok(first) = fs::read(sound.join("0000000000.ndjson")) else {
        panic!("no fixture in {}", sound.display())
    };
    let at = bytes.first().map_or(0, |byte| usize::from(*byte) * first.len() / 256);
    let written = bytes.get(1..).unwrap_or_default();
    let mut altered = first.clone();
    let end = (at + written.len()).min(altered.len());
    altered.splice(at..end, written.iter().copied());
    let file = dir.path().join("0000000000.ndjson");
    for content in [bytes, &altered] {
        if fs::write(&file, content).is_err() {
            return;
        }
        for source in [Source::Folder(dir.path().into()), Source::Files(vec![file.clone()])] {
            let report = verify(&source, None, &[]);
            if let Ok(report) = &report {
                assert!(report.lines.1 < 1 << 20 || !report.is_sound());
            }
        }
        drop(each(dir.path(), |line, entry| !line.is_empty() || entry.seq == 0));
    }
    // A whole record beside bytes of others: they never make it unreadable by a panic, and never sound by chance.
    if fs::write(&file, &first).is_err() || fs::write(dir.path().join("head"), bytes).is_err() {
        return;
    }
    if let Ok(report) = verify(&Source::Folder(dir.path().into()), None, &[]) {
        assert!(!report.is_sound(), "bytes of nobody pass for a checkpoint");
    }
    let kept = dir.path().join("kept");
    if fs::write(&kept, bytes).is_ok() {
        let refused = verify(&Source::Files(vec![file]), None, &[kept]);
        assert!(
            matches!(refused, Err(ReadError::NoCheckpoints { .. } | ReadError::OtherInstallation { .. })),
            "{refused:?}"
        );
    }
}
