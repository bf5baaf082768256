//! Counts over time: what is asked, what is answered, and how fine buckets become wider ones.

use std::collections::BTreeMap;

use event::{Position, Timestamp};
use serde::Serialize;

use crate::{
    Interval, Selection,
    interval::{SECOND, width_for},
};

/// What an empty histogram says of itself.
const DAY: i64 = 86_400 * SECOND;

/// Counts over time.
#[derive(Debug, Clone)]
pub struct HistogramRequest {
    /// Which events.
    pub selection: Selection,
    /// Width of a bucket.
    pub interval: Interval,
    /// Also count by the values of this field, the most frequent `by_limit` of them.
    pub by: Option<String>,
    /// How many values `by` may have; the rest is counted under `(other)`.
    pub by_limit: usize,
    /// How many buckets the answer may have, where their width is fixed.
    pub buckets_max: usize,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Its start.
    pub t: Timestamp,
    /// Events in it.
    pub count: u64,
    /// By value of the field asked for; events without the field are not in it, and those with a
    /// list of values are in it once for each. [`OTHER`](crate::OTHER) sums what is beyond `by_limit`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by: BTreeMap<String, u64>,
}

/// The answer: buckets in rising order; empty ones are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// Their width in nanoseconds. With [`Interval::Chosen`] it divides the width that fits: call
    /// [`Histogram::settle`] once the answer is whole.
    pub interval_nanos: i64,
    /// As in [`SearchResult`](crate::SearchResult).
    pub covered: Position,
}

impl Histogram {
    /// Adds buckets up to those of the width that fits; for an answer to [`Interval::Chosen`], once it
    /// is whole.
    #[must_use]
    pub fn settle(self, until: Timestamp) -> Self {
        let mut starts = self.buckets.iter().map(|bucket| bucket.t).filter(|start| *start <= until);
        let Some(first) = starts.next() else {
            let width = self.interval_nanos.max(DAY);
            return self.widen(width);
        };
        let last = starts.next_back().unwrap_or(first);
        let width = width_for(first.as_nanos(), last.as_nanos());
        self.widen(width)
    }

    /// Adds buckets up to wider ones; the width must be a multiple of the present one.
    pub(crate) fn widen(mut self, width: i64) -> Self {
        if width <= self.interval_nanos {
            return self;
        }
        let mut wider: Vec<Bucket> = Vec::new();
        for bucket in self.buckets {
            let start = bucket.t.as_nanos() / width * width;
            match wider.last_mut().filter(|last| last.t.as_nanos() == start) {
                Some(last) => {
                    last.count += bucket.count;
                    for (value, count) in bucket.by {
                        *last.by.entry(value).or_default() += count;
                    }
                }
                None => wider.push(Bucket { t: Timestamp::saturating_from_nanos(start.into()), ..bucket }),
            }
        }
        (self.buckets, self.interval_nanos) = (wider, width);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_added_up_when_a_histogram_settles() {
        let bucket = |seconds: i64, count| Bucket {
            t: Timestamp::from_nanos(seconds * SECOND).unwrap(),
            count,
            by: BTreeMap::from([("a".to_owned(), count)]),
        };
        let fine = Histogram {
            buckets: (0..200).map(|second| bucket(second, 1)).collect(),
            interval_nanos: SECOND,
            covered: Default::default(),
        };
        let settled = fine.settle(Timestamp::MAX);
        assert_eq!(settled.interval_nanos, 5 * SECOND);
        assert_eq!(settled.buckets.len(), 40);
        assert_eq!(settled.buckets[3], bucket(15, 5));
    }
}
