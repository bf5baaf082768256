//! Journals written by earlier versions of the format stay readable; later ones are refused by name.
#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::{fs, path::Path};

use event::Position;
use journal::{Batch, Config, Journal, Note, OpenError, verify};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1");
const NEXT_VERSION: u32 = 2;

fn config(dir: &Path) -> Config {
    Config { segment_bytes: 4096, budget_bytes: 1 << 20, queue_bytes: 1 << 20, ..Config::new(dir) }
}

/// What the fixture holds: the third record fills its segment, so that the fourth begins another.
fn records() -> [Vec<u8>; 4] {
    [b"first".to_vec(), Vec::new(), vec![b'x'; 4200], b"fourth".to_vec()]
}

fn note(key: &str, value: Option<&str>) -> Note {
    Note { key: key.into(), value: value.map(Into::into) }
}

fn append(journal: &Journal, records: &[Vec<u8>], notes: &[Note]) {
    let mut batch = Batch::new();
    records.iter().for_each(|record| batch.push_with(|bytes| bytes.extend_from_slice(record)));
    notes.iter().for_each(|note| batch.note(note.clone()));
    journal.append_blocking(batch).unwrap();
}

fn contents(dir: &Path) -> Vec<(Position, Vec<u8>)> {
    let mut contents = vec![];
    journal::cat(&dir.join("journal"), |position, record| {
        contents.push((position, record.to_vec()));
        Ok(())
    })
    .unwrap();
    contents
}

/// The fixture was made by this, once, and copied; a later version of the format gets a folder of its own.
#[test]
fn what_is_written_today_reads_as_the_fixture_does() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(config(dir.path())).unwrap();
    let [first, second, third, fourth] = records();
    append(&journal, &[first, second], &[note("kept", Some("value")), note("forgotten", Some("value"))]);
    append(&journal, &[third], &[note("forgotten", None)]);
    append(&journal, &[fourth], &[note("file/a", Some("12"))]);
    journal.cursor("reader").unwrap().commit(Position { segment: 0, record: 1 }).unwrap();
    drop(journal);
    assert_eq!(contents(dir.path()), contents(Path::new(FIXTURE)));
}

fn copy_of_fixture() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["journal", "cursors"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        for entry in fs::read_dir(Path::new(FIXTURE).join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
        }
    }
    dir
}

#[test]
fn version_1_is_read_and_continued() {
    let dir = copy_of_fixture();
    let meta = fs::read(dir.path().join("journal/meta")).unwrap();
    let report = verify(&dir.path().join("journal"), &dir.path().join("cursors")).unwrap();
    assert!(report.is_intact() && report.torn_bytes == 0, "{report:?}");
    let journal = Journal::open(config(dir.path())).unwrap();
    assert_eq!(journal.id().0.to_be_bytes(), meta[16..32]);
    let cursor = journal.cursor("reader").unwrap();
    assert_eq!(cursor.position(), Position { segment: 0, record: 1 });
    let pair = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    assert_eq!(journal.notes(b""), [pair(b"file/a", b"12"), pair(b"kept", b"value")]);
    append(&journal, &[b"fifth".to_vec()], &[]);
    let (mut from, mut found) = (Position::default(), Vec::new());
    while from < journal.end() {
        let records = journal.read(from, 1).unwrap();
        assert_eq!(records.damaged(), 0);
        found.extend(records.iter().map(|(_, record)| record.to_vec()));
        from = records.end();
    }
    assert_eq!((&found[..4], found[4].as_slice(), found.len()), (&records()[..], &b"fifth"[..], 5));
    assert_eq!(journal.status().problems, []);
}

#[test]
fn a_later_version_is_refused_by_name() {
    for (file, without_meta) in [("meta", false), ("0000000000.segment", true)] {
        let dir = copy_of_fixture();
        let path = dir.path().join("journal").join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8..12].copy_from_slice(&NEXT_VERSION.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..40]);
        bytes[40..44].copy_from_slice(&crc.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        if without_meta {
            fs::remove_file(dir.path().join("journal/meta")).unwrap();
        }
        let opened = Journal::open(config(dir.path())).map(drop);
        let looked_at = verify(&dir.path().join("journal"), &dir.path().join("cursors")).map(drop);
        for result in [opened, looked_at] {
            let Err(OpenError::Version { path: named, found }) = result else { panic!("{result:?}") };
            assert_eq!((named, found), (path.clone(), NEXT_VERSION));
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "left as it was");
    }
}
