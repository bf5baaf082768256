//! The files of the readers, each damaged in every way while the index is away: every event is stored and detected once
//! all the same, and whatever comes out otherwise than without the damage is told.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use event::{Position, Verdict, VerdictState};
use proptest::{prelude::*, sample::Index as Place};
use tempfile::TempDir;

use super::world::{Found, Life, Remote, World, eventually, expected, said};

/// Events that were waiting, and some that come after the damage.
const WAITING: u32 = 160;
const ALL: u32 = 200;

/// The folder of a program that was stopped, or killed, while the index was away, and what was detected.
struct Left {
    dir: TempDir,
    found: (Position, Vec<(event::EventId, VerdictState)>),
}

fn left(is_killed: bool) -> Left {
    let index = Remote::new();
    index.set(true, false);
    let world = World::new(index);
    let life = world.start();
    for start in (0..WAITING).step_by(40) {
        life.append(start..start + 40);
        eventually("they are detected", || world.found().len() == start as usize + 40);
    }
    if is_killed {
        life.kill()
    } else {
        life.stop()
    }
    let found = world.found.lock().unwrap().clone();
    Left { dir: world.dir, found }
}

static STOPPED: LazyLock<Left> = LazyLock::new(|| left(false));
static KILLED: LazyLock<Left> = LazyLock::new(|| left(true));
static SOUND: LazyLock<Vec<(String, String, Verdict)>> = LazyLock::new(|| expected(ALL));

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// The files of analysis and indexing: the log of verdicts, cursors, windows.
fn files(dir: &Path) -> Vec<PathBuf> {
    let folders = ["verdicts", "verdicts/cursors", "cursors", "window"];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(dir.join(folder)).unwrap());
    let files =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file() && !path.ends_with("lock"));
    let mut files: Vec<_> = files.map(|path| path.strip_prefix(dir).unwrap().to_owned()).collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    files
}

/// As a program of the future writes it: another version, and checksums that hold.
fn newer(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = |bytes: &mut [u8], start: usize, length: usize| {
        if bytes.len() >= start + length + 4 {
            bytes[start + 8..start + 12].copy_from_slice(&77_u32.to_le_bytes());
            let checksum = crc32c::crc32c(&bytes[start..start + length]);
            bytes[start + length..start + length + 4].copy_from_slice(&checksum.to_le_bytes());
        }
    };
    let length = bytes.len();
    match bytes.get(..8) {
        Some(b"LSJRNL\0C") => [0, 4096].into_iter().for_each(|slot| crc(&mut bytes, slot, 48)),
        Some(b"LSJRNL\0A") => [0, 4096].into_iter().for_each(|slot| crc(&mut bytes, slot, 52)),
        Some(b"LSJRNL\0L") => crc(&mut bytes, 0, length - 4),
        Some(b"LSJRNL\0M" | b"LSJRNL\0S") => crc(&mut bytes, 0, 40),
        _ => {
            bytes[8..12].copy_from_slice(&77_u32.to_le_bytes());
            bytes.truncate(length - 32);
            bytes = disk::sealed::seal(bytes);
        }
    }
    bytes
}

/// What the program says is damaged, in `/readyz` and, with the first of each, in its log.
fn told(life: &Life) -> Vec<String> {
    let reports = life.health.reports().into_iter().map(|report| report.reason);
    reports.filter(|reason| !reason.is_empty()).chain(life.journal.status().damage()).collect()
}

/// Starts from what was left after `damage`, lets the index come back, and counts.
fn trial(left: &Left, what: &str, damage: impl FnOnce(&Path)) {
    let (index, dir) = (Remote::new(), tempfile::tempdir().unwrap());
    copy(left.dir.path(), dir.path());
    damage(dir.path());
    let found: Found = Arc::new(Mutex::new(left.found.clone()));
    let world = World { dir, found, ..World::new(index.clone()) };
    let life = match world.try_start() {
        Ok(life) => life,
        Err(refusal) => {
            let text = format!("{refusal}");
            assert!(what.contains("newer") && text.contains("77"), "{what}: {text}");
            return;
        }
    };
    let told = told(&life);
    life.append(WAITING..ALL);
    eventually("all are stored", || index.len() == ALL as usize);
    eventually("all are detected", || world.found().len() >= ALL as usize);
    life.stop();
    let said = said(&index);
    assert!(
        index.stored.lock().unwrap().events.values().all(|(_, times)| *times == 1),
        "{what}: stored twice"
    );
    assert!(said.iter().all(|(_, _, verdict)| verdict.state != VerdictState::Unscored), "{what}: {told:?}");
    let messages = |said: &[(String, String, Verdict)]| {
        said.iter().map(|(message, ..)| message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(messages(&said), messages(&SOUND), "{what}");
    assert!(!told.is_empty() || said == *SOUND, "{what}: nothing is said, and verdicts differ");
    let ids: Vec<_> = world.found().iter().map(|(id, _)| *id).collect();
    assert!(ids.len() == ALL as usize && ids.is_sorted_by(|one, other| one < other), "{what}: detected once");
}

#[test]
fn files_that_are_missing_cut_or_of_a_newer_version_lose_no_event() {
    type Way = (&'static str, fn(&Path));
    let ways: [Way; 4] = [
        ("missing", |path| fs::remove_file(path).unwrap()),
        ("empty", |path| fs::write(path, []).unwrap()),
        ("halved", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("of a newer version", |path| fs::write(path, newer(fs::read(path).unwrap())).unwrap()),
    ];
    trial(&STOPPED, "nothing", |_| {});
    trial(&KILLED, "nothing, killed", |_| {});
    for (left, how) in [(&*STOPPED, "stopped"), (&*KILLED, "killed")] {
        for file in files(left.dir.path()) {
            for (way, damage) in ways {
                trial(left, &format!("{} {way}, {how}", file.display()), |dir| damage(&dir.join(&file)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_flipped_bit_loses_no_event(is_killed: bool, file in any::<Place>(), at in any::<Place>(), bit in 0..8_u8) {
        let left = if is_killed { &*KILLED } else { &*STOPPED };
        let files = files(left.dir.path());
        let file = file.get(&files);
        trial(left, &format!("a bit of {}", file.display()), |dir| {
            let mut bytes = fs::read(dir.join(file)).unwrap();
            if !bytes.is_empty() {
                *at.get_mut(&mut bytes) ^= 1 << bit;
            }
            fs::write(dir.join(file), bytes).unwrap();
        });
    }
}
