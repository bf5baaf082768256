//! How far this host's clock is from the collector's, from the time that each answer says of itself.
//!
//! An answer says its second (`Date`, RFC 9110), and lies between what this clock said before the question and after the
//! answer. Each exchange bounds the difference so, and what all of them leave open is narrower than a second soon.

use std::sync::{Mutex, PoisonError};

use event::Timestamp;

/// Clocks drift apart by no more than this part of the time that passes.
const DRIFT: f64 = 1e-4;
/// `Date` is cut to whole seconds.
const CUT_S: f64 = 1.0;

/// How far the clock is off.
#[derive(Debug, Default)]
pub(crate) struct Offset(Mutex<Option<Bounds>>);

#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Seconds that this clock is ahead: at least, and at most.
    least: f64,
    most: f64,
    at: Timestamp,
}

impl Offset {
    /// Takes what an answer says of its time, and what this clock said before it was asked and behind it.
    pub(crate) fn heard(&self, before: Timestamp, after: Timestamp, date: Timestamp) {
        if after < before {
            return;
        }
        let new = Bounds { least: seconds(date, before) - CUT_S, most: seconds(date, after), at: after };
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(match *held {
            Some(old) => {
                let drift = DRIFT * seconds(old.at, after).abs();
                let (least, most) = (new.least.max(old.least - drift), new.most.min(old.most + drift));
                // One of the clocks was set.
                if least > most { new } else { Bounds { least, most, ..new } }
            }
            None => new,
        });
    }

    /// Seconds that this clock is ahead, negative when it is behind, to a hundredth; None before anything was answered.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let held = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.map(|bounds| (f64::midpoint(bounds.least, bounds.most) * 100.0).round() / 100.0)
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (i128::from(to.as_nanos()) - i128::from(from.as_nanos())) as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_nanos(1_800_000_000_000_000_000 + (seconds * 1e9) as i64).unwrap()
    }

    /// Answers from a server whose clock is so far behind, cut to the second as it does.
    fn heard(offset: &Offset, ahead: f64, times: std::ops::Range<u32>) {
        for number in times {
            // Exchanges begin at all parts of a second and take 20 ms.
            let before = f64::from(number) * 10.37;
            offset.heard(at(before), at(before + 0.02), at((before + 0.01 - ahead).floor()));
        }
    }

    #[test]
    fn a_few_answers_tell_what_one_cannot() {
        for ahead in [0.0, 0.4, 71.25, -3.6] {
            let offset = Offset::default();
            assert_eq!(offset.seconds(), None);
            heard(&offset, ahead, 0..1);
            assert!((offset.seconds().unwrap() - ahead).abs() <= 0.6);
            heard(&offset, ahead, 1..40);
            assert!((offset.seconds().unwrap() - ahead).abs() <= 0.1, "{ahead}: {:?}", offset.seconds());
        }
    }

    #[test]
    fn a_clock_that_was_set_is_believed_at_once() {
        let offset = Offset::default();
        heard(&offset, 0.0, 0..40);
        heard(&offset, 120.0, 40..41);
        assert!((offset.seconds().unwrap() - 120.0).abs() <= 0.6);
    }
}
