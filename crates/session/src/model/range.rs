//! How far counts lie outside all that normal sessions have had, each event by itself.
//!
//! Where sessions are so varied that no two are near each other, a burst of one event or a session
//! that stops at once still leaves the range of its counts.

use disk::sealed::{Reader, SealedError, Writer};

use super::collect::{Counts, Vector, count_of, number};

/// Least reach: one more of an event that never varies.
const REACH: f64 = 4.0;

/// Lowest and highest counts of normal sessions.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// By the event's number.
    events: Vec<Bounds>,
    /// Events that occur in every session, or in every session but one.
    steady: Vec<u32>,
    /// Of the number of events of a session.
    length: Bounds,
    reach: f64,
}

/// The two lowest and the two highest counts of different sessions.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    low: [u32; 2],
    high: [u32; 2],
    /// What one more outside weighs.
    weight: f64,
}

/// The count that is furthest outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outside {
    /// None for the number of events of the session.
    pub(super) event: Option<u32>,
    pub(super) count: u32,
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Bounds {
    fn write(&self, out: &mut Writer) {
        self.low.iter().chain(&self.high).for_each(|count| out.u32(*count));
        out.f64(self.weight);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let low = [input.u32()?, input.u32()?];
        Ok(Self { low, high: [input.u32()?, input.u32()?], weight: input.f64()? })
    }

    fn new(weight: f64) -> Self {
        Self { low: [u32::MAX; 2], high: [0; 2], weight }
    }

    fn add(&mut self, count: u32, sessions: u64) {
        for _ in 0..sessions.min(2) {
            if count < self.low[0] {
                self.low = [count, self.low[0]];
            } else {
                self.low[1] = self.low[1].min(count);
            }
            if count > self.high[0] {
                self.high = [count, self.high[0]];
            } else {
                self.high[1] = self.high[1].max(count);
            }
        }
    }

    /// Lowest and highest count, without one session with this count if `without`.
    fn range(&self, count: u32, without: bool) -> (u32, u32) {
        let low = self.low[usize::from(without && self.low[0] == count)];
        let high = self.high[usize::from(without && self.high[0] == count)];
        (low, high)
    }

    fn outside(&self, count: u32, without: bool) -> f64 {
        let (low, high) = self.range(count, without);
        f64::from(low.saturating_sub(count).max(count.saturating_sub(high))) * self.weight
    }
}

/// The number of events of a session.
pub(super) fn length(counts: &Counts) -> u32 {
    let all = counts.vector.iter().map(|(_, count)| count);
    all.chain(counts.unseen.iter().map(|(_, count)| count)).fold(0, |sum, count| sum.saturating_add(*count))
}

impl Range {
    /// Of these normal vectors, where one more of an event weighs so much. The reach leaves at most the
    /// share `novel_max` of the sessions outside the range of the others.
    pub(super) fn new(vectors: &[(Vector, u64)], weights: &[f64], novel_max: f64) -> Self {
        let counts = |vector: &Vector| Counts { vector: vector.clone(), unseen: vec![] };
        let mut present = vec![0_u64; weights.len()];
        let mut events: Vec<Bounds> = weights.iter().map(|weight| Bounds::new(*weight)).collect();
        let lengths: Vec<(Vector, u64)> = vectors
            .iter()
            .map(|(vector, support)| (Vector::from([(0, length(&counts(vector)))]), *support))
            .collect();
        let mut length = Bounds::new(super::normal::weights(&lengths, 1)[0]);
        let mut sessions = 0;
        for ((vector, support), (whole, _)) in vectors.iter().zip(&lengths) {
            sessions += support;
            length.add(whole[0].1, *support);
            for (event, count) in vector {
                present[*event as usize] += support;
                events[*event as usize].add(*count, *support);
            }
        }
        for (bounds, present) in events.iter_mut().zip(&present) {
            bounds.add(0, sessions - present);
        }
        let steady = (0..).zip(&events).filter(|(_, it)| it.low[1] > 0).map(|(event, _)| event).collect();
        let mut range = Self { events, steady, length, reach: REACH };
        let alone = vectors.iter().filter(|(_, support)| *support == 1);
        let mut sums: Vec<f64> = alone.map(|(vector, _)| range.sum(&counts(vector), true)).collect();
        sums.sort_unstable_by(|left, right| right.total_cmp(left));
        let past = sums.get((novel_max * sessions as f64) as usize).copied().unwrap_or(0.0);
        range.reach = past.max(REACH);
        range
    }

    /// f64 reach; for the length and each event the two lowest and the two highest counts (u32) and f64
    /// weight; u32 steady events, the u32 number of each.
    pub(super) fn write(&self, out: &mut Writer) {
        out.f64(self.reach);
        self.length.write(out);
        self.events.iter().for_each(|bounds| bounds.write(out));
        out.u32(self.steady.len() as u32);
        self.steady.iter().for_each(|event| out.u32(*event));
    }

    pub(super) fn read(input: &mut Reader<'_>, events: usize) -> Result<Self, SealedError> {
        let (reach, length) = (input.f64()?, Bounds::read(input)?);
        if reach < REACH {
            return Err(input.damaged());
        }
        let bounds = (0..events).map(|_| Bounds::read(input)).collect::<Result<Vec<_>, _>>()?;
        let count = input.count(4, events)?;
        let steady = (0..count).map(|_| number(input, events)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { events: bounds, steady, length, reach })
    }

    fn sum(&self, counts: &Counts, without: bool) -> f64 {
        self.each(counts).map(|(_, count, bounds)| bounds.outside(count, without)).sum()
    }

    /// What may lie outside: the events that occur, those that always do, and the length.
    fn each<'a>(&'a self, counts: &'a Counts) -> impl Iterator<Item = (Option<u32>, u32, &'a Bounds)> {
        let event = |event: u32, count: u32| (Some(event), count, &self.events[event as usize]);
        let missing = self.steady.iter().filter(|event| count_of(&counts.vector, **event) == 0);
        counts
            .vector
            .iter()
            .map(move |(number, count)| event(*number, *count))
            .chain(missing.map(move |number| event(*number, 0)))
            .chain([(None, length(counts), &self.length)])
    }

    /// How strange the counts are; past one is an anomaly. `without`: as if one session with these
    /// counts had not been seen.
    pub(super) fn strangeness(&self, counts: &Counts, without: bool) -> f64 {
        self.sum(counts, without) / self.reach
    }

    /// What the last of so many of an event weighs, where that is more than any normal session has.
    pub(super) fn excess(&self, event: u32, count: u32) -> f64 {
        let bounds = &self.events[event as usize];
        if count > bounds.high[0] { bounds.weight } else { 0.0 }
    }

    /// Lowest and highest count of an event.
    pub(super) fn of(&self, event: u32) -> (u32, u32) {
        self.events[event as usize].range(u32::MAX, false)
    }

    /// Weighed counts outside past this are strange.
    pub(super) fn reach(&self) -> f64 {
        self.reach
    }

    /// The count that is furthest outside.
    pub(super) fn outside(&self, counts: &Counts) -> Option<Outside> {
        let weighed = self.each(counts).map(|(event, count, bounds)| {
            let (low, high) = bounds.range(count, false);
            (bounds.outside(count, false), Outside { event, count, low, high })
        });
        let outside = weighed.filter(|(weighs, _)| *weighs > 0.0);
        outside.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, outside)| outside)
    }
}
