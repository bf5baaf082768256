//! The journal against a list in memory: random appends, readers at a pace of their own that come and go, reopenings
//! and crashes.

use std::{collections::BTreeMap, sync::atomic::Ordering::SeqCst, sync::mpsc::Receiver};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::queue::Answer;

/// Readers there may be; the first two are there from the start.
const READERS: [&str; 4] = ["analysis", "indexing", "detection", "window"];
/// What a disk writes whole.
const SECTOR: usize = 512;

/// One batch: the records' lengths, and the notes: key, value or None to forget.
type Lengths = (Vec<usize>, Vec<(u8, Option<u8>)>);

#[derive(Debug, Clone)]
enum Step {
    /// Handed over together, so that they share writes.
    Append(Vec<Lengths>),
    /// Which reader reads on, and how often, each time committing what it read.
    Read(usize, usize),
    /// Which reader, and how far into all records, in 1/1000.
    Commit(usize, usize),
    /// One that comes late, or again.
    Join(usize),
    /// One that nobody will use again; the last one stays.
    Leave(usize),
    Reopen,
    Crash(Crash),
}

/// Loses what is not durable.
#[derive(Debug, Clone)]
struct Crash {
    /// Written, at least partly, but never answered.
    unanswered: Vec<Lengths>,
    /// What is left of the bytes not yet durable, in 1/1000.
    left: u64,
    /// A sector among them that never reached the disk, in 1/1000.
    hole: Option<usize>,
}

fn batches(most: usize) -> impl Strategy<Value = Vec<Lengths>> {
    let length = prop_oneof![8 => 0..200_usize, 1 => 1000..9000_usize, 1 => 60_000..70_000_usize];
    let one = (vec(length, 0..5), vec((0..6_u8, any::<Option<u8>>()), 0..3));
    vec(one.prop_filter("an empty batch is not written", |(a, b)| !(a.is_empty() && b.is_empty())), 0..most)
}

fn step() -> impl Strategy<Value = Step> {
    let left = prop_oneof![0..1000_u64, Just(1000)];
    let crash = (batches(4), left, proptest::option::of(0..1000_usize));
    prop_oneof![
        4 => batches(4).prop_map(Step::Append),
        4 => (0..READERS.len(), 1..6_usize).prop_map(|(reader, reads)| Step::Read(reader, reads)),
        2 => (0..READERS.len(), prop_oneof![0..1000_usize, Just(1000)]).prop_map(|(c, to)| Step::Commit(c, to)),
        1 => (0..READERS.len()).prop_map(Step::Join),
        1 => (0..READERS.len()).prop_map(Step::Leave),
        1 => Just(Step::Reopen),
        2 => crash.prop_map(|(unanswered, left, hole)| Step::Crash(Crash { unanswered, left, hole })),
    ]
}

type Notes = BTreeMap<Vec<u8>, Vec<u8>>;
/// The records and notes that one batch brings.
type Content = (Vec<Vec<u8>>, Vec<Note>);

/// The number of the next record, and the position committed.
type Place = (usize, Position);

struct Model {
    dir: tempfile::TempDir,
    segment_bytes: u64,
    journal: Option<(Journal, Arc<faults::Faults>)>,
    id: Option<JournalId>,
    /// All that were ever acknowledged, in order; deleted ones too.
    records: Vec<(Position, Vec<u8>)>,
    notes: Notes,
    readers: BTreeMap<&'static str, Place>,
    /// Makes every record another one.
    made: u64,
    journal_was_open: bool,
}

impl Model {
    fn new(segment_bytes: u64) -> Self {
        let mut model = Self {
            dir: tempfile::tempdir().unwrap(),
            segment_bytes,
            journal: None,
            id: None,
            records: Vec::new(),
            notes: Notes::new(),
            readers: READERS[..2].iter().map(|name| (*name, Place::default())).collect(),
            made: 0,
            journal_was_open: false,
        };
        model.open();
        model
    }

    fn open(&mut self) {
        let config = Config { segment_bytes: self.segment_bytes, ..config(self.dir.path()) };
        let (journal, faults) = open_failing(config);
        if self.journal_was_open {
            let names: Vec<_> = journal.status().cursors.into_iter().map(|(name, _)| name).collect();
            assert!(
                names.iter().eq(self.readers.keys()),
                "{names:?} keep segments, before anybody asks for them"
            );
        }
        for name in self.readers.keys() {
            journal.cursor(name).unwrap();
        }
        self.journal_was_open = true;
        assert_eq!(journal.status().problems, []);
        self.journal = Some((journal, faults));
    }

    fn journal(&self) -> &Journal {
        &self.journal.as_ref().unwrap().0
    }

    fn content(&mut self, (lengths, notes): &Lengths) -> Content {
        let record = |&length: &usize| {
            self.made += 1;
            // No zeros: a sector of them means that it was never written.
            let mut bytes = vec![self.made as u8 | 1; length];
            let number = format!("{} ", self.made);
            bytes.splice(..length.min(number.len()), number.bytes());
            bytes
        };
        let records = lengths.iter().map(record).collect();
        let note = |(key, value): &(u8, Option<u8>)| Note {
            key: format!("k/{key}").into_bytes(),
            value: value.map(|value| vec![value; 3]),
        };
        (records, notes.iter().map(note).collect())
    }

    /// Queues batches at once, so that the writer takes them together.
    fn submit(&self, contents: &[Content]) -> Vec<Receiver<Answer>> {
        let shared = self.journal().shared();
        let mut queue = lock(&shared.queue);
        let receivers = contents.iter().map(|(records, notes)| {
            let records: Vec<_> = records.iter().map(Vec::as_slice).collect();
            let mut batch = batch(&records);
            notes.iter().for_each(|note| batch.note(note.clone()));
            let (sender, receiver) = mpsc::sync_channel(1);
            let batch = batch.encode();
            queue.bytes += batch.bytes.len();
            queue.waiting.push_back(Pending { batch, waiter: Waiter::Thread(sender) });
            receiver
        });
        let receivers = receivers.collect();
        drop(queue);
        shared.wake.notify_all();
        receivers
    }

    fn append(&mut self, batches: &[Lengths]) {
        let contents: Vec<_> = batches.iter().map(|batch| self.content(batch)).collect();
        for (receiver, (records, notes)) in self.submit(&contents).into_iter().zip(contents) {
            let Appended { first, end } = receiver.recv().unwrap().unwrap();
            assert_eq!(end, Position { record: first.record + records.len() as u32, ..first });
            for (number, record) in (first.record..).zip(records) {
                let position = Position { record: number, ..first };
                assert!(self.records.last().is_none_or(|(last, _)| *last < position));
                self.records.push((position, record));
            }
            notes.iter().for_each(|note| apply(&mut self.notes, note));
            self.id = Some(self.journal().id());
        }
    }

    /// The reader of this number, among those that are there.
    fn reader(&self, number: usize) -> (&'static str, Place) {
        let readers: Vec<_> = self.readers.iter().collect();
        let (name, place) = readers[number % readers.len()];
        (name, *place)
    }

    fn commit(&mut self, reader: usize, thousandths: usize) {
        let (name, (before, committed)) = self.reader(reader);
        let next = self.records.len() * thousandths / 1000;
        let position = self.records.get(next).map_or(self.journal().end(), |(position, _)| *position);
        self.journal().cursor(name).unwrap().commit(position).unwrap();
        if next >= before {
            self.readers.insert(name, (next, position.max(committed)));
        }
        if position > committed {
            self.check_trimmed();
        }
    }

    /// Reads on where it stands, as readers do that have a pace of their own.
    fn read(&mut self, reader: usize, reads: usize, max_bytes: usize) {
        let (name, (mut next, mut position)) = self.reader(reader);
        for _ in 0..reads {
            let read = self.journal().read(position, max_bytes).unwrap();
            let found: Vec<_> = read.iter().map(|(position, record)| (position, record.to_vec())).collect();
            assert!(self.records[next..].starts_with(&found), "{name} reads on from {position}");
            self.journal().cursor(name).unwrap().commit(read.end()).unwrap();
            let has_moved = read.end() > position;
            (next, position) = (next + found.len(), position.max(read.end()));
            self.readers.insert(name, (next, position));
            if has_moved {
                self.check_trimmed();
            }
        }
    }

    /// A reader that is new begins with the oldest record there is.
    fn join(&mut self, reader: usize) {
        let name = READERS[reader];
        let start = self.journal().status().start;
        let position = self.journal().cursor(name).unwrap().position();
        let next = self.records.partition_point(|(position, _)| *position < start);
        let (_, known) = *self.readers.entry(name).or_insert((next, start));
        assert_eq!(position, known);
    }

    fn leave(&mut self, reader: usize) {
        if self.readers.len() > 1 {
            let (name, _) = self.reader(reader);
            self.journal().forget_cursor(name).unwrap();
            self.readers.remove(name);
            self.check_trimmed();
        }
    }

    /// What every reader has passed is gone, but for the segments in which the notes are.
    fn check_trimmed(&self) {
        let state = lock(&self.journal().shared().state);
        let needed = self.slowest().1.segment.min(state.notes_from);
        let kept: Vec<_> = state.segments.keys().filter(|number| **number < needed).collect();
        assert!(kept.is_empty(), "{kept:?} are kept, and nothing before {needed} is needed");
    }

    /// Goes on with a copy made while the disk has not yet made `unanswered` durable.
    fn crash(&mut self, crash: &Crash) {
        let contents: Vec<_> = crash.unanswered.iter().map(|batch| self.content(batch)).collect();
        let (journal, faults) = self.journal.clone().unwrap();
        let seen = faults.syncs.load(SeqCst);
        let gate = faults.hold_syncs();
        let receivers = self.submit(&contents);
        if !receivers.is_empty() {
            wait_until("a write waits to be made durable", || faults.syncs.load(SeqCst) > seen);
        }
        let crashed = tempfile::tempdir().unwrap();
        copy(self.dir.path(), crashed.path());
        let newest = crate::recover::segments(&crashed.path().join("journal")).unwrap().pop();
        if let Some(newest) = newest {
            let durable = lock(&journal.shared().state).segments.get(&newest).map_or(0, |found| found.bytes);
            tear(&segment_path(&crashed.path().join("journal"), newest), durable as usize, crash);
        }
        faults.fail_sync.store(true, SeqCst);
        drop(gate);
        for receiver in receivers {
            assert!(matches!(receiver.recv().unwrap(), Err(AppendError::Poisoned)));
        }
        drop(journal);
        self.journal = None;
        self.dir = crashed;
        self.open();
        self.accept_some(contents);
    }

    /// Takes over the unanswered batches that are there: the first so many, each with its notes.
    fn accept_some(&mut self, contents: Vec<Content>) {
        let found = self.read_from(self.slowest(), 10_000);
        let unread = self.records.len() - self.slowest().0;
        assert!(found.len() >= unread, "{} of {unread} acknowledged records", found.len());
        let (mut records, notes) = (found[unread..].iter(), self.journal().notes(b"").into_iter().collect());
        let mut expected = self.notes.clone();
        let mut taken = Vec::new();
        for (batch, batch_notes) in contents {
            if records.len() == 0 && (!batch.is_empty() || expected == notes) {
                break;
            }
            for record in batch {
                let (position, found) = records.next().expect("a batch is whole or not there");
                assert_eq!(*found, record);
                taken.push((*position, record));
            }
            batch_notes.iter().for_each(|note| apply(&mut expected, note));
        }
        assert_eq!((records.len(), &notes), (0, &expected));
        self.records.extend(taken);
        self.notes = expected;
    }

    fn slowest(&self) -> Place {
        self.readers.values().copied().min().unwrap()
    }

    fn read_from(&self, (_, mut from): Place, max_bytes: usize) -> Vec<(Position, Vec<u8>)> {
        let mut found = Vec::new();
        loop {
            let records = self.journal().read(from, max_bytes).unwrap();
            assert_eq!(records.damaged(), 0);
            found.extend(records.iter().map(|(position, record)| (position, record.to_vec())));
            from = records.end();
            if records.is_empty() {
                return found;
            }
        }
    }

    fn check(&self, max_bytes: usize) {
        for (name, (next, committed)) in &self.readers {
            let position = self.journal().cursor(name).unwrap().position();
            assert_eq!(position, *committed, "{name}");
            let found = self.read_from((*next, position), max_bytes);
            assert!(found == self.records[*next..], "from {name} on");
        }
        // What is still there of the records that were read already is what it was.
        let found = self.read_from((0, Position::default()), max_bytes);
        assert!(self.records.ends_with(&found));
        assert_eq!(self.journal().notes(b"").into_iter().collect::<Notes>(), self.notes);
        assert!(self.id.is_none_or(|id| id == self.journal().id()));
        let status = self.journal().status();
        assert_eq!((status.damaged_records, status.problems), (0, Vec::new()));
    }
}

fn apply(notes: &mut Notes, note: &Note) {
    match &note.value {
        Some(value) => drop(notes.insert(note.key.clone(), value.clone())),
        None => drop(notes.remove(&note.key)),
    }
}

/// Leaves of the bytes behind `durable` what the crash says.
fn tear(path: &Path, durable: usize, crash: &Crash) {
    let mut bytes = fs::read(path).unwrap();
    let torn = bytes.len() - durable;
    bytes.truncate(durable + torn * crash.left as usize / 1000);
    let first = durable.div_ceil(SECTOR);
    let sectors = (bytes.len() / SECTOR).saturating_sub(first);
    if let Some(hole) = crash.hole
        && sectors > 0
    {
        let start = (first + sectors * hole / 1000) * SECTOR;
        bytes[start..start + SECTOR].fill(0);
    }
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_acknowledged_comes_back_once_and_in_order(
        segment_bytes in prop_oneof![Just(4096_u64), Just(100_000)],
        steps in vec(step(), 1..32),
        max_bytes in prop_oneof![Just(1_usize), 100..5000_usize, Just(1 << 20)],
    ) {
        let mut model = Model::new(segment_bytes);
        for step in &steps {
            match step {
                Step::Append(batches) => model.append(batches),
                Step::Read(reader, reads) => model.read(*reader, *reads, max_bytes),
                Step::Commit(reader, thousandths) => model.commit(*reader, *thousandths),
                Step::Join(reader) => model.join(*reader),
                Step::Leave(reader) => model.leave(*reader),
                Step::Reopen => {
                    model.journal = None;
                    model.open();
                }
                Step::Crash(crash) => model.crash(crash),
            }
            model.check(max_bytes);
        }
    }
}
