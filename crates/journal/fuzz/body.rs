// What is done with each input of the fuzz target `files`; an ordinary test does the same.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use event::Position;
use journal::{Batch, Config, Journal, Note, cat, verify};

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

const BATCHES: u8 = 8;
const RECORDS: usize = 3;

/// With the checksums that belong to it, as somebody who means harm would write them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    fn seal(bytes: &mut [u8], start: usize, length: usize) {
        if let Some(part) = bytes.get_mut(start..start + length + 4) {
            let (content, checksum) = part.split_at_mut(length);
            checksum.copy_from_slice(&crc32c::crc32c(content).to_le_bytes());
        }
    }
    match (bytes.get(7), bytes.len()) {
        (Some(b'C'), _) => [0, 4096].into_iter().for_each(|slot| seal(&mut bytes, slot, 48)),
        (Some(b'A'), _) => [0, 4096].into_iter().for_each(|slot| seal(&mut bytes, slot, 52)),
        (Some(b'L'), length) => seal(&mut bytes, 0, length.saturating_sub(4)),
        (Some(_), 44..) => {
            seal(&mut bytes, 0, 40);
            let marker = bytes[32..40].to_vec();
            for block in 44..bytes.len() {
                if bytes[block..].starts_with(&marker) {
                    seal(&mut bytes, block, 48);
                }
            }
        }
        _ => {}
    }
    bytes
}

fn config(dir: &Path) -> Config {
    Config { segment_bytes: 4096, budget_bytes: 1 << 20, ..Config::new(dir) }
}

/// Everything a journal leaves, and its records.
struct Honest {
    files: Vec<(PathBuf, Vec<u8>)>,
    records: BTreeMap<Position, Vec<u8>>,
}

fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(config(dir.path())).unwrap();
        let readers = ["slow", "fast"].map(|name| journal.cursor(name).unwrap());
        let mut records = BTreeMap::new();
        for number in 0..BATCHES {
            let (mut batch, content) = (Batch::new(), vec![number + 1; 300]);
            (0..RECORDS).for_each(|_| batch.push_with(|out| out.extend_from_slice(&content)));
            batch.note(Note { key: vec![b'k', number % 3], value: (number != 4).then(|| vec![number]) });
            let mut at = journal.append_blocking(batch).unwrap().first;
            for _ in 0..RECORDS {
                records.insert(at, content.clone());
                at = at.next();
            }
        }
        let [_, mut fast] = readers;
        fast.commit(Position { segment: 1, record: 2 }).unwrap();
        drop((fast, journal));
        let mut files = Vec::new();
        for folder in ["journal", "cursors"] {
            for entry in fs::read_dir(dir.path().join(folder)).unwrap() {
                let name = entry.unwrap().file_name();
                let path = Path::new(folder).join(&name);
                files.extend(
                    (name != "lock").then(|| (path.clone(), fs::read(dir.path().join(path)).unwrap())),
                );
            }
        }
        files.sort();
        Honest { files, records }
    })
}

/// Puts bytes, changes to what was there, or changes with right checksums in place of a file, and opens the journal:
/// it says what is wrong, or what is read was written, and what is not read is told.
pub(crate) fn files(bytes: &[u8]) {
    let Honest { files, records } = honest();
    let [which, how, bytes @ ..] = bytes else { return };
    let (place, whole) = &files[usize::from(*which) % files.len()];
    let is_sealed = how % 3 == 0;
    let content = match how % 3 {
        0 => sealed(changed(whole, bytes)),
        1 => changed(whole, bytes),
        _ => bytes.to_vec(),
    };
    let dir = tempfile::tempdir().unwrap();
    for folder in ["journal", "cursors"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for (path, whole) in files {
        fs::write(dir.path().join(path), if path == place { &content } else { whole }).unwrap();
    }
    // They say what is wrong, or report it.
    drop(verify(&dir.path().join("journal"), &dir.path().join("cursors")));
    drop(cat(&dir.path().join("journal"), |_, _| Ok(())));
    let Ok(journal) = Journal::open(config(dir.path())) else { return };
    let (mut from, mut found, mut lost) = (Position::default(), 0, 0);
    loop {
        let read = journal.read(from, 2000).unwrap();
        lost += read.damaged();
        for (position, record) in read.iter() {
            found += 1;
            assert!(is_sealed || records.get(&position).is_some_and(|honest| honest == record), "{position}");
        }
        if read.is_empty() {
            break;
        }
        assert!(read.end() > from, "reading stands still at {from}");
        from = read.end();
    }
    assert!(is_sealed || found + lost == records.len() as u64, "{found} found, {lost} told lost");
    for name in ["slow", "fast", "new"] {
        journal.cursor(name).unwrap().commit(journal.end()).unwrap();
    }
    let mut batch = Batch::new();
    batch.push_with(|out| out.extend_from_slice(b"next"));
    // Somebody who means harm can use up the numbers of records.
    let Ok(next) = journal.append_blocking(batch) else { return assert!(is_sealed) };
    let read = journal.read(next.first, 100).unwrap();
    assert_eq!(read.iter().next(), Some((next.first, &b"next"[..])));
}
