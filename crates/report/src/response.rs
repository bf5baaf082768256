//! How soon somebody had a signal, and how soon it was over.

use event::Timestamp;
use finding::Level;
use serde::Serialize;
use signal::{Entry, Happening};

/// How soon signals of a severity were taken care of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// The severity; none for all together.
    pub severity: Option<Level>,
    /// How many there were.
    pub signals: u64,
    /// How many somebody acknowledged.
    pub acknowledged: u64,
    /// How long that took, in seconds from when the signal came up.
    pub acknowledge_s: Option<Quantiles>,
    /// How many somebody said were over.
    pub resolved: u64,
    /// How long that took, in seconds from when the signal came up.
    pub resolve_s: Option<Quantiles>,
}

/// What half of some durations, and nine tenths of them, do not exceed: the nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half of them.
    pub median: u64,
    /// Nine tenths.
    pub p90: u64,
}

impl Quantiles {
    /// Of durations in seconds; none of none.
    pub fn of(mut seconds: Vec<u64>) -> Option<Self> {
        seconds.sort_unstable();
        let rank =
            |tenths: usize| seconds.get((seconds.len() * tenths).div_ceil(10).saturating_sub(1)).copied();
        Some(Self { median: rank(5)?, p90: rank(9)? })
    }
}

/// How long it took from when a signal came up until somebody did this for the first time, in seconds.
pub(crate) fn took(history: &[Entry], what: Happening) -> Option<u64> {
    let began = history.first()?.at;
    let done = history.iter().find(|entry| entry.what == what && entry.by.is_some())?.at;
    Some(seconds(began, done))
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from((to.as_nanos() - from.as_nanos()) / 1_000_000_000).unwrap_or(0)
}

/// Whether a person had anything to do with it.
pub(crate) fn is_seen(history: &[Entry]) -> bool {
    let by_hand = |entry: &Entry| {
        entry.by.is_some() && !matches!(entry.what, Happening::Hidden | Happening::Shown | Happening::Grew)
    };
    history.iter().any(by_hand)
}

#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) signals: u64,
    pub(crate) acknowledged: Vec<u64>,
    pub(crate) resolved: Vec<u64>,
}

impl Taken {
    pub(crate) fn take(&mut self, history: &[Entry]) {
        self.signals += 1;
        self.acknowledged.extend(took(history, Happening::Acknowledged));
        self.resolved.extend(took(history, Happening::Resolved));
    }

    pub(crate) fn told(self, severity: Option<Level>) -> Response {
        Response {
            severity,
            signals: self.signals,
            acknowledged: self.acknowledged.len() as u64,
            resolved: self.resolved.len() as u64,
            acknowledge_s: Quantiles::of(self.acknowledged),
            resolve_s: Quantiles::of(self.resolved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_nearest_rank() {
        let of = |seconds: &[u64]| Quantiles::of(seconds.to_vec());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some(Quantiles { median: 7, p90: 7 }));
        assert_eq!(of(&[9, 1]), Some(Quantiles { median: 1, p90: 9 }));
        let ten: Vec<u64> = (1..=10).rev().collect();
        assert_eq!(of(&ten), Some(Quantiles { median: 5, p90: 9 }));
    }
}
