//! How far counts are from the nearest normal ones.
//!
//! The distance of two vectors is the sum of the differences of their counts, each divided by the
//! count's standard deviation in normal sessions plus a quarter: an event that never varies weighs
//! four, so one too many of it outweighs any ordinary variation.

use std::cmp::Ordering;

use disk::sealed::{Reader, SealedError, Writer};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::collect::{Counts, Vector, read_vector, write_vector};

/// More vectors than any configuration keeps.
const VECTORS_MAX: usize = 1 << 20;
/// Vectors nearer than this are variants of each other.
pub(super) const NEAR: f64 = 1.0;
/// Added to deviations.
const DEVIATION_ADDED: f64 = 0.25;
/// What an event that no normal session has weighs.
pub(super) const UNSEEN: f64 = 1.0 / DEVIATION_ADDED;
/// Bounds of the reach: half of what one more of an event that never varies weighs, and just below it.
const REACH: (f64, f64) = (2.0, 3.9);
/// Where sessions are so varied that this share of them is that far from all others, the reach may
/// be so many times as far as what this share is past.
const VARIED: (f64, f64) = (0.1, 2.0);
/// Distance from a vector that only one session has to itself: one session is weak evidence.
const ALONE: f64 = 0.2;

/// The normal vectors.
#[derive(Debug, Clone)]
pub(super) struct Normals {
    /// By rising weight.
    vectors: Vec<Normal>,
    /// Places of vectors.
    exact: HashMap<Vector, u32, FixedState>,
    /// What one more of an event weighs, by its number.
    weights: Vec<f64>,
    reach: f64,
    /// Events that only one session has, by number.
    own: Vec<bool>,
    /// Whether ordinary sessions so seldom have unseen events that one is enough for a verdict.
    tells_strangers: bool,
}

#[derive(Debug, Clone)]
struct Normal {
    vector: Vector,
    support: u64,
    /// Distance from the empty vector: those of near vectors are near each other.
    weight: f64,
}

/// A nearest normal vector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) place: usize,
    pub(super) distance: f64,
    pub(super) exact: bool,
}

/// What one more of each event weighs.
pub(super) fn weights(vectors: &[(Vector, u64)], events: usize) -> Vec<f64> {
    let total: u64 = vectors.iter().map(|(_, support)| support).sum();
    let mut sums = vec![(0.0_f64, 0.0_f64); events];
    for (vector, support) in vectors {
        for (event, count) in vector {
            let (sum, squares) = &mut sums[*event as usize];
            *sum += f64::from(*count) * *support as f64;
            *squares += f64::from(*count) * f64::from(*count) * *support as f64;
        }
    }
    let total = total.max(1) as f64;
    sums.into_iter()
        .map(|(sum, squares)| {
            let variance = squares / total - (sum / total) * (sum / total);
            1.0 / (variance.max(0.0).sqrt() + DEVIATION_ADDED)
        })
        .collect()
}

/// The distance of two vectors, or the first sum of some differences past `most`.
pub(super) fn distance(left: &[(u32, u32)], right: &[(u32, u32)], weights: &[f64], most: f64) -> f64 {
    let (mut sum, mut i, mut j) = (0.0, 0, 0);
    while sum <= most {
        let (event, difference) = match (left.get(i), right.get(j)) {
            (None, None) => break,
            (Some((event, count)), None) => (i += 1, (event, *count)).1,
            (None, Some((event, count))) => (j += 1, (event, *count)).1,
            (Some((event, count)), Some((other, others))) => match event.cmp(other) {
                Ordering::Less => (i += 1, (event, *count)).1,
                Ordering::Greater => (j += 1, (other, *others)).1,
                Ordering::Equal => ((i += 1, j += 1), (event, count.abs_diff(*others))).1,
            },
        };
        sum += f64::from(difference) * weights[*event as usize];
    }
    sum
}

/// The vector nearest to another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nearest {
    pub(super) place: usize,
    pub(super) distance: f64,
}

/// The nearest of the vectors at these places, of several that are equally near the one with most support.
pub(super) fn nearest(
    vector: &[(u32, u32)],
    vectors: &[(Vector, u64)],
    places: &[usize],
    weights: &[f64],
) -> Option<Nearest> {
    let mut best: Option<Nearest> = None;
    for place in places {
        let (other, support) = &vectors[*place];
        let most = best.map_or(f64::INFINITY, |best| best.distance + NEAR);
        let distance = rounded(distance(vector, other, weights, most));
        if best.is_none_or(|best| {
            distance < best.distance || distance == best.distance && *support > vectors[best.place].1
        }) {
            best = Some(Nearest { place: *place, distance });
        }
    }
    best
}

/// Without the last digits, which depend on the order of summation.
pub(super) fn rounded(value: f64) -> f64 {
    f64::from(value as f32)
}

impl Normals {
    /// With a reach that leaves at most the share `novel_max` of these sessions novel to the others.
    pub(super) fn new(vectors: Vec<(Vector, u64)>, events: usize, novel_max: f64) -> Self {
        let weights = weights(&vectors, events);
        let mut vectors: Vec<Normal> = vectors
            .into_iter()
            .map(|(vector, support)| {
                let weight = distance(&vector, &[], &weights, f64::INFINITY);
                Normal { vector, support, weight }
            })
            .collect();
        vectors.sort_by(|left, right| {
            left.weight.total_cmp(&right.weight).then_with(|| left.vector.cmp(&right.vector))
        });
        let exact = vectors.iter().zip(0..).map(|(normal, place)| (normal.vector.clone(), place)).collect();
        let mut nearest =
            Self { vectors, exact, weights, reach: REACH.0, own: vec![], tells_strangers: false };
        nearest.reach = nearest.reach_for(novel_max);
        let (own, unseen) = nearest.unseen(events);
        (nearest.own, nearest.tells_strangers) = (own, unseen <= novel_max);
        nearest
    }

    fn reach_for(&self, novel_max: f64) -> f64 {
        let sessions: u64 = self.vectors.iter().map(|normal| normal.support).sum();
        let mut distances: Vec<f64> = (0..self.vectors.len())
            .filter(|place| self.vectors[*place].support == 1)
            .filter_map(|place| {
                let counts = Counts { vector: self.vectors[place].vector.clone(), unseen: vec![] };
                Some(self.find(&counts, Some(place))?.distance)
            })
            .collect();
        distances.sort_unstable_by(|left, right| right.total_cmp(left));
        let past = |share: f64| distances.get((share * sessions as f64) as usize).copied().unwrap_or(0.0);
        let (share, times) = VARIED;
        past(novel_max).min(REACH.1.max(times * past(share))).max(REACH.0)
    }

    /// f64 reach, u8 whether strangers tell; for each event f64 weight and u8 whether it is one session's own;
    /// u32 vectors, each with u64 support.
    pub(super) fn write(&self, out: &mut Writer) {
        out.f64(self.reach);
        out.u8(u8::from(self.tells_strangers));
        for (weight, own) in self.weights.iter().zip(&self.own) {
            out.f64(*weight);
            out.u8(u8::from(*own));
        }
        out.u32(self.vectors.len() as u32);
        for normal in &self.vectors {
            out.u64(normal.support);
            write_vector(&normal.vector, out);
        }
    }

    pub(super) fn read(input: &mut Reader<'_>, events: usize) -> Result<Self, SealedError> {
        let (reach, tells_strangers) = (input.f64()?, input.u8()? != 0);
        let (mut weights, mut own) = (Vec::with_capacity(events), Vec::with_capacity(events));
        for _ in 0..events {
            weights.push(input.f64()?);
            own.push(input.u8()? != 0);
        }
        if reach < REACH.0 || weights.iter().any(|weight| *weight <= 0.0) {
            return Err(input.damaged());
        }
        let count = input.count(12, VECTORS_MAX)?;
        let mut vectors: Vec<Normal> = Vec::with_capacity(count);
        for _ in 0..count {
            let (support, vector) = (input.u64()?, read_vector(input, events)?);
            let weight = distance(&vector, &[], &weights, f64::INFINITY);
            if support == 0 || vectors.last().is_some_and(|last| last.weight > weight) {
                return Err(input.damaged());
            }
            vectors.push(Normal { vector, support, weight });
        }
        let exact = vectors.iter().zip(0..).map(|(normal, place)| (normal.vector.clone(), place)).collect();
        Ok(Self { vectors, exact, weights, reach, own, tells_strangers })
    }

    /// Distances past this are anomalies.
    pub(super) fn reach(&self) -> f64 {
        self.reach
    }

    pub(super) fn len(&self) -> usize {
        self.vectors.len()
    }

    pub(super) fn vector(&self, place: usize) -> &[(u32, u32)] {
        &self.vectors[place].vector
    }

    pub(super) fn support(&self, place: usize) -> u64 {
        self.vectors[place].support
    }

    /// Share of sessions that have an event which no other session has; such events come to stand in
    /// `own`. It estimates how often an ordinary session has an unseen event (Good and Turing).
    fn unseen(&self, events: usize) -> (Vec<bool>, f64) {
        let mut present = vec![0_u64; events];
        for normal in &self.vectors {
            normal.vector.iter().for_each(|(event, _)| present[*event as usize] += normal.support);
        }
        let own: Vec<bool> = present.iter().map(|present| *present == 1).collect();
        let has_own = |normal: &&Normal| normal.vector.iter().any(|(event, _)| own[*event as usize]);
        let sessions: u64 = self.vectors.iter().map(|normal| normal.support).sum();
        let unseen = self.vectors.iter().filter(has_own).count() as f64 / sessions.max(1) as f64;
        (own, unseen)
    }

    /// How many events of a session no normal session has, where that is enough for a verdict.
    /// `without` is a normal vector to do as if it had never been seen.
    pub(super) fn strangers(&self, counts: &Counts, without: Option<usize>) -> usize {
        let own = counts.vector.iter().filter(|(event, _)| self.own[*event as usize]).count();
        match (self.tells_strangers, without) {
            (false, _) => 0,
            (true, None) => counts.unseen.len(),
            (true, Some(_)) => own,
        }
    }

    /// Whether one event that no normal session has is enough for a verdict.
    pub(super) fn tells(&self) -> bool {
        self.tells_strangers
    }

    /// What one more of an event weighs.
    pub(super) fn weight(&self, event: u32) -> f64 {
        self.weights[event as usize]
    }

    /// The nearest vector but `without`; of several that are equally near the one with most support.
    pub(super) fn find(&self, counts: &Counts, without: Option<usize>) -> Option<Found> {
        if counts.unseen.is_empty()
            && let Some(place) = self.exact.get(&counts.vector).map(|place| *place as usize)
            && Some(place) != without
        {
            let distance = ALONE / self.vectors[place].support as f64;
            return Some(Found { place, distance, exact: true });
        }
        let unseen: u32 = counts.unseen.iter().map(|(_, count)| *count).fold(0, u32::saturating_add);
        let apart = f64::from(unseen) / DEVIATION_ADDED;
        let weight = distance(&counts.vector, &[], &self.weights, f64::INFINITY);
        let mut here = vec![0; self.weights.len()];
        counts.vector.iter().for_each(|(event, count)| here[*event as usize] = *count);
        let (mut up, mut best) =
            (self.vectors.partition_point(|normal| normal.weight < weight), None::<Found>);
        let mut down = up;
        loop {
            let below = down.checked_sub(1).map(|place| (weight - self.vectors[place].weight, place));
            let above = self.vectors.get(up).map(|normal| (normal.weight - weight, up));
            let (least, place) = match (below, above) {
                (None, None) => break,
                (Some(below), Some(above)) if below.0 <= above.0 => below,
                (_, Some(above)) => above,
                (Some(below), None) => below,
            };
            if best.is_some_and(|best| least > best.distance - apart) {
                break;
            }
            if place < down {
                down = place
            } else {
                up += 1
            }
            if Some(place) == without {
                continue;
            }
            let normal = &self.vectors[place];
            let shared: f64 = normal
                .vector
                .iter()
                .map(|(event, count)| {
                    f64::from(here[*event as usize].min(*count)) * self.weights[*event as usize]
                })
                .sum();
            let least = (weight + normal.weight - 2.0 * shared).max(0.0);
            let distance = rounded(least + ALONE / normal.support as f64 + apart);
            if best.is_none_or(|best| {
                distance < best.distance
                    || distance == best.distance && normal.support > self.vectors[best.place].support
            }) {
                best = Some(Found { place, distance, exact: false });
            }
        }
        best
    }
}
