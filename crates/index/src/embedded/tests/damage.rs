//! What is destroyed is told: events found and events told lost are those that were committed.

use proptest::sample::Index as Place;

use super::*;
use crate::{JournalRange, Losses};

const FILES: i64 = 3;
const ROWS: usize = 20;
const BLOCK_ROWS: u64 = 7;

/// Three files of twenty rows each, and a manifest.
fn three_files() -> TempDir {
    let dir = TempDir::new().unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    let mut next = 0;
    for start in (0..FILES).map(|file| file * 100) {
        run(index.write(&batch(&plain(ROWS, start), 1, &mut next))).unwrap();
        run(index.commit()).unwrap();
    }
    dir
}

fn copied(from: &Path) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, bytes) in files(from) {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn all_losses(index: &Embedded) -> Losses {
    index.losses(None, None)
}

/// Asks in ways that read every part of a file.
fn ask_everything(index: &Embedded) {
    for query in QUERIES {
        let selection = Selection { query: Query::parse(query, NOW).unwrap(), ..Selection::all() };
        run(index.search(SearchRequest::new(selection.clone(), 100), &Limits::none())).unwrap();
        run(index.patterns(PatternsRequest { selection, limit: 3 }, &Limits::none())).unwrap();
    }
    run(index.fields(&Limits::none())).unwrap();
}

const ALL: u64 = FILES as u64 * ROWS as u64;

#[test]
fn a_flipped_bit_costs_at_most_a_block_wherever_it_is() {
    let sound = three_files();
    let (name, bytes) = files(sound.path())[1].clone();
    let mut left_out = 0;
    for at in 0..bytes.len() {
        if at > 64 && at + 64 < bytes.len() && at % 11 != 0 {
            continue;
        }
        let dir = copied(sound.path());
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        fs::write(dir.path().join(&name), damaged).unwrap();
        let index = Embedded::open(config(dir.path())).unwrap();
        ask_everything(&index);
        let (found, losses) = (total(&index), all_losses(&index));
        assert_eq!(found + losses.events, ALL, "byte {at}");
        assert!(losses.events <= BLOCK_ROWS, "byte {at}: {losses:?}");
        assert_eq!(losses.places > 0, losses.events > 0, "byte {at}");
        left_out += losses.places;
        assert_eq!(index.stats().events, found);
    }
    assert!(left_out > 5, "{left_out}");
}

#[test]
fn only_answers_of_the_time_of_a_loss_are_incomplete_and_merges_go_on() {
    let dir = three_files();
    let (name, mut bytes) = files(dir.path())[1].clone();
    // Behind the locator stands the first block.
    bytes[40] ^= 1;
    fs::write(dir.path().join(name), bytes).unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    let time = Timestamp::from_nanos;
    assert_eq!(all_losses(&index), Losses::default());
    ask_everything(&index);
    let losses = all_losses(&index);
    assert_eq!((losses.places, losses.events), (1, BLOCK_ROWS), "{losses:?}");
    assert_eq!(index.losses(time(100), time(107)).events, BLOCK_ROWS);
    assert_eq!(index.losses(time(0), time(100)), Losses::default());
    assert_eq!(index.losses(time(107), None), Losses::default());
    let mut next = 3 * ROWS as u32;
    for round in 0..30 {
        run(index.write(&batch(&plain(1, 1000 + round), 1, &mut next))).unwrap();
        run(index.commit()).unwrap();
    }
    assert!(index.stats().segments < 16, "{} files", index.stats().segments);
    assert_eq!(total(&index), ALL - BLOCK_ROWS + 30);
}

#[test]
fn a_missing_file_is_told_and_its_events_are_taken_in_again() {
    for gone in 0..FILES as usize {
        for restored in [0, 12, ROWS] {
            let dir = three_files();
            let (name, _) = files(dir.path())[gone].clone();
            fs::remove_file(dir.path().join(&name)).unwrap();
            let index = Embedded::open(config(dir.path())).unwrap();
            let losses = all_losses(&index);
            assert_eq!((losses.places, losses.events, total(&index)), (1, ROWS as u64, ALL - ROWS as u64));
            assert!(losses.reasons[0].contains(name.to_str().unwrap()), "{losses:?}");
            // What stands there is not to be analysed another time.
            assert_eq!(committed(&index, 1), Position { segment: 3, record: ALL as u32 });
            let lost = index.lost_files();
            let position = |record: usize| Position { segment: 3, record: record as u32 };
            // A journal begins anywhere before its first event.
            let start = if gone == 0 { Position::default() } else { position(gone * ROWS) };
            let range = JournalRange { journal: JournalId(1), start, end: position((gone + 1) * ROWS) };
            assert_eq!((lost[0].events, lost[0].ranges.as_slice()), (ROWS as u64, &[range][..]));
            let mut next = (gone * ROWS) as u32;
            let events = batch(&plain(restored, gone as i64 * 100), 1, &mut next);
            run(index.restore(&events)).unwrap();
            run(index.restored(lost[0].number, restored as u64)).unwrap();
            assert_eq!(total(&index) + all_losses(&index).events, ALL);
            assert_eq!(all_losses(&index).events, (ROWS - restored) as u64);
            assert_eq!(index.lost_files(), []);
            drop(index);
            let index = Embedded::open(config(dir.path())).unwrap();
            assert_eq!(total(&index), ALL - (ROWS - restored) as u64);
            assert_eq!((index.lost_files(), all_losses(&index)), (vec![], Losses::default()));
        }
    }
}

#[test]
fn a_file_of_a_later_version_is_refused_by_name_and_left_as_it_is() {
    let dir = three_files();
    let (name, bytes) = files(dir.path())[1].clone();
    let later = |bytes: &[u8]| -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let end = bytes.len();
        bytes[7] = b'7';
        bytes[end - 25] = b'7';
        bytes
    };
    fs::write(dir.path().join(&name), later(&bytes)).unwrap();
    fs::write(dir.path().join("0000000000000009.tmp"), b"unfinished").unwrap();
    let before = files(dir.path());
    let refused = Embedded::open(config(dir.path())).map(drop);
    let Err(IndexError::Version { path }) = refused else { panic!("{refused:?}") };
    assert_eq!(path, dir.path().join(&name));
    assert_eq!(files(dir.path()), before, "nothing was changed");
}

#[test]
fn a_folder_without_a_manifest_is_read_and_gets_one() {
    let dir = three_files();
    fs::remove_file(dir.path().join("manifest")).unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    assert_eq!((total(&index), all_losses(&index)), (ALL, Losses::default()));
    run(index.commit()).unwrap();
    drop(index);
    let (name, _) = files(dir.path())[0].clone();
    fs::remove_file(dir.path().join(name)).unwrap();
    let index = Embedded::open(config(dir.path())).unwrap();
    assert_eq!((total(&index), all_losses(&index).events), (ALL - ROWS as u64, ROWS as u64));
}

#[test]
fn a_file_that_an_earlier_version_wrote_is_read() {
    let dir = TempDir::new().unwrap();
    let fixture = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1"));
    for (name, bytes) in files(fixture) {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let index = Embedded::open(Config::new(dir.path())).unwrap();
    assert_eq!((total(&index), index.stats().damaged), (40, 0));
    let selection = Selection { query: Query::parse("\"number 17\"", NOW).unwrap(), ..Selection::all() };
    let found = run(index.search(SearchRequest::new(selection, 9), &Limits::none())).unwrap();
    assert_eq!(found.total, 1);
}

#[test]
fn files_deleted_beneath_it_are_noticed() {
    let dir = three_files();
    let index = Embedded::open(config(dir.path())).unwrap();
    assert_eq!(index.missing_files(), 0);
    fs::remove_dir_all(dir.path()).unwrap();
    assert_eq!(index.missing_files(), FILES as u64);
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Place, u8),
    Truncate(Place),
    Remove,
    Fill(Place, usize, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Place>(), 1..=255u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        2 => any::<Place>().prop_map(Damage::Truncate),
        1 => Just(Damage::Remove),
        2 => (any::<Place>(), 1..2000usize, any::<u8>())
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
    fn found_and_told_lost_are_what_was_committed(file in any::<Place>(), damage in damage()) {
        let dir = three_files();
        let names = files(dir.path());
        apply(&dir.path().join(&names[file.index(names.len())].0), &damage);
        let index = Embedded::open(config(dir.path())).unwrap();
        for _ in 0..2 {
            prop_assert_eq!(total(&index) + all_losses(&index).events, ALL);
            ask_everything(&index);
        }
        prop_assert_eq!(committed(&index, 1), Position { segment: 3, record: ALL as u32 });
    }
}
