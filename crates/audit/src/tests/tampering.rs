//! Every kind of tampering, by whoever has no key and by whoever has: found at the right line, or known not to show.

use std::{
    fs,
    path::Path,
    sync::{LazyLock, Mutex, PoisonError},
};

use blake3::Hash;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::{at, made, record, small};
use crate::{
    Audit, Finding, Kind, PublicKey, ReadError, Report, Source,
    checkpoint::Checkpoint,
    files,
    header::Header,
    key,
    line::{self, Line},
    verify,
};

/// The files of a record, line by line.
#[derive(Clone)]
struct Lines(Vec<Vec<u8>>, Vec<usize>);

impl Lines {
    fn read(dir: &Path) -> Self {
        let (mut lines, mut counts) = (vec![], vec![]);
        for path in files::list(dir).unwrap() {
            let bytes = fs::read(path).unwrap();
            let before = lines.len();
            lines.extend(bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec));
            counts.push(lines.len() - before);
        }
        Self(lines, counts)
    }

    /// Writes them back, so many to each file; the last file takes what is over.
    fn write(&self, dir: &Path, counts: &[usize]) {
        let mut rest = &self.0[..];
        for (number, count) in counts.iter().enumerate() {
            let count = if number + 1 == counts.len() { rest.len() } else { (*count).min(rest.len()) };
            let (these, others) = rest.split_at(count);
            fs::write(files::path(dir, number as u32), these.concat()).unwrap();
            rest = others;
        }
    }

    fn parsed(&self, at: usize) -> Line<'_> {
        Line::parse(self.0[at].strip_suffix(b"\n").unwrap()).unwrap()
    }

    fn members(&self, at: usize) -> String {
        let content = std::str::from_utf8(self.parsed(at).content).unwrap();
        content.splitn(3, ',').nth(2).unwrap().to_owned()
    }

    fn hash_before(&self, at: usize, installation: &str) -> Hash {
        at.checked_sub(1).map_or(line::genesis(installation), |before| self.parsed(before).claimed().unwrap())
    }

    /// Chains all from a line on anew, as anybody can, and signs them with a key, as only its owner can.
    fn chain(&mut self, from: usize, installation: &str, key: Option<&SigningKey>) {
        let mut before = self.hash_before(from, installation);
        for at in from..self.0.len() {
            let line = self.parsed(at);
            let (seq, time, kind) = (line.seq, line.time, line.kind);
            let mut members = self.members(at);
            if kind == line::Kind::Header {
                let own = Header::parse(self.0[at].strip_suffix(b"\n").unwrap()).unwrap();
                let key = key.map_or(own.key, SigningKey::verifying_key);
                members = Header::new(installation, own.header.file, &before, &key).members();
            }
            if let (line::Kind::Checkpoint, Some(key)) = (kind, key) {
                let checkpoint = Checkpoint::sign(key, installation, (seq - 1, before), time, 5);
                members = format!(r#""checkpoint":"{}""#, checkpoint.text());
            }
            let mut bytes = vec![];
            before = line::push(&mut bytes, seq, time, &members, &before);
            self.0[at] = bytes;
        }
    }

    fn checkpoint_at(&self, at: usize) -> Option<Checkpoint> {
        Checkpoint::in_line(self.parsed(at).content)
    }
}

struct Original {
    dir: tempfile::TempDir,
    lines: Lines,
    installation: String,
}

impl Original {
    fn new(records: i64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path(), records);
        let report = check(dir.path());
        assert!(report.is_sound(), "{:?}", report.findings);
        let lines = Lines::read(dir.path());
        assert_eq!(report.lines, (1, lines.0.len() as u64));
        Self { lines, installation: report.installation, dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The first finding once these lines stand there.
    fn finding(&self, lines: &Lines, counts: &[usize]) -> Finding {
        lines.write(self.path(), counts);
        let mut findings = check(self.path()).findings;
        assert!(!findings.is_empty(), "nothing was found");
        findings.remove(0)
    }
}

fn check(dir: &Path) -> Report {
    verify(&Source::Folder(dir.to_owned()), None, &[]).unwrap()
}

fn is_found(finding: &Finding, kind: Kind, line: usize) {
    assert_eq!((finding.kind, finding.record), (kind, line as u64 + 1), "{finding}");
}

/// What is done to a record; numbers choose where.
#[derive(Debug, Clone)]
enum Act {
    Edit(usize, usize, u8),
    Remove(usize, usize),
    Cut(usize, bool),
    Repeat(usize, usize),
    Insert(usize, bool),
    Swap(usize, usize),
    Rewrite(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let place = || any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
    prop_oneof![
        (place(), place(), 0x20_u8..0x7f).prop_map(|(at, byte, new)| Act::Edit(at, byte, new)),
        (place(), place()).prop_map(|(at, count)| Act::Remove(at, count)),
        (place(), any::<bool>()).prop_map(|(at, torn)| Act::Cut(at, torn)),
        (place(), place()).prop_map(|(from, to)| Act::Repeat(from, to)),
        (place(), any::<bool>()).prop_map(|(at, chained)| Act::Insert(at, chained)),
        (place(), place()).prop_map(|(one, other)| Act::Swap(one, other)),
        place().prop_map(Act::Rewrite),
    ]
}

fn find(original: &Original, act: &Act) {
    let (mut lines, counts) = (original.lines.clone(), original.lines.1.clone());
    let total = lines.0.len();
    // The last line may be edited and cut off; what else is done happens before it.
    let last = total - 1;
    match *act {
        Act::Edit(at, byte, new) => {
            let at = at % total;
            let line = &mut lines.0[at];
            let byte = byte % (line.len() - 1);
            line[byte] = if line[byte] == new { b'~' - new % 2 } else { new };
            if lines.0[at] == original.lines.0[at] {
                return;
            }
            is_found(&original.finding(&lines, &counts), Kind::Edit, at);
        }
        Act::Remove(at, count) => {
            let at = at % last;
            let count = 1 + count % (last - at);
            lines.0.drain(at..at + count);
            let finding = original.finding(&lines, &shortened(&counts, at, count));
            is_found(&finding, Kind::Removal, at);
            assert_eq!(finding.through, Some((at + count) as u64));
        }
        Act::Cut(at, torn) => {
            let at = at % total;
            let rest = lines.0.split_off(at);
            if torn {
                lines.0.push(rest[0][..rest[0].len() / 2].to_vec());
            }
            is_found(&original.finding(&lines, &counts), Kind::CutTail, at);
        }
        Act::Repeat(from, to) => {
            let (from, to) = (from % last, to % last);
            lines.0.insert(to, original.lines.0[from].clone());
            // Of two that are the same, one behind the other, the second is the one too many.
            is_found(
                &original.finding(&lines, &counts),
                Kind::Insertion,
                if from == to { to + 1 } else { to },
            );
        }
        Act::Insert(at, chained) => {
            let at = at % last;
            let before = lines.hash_before(at, &original.installation);
            let time = lines.parsed(at).time;
            let mut line = vec![];
            line::push(&mut line, at as u64 + 1, time, &record(1_000_000).members().unwrap(), &before);
            if !chained {
                let end = line.len() - 4;
                line[end] = if line[end] == b'0' { b'1' } else { b'0' };
            }
            lines.0.insert(at, line);
            is_found(&original.finding(&lines, &counts), Kind::Insertion, at);
        }
        Act::Swap(one, other) => {
            let (one, other) = (one % last, other % last);
            if one != other {
                lines.0.swap(one, other);
                is_found(&original.finding(&lines, &counts), Kind::Reorder, one.min(other));
            }
        }
        Act::Rewrite(at) => {
            let at = at % last;
            if lines.parsed(at).kind != line::Kind::Record {
                return;
            }
            let text = String::from_utf8(lines.0[at].clone()).unwrap();
            lines.0[at] = text.replacen("\"done\"", "\"failed\"", 1).into_bytes();
            lines.chain(at, &original.installation, None);
            let finding = original.finding(&lines, &counts);
            let (record, through) = (at as u64 + 1, finding.through.unwrap());
            assert_eq!(finding.kind, Kind::Rewrite, "{finding}");
            assert!(finding.record <= record && record <= through, "{finding} for {record}");
            assert!(through - finding.record <= 7, "between two checkpoints: {finding}");
        }
    }
}

/// How many lines each file keeps when some are removed.
fn shortened(counts: &[usize], at: usize, count: usize) -> Vec<usize> {
    let mut start = 0;
    counts
        .iter()
        .map(|lines| {
            let (from, to) = (start, start + lines);
            start = to;
            let gone = (at + count).min(to).saturating_sub(at.max(from));
            lines - gone
        })
        .collect()
}

/// Records of several lengths, made once.
static ORIGINALS: LazyLock<Mutex<Vec<Original>>> =
    LazyLock::new(|| Mutex::new([0, 4, 5, 17, 43].map(Original::new).into()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn each_kind_of_tampering_is_found_at_the_right_line(which in 0..5_usize, act in act()) {
        let originals = ORIGINALS.lock().unwrap_or_else(PoisonError::into_inner);
        let original = &originals[which];
        find(original, &act);
        original.lines.write(original.path(), &original.lines.1);
        prop_assert!(check(original.path()).is_sound());
    }
}

#[test]
fn files_that_are_missing_or_change_places_are_found() {
    let original = Original::new(40);
    let path = |number| files::path(original.path(), number);
    let first_of = |number: usize| original.lines.1[..number].iter().sum::<usize>();
    assert!(original.lines.1.len() >= 4, "{:?}", original.lines.1);
    for (number, kind) in
        [(0, Kind::Removal), (1, Kind::Removal), (original.lines.1.len() - 1, Kind::CutTail)]
    {
        fs::rename(path(number as u32), original.path().join("aside")).unwrap();
        let found = check(original.path());
        is_found(&found.findings[0], kind, first_of(number));
        fs::rename(original.path().join("aside"), path(number as u32)).unwrap();
    }
    fs::rename(path(1), original.path().join("aside")).unwrap();
    fs::rename(path(2), path(1)).unwrap();
    fs::rename(original.path().join("aside"), path(2)).unwrap();
    is_found(&check(original.path()).findings[0], Kind::Reorder, first_of(1));
}

#[test]
fn all_files_gone_is_a_cut_and_an_empty_folder_is_nothing() {
    let original = Original::new(7);
    for path in files::list(original.path()).unwrap() {
        fs::remove_file(path).unwrap();
    }
    is_found(&check(original.path()).findings[0], Kind::CutTail, 0);
    fs::remove_file(original.path().join(files::HEAD)).unwrap();
    let nothing = verify(&Source::Folder(original.path().to_owned()), None, &[]);
    assert!(matches!(nothing, Err(ReadError::Nothing { .. })), "{nothing:?}");
}

#[test]
fn the_copy_of_the_newest_checkpoint_is_looked_at_too() {
    let original = Original::new(20);
    let head = original.path().join(files::HEAD);
    let text = fs::read_to_string(&head).unwrap();
    fs::write(&head, text.replace("every=5", "every=9")).unwrap();
    assert_eq!(check(original.path()).findings[0].kind, Kind::Edit);
    fs::remove_file(&head).unwrap();
    assert_eq!(check(original.path()).findings[0].kind, Kind::Removal);
}

#[test]
fn checkpoints_that_were_taken_away_are_missed() {
    let original = Original::new(20);
    let mut lines = original.lines.clone();
    let first = (0..lines.0.len()).find(|at| lines.checkpoint_at(*at).is_some()).unwrap();
    let kept = lines.checkpoint_at(first).unwrap();
    let later = (first + 1..lines.0.len()).rev().filter(|at| original.lines.checkpoint_at(*at).is_some());
    for at in later.collect::<Vec<_>>() {
        lines.0.remove(at);
    }
    for at in first..lines.0.len() {
        let members = lines.members(at);
        let time = lines.parsed(at).time;
        lines.0[at].clear();
        line::push(&mut lines.0[at], at as u64 + 1, time, &members, &blake3::hash(b""));
    }
    lines.chain(first, &original.installation, None);
    fs::write(original.path().join(files::HEAD), format!("{}\n", kept.text())).unwrap();
    let counts = vec![lines.0.len()];
    for path in files::list(original.path()).unwrap() {
        fs::remove_file(path).unwrap();
    }
    let finding = original.finding(&lines, &counts);
    assert_eq!((finding.kind, finding.record), (Kind::Rewrite, kept.record + 1), "{finding}");
}

/// What was kept elsewhere, as another Log Sentinel prints it.
fn kept_elsewhere(original: &Original) -> (tempfile::NamedTempFile, Vec<Checkpoint>) {
    let all = 0..original.lines.0.len();
    let checkpoints: Vec<_> = all.filter_map(|at| original.lines.checkpoint_at(at)).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let hits: Vec<_> = checkpoints.iter().map(Checkpoint::event).collect();
    fs::write(file.path(), serde_json::to_string_pretty(&serde_json::json!({ "hits": hits })).unwrap())
        .unwrap();
    (file, checkpoints)
}

/// Writes everything from a line on anew, with this key.
fn rewritten(original: &Original, from: usize, key: &SigningKey) {
    let mut lines = original.lines.clone();
    let text = String::from_utf8(lines.0[from].clone()).unwrap();
    assert!(text.contains("\"done\""), "{text}");
    lines.0[from] = text.replacen("\"done\"", "\"failed\"", 1).into_bytes();
    lines.chain(
        if key.verifying_key() == own_key(original).verifying_key() { from } else { 0 },
        &original.installation,
        Some(key),
    );
    lines.write(original.path(), &lines.1);
    let last = lines.checkpoint_at(lines.0.len() - 1).unwrap();
    fs::write(original.path().join(files::HEAD), format!("{}\n", last.text())).unwrap();
    PublicKey(key.verifying_key()).write(&original.path().join(files::PUBLIC_KEY)).unwrap();
}

fn own_key(original: &Original) -> SigningKey {
    key::private(&original.path().join(files::PRIVATE_KEY)).unwrap().unwrap()
}

#[test]
fn with_the_key_only_checkpoints_kept_elsewhere_show_a_rewrite() {
    let original = Original::new(30);
    let (against, checkpoints) = kept_elsewhere(&original);
    let source = Source::Folder(original.path().to_owned());
    let exported = PublicKey::read(&original.path().join(files::PUBLIC_KEY)).unwrap();
    let witnessed = |key| verify(&source, key, &[against.path().to_owned()]).unwrap();
    assert_eq!(witnessed(None).witnessed, checkpoints.last().map(Checkpoint::record));
    assert!(witnessed(Some(&exported)).is_sound());
    let from = 20;
    let from = (from..).find(|at| original.lines.parsed(*at).kind == line::Kind::Record).unwrap();
    rewritten(&original, from, &own_key(&original));
    assert!(verify(&source, Some(&exported), &[]).unwrap().is_sound(), "who has the key can do this unseen");
    let report = witnessed(Some(&exported));
    let finding = &report.findings[0];
    assert_eq!(finding.kind, Kind::Rewrite);
    let last_good = checkpoints.iter().map(Checkpoint::record).filter(|record| *record <= from as u64).max();
    assert_eq!(Some(finding.record), last_good.map(|record| record + 1), "{finding}");
    assert!(finding.through.unwrap() > from as u64, "{finding}");
}

#[test]
fn another_key_is_found_by_the_exported_one_and_by_checkpoints_kept_elsewhere() {
    let original = Original::new(30);
    let (against, _) = kept_elsewhere(&original);
    let source = Source::Folder(original.path().to_owned());
    let exported = PublicKey(own_key(&original).verifying_key());
    rewritten(&original, 4, &SigningKey::from_bytes(&[9; 32]));
    assert!(verify(&source, None, &[]).unwrap().is_sound(), "the record's own word is no proof");
    let by_key = verify(&source, Some(&exported), &[]).unwrap();
    assert_eq!((by_key.findings[0].kind, by_key.findings[0].record), (Kind::Rewrite, 1));
    let by_witness = verify(&source, None, &[against.path().to_owned()]).unwrap();
    assert_eq!(by_witness.findings[0].kind, Kind::Rewrite);
    assert!(by_witness.unsigned_witnesses > 0);
}

#[test]
fn a_forged_checkpoint_elsewhere_accuses_nobody_when_the_key_is_given() {
    let original = Original::new(10);
    let key = SigningKey::from_bytes(&[9; 32]);
    let forged = Checkpoint::sign(&key, &original.installation, (3, blake3::hash(b"x")), at(1), 5);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), forged.syslog("h")).unwrap();
    let exported = PublicKey(own_key(&original).verifying_key());
    let source = Source::Folder(original.path().to_owned());
    let report = verify(&source, Some(&exported), &[file.path().to_owned()]).unwrap();
    assert!(report.is_sound() && report.unsigned_witnesses == 1, "{:?}", report.findings);
}

#[test]
fn a_cut_with_its_copy_shows_against_what_was_kept_elsewhere() {
    let original = Original::new(30);
    let (against, checkpoints) = kept_elsewhere(&original);
    let mut lines = original.lines.clone();
    let end = (15..).find(|at| lines.checkpoint_at(*at).is_some()).unwrap();
    lines.0.truncate(end + 1);
    lines.write(original.path(), &lines.1);
    for path in files::list(original.path()).unwrap() {
        if fs::metadata(&path).unwrap().len() == 0 {
            fs::remove_file(path).unwrap();
        }
    }
    let newest = lines.checkpoint_at(end).unwrap();
    fs::write(original.path().join(files::HEAD), format!("{}\n", newest.text())).unwrap();
    assert!(check(original.path()).is_sound(), "nothing here says that there was more");
    let source = Source::Folder(original.path().to_owned());
    let report = verify(&source, None, &[against.path().to_owned()]).unwrap();
    is_found(&report.findings[0], Kind::CutTail, end + 1);
    assert_eq!(report.findings[0].through, checkpoints.last().map(|last| last.record + 1));
}

#[test]
fn some_of_the_files_are_verified_by_themselves() {
    let original = Original::new(40);
    let all = files::list(original.path()).unwrap();
    let (against, _) = kept_elsewhere(&original);
    let some = Source::Files(vec![all[2].clone(), all[1].clone()]);
    let report = verify(&some, None, &[against.path().to_owned()]);
    // What was kept elsewhere covers more than these files.
    assert_eq!(report.unwrap().findings[0].kind, Kind::CutTail);
    let report = verify(&some, None, &[]).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.lines.0, original.lines.1[0] as u64 + 1);
    let gap = verify(&Source::Files(vec![all[0].clone(), all[2].clone()]), None, &[]).unwrap();
    is_found(&gap.findings[0], Kind::Removal, original.lines.1[0]);
}

#[test]
fn another_installation_is_refused_by_name() {
    let (one, other) = (Original::new(40), Original::new(40));
    let strange = files::path(other.path(), 1);
    fs::copy(&strange, files::path(one.path(), 1)).unwrap();
    let folder = Source::Folder(one.path().to_owned());
    let files = Source::Files(vec![files::path(one.path(), 0), strange]);
    let (against, _) = kept_elsewhere(&other);
    let sound = Source::Files(vec![files::path(one.path(), 0)]);
    for error in [
        verify(&folder, None, &[]).unwrap_err(),
        verify(&files, None, &[]).unwrap_err(),
        verify(&sound, None, &[against.path().to_owned()]).unwrap_err(),
    ] {
        let ReadError::OtherInstallation { found, expected, .. } = &error else { panic!("{error}") };
        assert_eq!((found, expected), (&other.installation, &one.installation));
    }
    let none = tempfile::NamedTempFile::new().unwrap();
    let error = verify(&sound, None, &[none.path().to_owned()]).unwrap_err();
    assert!(matches!(error, ReadError::NoCheckpoints { .. }), "{error}");
    let error = verify(&Source::Files(vec![none.path().to_owned()]), None, &[]).unwrap_err();
    assert!(matches!(error, ReadError::NotAudit { .. }), "{error}");
}

#[test]
fn a_clock_that_was_set_back_is_told_beyond_the_steps_of_corrections() {
    for (back, expected) in
        [(4, None), (5, None), (6, Some(Kind::ClockRolledBack)), (3600, Some(Kind::ClockRolledBack))]
    {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
        for second in (100..130).chain([129 - back]) {
            audit.record(&record(second)).unwrap();
        }
        let seq = audit.record(&record(129)).unwrap() - 1;
        audit.close(at(129)).unwrap();
        let report = check(dir.path());
        let found = report.findings.first();
        assert_eq!(found.map(|finding| finding.kind), expected, "{back}: {found:?}");
        assert!(found.is_none_or(|finding| seq - finding.record <= 1), "{found:?}");
        drop(audit);
        Audit::open(small(dir.path()), None, at(130))
            .expect("a clock that was set back is no reason not to go on");
    }
}
