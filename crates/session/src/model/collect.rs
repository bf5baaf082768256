//! Sessions as count vectors and as sequences, in bounded memory.

use disk::sealed::{Reader, SealedError, Writer};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{
    config::Config,
    sequence::{EventKey, Session},
};

/// Events of a session from which orders are learned; later ones count but have no place.
pub(super) const SEQUENCE_MAX: usize = 1_024;
/// Times kept of sessions with the same sequence.
const TIMES_MAX: usize = 8;
/// Different unseen events of one session that are told apart.
pub(super) const UNSEEN_MAX: usize = 64;

/// Numbers of events and how often they occur, by rising number.
pub(super) type Vector = Box<[(u32, u32)]>;

/// The counts of a session to be judged.
pub(super) struct Counts {
    pub(super) vector: Vector,
    pub(super) unseen: Vec<(EventKey, u32)>,
}

/// What training starts from. Nothing in it depends on the order of the sessions.
pub(super) struct Collected {
    /// Sorted; an event's place is its number.
    pub(super) keys: Vec<EventKey>,
    /// Sorted, with the number of sessions.
    pub(super) vectors: Vec<(Vector, u64)>,
    /// Sorted, with the number of sessions; a sample by content where there are too many.
    pub(super) sequences: Vec<(Box<[u32]>, u64)>,
    pub(super) sessions: u64,
    /// Duration and longest gap of some sessions with each sequence, those with the shortest.
    pub(super) times: HashMap<Box<[u32]>, Vec<[f32; 2]>, FixedState>,
}

/// The counts of a sequence.
pub(super) fn vector(sequence: &[u32]) -> Vector {
    let mut sorted = sequence.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|left, right| left == right).map(|run| (run[0], run.len() as u32)).collect()
}

/// How often an event occurs in a vector.
pub(super) fn count_of(vector: &[(u32, u32)], event: u32) -> u32 {
    vector.binary_search_by_key(&event, |(event, _)| *event).map_or(0, |place| vector[place].1)
}

pub(super) fn collect<'a>(sessions: impl Iterator<Item = Session<'a>>, config: &Config) -> Collected {
    let mut keys: Vec<EventKey> = vec![];
    let mut numbers: HashMap<EventKey, u32, FixedState> = HashMap::default();
    let mut vectors: HashMap<Vector, u64, FixedState> = HashMap::default();
    let mut sequences = Sequences::new(config.order_events_max);
    let (mut count, mut sequence) = (0, vec![]);
    for timed in sessions.filter(|session| !session.events.is_empty()) {
        let session = timed.events;
        count += 1;
        sequence.clear();
        for key in session {
            let full = keys.len() >= config.events_max && !numbers.contains_key(key);
            let key = if full { EventKey::OTHER } else { *key };
            sequence.push(*numbers.entry(key).or_insert_with(|| {
                keys.push(key);
                (keys.len() - 1) as u32
            }));
        }
        *vectors.entry(vector(&sequence)).or_default() += 1;
        if vectors.len() > config.vectors_max.saturating_mul(2) {
            prune(&mut vectors, &keys, config.vectors_max);
        }
        sequences.add(timed, &sequence);
    }
    if vectors.len() > config.vectors_max {
        prune(&mut vectors, &keys, config.vectors_max);
    }
    renumber(keys, vectors, sequences, count)
}

/// Keeps the vectors with most support; among equals, chance by content, so that they stay typical.
fn prune(vectors: &mut HashMap<Vector, u64, FixedState>, keys: &[EventKey], keep: usize) {
    let hash = |vector: &Vector| {
        let hashes = vector.iter().map(|(event, count)| {
            std::hash::BuildHasher::hash_one(&FixedState::default(), (keys[*event as usize], *count))
        });
        hashes.fold(0, u64::wrapping_add)
    };
    let mut all: Vec<(u64, u64, Vector)> =
        vectors.drain().map(|(vector, support)| (u64::MAX - support, hash(&vector), vector)).collect();
    all.sort_unstable();
    vectors.extend(all.into_iter().take(keep).map(|(support, _, vector)| (vector, u64::MAX - support)));
}

/// Numbers events by their keys, so that the order of their arrival is forgotten.
fn renumber(
    keys: Vec<EventKey>,
    vectors: HashMap<Vector, u64, FixedState>,
    sequences: Sequences,
    sessions: u64,
) -> Collected {
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    let new: Vec<u32> = keys.iter().map(|key| sorted.partition_point(|other| other < key) as u32).collect();
    let mut vectors: Vec<(Vector, u64)> = vectors
        .into_iter()
        .map(|(mut vector, support)| {
            vector.iter_mut().for_each(|(event, _)| *event = new[*event as usize]);
            vector.sort_unstable();
            (vector, support)
        })
        .collect();
    vectors.sort_unstable();
    let mut times = HashMap::default();
    let mut sequences: Vec<(Box<[u32]>, u64)> = sequences
        .kept
        .into_iter()
        .map(|(mut sequence, kept)| {
            sequence.iter_mut().for_each(|event| *event = new[*event as usize]);
            times.insert(sequence.clone(), kept.times);
            (sequence, kept.support)
        })
        .collect();
    sequences.sort_unstable();
    Collected { keys: sorted, vectors, sequences, sessions, times }
}

/// Different sequences. When there are too many, those whose hash starts with enough zero bits: which
/// these are depends on the sequences alone, not on when they came.
struct Sequences {
    kept: HashMap<Box<[u32]>, Kept, FixedState>,
    events: usize,
    events_max: usize,
    zeros: u32,
}

/// What is known of the sessions with one sequence.
struct Kept {
    hash: u64,
    support: u64,
    times: Vec<[f32; 2]>,
}

impl Kept {
    /// Keeps the shortest times, whatever order they come in.
    fn add(&mut self, times: [f32; 2]) {
        self.support += 1;
        let place = self.times.partition_point(|other| {
            other[0].total_cmp(&times[0]).then(other[1].total_cmp(&times[1])).is_lt()
        });
        if place < TIMES_MAX {
            self.times.truncate(TIMES_MAX - 1);
            self.times.insert(place, times);
        }
    }
}

impl Sequences {
    fn new(events_max: usize) -> Self {
        Self { kept: HashMap::default(), events: 0, events_max, zeros: 0 }
    }

    fn add(&mut self, session: Session<'_>, sequence: &[u32]) {
        if sequence.len() > SEQUENCE_MAX {
            return;
        }
        let hash = std::hash::BuildHasher::hash_one(&FixedState::default(), session.events);
        if hash.leading_zeros() < self.zeros {
            return;
        }
        let times = [session.duration_s, session.gap_s];
        match self.kept.get_mut(sequence) {
            Some(kept) => kept.add(times),
            None => {
                self.kept.insert(sequence.into(), Kept { hash, support: 1, times: vec![times] });
                self.events += sequence.len();
            }
        }
        while self.events > self.events_max && self.zeros < 64 {
            self.zeros += 1;
            let (zeros, events) = (self.zeros, &mut self.events);
            self.kept.retain(|sequence, kept| {
                let stays = kept.hash.leading_zeros() >= zeros;
                *events -= if stays { 0 } else { sequence.len() };
                stays
            });
        }
    }
}

/// The number of an event.
pub(super) fn number(input: &mut Reader<'_>, events: usize) -> Result<u32, SealedError> {
    let number = input.u32()?;
    if (number as usize) < events { Ok(number) } else { Err(input.damaged()) }
}

/// u32 events, then for each its u32 number, rising, and u32 how often it occurs.
pub(super) fn write_vector(vector: &[(u32, u32)], out: &mut Writer) {
    out.u32(vector.len() as u32);
    for (event, count) in vector {
        out.u32(*event);
        out.u32(*count);
    }
}

pub(super) fn read_vector(input: &mut Reader<'_>, events: usize) -> Result<Vector, SealedError> {
    let length = input.count(8, events)?;
    let mut vector: Vec<(u32, u32)> = Vec::with_capacity(length);
    for _ in 0..length {
        let entry = (number(input, events)?, input.u32()?);
        if vector.last().is_some_and(|last| last.0 >= entry.0) {
            return Err(input.damaged());
        }
        vector.push(entry);
    }
    Ok(vector.into())
}
