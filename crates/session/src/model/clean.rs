//! Which training sessions count as normal.
//!
//! Sessions that break relations which nearly all others keep are either failures or rare ways of
//! working, and no label tells which. Two things do, as far as anything can:
//!
//! - Failures are diverse, each in its own way, while a well-chosen training set has few other ways of
//!   working. So the *kinds* of broken sessions are counted, by the rare events in them or the common
//!   ones missing. When they are hardly more diverse than two equally frequent kinds, those that make
//!   up a good part of the broken sessions are normal.
//! - A failure adds a line or two to a session, or cuts it short. A way of working has steps of its
//!   own: three or more rare events that always occur together in the same proportion. Among the sessions
//!   of such a kind, the counts that clearly prevail are normal. A session that has the usual events,
//!   none rare and none missing, only in another number, is a variant when others are like it.
//!
//! What makes up one session in forty by itself is normal too, and what differs from normal sessions always
//! in the same way (`variant`).

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    collect::{Vector, count_of},
    config::Config,
    normal::{self, NEAR, Nearest},
    relation::{self, Known, Relation},
    variant::{self, Placed, Training},
};

/// How often relations have to hold when those of the configuration are broken too often.
const STRICTER: [f64; 6] = [0.97, 0.98, 0.99, 0.995, 0.998, 0.999];
/// Broken sessions are of few kinds up to this effective number, and a kind is one of these from this
/// share of the broken sessions.
const KINDS_FEW: (f64, f64) = (2.5, 0.25);
/// Sessions that a rare way of working needs.
const MODE_SUPPORT: u64 = 3;
/// Rare events that are steps of one way of working.
const STEPS: usize = 3;
/// Share of sessions in which these have to occur in the same proportion, if not in all but one.
const STEPS_BOUND: f64 = 0.95;
/// For the counts that prevail among sessions with such steps: least sessions, least share of the
/// sessions, and times the next frequent counts.
const PREVAIL: (u64, f64, f64) = (5, 0.15, 1.5);
/// A kind that makes up this share of all sessions would not have stayed hidden.
const KIND_MAX: f64 = 0.025;

/// What became of the training sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cleaning {
    /// Sessions whose counts were kept.
    pub sessions: u64,
    /// Different count vectors.
    pub vectors: usize,
    /// Share of sessions in which relations have to hold.
    pub hold: f64,
    /// Sessions that break a relation and are far from all that break none.
    pub broken: u64,
    /// Effective number of kinds of these: the exponential of their entropy.
    pub kinds: f64,
    /// Of the broken sessions, those that count as normal all the same.
    pub taken_back: u64,
}

/// What broken sessions have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// These rare events occur.
    Rare(Vec<u32>),
    /// These common events do not.
    Missing(Vec<u32>),
    /// These relations are broken, by their places.
    Broken(Vec<usize>),
}

/// The relations, whether each vector is normal, and what was found.
pub(super) fn clean(
    (vectors, events): (&[(Vector, u64)], usize),
    placed: Placed<'_>,
    candidates: Vec<Known>,
    config: &Config,
) -> (Vec<Known>, Vec<bool>, Cleaning) {
    let sessions = sum(vectors, |_| true);
    let mut cleaning = Cleaning { sessions, vectors: vectors.len(), kinds: 1.0, ..Cleaning::default() };
    let most = config.hidden_max * sessions as f64;
    let choice = [config.hold]
        .into_iter()
        .chain(STRICTER.into_iter().filter(|hold| *hold > config.hold))
        .find_map(|hold| {
            let relations = relation::select(&candidates, hold);
            let breaks: Vec<bool> = vectors
                .iter()
                .map(|(vector, _)| relation::broken(&relations, vector).next().is_some())
                .collect();
            let broken = sum(vectors, |place| breaks[place]);
            (broken as f64 <= most).then_some((hold, relations, breaks))
        });
    let Some((hold, relations, breaks)) = choice else {
        return (vec![], vec![true; vectors.len()], cleaning);
    };
    cleaning.hold = hold;
    let kept: Vec<(Vector, u64)> =
        vectors.iter().zip(&breaks).filter(|(_, breaks)| !**breaks).map(|(kept, _)| kept.clone()).collect();
    let weights = normal::weights(&kept, events);
    let nearest = nearest(vectors, &breaks, &weights);
    let mut normal: Vec<bool> = nearest.iter().map(Option::is_none).collect();
    cleaning.broken = sum(vectors, |place| !normal[place]);
    let kinds = kinds(vectors, &relations, &normal);
    cleaning.kinds = effective(&kinds, vectors);
    if !config.parts.cleaning {
        return (relations, vec![true; vectors.len()], cleaning);
    }
    if config.parts.modes {
        for (kind, places) in &kinds {
            taken_back(kind, places, vectors, &cleaning).into_iter().for_each(|place| normal[place] = true);
        }
        let training = Training { vectors, placed, nearest: &nearest, weights: &weights };
        variant::variants(&training).into_iter().for_each(|place| normal[place] = true);
        cleaning.taken_back = cleaning.broken - sum(vectors, |place| !normal[place]);
    }
    (relations, normal, cleaning)
}

fn sum(vectors: &[(Vector, u64)], counts: impl Fn(usize) -> bool) -> u64 {
    vectors.iter().enumerate().filter(|(place, _)| counts(*place)).map(|(_, (_, support))| support).sum()
}

/// For each vector that breaks a relation the nearest that breaks none; what is near is a variant of that, and
/// not broken.
fn nearest(vectors: &[(Vector, u64)], breaks: &[bool], weights: &[f64]) -> Vec<Option<Nearest>> {
    let kept: Vec<usize> = (0..vectors.len()).filter(|place| !breaks[*place]).collect();
    let of = |vector: &Vector| normal::nearest(vector, vectors, &kept, weights);
    let broken = vectors.iter().zip(breaks).map(|((vector, _), breaks)| breaks.then_some(vector));
    broken.map(|vector| of(vector?).filter(|nearest| nearest.distance > NEAR)).collect()
}

/// The broken vectors by kind.
fn kinds(vectors: &[(Vector, u64)], relations: &[Known], normal: &[bool]) -> BTreeMap<Kind, Vec<usize>> {
    let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for (place, (vector, _)) in vectors.iter().enumerate().filter(|(place, _)| !normal[*place]) {
        let broken: Vec<usize> = relation::broken(relations, vector).collect();
        let rare: Vec<u32> = broken
            .iter()
            .filter_map(|at| match relations[*at].relation {
                Relation::Absent(event) => Some(event),
                _ => None,
            })
            .collect();
        let missing: Vec<u32> = broken
            .iter()
            .filter_map(|at| match relations[*at].relation {
                Relation::Constant(event, _) | Relation::Present(event) if count_of(vector, event) == 0 => {
                    Some(event)
                }
                _ => None,
            })
            .collect();
        let kind = match (rare.is_empty(), missing.is_empty()) {
            (false, _) => Kind::Rare(rare),
            (true, false) => Kind::Missing(missing),
            (true, true) => Kind::Broken(broken),
        };
        kinds.entry(kind).or_default().push(place);
    }
    kinds
}

/// How many equally frequent kinds would be as diverse as these.
fn effective(kinds: &BTreeMap<Kind, Vec<usize>>, vectors: &[(Vector, u64)]) -> f64 {
    let sizes = kinds.values().map(|places| support(places, vectors) as f64);
    let total: f64 = sizes.clone().sum();
    sizes.map(|size| -(size / total) * (size / total).ln()).sum::<f64>().exp()
}

fn support(places: &[usize], vectors: &[(Vector, u64)]) -> u64 {
    places.iter().map(|place| vectors[*place].1).sum()
}

/// The places of vectors of this kind that are normal.
fn taken_back(kind: &Kind, places: &[usize], vectors: &[(Vector, u64)], cleaning: &Cleaning) -> Vec<usize> {
    let all = cleaning.sessions;
    let sessions = support(places, vectors);
    let (few, share) = KINDS_FEW;
    let one_of_few = cleaning.kinds <= few && sessions as f64 >= share * cleaning.broken as f64;
    if sessions >= MODE_SUPPORT && (one_of_few || sessions as f64 >= KIND_MAX * all as f64) {
        return places.to_vec();
    }
    let steps = match kind {
        Kind::Rare(steps) => steps,
        Kind::Missing(_) => return vec![],
        Kind::Broken(_) => {
            let shared = |place: &usize| vectors[*place].1 >= MODE_SUPPORT;
            return places.iter().copied().filter(shared).collect();
        }
    };
    if steps.len() < STEPS || !are_bound(steps, vectors) {
        return vec![];
    }
    let mut places = places.to_vec();
    places.sort_by_key(|place| (Reverse(vectors[*place].1), *place));
    let first = vectors[places[0]].1;
    let next = places.get(1).map_or(0, |place| vectors[*place].1);
    let (least, share, times) = PREVAIL;
    if first >= least && first as f64 >= share * sessions as f64 && first as f64 >= times * next as f64 {
        vec![places[0]]
    } else {
        vec![]
    }
}

/// Whether these events occur in the same proportion nearly wherever one of them occurs.
fn are_bound(events: &[u32], vectors: &[(Vector, u64)]) -> bool {
    let pairs = events
        .iter()
        .enumerate()
        .flat_map(|(at, left)| events[at + 1..].iter().map(move |right| (left, right)));
    pairs.into_iter().all(|(left, right)| {
        let counts = |place: usize| {
            let vector = &vectors[place].0;
            (u64::from(count_of(vector, *left)), u64::from(count_of(vector, *right)))
        };
        let together = (0..vectors.len()).filter(|place| counts(*place).0 > 0 && counts(*place).1 > 0);
        let Some(usual) = together.max_by_key(|place| (vectors[*place].1, Reverse(*place))).map(counts)
        else {
            return false;
        };
        let of = sum(vectors, |place| counts(place) != (0, 0));
        let proportional = sum(vectors, |place| {
            let (left, right) = counts(place);
            left > 0 && left * usual.1 == right * usual.0
        });
        proportional as f64 >= STEPS_BOUND * of as f64 || proportional + 1 == of
    })
}
