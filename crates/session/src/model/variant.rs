//! Rare ways of working: rare, and always the same way.
//!
//! A broken session *differs* from the nearest one that keeps the relations, by events it has more of and
//! events it lacks. Failures differ each in its own way, cut sessions short, or hit wherever they hit. A way
//! of working differs in the same way every time, comes to its end, and has its steps in their place.
//!
//! - Where hardly a broken session differs in its own way or stops halfway, there is no sign of failures,
//!   and what several sessions share is normal.
//! - Where failures are among the broken sessions, a way of working is what only adds rare steps to a normal
//!   session which ends as usual: in nearly all sessions that have these steps, and each next to the same usual
//!   one.
//!
//! Failures that are alike in all of this cannot be told from a way of working.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    collect::{Vector, count_of},
    normal::{NEAR, Nearest},
    relation::lower_bound,
};

/// Sessions that have to differ in the same way.
const SAME: u64 = 5;
/// Share of the broken sessions that differ in their own way, up to which there is no sign of failures.
const OWN_MAX: f64 = 0.2;
/// Nearly all: the least share, and the least that it is with confidence, so that six at least are needed.
const NEARLY_ALL: (f64, f64) = (0.8, 0.6);
/// Sessions with the same number of each step.
const COUNTS: u64 = 3;
/// Usual events that a way of working leaves out at most.
const LACKING_MAX: usize = 1;
/// An event is settled when it occurs equally often in this share of the normal sessions that have it.
const SETTLED: f64 = 0.9;
/// An event is a usual end when this share of the normal sessions ends with it.
const ENDS: f64 = 0.01;

/// Events of which a session has more (true) or less (false) than the nearest normal one.
type Difference = BTreeSet<(u32, bool)>;

/// Different sequences with their sessions, and the places of their vectors among those that were kept.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) sequences: &'a [(Box<[u32]>, u64)],
    pub(super) places: &'a [Option<usize>],
}

/// What is known of normal and broken training sessions.
pub(super) struct Training<'a> {
    pub(super) vectors: &'a [(Vector, u64)],
    pub(super) placed: Placed<'a>,
    /// The nearest normal vector of each broken one; none for those that are normal.
    pub(super) nearest: &'a [Option<Nearest>],
    /// What one more of an event weighs.
    pub(super) weights: &'a [f64],
}

/// Where a step stands from another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Behind,
    Before,
}

/// Broken vectors that differ in the same way.
#[derive(Default)]
struct Group {
    places: Vec<usize>,
    sessions: u64,
}

/// The places of broken vectors that are a way of working.
pub(super) fn variants(training: &Training<'_>) -> Vec<usize> {
    let groups = training.groups();
    let several = |group: &Group| group.sessions >= SAME;
    let ends = training.ends();
    let shared: BTreeMap<&Difference, &Group> =
        groups.iter().filter(|(how, group)| several(group) && training.is_whole(how, group, &ends)).collect();
    let broken: u64 = training.broken().map(|(place, _)| training.vectors[place].1).sum();
    let own = broken - shared.values().map(|group| group.sessions).sum::<u64>();
    if own as f64 <= OWN_MAX * broken as f64 {
        return shared.values().flat_map(|group| &group.places).copied().collect();
    }
    let settled = training.settled();
    let is_way = |(how, group): &(&Difference, &Group)| {
        training.only_adds(how, group)
            && training.ends_as_usual(group, &ends)
            && training.is_in_place(how, group, &settled)
    };
    let ways: Vec<&Difference> = shared.into_iter().filter(is_way).map(|(how, _)| how).collect();
    let is_of_ways = |how: &Difference| {
        let parts = ways.iter().filter(|way| way.is_subset(how));
        parts.flat_map(|way| way.iter()).collect::<BTreeSet<_>>().len() == how.len()
    };
    let groups = groups.iter().filter(|(how, _)| is_of_ways(how));
    groups.flat_map(|(how, group)| training.often(how, group)).collect()
}

fn nearly_all(share: u64, of: u64) -> bool {
    share as f64 >= NEARLY_ALL.0 * of as f64 && lower_bound(share, of) >= NEARLY_ALL.1
}

impl Training<'_> {
    /// The broken vectors, each with its nearest normal one.
    fn broken(&self) -> impl Iterator<Item = (usize, Nearest)> {
        self.nearest.iter().enumerate().filter_map(|(place, nearest)| Some((place, (*nearest)?)))
    }

    /// The vectors that are normal, with their sessions.
    fn normal(&self) -> impl Iterator<Item = &(Vector, u64)> {
        self.vectors
            .iter()
            .zip(self.nearest)
            .filter(|(_, nearest)| nearest.is_none())
            .map(|(normal, _)| normal)
    }

    /// The broken vectors by what is different in them. How often something is usually repeated is not.
    fn groups(&self) -> BTreeMap<Difference, Group> {
        let mut groups: BTreeMap<Difference, Group> = BTreeMap::new();
        for (place, nearest) in self.broken() {
            let (vector, support) = &self.vectors[place];
            let normal = &self.vectors[nearest.place].0;
            let events = vector.iter().chain(normal.iter()).map(|(event, _)| *event);
            let differs = events.filter_map(|event| {
                let (here, there) = (count_of(vector, event), count_of(normal, event));
                let weighs = f64::from(here.abs_diff(there)) * self.weights[event as usize];
                (weighs > NEAR).then_some((event, here > there))
            });
            let group = groups.entry(differs.collect()).or_default();
            group.places.push(place);
            group.sessions += support;
        }
        // Many small deviations are nothing that sessions share.
        groups.remove(&Difference::new());
        groups
    }

    /// The sequences of vectors at such places, with their sessions.
    fn sequences_at(&self, wanted: impl Fn(usize) -> bool) -> impl Iterator<Item = (&[u32], u64)> {
        let at = self.placed.sequences.iter().zip(self.placed.places);
        let at = at.filter(move |(_, place)| place.is_some_and(&wanted));
        at.map(|((sequence, support), _)| (&**sequence, *support))
    }

    fn sequences_of(&self, group: &Group) -> impl Iterator<Item = (&[u32], u64)> {
        self.sequences_at(|place| group.places.binary_search(&place).is_ok())
    }

    /// Events with which normal sessions usually end.
    fn ends(&self) -> BTreeSet<u32> {
        let mut ends: BTreeMap<u32, u64> = BTreeMap::new();
        let mut sessions = 0;
        for (sequence, support) in self.sequences_at(|place| self.nearest[place].is_none()) {
            sequence.last().iter().for_each(|last| *ends.entry(**last).or_default() += support);
            sessions += support;
        }
        let is_usual = |(_, count): &(u32, u64)| *count as f64 >= ENDS * sessions as f64;
        ends.into_iter().filter(is_usual).map(|(event, _)| event).collect()
    }

    /// Whether the sessions of a group come to their end: they lack nothing, or hardly anything and end as usual.
    fn is_whole(&self, how: &Difference, group: &Group, ends: &BTreeSet<u32>) -> bool {
        match how.iter().filter(|(_, more)| !more).count() {
            0 => true,
            lacking => lacking <= LACKING_MAX && self.ends_as_usual(group, ends),
        }
    }

    fn ends_as_usual(&self, group: &Group, ends: &BTreeSet<u32>) -> bool {
        let (mut usual, mut of) = (0, 0);
        for (sequence, support) in self.sequences_of(group) {
            of += support;
            usual += if sequence.last().is_some_and(|last| ends.contains(last)) { support } else { 0 };
        }
        of > 0 && usual as f64 >= NEARLY_ALL.0 * of as f64
    }

    /// Whether the group has all it takes to be normal and some steps more, which hardly a session has that is
    /// not of the group.
    fn only_adds(&self, steps: &Difference, group: &Group) -> bool {
        let is_rare = |event: u32| self.normal().all(|(vector, _)| count_of(vector, event) == 0);
        if !steps.iter().all(|(event, more)| *more && is_rare(*event)) {
            return false;
        }
        let has_any = |vector: &Vector| steps.iter().any(|(event, _)| count_of(vector, *event) > 0);
        let of = self.vectors.iter().filter(|(vector, _)| has_any(vector)).map(|(_, support)| support).sum();
        nearly_all(group.sessions, of)
    }

    /// By number, whether an event occurs equally often wherever it occurs; others come when they come, and mark
    /// no place.
    fn settled(&self) -> Vec<bool> {
        let mut counts: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); self.weights.len()];
        for (vector, support) in self.normal() {
            for (event, count) in vector {
                *counts[*event as usize].entry(*count).or_default() += support;
            }
        }
        let is_settled = |counts: BTreeMap<u32, u64>| {
            let most = counts.values().max().copied().unwrap_or(0);
            most > 0 && most as f64 >= SETTLED * counts.values().sum::<u64>() as f64
        };
        counts.into_iter().map(is_settled).collect()
    }

    /// Whether each step stands right behind, or right before, the same settled event: the same one of several.
    fn is_in_place(&self, steps: &Difference, group: &Group, settled: &[bool]) -> bool {
        steps.iter().all(|(step, _)| {
            let mut places: BTreeMap<(Side, u32, usize), u64> = BTreeMap::new();
            let mut of = 0;
            for (sequence, support) in self.sequences_of(group) {
                let Some(at) = sequence.iter().position(|event| event == step) else { continue };
                of += support;
                let is_mark = |place: &usize| settled[sequence[*place] as usize];
                let (before, after) = ((0..at).rev().find(is_mark), (at..sequence.len()).find(is_mark));
                for (side, mark) in [(Side::Behind, before), (Side::Before, after)] {
                    let Some(mark) = mark else { continue };
                    let event = sequence[mark];
                    let nth = sequence[..mark].iter().filter(|other| **other == event).count();
                    *places.entry((side, event, nth)).or_default() += support;
                }
            }
            nearly_all(places.values().max().copied().unwrap_or(0), of)
        })
    }

    /// Of a group the vectors with steps as often as several sessions have them.
    fn often(&self, steps: &Difference, group: &Group) -> Vec<usize> {
        let counts = |place: &usize| -> Vec<u32> {
            steps.iter().map(|(event, _)| count_of(&self.vectors[*place].0, *event)).collect()
        };
        let mut sessions: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
        for place in &group.places {
            *sessions.entry(counts(place)).or_default() += self.vectors[*place].1;
        }
        group.places.iter().filter(|place| sessions[&counts(place)] >= COUNTS).copied().collect()
    }
}
