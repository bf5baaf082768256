//! Finds strange sessions: all events of one block, request, connection or user, taken together.
//!
//! Training keeps no labels and expects some: a few sessions in a hundred may be anomalies nobody
//! has found yet. It goes in six steps.
//!
//! 1. Sessions become *count vectors*, how often each event occurs, with their *support*, how many
//!    sessions have exactly these counts (`collect`).
//! 2. *Relations* that nearly all sessions keep are found: `a` occurs three times, always or hardly
//!    ever, `a` as often as `b`, `a` as often as `b` and `c` together, `b` wherever `a` (`relation`).
//! 3. What breaks them and is far from all that keeps them is set aside, unless it looks like a
//!    way of working instead of a failure (`clean`, `variant`).
//! 4. What is left is normal. A session's *novelty* is its distance from the nearest normal vector,
//!    each count divided by its deviation, so that a count that never varies weighs most (`normal`),
//!    or how far its counts lie outside the range of normal ones (`range`).
//! 5. Orders that all normal sessions keep, and transitions that they show, are noted (`order`).
//! 6. An isolation forest sees all of these together, with length and times (`forest`).
//!
//! Each part gives a *strangeness* that is one at its threshold; the largest is the session's. The
//! training sessions, each judged by the others, tell what share of ordinary sessions is as strange:
//! that share is the p-value, and the score is its logarithm (`calibrate`).
//!
//! Nothing here reads a clock or draws chance, and the order of the training sessions changes
//! nothing as long as they fit the bounds of [`Config`]. It must never learn from what it scores.

mod calibrate;
mod clean;
mod closing;
mod collect;
mod config;
mod file;
mod forest;
mod grow;
mod normal;
mod order;
mod range;
mod reason;
mod relation;
mod sequence;
#[cfg(test)]
mod tests;
mod variant;

use calibrate::Calibration;
use collect::{Collected, Counts, Vector};
use normal::{Found, Normals};
use order::Order;
use range::Range;
use relation::Known;
use variant::Placed;

pub(crate) use calibrate::score;
pub use clean::Cleaning;
pub use config::{Config, Parts};
pub(crate) use grow::Grown;
pub use reason::{Difference, Reason};
pub use relation::Relation;
pub use sequence::{EventKey, Session};

/// Sessions from which a model judges at all.
pub const SESSIONS_MIN: u64 = 10;

/// Strangeness of a session that breaks one relation, and what each further one adds.
const BROKEN: (f64, f64) = (1.1, 0.1);
/// Most broken relations that add to the strangeness.
const BROKEN_MAX: usize = 20;

/// What is said of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// 0 (ordinary) to 1 (strangest): a sixth of the decimal logarithm of `1 / p_value`.
    pub score: f32,
    /// Whether the session is past the threshold.
    pub is_anomaly: bool,
    /// Estimated share of ordinary sessions that are at least as strange, 0 to 1.
    pub p_value: f64,
    /// Past one the session is an anomaly.
    pub strangeness: f64,
    /// What speaks against the session, strongest first; empty when it is no anomaly.
    pub reasons: Vec<Reason>,
}

/// What was learned of normal sessions.
#[derive(Debug, Clone)]
pub struct Model {
    /// Sorted; an event's place is its number.
    keys: Vec<EventKey>,
    numbers: hashbrown::HashMap<EventKey, u32, foldhash::fast::FixedState>,
    normals: Normals,
    range: Range,
    relations: Vec<Known>,
    order: Order,
    /// Events that end sessions, by number.
    closing: Vec<u32>,
    calibration: Calibration,
    forest: Option<forest::Part>,
    cleaning: Cleaning,
    sessions: u64,
    parts: Parts,
}

impl Model {
    /// Learns from sessions, each the keys of its events in order. Empty sessions are left out.
    pub fn train<'a>(sessions: impl IntoIterator<Item = impl Into<Session<'a>>>, config: &Config) -> Self {
        let Collected { keys, vectors, sequences, sessions, times } =
            collect::collect(sessions.into_iter().map(Into::into), config);
        let candidates = relation::mine(&vectors, keys.len());
        let place = |sequence: &[u32]| {
            let counts = collect::vector(sequence);
            vectors.binary_search_by(|(vector, _)| vector.cmp(&counts)).ok()
        };
        let places: Vec<Option<usize>> = sequences.iter().map(|(sequence, _)| place(sequence)).collect();
        let placed = Placed { sequences: &sequences, places: &places };
        let (relations, normal, cleaning) = clean::clean((&vectors, keys.len()), placed, candidates, config);
        let is_normal = |place: &Option<usize>| place.is_some_and(|place| normal[place]);
        let sequences = sequences.into_iter().zip(&places).filter(|(_, place)| is_normal(place));
        let sequences: Vec<_> = sequences.map(|(sequence, _)| sequence).collect();
        let order = Order::learn(&sequences, keys.len());
        let closing = closing::closing(&sequences, keys.len());
        let normal: Vec<(Vector, u64)> =
            vectors.into_iter().zip(normal).filter_map(|(vector, normal)| normal.then_some(vector)).collect();
        let relations = relation::restate(relations, &normal);
        let range = Range::new(&normal, &normal::weights(&normal, keys.len()), config.novel_max);
        let normals = Normals::new(normal, keys.len(), config.novel_max);
        let numbers = keys.iter().zip(0..).map(|(key, number)| (*key, number)).collect();
        let mut model = Self {
            numbers,
            normals,
            range,
            relations,
            order,
            closing,
            calibration: Calibration::default(),
            forest: None,
            cleaning,
            sessions,
            parts: config.parts,
            keys,
        };
        model.calibration = model.calibrate(&sequences);
        if config.parts.forest && model.needed() == 0 {
            model.forest = forest::Part::train(model.rows(&sequences, &times));
        }
        model
    }

    /// Judges a session.
    pub fn score(&self, session: &[EventKey]) -> Verdict {
        self.score_timed(session.into())
    }

    /// Judges a session by its times too.
    pub fn score_timed(&self, session: Session<'_>) -> Verdict {
        if session.events.is_empty() || self.needed() > 0 {
            return Verdict {
                score: 0.0,
                is_anomaly: false,
                p_value: 1.0,
                strangeness: 0.0,
                reasons: vec![],
            };
        }
        let (counts, sequence) = self.count(session.events);
        let judged = self.judge(&counts, None);
        let shares = if self.parts.order { self.order.strangeness(&sequence) } else { [0.0; 2] };
        let order = shares[0].max(shares[1]);
        let alone = judged.strangeness.max(order);
        let others = judged.novelty + judged.outside + judged.unexpected + order;
        let row = row(&counts, &judged, shares, [session.duration_s, session.gap_s]);
        let together = self.forest.as_ref().map_or(0.0, |forest| forest.strangeness(&row, others));
        // No training session is past the forest's threshold; below it, it is not calibrated.
        let strangeness = if together > 1.0 { alone.max(together) } else { alone };
        let p_value = self.calibration.p_value(strangeness);
        let is_anomaly = strangeness > 1.0;
        let reasons = if is_anomaly { self.reasons(&counts, &judged, &sequence, order) } else { vec![] };
        Verdict { score: calibrate::score(p_value), is_anomaly, p_value, strangeness, reasons }
    }

    /// Scores above this are anomalies.
    pub fn threshold(&self) -> f32 {
        calibrate::score(self.calibration.p_value(1.0 + f64::EPSILON))
    }

    /// Sessions trained on.
    pub fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Sessions still needed before anything is judged.
    pub fn needed(&self) -> u64 {
        SESSIONS_MIN.saturating_sub(self.sessions)
    }

    /// What became of the training sessions.
    pub fn cleaning(&self) -> &Cleaning {
        &self.cleaning
    }

    /// The relations that normal sessions keep.
    pub fn relations(&self) -> impl Iterator<Item = Relation> {
        self.relations.iter().map(|known| known.relation.map(|number| self.keys[number as usize]))
    }

    /// The session's counts, and its events' numbers in order.
    fn count(&self, session: &[EventKey]) -> (Counts, Vec<u32>) {
        let other = self.numbers.get(&EventKey::OTHER);
        let mut unseen: Vec<(EventKey, u32)> = vec![];
        let mut sequence = Vec::with_capacity(session.len());
        for key in session {
            match self.numbers.get(key).or(other) {
                Some(number) => sequence.push(*number),
                None => {
                    let full = unseen.len() >= collect::UNSEEN_MAX;
                    match unseen.iter().position(|(seen, _)| seen == key).or(full.then_some(0)) {
                        Some(place) => unseen[place].1 += 1,
                        None => unseen.push((*key, 1)),
                    }
                }
            }
        }
        (Counts { vector: collect::vector(&sequence), unseen }, sequence)
    }

    /// What the counts say; `without` is a normal vector to do as if it had never been seen.
    fn judge(&self, counts: &Counts, without: Option<usize>) -> Judged {
        let found = self.normals.find(counts, without);
        let broken: Vec<usize> = match &found {
            Some(found) if found.exact || !self.parts.relations => vec![],
            _ => {
                let normal = found.as_ref().map(|found| self.normals.vector(found.place));
                relation::broken(&self.relations, &counts.vector)
                    .filter(|at| normal.is_none_or(|normal| self.relations[*at].relation.holds(normal)))
                    .collect()
            }
        };
        let (mut novelty, mut outside) = (0.0, 0.0);
        if let (Some(found), true) = (&found, self.parts.novelty) {
            novelty = found.distance / self.normals.reach();
            outside = if found.exact { 0.0 } else { self.range.strangeness(counts, without.is_some()) };
        }
        let strangers = if self.parts.novelty { self.normals.strangers(counts, without) } else { 0 };
        let broken_strangeness = match broken.len() + strangers {
            0 => 0.0,
            count => BROKEN.0 + BROKEN.1 * (count.min(BROKEN_MAX) - 1) as f64,
        };
        let (novelty, outside) = (normal::rounded(novelty), normal::rounded(outside));
        let strangeness = novelty.max(outside).max(broken_strangeness);
        Judged { strangeness, novelty, outside, unexpected: broken_strangeness, broken, found }
    }

    /// What the forest sees of normal training sessions, each judged by the others.
    fn rows(
        &self,
        sequences: &[(Box<[u32]>, u64)],
        times: &hashbrown::HashMap<Box<[u32]>, Vec<[f32; 2]>, foldhash::fast::FixedState>,
    ) -> Vec<forest::Row> {
        let mut rows = vec![];
        for (sequence, support) in sequences {
            let counts = Counts { vector: collect::vector(sequence), unseen: vec![] };
            let place = self.normals.find(&counts, None).filter(|found| found.exact).map(|found| found.place);
            let without = place.filter(|place| self.normals.support(*place) == 1);
            let judged = self.judge(&counts, without);
            let shares = match (self.parts.order, support) {
                (false, _) => [0.0; 2],
                (true, 1) => self.order.strangeness_without(sequence),
                (true, _) => self.order.strangeness(sequence),
            };
            let times = times.get(sequence).map_or(&[][..], Vec::as_slice);
            rows.extend(times.iter().map(|times| row(&counts, &judged, shares, *times)));
        }
        rows
    }

    /// How strange the normal training sessions are when each is judged by the others alone.
    fn calibrate(&self, sequences: &[(Box<[u32]>, u64)]) -> Calibration {
        let counted = (0..self.normals.len()).map(|place| {
            let support = self.normals.support(place);
            let counts = Counts { vector: self.normals.vector(place).into(), unseen: vec![] };
            let without = (support == 1).then_some(place);
            (self.judge(&counts, without).strangeness, support)
        });
        let ordered =
            sequences.iter().filter(|(_, support)| self.parts.order && *support == 1).map(|(sequence, _)| {
                let [orders, transitions] = self.order.strangeness_without(sequence);
                (orders.max(transitions), 1)
            });
        Calibration::new(counted, ordered)
    }
}

/// What the counts of a session say.
struct Judged {
    strangeness: f64,
    /// Of the distance, and of the counts' ranges.
    novelty: f64,
    outside: f64,
    /// Of broken relations and unseen events.
    unexpected: f64,
    /// Places of broken relations.
    broken: Vec<usize>,
    found: Option<Found>,
}

/// What the forest sees of a session; `shares` are of orders and transitions, `times` in seconds.
fn row(counts: &Counts, judged: &Judged, shares: [f64; 2], times: [f32; 2]) -> forest::Row {
    let length = range::length(counts);
    let different = counts.vector.len() + counts.unseen.len();
    [
        forest::scaled(length.into()),
        different as f32,
        judged.novelty as f32,
        judged.outside as f32,
        judged.unexpected as f32,
        shares[0] as f32,
        shares[1] as f32,
        forest::scaled(times[0].into()),
        forest::scaled(times[1].into()),
    ]
}
