//! How something measured stands: a small machine with two levels, a number of samples, and a memory of its last flip.

use event::Timestamp;
use finding::{FindingKind, Level, Occurrence};
use serde::{Deserialize, Serialize};

use crate::measured::Measured;

/// A signal that goes on is told to go on this often, so that it is not taken for over.
const AGAIN_AFTER_S: i64 = 300;
const SECOND: i64 = 1_000_000_000;

/// How something measured stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Below the threshold.
    Ok,
    /// Above it, and told.
    Raised,
    /// It was raised and is no longer measured.
    NoData,
}

/// What is remembered of something measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The rule.
    pub rule: String,
    /// The kind of signal.
    pub kind: FindingKind,
    /// How it stands.
    pub standing: Standing,
    /// Since when, by the agent's clock.
    pub since: Timestamp,
    /// What was measured last.
    pub value: f64,
    /// From where on it is raised.
    pub threshold: f64,
    /// How grave it was when it was told last.
    level: Level,
    /// Samples in a row that would change how it stands.
    run: u32,
    /// When the run of high samples began that raised it.
    began: Timestamp,
    /// When it was told last.
    told: Timestamp,
    /// When it cleared last.
    cleared: Option<Timestamp>,
}

/// What became of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Turn {
    /// Nothing that is told.
    Nothing,
    /// It is raised, or still is.
    Told(Occurrence),
    /// It is over.
    Cleared,
}

impl Condition {
    /// Of something that was not measured before.
    pub(crate) fn new(one: &Measured, at: Timestamp) -> Self {
        Self {
            rule: one.rule.clone(),
            kind: one.kind,
            standing: Standing::Ok,
            since: at,
            value: one.value,
            threshold: one.raise,
            level: one.level,
            run: 0,
            began: at,
            told: at,
            cleared: None,
        }
    }

    /// Whether something changed that must be on disk: what was measured last may get lost.
    pub(crate) fn is_other_than(&self, other: &Self) -> bool {
        let (value, threshold) = (other.value, other.threshold);
        Self { value, threshold, ..self.clone() } != *other
    }

    /// Whether there is nothing to remember of it.
    pub(crate) fn is_forgettable(&self) -> bool {
        self.standing == Standing::Ok && self.run == 0 && self.cleared.is_none()
    }

    /// Takes what was measured at a moment, later than what it took before.
    pub(crate) fn take(&mut self, one: &Measured, at: Timestamp, raise_again_after: i64) -> Turn {
        (self.value, self.threshold) = (one.value, one.raise);
        if self.standing == Standing::Ok {
            return self.take_low(one, at, raise_again_after);
        }
        let had_no_data = self.standing == Standing::NoData;
        self.standing = Standing::Raised;
        self.run = if one.is_low() { self.run + 1 } else { 0 };
        if self.run >= one.samples {
            self.flip(Standing::Ok, at);
            self.cleared = Some(at);
            return Turn::Cleared;
        }
        let is_graver = one.is_high() && one.level > self.level;
        if !one.is_low()
            && (is_graver || had_no_data || at.as_nanos() - self.told.as_nanos() >= AGAIN_AFTER_S * SECOND)
        {
            self.level = self.level.max(one.level);
            self.told = at;
            return Turn::Told(self.occurrence(at, true));
        }
        Turn::Nothing
    }

    fn take_low(&mut self, one: &Measured, at: Timestamp, raise_again_after: i64) -> Turn {
        if !one.is_high() {
            self.run = 0;
            let is_long_ago = |cleared: Timestamp| at.as_nanos() - cleared.as_nanos() >= raise_again_after;
            if self.cleared.is_some_and(is_long_ago) {
                self.cleared = None;
            }
            return Turn::Nothing;
        }
        if self.run == 0 {
            self.began = at;
        }
        self.run = self.run.saturating_add(1);
        let may = self.cleared.is_none_or(|cleared| at.as_nanos() - cleared.as_nanos() >= raise_again_after);
        if self.run < one.samples || !may {
            return Turn::Nothing;
        }
        self.flip(Standing::Raised, at);
        self.cleared = None;
        self.level = one.level;
        self.told = at;
        Turn::Told(self.occurrence(at, false))
    }

    fn flip(&mut self, standing: Standing, at: Timestamp) {
        (self.standing, self.since, self.run) = (standing, at, 0);
    }

    /// Takes that it was not measured; whether that is new.
    pub(crate) fn take_none(&mut self, at: Timestamp) -> bool {
        let is_new = self.standing == Standing::Raised;
        if is_new {
            self.flip(Standing::NoData, at);
        }
        is_new
    }

    fn occurrence(&self, at: Timestamp, is_update: bool) -> Occurrence {
        // One thing that lasts, however often it is measured.
        Occurrence { first: self.began, last: at, count: 1, is_update, evidence: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measured::measured, monitoring::Monitoring};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_nanos((1_700_000_000 + second) * SECOND).unwrap()
    }

    fn cpu(percent: f64) -> Measured {
        let metrics = serde_json::json!([{"name": "a", "metrics": {"cpu": percent}}]).to_string();
        let mut samples = sample::read(metrics.as_bytes(), &sample::Limits::default()).unwrap();
        measured(&samples.remove(0).unwrap().sample.metrics, &Monitoring::default()).remove(0)
    }

    /// The seconds at which it was raised (1), told to go on (0) and cleared (-1).
    fn turns(values: &[f64], every: i64) -> Vec<(i64, i8)> {
        let mut condition = Condition::new(&cpu(values[0]), at(0));
        let mut turns = vec![];
        for (place, value) in (0..).zip(values) {
            let second = place * every;
            match condition.take(&cpu(*value), at(second), 60 * SECOND) {
                Turn::Nothing => {}
                Turn::Told(run) => turns.push((second, i8::from(!run.is_update))),
                Turn::Cleared => turns.push((second, -1)),
            }
        }
        turns
    }

    #[test]
    fn one_high_sample_is_not_enough_and_two_are() {
        assert_eq!(turns(&[50.0, 99.0, 50.0, 99.0, 50.0], 10), []);
        assert_eq!(turns(&[50.0, 99.0, 99.0, 99.0], 10), [(20, 1)]);
        assert_eq!(turns(&[80.0, 80.0], 10), [(10, 1)], "the threshold itself is high");
    }

    #[test]
    fn noise_around_the_threshold_raises_once_and_clears_once() {
        let mut values = vec![70.0];
        for place in 0..200 {
            values.push(if place % 3 == 0 { 77.5 } else { 83.0 });
        }
        values.extend([60.0; 20]);
        let turns = turns(&values, 1);
        let of = |what: i8| turns.iter().filter(|(_, turn)| *turn == what).count();
        assert_eq!((of(1), of(-1)), (1, 1), "{turns:?}");
    }

    #[test]
    fn what_lasts_is_told_again_and_what_cleared_waits_before_it_is_raised_again() {
        assert_eq!(turns(&[99.0; 70], 10), [(10, 1), (310, 0), (610, 0)]);
        let values = [99.0, 99.0, 10.0, 10.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0];
        assert_eq!(turns(&values, 10), [(10, 1), (30, -1), (90, 1)]);
    }

    #[test]
    fn no_data_is_a_state_of_its_own() {
        let mut condition = Condition::new(&cpu(99.0), at(0));
        condition.take(&cpu(99.0), at(0), 0);
        assert!(matches!(condition.take(&cpu(99.0), at(10), 0), Turn::Told(_)));
        assert!(condition.take_none(at(20)));
        assert!(!condition.take_none(at(30)));
        assert_eq!(condition.standing, Standing::NoData);
        assert!(matches!(condition.take(&cpu(99.0), at(40), 0), Turn::Told(run) if run.is_update));
        assert_eq!(condition.standing, Standing::Raised);
    }
}
