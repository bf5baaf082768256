//! Counts over time: what is asked, what is answered, and how fine buckets become wider ones.

use std::collections::BTreeMap;

use event::{Position, Timestamp};
use serde::Serialize;

use jiff::tz::TimeZone;

use crate::{Interval, Selection, Unit, Width, interval::width_for};

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
    /// Their width. With [`Interval::Chosen`] it divides the width that fits: call
    /// [`Histogram::settle`] once the answer is whole.
    pub width: Width,
    /// As in [`SearchResult`](crate::SearchResult).
    pub covered: Position,
}

impl Histogram {
    /// Adds buckets up to those of the width that fits; for an answer to [`Interval::Chosen`], once it
    /// is whole.
    #[must_use]
    pub fn settle(self, until: Timestamp, zone: &TimeZone) -> Self {
        let mut starts = self.buckets.iter().map(|bucket| bucket.t).filter(|start| *start <= until);
        let Some(first) = starts.next() else {
            return self.widen(Width::Calendar(Unit::Day, zone.clone()));
        };
        let last = starts.next_back().unwrap_or(first);
        let width = width_for(first.as_nanos(), last.as_nanos(), zone);
        self.widen(width)
    }

    /// Also has buckets without events between its first and its last, where there are so many in all at most.
    #[must_use]
    pub fn filled(self, buckets_max: usize) -> Self {
        let (Some(first), Some(last)) = (self.buckets.first(), self.buckets.last()) else { return self };
        let starts = std::iter::successors(Some(first.t), |start| Some(self.width.next(*start)));
        let starts: Vec<_> = starts.take_while(|start| *start < last.t).take(buckets_max).collect();
        if starts.len() >= buckets_max {
            return self;
        }
        let empty = |t| (t, Bucket { t, count: 0, by: BTreeMap::new() });
        let mut all: BTreeMap<_, _> = starts.into_iter().map(empty).collect();
        all.extend(self.buckets.into_iter().map(|bucket| (bucket.t, bucket)));
        Self { buckets: all.into_values().collect(), ..self }
    }

    /// Adds buckets up to wider ones; the present width must divide theirs.
    pub(crate) fn widen(mut self, width: Width) -> Self {
        if width.about() <= self.width.about() {
            return self;
        }
        let mut wider: Vec<Bucket> = Vec::new();
        for bucket in self.buckets {
            let start = width.start(bucket.t);
            match wider.last_mut().filter(|last| last.t == start) {
                Some(last) => {
                    last.count += bucket.count;
                    for (value, count) in bucket.by {
                        *last.by.entry(value).or_default() += count;
                    }
                }
                None => wider.push(Bucket { t: start, ..bucket }),
            }
        }
        (self.buckets, self.width) = (wider, width);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::width::SECOND;

    fn bucket(seconds: i64, count: u64) -> Bucket {
        let by = if count > 0 { BTreeMap::from([("a".to_owned(), count)]) } else { BTreeMap::new() };
        Bucket { t: Timestamp::from_nanos(seconds * SECOND).unwrap(), count, by }
    }

    fn histogram(buckets: Vec<Bucket>, width: Width) -> Histogram {
        Histogram { buckets, width, covered: Default::default() }
    }

    #[test]
    fn buckets_are_added_up_when_a_histogram_settles() {
        let fine = (0..200).map(|second| bucket(second, 1)).collect();
        let settled = histogram(fine, Width::Fixed(SECOND)).settle(Timestamp::MAX, &TimeZone::UTC);
        assert_eq!(settled.width, Width::Fixed(5 * SECOND));
        assert_eq!(settled.buckets.len(), 40);
        assert_eq!(settled.buckets[3], bucket(15, 5));
    }

    #[test]
    fn empty_buckets_stand_between_others() {
        let sparse = histogram(vec![bucket(0, 1), bucket(20, 2)], Width::Fixed(5 * SECOND));
        let seconds =
            [(0, 1), (5, 0), (10, 0), (15, 0), (20, 2)].map(|(second, count)| bucket(second, count));
        assert_eq!(sparse.clone().filled(5).buckets, seconds);
        assert_eq!(sparse.clone().filled(4), sparse, "too many");
        let none = histogram(vec![], Width::Fixed(SECOND));
        assert_eq!(none.clone().filled(5), none);
    }
}
