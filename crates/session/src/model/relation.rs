//! Relations between counts that nearly all sessions keep.
//!
//! A program that writes one line when it begins and one when it ends keeps them as often as each
//! other, whatever the session does besides; relations survive anomalies hidden in the training
//! data, which novelty does not. The idea is that of invariants mined from console logs (Lou et al.,
//! USENIX ATC 2010), over small integers and with support, without factorisation.

use disk::sealed::{Reader, SealedError, Writer};
use hashbrown::{HashMap, HashSet};

use super::{
    collect::{Vector, count_of, number},
    sequence::EventKey,
};

/// The least that a relation has to hold, whatever the configuration.
const HOLD_LEAST: f64 = 0.9;
/// Standard deviations of the confidence bound: with fewer sessions a relation must hold more often.
const CONFIDENCE: f64 = 1.96;
/// Events, most frequent first, whose counts are compared with each other, and those for sums.
const EVENTS_MAX: (usize, usize) = (128, 32);
/// Most relations kept, those that speak of most sessions.
const RELATIONS_MAX: usize = 1_000;
/// A relation is judged by when no more than this share of the normal sessions break it.
const STRONG: f64 = 0.005;

/// What nearly all sessions keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation<E = EventKey> {
    /// The event occurs exactly so often, at least once.
    Constant(E, u32),
    /// The event does not occur.
    Absent(E),
    /// The event occurs, however often.
    Present(E),
    /// Both events occur equally often.
    Equal(E, E),
    /// The first event occurs as often as the other two together.
    Sum(E, E, E),
    /// Where the first event occurs, so does the second.
    Implies(E, E),
}

impl<E: Copy> Relation<E> {
    /// The same relation of other names for the events.
    pub(super) fn map<F>(self, name: impl Fn(E) -> F) -> Relation<F> {
        match self {
            Self::Constant(event, count) => Relation::Constant(name(event), count),
            Self::Absent(event) => Relation::Absent(name(event)),
            Self::Present(event) => Relation::Present(name(event)),
            Self::Equal(left, right) => Relation::Equal(name(left), name(right)),
            Self::Sum(whole, left, right) => Relation::Sum(name(whole), name(left), name(right)),
            Self::Implies(event, other) => Relation::Implies(name(event), name(other)),
        }
    }

    /// The events it speaks of.
    pub fn events(self) -> impl Iterator<Item = E> {
        let (first, second, third) = match self {
            Self::Constant(event, _) | Self::Absent(event) | Self::Present(event) => (event, None, None),
            Self::Equal(left, right) | Self::Implies(left, right) => (left, Some(right), None),
            Self::Sum(whole, left, right) => (whole, Some(left), Some(right)),
        };
        [Some(first), second, third].into_iter().flatten()
    }
}

impl Relation<u32> {
    pub(super) fn holds(self, vector: &[(u32, u32)]) -> bool {
        let of = |event| count_of(vector, event);
        match self {
            Self::Constant(event, count) => of(event) == count,
            Self::Absent(event) => of(event) == 0,
            Self::Present(event) => of(event) > 0,
            Self::Equal(left, right) => of(left) == of(right),
            Self::Sum(whole, left, right) => of(whole) == of(left).saturating_add(of(right)),
            Self::Implies(event, other) => of(event) == 0 || of(other) > 0,
        }
    }

    /// Whether it says anything of such a session.
    fn speaks_of(self, vector: &[(u32, u32)]) -> bool {
        let occurs = |event| count_of(vector, event) > 0;
        match self {
            Self::Constant(..) | Self::Absent(_) | Self::Present(_) => true,
            Self::Equal(left, right) => occurs(left) || occurs(right),
            Self::Sum(whole, left, right) => occurs(whole) || occurs(left) || occurs(right),
            Self::Implies(event, _) => occurs(event),
        }
    }
}

/// A relation and how well it is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    pub(super) relation: Relation<u32>,
    /// Sessions that keep it.
    pub(super) held: u64,
    /// Sessions that it speaks of.
    pub(super) of: u64,
}

impl Known {
    /// Whether, with confidence, at least this share of sessions keeps it.
    pub(super) fn is_kept(&self, hold: f64) -> bool {
        lower_bound(self.held, self.of) >= hold
    }

    /// Whether breaking it makes a session strange.
    fn is_strong(&self) -> bool {
        (self.of - self.held) as f64 <= STRONG * self.of as f64
    }
}

/// u32 relations; for each u8 which one, three u32 (numbers of events, or a count, or 0), u64 held, u64 of.
pub(super) fn write(relations: &[Known], out: &mut Writer) {
    out.u32(relations.len() as u32);
    for known in relations {
        let (kind, parts) = match known.relation {
            Relation::Constant(event, count) => (0, [event, count, 0]),
            Relation::Absent(event) => (1, [event, 0, 0]),
            Relation::Present(event) => (2, [event, 0, 0]),
            Relation::Equal(left, right) => (3, [left, right, 0]),
            Relation::Sum(whole, left, right) => (4, [whole, left, right]),
            Relation::Implies(event, other) => (5, [event, other, 0]),
        };
        out.u8(kind);
        parts.into_iter().for_each(|part| out.u32(part));
        out.u64(known.held);
        out.u64(known.of);
    }
}

pub(super) fn read(input: &mut Reader<'_>, events: usize) -> Result<Vec<Known>, SealedError> {
    let count = input.count(29, RELATIONS_MAX)?;
    let mut relations = Vec::with_capacity(count);
    for _ in 0..count {
        let (kind, first) = (input.u8()?, number(input, events)?);
        let [second, third] = [input.u32()?, input.u32()?];
        let relation = match kind {
            0 => Relation::Constant(first, second),
            1 => Relation::Absent(first),
            2 => Relation::Present(first),
            3 => Relation::Equal(first, second),
            4 => Relation::Sum(first, second, third),
            5 => Relation::Implies(first, second),
            _ => return Err(input.damaged()),
        };
        let (held, of) = (input.u64()?, input.u64()?);
        if held > of || relation.events().any(|event| event as usize >= events) {
            return Err(input.damaged());
        }
        relations.push(Known { relation, held, of });
    }
    Ok(relations)
}

/// The lower end of the confidence interval of a share (Wilson's score interval).
pub(super) fn lower_bound(held: u64, of: u64) -> f64 {
    if of == 0 {
        return 0.0;
    }
    let (n, share, z2) = (of as f64, held as f64 / of as f64, CONFIDENCE * CONFIDENCE);
    let middle = share + z2 / (2.0 * n);
    let half = CONFIDENCE * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    (middle - half) / (1.0 + z2 / n)
}

/// The places of the relations that such a session breaks.
pub(super) fn broken<'a>(
    relations: &'a [Known],
    vector: &'a [(u32, u32)],
) -> impl Iterator<Item = usize> + 'a {
    relations.iter().enumerate().filter(|(_, known)| !known.relation.holds(vector)).map(|(place, _)| place)
}

/// The candidates that are kept by `hold` of the sessions and say something that others do not.
pub(super) fn select(candidates: &[Known], hold: f64) -> Vec<Known> {
    let kept: Vec<&Known> = candidates.iter().filter(|known| known.is_kept(hold)).collect();
    let events = |wanted: fn(Relation<u32>) -> bool| -> HashSet<u32> {
        let wanted = kept.iter().filter(|known| wanted(known.relation));
        wanted.filter_map(|known| known.relation.events().next()).collect()
    };
    let constant = events(|relation| matches!(relation, Relation::Constant(..)));
    let present = events(|relation| matches!(relation, Relation::Present(_)));
    let equal: HashSet<(u32, u32)> = kept
        .iter()
        .filter_map(|known| match known.relation {
            Relation::Equal(left, right) => Some((left, right)),
            _ => None,
        })
        .collect();
    let constants =
        |relation: Relation<u32>| relation.events().filter(|event| constant.contains(event)).count();
    let mut selected: Vec<Known> = kept
        .iter()
        .filter(|known| match known.relation {
            Relation::Constant(..) | Relation::Absent(_) => true,
            Relation::Present(event) => !constant.contains(&event),
            Relation::Equal(..) | Relation::Sum(..) => constants(known.relation) < 2,
            Relation::Implies(event, other) => {
                !present.contains(&other) && !equal.contains(&(event.min(other), event.max(other)))
            }
        })
        .map(|known| **known)
        .collect();
    selected.sort_unstable_by(|left, right| right.of.cmp(&left.of).then(left.relation.cmp(&right.relation)));
    selected.truncate(RELATIONS_MAX);
    selected
}

/// The relations that hardly any of the sessions that turned out normal break.
pub(super) fn restate(mut relations: Vec<Known>, normal: &[(Vector, u64)]) -> Vec<Known> {
    for known in &mut relations {
        let of = |vector: &[(u32, u32)]| known.relation.speaks_of(vector);
        let speaks: Vec<&(Vector, u64)> = normal.iter().filter(|(vector, _)| of(vector)).collect();
        known.of = speaks.iter().map(|(_, support)| support).sum();
        known.held = speaks
            .iter()
            .filter(|(vector, _)| known.relation.holds(vector))
            .map(|(_, support)| support)
            .sum();
    }
    relations.retain(Known::is_strong);
    relations
}

/// All relations that hold well enough to be considered.
pub(super) fn mine(vectors: &[(Vector, u64)], events: usize) -> Vec<Known> {
    let total: u64 = vectors.iter().map(|(_, support)| support).sum();
    let mut found = vec![];
    let mut keep = |relation, held, of| {
        let known = Known { relation, held, of };
        if known.is_kept(HOLD_LEAST) {
            found.push(known);
        }
    };
    let present = single(vectors, events, total, &mut keep);
    let mut frequent: Vec<u32> = (0..events as u32).collect();
    frequent.sort_by_key(|event| (std::cmp::Reverse(present[*event as usize]), *event));
    frequent.truncate(EVENTS_MAX.0);
    let columns: HashMap<u32, Vec<u32>, foldhash::fast::FixedState> = frequent
        .iter()
        .map(|event| (*event, vectors.iter().map(|(vector, _)| count_of(vector, *event)).collect()))
        .collect();
    let supports: Vec<u64> = vectors.iter().map(|(_, support)| *support).collect();
    for (place, event) in frequent.iter().enumerate() {
        for other in &frequent[place + 1..] {
            pairs((*event, &columns[event]), (*other, &columns[other]), &supports, &mut keep);
        }
    }
    frequent.truncate(EVENTS_MAX.1);
    for whole in &frequent {
        for (place, left) in frequent.iter().enumerate() {
            for right in &frequent[place + 1..] {
                if whole != left && whole != right {
                    let parts = [*whole, *left, *right].map(|event| (event, columns[&event].as_slice()));
                    sum(parts, &supports, &mut keep);
                }
            }
        }
    }
    found
}

/// Constant, present and absent events; gives the number of sessions each event occurs in.
fn single(
    vectors: &[(Vector, u64)],
    events: usize,
    total: u64,
    keep: &mut impl FnMut(Relation<u32>, u64, u64),
) -> Vec<u64> {
    let mut present = vec![0; events];
    let mut values: HashMap<(u32, u32), u64, foldhash::fast::FixedState> = HashMap::default();
    for (vector, support) in vectors {
        for (event, count) in vector {
            present[*event as usize] += support;
            *values.entry((*event, *count)).or_default() += support;
        }
    }
    for (event, present) in (0..).zip(&present) {
        keep(Relation::Absent(event), total - present, total);
        keep(Relation::Present(event), *present, total);
    }
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    for ((event, count), support) in values {
        keep(Relation::Constant(event, count), support, total);
    }
    present
}

fn pairs(
    (left, left_counts): (u32, &[u32]),
    (right, right_counts): (u32, &[u32]),
    supports: &[u64],
    keep: &mut impl FnMut(Relation<u32>, u64, u64),
) {
    let (mut equal, mut both, mut left_only, mut right_only) = (0, 0, 0, 0);
    for ((left, right), support) in left_counts.iter().zip(right_counts).zip(supports) {
        match (*left > 0, *right > 0) {
            (true, true) => {
                both += support;
                equal += if left == right { *support } else { 0 };
            }
            (true, false) => left_only += support,
            (false, true) => right_only += support,
            (false, false) => {}
        }
    }
    keep(Relation::Equal(left.min(right), left.max(right)), equal, both + left_only + right_only);
    keep(Relation::Implies(left, right), both, both + left_only);
    keep(Relation::Implies(right, left), both, both + right_only);
}

/// A sum counts only where it is no equality in disguise: both parts have to occur together.
fn sum(parts: [(u32, &[u32]); 3], supports: &[u64], keep: &mut impl FnMut(Relation<u32>, u64, u64)) {
    let [(whole, whole_counts), (left, left_counts), (right, right_counts)] = parts;
    let (mut held, mut of, mut held_both, mut of_both) = (0, 0, 0, 0);
    let counts = whole_counts.iter().zip(left_counts).zip(right_counts).zip(supports);
    for (((whole, left), right), support) in counts {
        if *whole == 0 && *left == 0 && *right == 0 {
            continue;
        }
        let holds = *whole == left.saturating_add(*right);
        of += support;
        held += if holds { *support } else { 0 };
        if *left > 0 && *right > 0 {
            of_both += support;
            held_both += if holds { *support } else { 0 };
        }
    }
    if lower_bound(held_both, of_both) >= HOLD_LEAST {
        keep(Relation::Sum(whole, left, right), held, of);
    }
}
