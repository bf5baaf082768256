//! Whether the world is still as it was when the model was trained.
//!
//! The monitor keeps the rows of recent events, at most [`MINUTE_MAX`] of a minute of event time, so
//! that a burst is no new world and a busy hour does not push out the day. From time to time it asks:
//!
//! - *scores*: do more of these events pass the threshold than was stated, in more parts of the recent
//!   past than chance allows (a binomial bound for each part, and one for the number of parts)?
//! - *features*: is a feature distributed otherwise than in training? By the population stability
//!   index, the sum over bins of (a - e) ln(a / e), where 0.25 is called a shift, and its mean.
//!
//! The world has moved when one answer is yes twice in a row, and has come to rest when none is.

use arithmetic::Random;
use disk::sealed::{Reader, SealedError, Writer};
use event::Timestamp;

use crate::{
    compare::upper,
    explain::name,
    model::{Model, WEIGHTS},
    window::{FEATURES, Feature, Row, STEPS},
};

/// Rows kept.
pub(crate) const ROWS_MAX: usize = 4_096;
/// Of these, from one minute.
const MINUTE_MAX: u32 = 64;
const MINUTE_NANOS: i64 = 60_000_000_000;
/// Rows between two looks.
const LOOK_EVERY: u64 = 512;
/// Rows needed for a look.
const ROWS_MIN: usize = 1_024;
/// Parts of the recent past whose scores are looked at apart.
const PARTS: usize = 16;
/// Stability index of a feature that has moved.
const MOVED: f64 = 0.25;
/// And how far its mean has moved at least, in powers of ten times the feature's weight: where nearly
/// all events share a value, a trifle moves all of them, and some features grow with the stream.
const APART: f64 = 0.1;
/// Least share of the training in a bin.
const BIN_LEAST: f64 = 0.1;
/// A share that nothing was seen of.
const SHARE_LEAST: f64 = 0.001;
/// Looks in a row that must agree.
const AGREE: i8 = 2;

/// What a row's verdict was.
const PASSED: u8 = 1;
const UNKNOWN: u8 = 2;

/// Whether the world has moved away from what the serving model was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Whether it has.
    pub drifting: bool,
    /// Since when, in event time.
    pub since: Option<Timestamp>,
    /// What moved, in words with numbers, strongest first.
    pub moved: Vec<String>,
    /// Recent events looked at.
    pub events: u64,
    /// Of these, past the threshold.
    pub flagged: u64,
}

/// The rows of recent events.
#[derive(Debug, Clone)]
pub(crate) struct Monitor {
    rows: Vec<Row>,
    verdicts: Vec<u8>,
    next: usize,
    minute: i64,
    in_minute: u32,
    random: Random,
    kept: u64,
    latest: i64,
    /// Looks in a row with the same outcome: above 0 something moved, below 0 nothing did.
    agreed: i8,
    since: Option<i64>,
    moved: Vec<String>,
    /// The model that the verdicts come from.
    version: String,
    /// How its training was distributed, once that was asked for; feature by feature.
    baseline: Vec<[f64; 256]>,
}

impl Monitor {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rows: Vec::new(),
            verdicts: Vec::new(),
            next: 0,
            minute: i64::MIN,
            in_minute: 0,
            random: Random::of(seed, 0xd1),
            kept: 0,
            latest: i64::MIN,
            agreed: 0,
            since: None,
            moved: Vec::new(),
            version: String::new(),
            baseline: Vec::new(),
        }
    }

    /// The recent rows, in no order that matters.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn drifting(&self) -> bool {
        self.agreed >= AGREE
    }

    /// Verdicts come from this model from now on.
    pub(crate) fn serve(&mut self, version: &str) {
        if self.version != version {
            version.clone_into(&mut self.version);
            self.verdicts.fill(UNKNOWN);
            (self.agreed, self.since) = (0, None);
            self.moved.clear();
            self.baseline.clear();
        }
    }

    /// Takes in an event's row. Says whether it is time to look.
    pub(crate) fn keep(&mut self, row: Row, nanos: i64, passed: bool) -> bool {
        let minute = nanos.div_euclid(MINUTE_NANOS);
        if minute > self.minute {
            (self.minute, self.in_minute) = (minute, 0);
        }
        self.latest = self.latest.max(nanos);
        self.in_minute = self.in_minute.saturating_add(1);
        let fresh = self.in_minute <= MINUTE_MAX;
        let place = if fresh {
            let place = self.next;
            self.next = (self.next + 1) % ROWS_MAX;
            place
        } else {
            // One of the minute's rows makes room, so that each of its events is as likely to stay.
            let back = self.random.below(self.in_minute as usize);
            if back >= MINUTE_MAX as usize {
                return false;
            }
            (self.next + ROWS_MAX - 1 - back) % ROWS_MAX
        };
        let verdict = if passed { PASSED } else { 0 };
        if place < self.rows.len() {
            (self.rows[place], self.verdicts[place]) = (row, verdict);
        } else {
            self.rows.push(row);
            self.verdicts.push(verdict);
        }
        self.kept += u64::from(fresh);
        fresh && self.kept.is_multiple_of(LOOK_EVERY) && self.rows.len() >= ROWS_MIN
    }

    /// Looks whether the world has moved.
    pub(crate) fn look(&mut self, model: &Model) {
        if self.baseline.is_empty() {
            self.baseline = WEIGHTS.iter().map(|(feature, _)| model.shares(*feature)).collect();
        }
        let mut moved = self.moved_features();
        moved.extend(self.moved_scores(model));
        moved.sort_by(|a, b| b.0.total_cmp(&a.0));
        let any = !moved.is_empty();
        if any != (self.agreed > 0) {
            self.agreed = 0;
        }
        if any {
            self.agreed = (self.agreed + 1).min(AGREE);
            self.since.get_or_insert(self.latest);
        } else {
            self.agreed = (self.agreed - 1).max(-AGREE);
            self.since = None;
        }
        self.moved = moved.into_iter().map(|(_, words)| words).collect();
    }

    pub(crate) fn report(&self) -> Drift {
        let drifting = self.drifting();
        Drift {
            drifting,
            since: self.since.filter(|_| drifting).and_then(Timestamp::from_nanos),
            moved: if drifting { self.moved.clone() } else { Vec::new() },
            events: self.verdicts.iter().filter(|verdict| **verdict != UNKNOWN).count() as u64,
            flagged: self.verdicts.iter().filter(|verdict| **verdict == PASSED).count() as u64,
        }
    }

    fn moved_features(&self) -> Vec<(f64, String)> {
        let total = self.rows.len() as f64;
        let one = |((feature, weight), expected): ((Feature, f32), &[f64; 256])| {
            let mut counts = [0u32; 256];
            self.rows.iter().for_each(|row| counts[row[feature as usize] as usize] += 1);
            let actual = counts.map(|count| f64::from(count) / total);
            let index = stability(expected, &actual);
            let mean = |shares: &[f64; 256]| -> f64 {
                shares.iter().enumerate().map(|(value, share)| value as f64 * share).sum::<f64>()
                    / f64::from(STEPS)
            };
            let apart = f64::from(weight) * (mean(&actual) - mean(expected)).abs();
            (index >= MOVED && apart >= APART).then(|| {
                let words = format!(
                    "{}: mean surprise {:.2} of recent events, {:.2} in training (stability index {index:.2})",
                    name(feature),
                    mean(&actual),
                    mean(expected),
                );
                (index, words)
            })
        };
        WEIGHTS.into_iter().zip(&self.baseline).filter_map(one).collect()
    }

    fn moved_scores(&self, model: &Model) -> Option<(f64, String)> {
        let rate = model.card.false_positive_rate;
        // In the order they came in.
        let (newer, older) = self.verdicts.split_at(self.next.min(self.verdicts.len()));
        let known: Vec<u8> = older.iter().chain(newer).copied().filter(|v| *v != UNKNOWN).collect();
        if known.len() < ROWS_MIN {
            return None;
        }
        let size = known.len() / PARTS;
        let most = upper(size, rate, 0.05);
        let odd = known.chunks_exact(size).take(PARTS).filter(|part| passed(part) > most).count();
        let flagged = passed(&known);
        let share = flagged as f64 / known.len() as f64;
        (odd > upper(PARTS, 0.05, 1e-4)).then(|| {
            let words = format!(
                "scores: {flagged} of {} recent events are past the threshold, {:.2} %; {:.2} % was stated",
                known.len(),
                share * 100.0,
                rate * 100.0
            );
            (share / rate, words)
        })
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.u64(self.kept);
        out.u64(self.minute as u64);
        out.u64(self.latest as u64);
        out.u64(self.random.state());
        out.u32(self.in_minute);
        out.u32(self.next as u32);
        out.u8((self.agreed + AGREE) as u8);
        out.u64(self.since.unwrap_or(i64::MIN) as u64);
        out.bytes(self.version.as_bytes());
        out.u32(self.moved.len() as u32);
        self.moved.iter().for_each(|words| out.bytes(words.as_bytes()));
        out.bytes(&self.verdicts);
        self.rows.iter().for_each(|row| out.raw(row));
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let text = |input: &mut Reader<'_>| -> Result<String, SealedError> {
            Ok(String::from_utf8_lossy(input.bytes()?).into_owned())
        };
        let kept = input.u64()?;
        let (minute, latest) = (input.u64()? as i64, input.u64()? as i64);
        let random = Random::from_state(input.u64()?);
        let (in_minute, next) = (input.u32()?, input.u32()? as usize % ROWS_MAX);
        let agreed = input.u8()?.min(2 * AGREE as u8) as i8 - AGREE;
        let since = Some(input.u64()? as i64).filter(|since| *since != i64::MIN);
        let version = text(input)?;
        let count = input.count(4, FEATURES + 1)?;
        let moved = (0..count).map(|_| text(input)).collect::<Result<_, _>>()?;
        let verdicts = input.bytes()?.to_vec();
        if verdicts.len() > ROWS_MAX || verdicts.iter().any(|verdict| *verdict > UNKNOWN) {
            return Err(input.damaged());
        }
        let (rows, _) = input.take(verdicts.len() * FEATURES)?.as_chunks::<FEATURES>();
        let rows = rows.to_vec();
        let next = if rows.len() < ROWS_MAX { rows.len() } else { next };
        Ok(Self {
            rows,
            verdicts,
            next,
            minute,
            in_minute,
            random,
            kept,
            latest,
            agreed,
            since,
            moved,
            version,
            baseline: Vec::new(),
        })
    }
}

fn passed(verdicts: &[u8]) -> usize {
    verdicts.iter().filter(|verdict| **verdict == PASSED).count()
}

/// The population stability index over bins that hold at least a tenth of the training each; what
/// is left at the end is a bin of its own.
fn stability(expected: &[f64; 256], actual: &[f64; 256]) -> f64 {
    let (mut index, mut e, mut a) = (0.0, 0.0, 0.0);
    for value in 0..256 {
        e += expected[value];
        a += actual[value];
        if e >= BIN_LEAST || value == 255 {
            let (share_e, share_a) = (f64::max(e, SHARE_LEAST), f64::max(a, SHARE_LEAST));
            index += (share_a - share_e) * (share_a / share_e).ln();
            (e, a) = (0.0, 0.0);
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stability_is_nothing_for_the_same_and_large_for_another() {
        let mut one = [0.0; 256];
        (one[0], one[3], one[9]) = (0.5, 0.4, 0.1);
        assert!(stability(&one, &one) < 1e-12);
        let mut other = [0.0; 256];
        (other[0], other[3], other[200]) = (0.1, 0.4, 0.5);
        // (0.1 - 0.5) ln(0.1 / 0.5) + (0.001 - 0.1) ln(0.001 / 0.1) + (0.5 - 0.001) ln(0.5 / 0.001)
        let expected = 0.4 * 5f64.ln() + 0.099 * 100f64.ln() + 0.499 * 500f64.ln();
        assert!((stability(&one, &other) - expected).abs() < 1e-9, "{}", stability(&one, &other));
    }

    #[test]
    fn a_minute_has_only_so_many_rows() {
        let mut monitor = Monitor::new(1);
        for n in 0..10_000 {
            monitor.keep([(n % 200) as u8; FEATURES], 5, false);
        }
        assert_eq!(monitor.rows().len(), MINUTE_MAX as usize);
        // Each of the minute's events is as likely to stay: not the first ones alone did.
        assert!(monitor.rows().iter().filter(|row| row[0] >= 64).count() > 20);
        for n in 0..10_000i64 {
            monitor.keep([1; FEATURES], n * MINUTE_NANOS, false);
        }
        assert_eq!(monitor.rows().len(), ROWS_MAX);
    }
}
