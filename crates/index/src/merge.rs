//! One answer from two: the index's, and that of the journal's tail behind it.
//!
//! The two must be about different events. Totals and counts add up exactly; where an answer was cut
//! at its limit, values just below that limit in one of them may be missing from the sum, so ask for
//! more than is shown when the order at the end matters.

use std::collections::{BTreeMap, HashMap};

use crate::{FieldInfo, FieldValues, Histogram, Pattern, Patterns, SearchRequest, SearchResult, page::Room};

/// The name under which a histogram counts the values beyond its limit.
pub const OTHER: &str = "(other)";

impl SearchResult {
    /// The first hits of both, as many as the request that both answer wants.
    #[must_use]
    pub fn merge(mut self, other: Self, request: &SearchRequest) -> Self {
        let SearchRequest { order, limit, bytes_max, .. } = *request;
        // Behind the last hit of an answer that goes on, it may have further ones.
        let known_to = self.next.into_iter().chain(other.next).min_by(|a, b| order.compare(a, b));
        self.hits.extend(other.hits);
        let found = self.hits.len();
        self.hits.retain(|hit| known_to.is_none_or(|last| !order.is_before(&last, &hit.key)));
        self.hits.sort_by(|a, b| order.compare(&a.key, &b.key));
        self.hits.truncate(limit);
        let mut room = Room::new(bytes_max);
        let fitting = self.hits.iter().take_while(|hit| room.take(&hit.document)).count();
        self.hits.truncate(fitting);
        let more = known_to.is_some() || self.hits.len() < found;
        Self {
            total: self.total + other.total,
            next: self.hits.last().map(|hit| hit.key).filter(|_| more),
            hits: self.hits,
            covered: self.covered.max(other.covered),
        }
    }
}

impl Histogram {
    /// The buckets of both, added up; the `by_limit` most frequent values keep their names.
    #[must_use]
    pub fn merge(self, other: Self, by_limit: usize) -> Self {
        let covered = self.covered.max(other.covered);
        // Widths that are chosen divide each other.
        let widest = if self.width.about() < other.width.about() { &other.width } else { &self.width };
        let width = widest.clone();
        let (this, other) = (self.widen(width.clone()), other.widen(width.clone()));
        let mut buckets = BTreeMap::new();
        for bucket in this.buckets.into_iter().chain(other.buckets) {
            let (count, by) = buckets.entry(bucket.t).or_insert((0, BTreeMap::new()));
            *count += bucket.count;
            for (value, count) in bucket.by {
                *by.entry(value).or_default() += count;
            }
        }
        let buckets = buckets.into_iter().map(|(t, (count, by))| crate::Bucket { t, count, by }).collect();
        let mut merged = Self { buckets, width, covered };
        merged.limit_values(by_limit);
        merged
    }

    /// Counts all but the `limit` most frequent values under [`OTHER`].
    pub(crate) fn limit_values(&mut self, limit: usize) {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for (value, count) in self.buckets.iter().flat_map(|bucket| &bucket.by) {
            *counts.entry(value).or_default() += count;
        }
        counts.remove(OTHER);
        if counts.len() <= limit {
            return;
        }
        let mut order: Vec<_> = counts.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
        sort_counts(&mut order);
        let kept: std::collections::HashSet<_> =
            order.into_iter().take(limit).map(|(value, _)| value).collect();
        for bucket in &mut self.buckets {
            let mut other = 0;
            bucket.by.retain(|value, count| {
                let keep = kept.contains(value);
                other += if keep { 0 } else { *count };
                keep
            });
            if other > 0 {
                bucket.by.insert(OTHER.to_owned(), other);
            }
        }
    }
}

/// Falling by count, then rising by value.
pub(crate) fn sort_counts(values: &mut [(String, u64)]) {
    values.sort_by(|(a, count_a), (b, count_b)| count_b.cmp(count_a).then_with(|| a.cmp(b)));
}

impl FieldValues {
    /// The `limit` most frequent values of both. `distinct` is exact when neither answer was cut,
    /// else the least it can be.
    #[must_use]
    pub fn merge(self, other: Self, limit: usize) -> Self {
        let least = self.distinct.max(other.distinct);
        let mut counts: HashMap<String, u64> = HashMap::new();
        for (value, count) in self.values.into_iter().chain(other.values) {
            *counts.entry(value).or_default() += count;
        }
        let mut values: Vec<_> = counts.into_iter().collect();
        sort_counts(&mut values);
        let distinct = least.max(values.len() as u64);
        values.truncate(limit);
        Self { values, total: self.total + other.total, distinct, covered: self.covered.max(other.covered) }
    }
}

impl Pattern {
    /// Adds what is known of more events of the same template.
    pub(crate) fn add(&mut self, more: &Self) {
        self.count += more.count;
        self.first = self.first.min(more.first);
        self.last = self.last.max(more.last);
        self.severity = self.severity.max(more.severity);
        self.score_max = self.score_max.max(more.score_max);
        self.anomalies += more.anomalies;
    }
}

impl Patterns {
    /// The `limit` most frequent templates of both; `distinct` as in [`FieldValues::merge`].
    #[must_use]
    pub fn merge(self, other: Self, limit: usize) -> Self {
        let least = self.distinct.max(other.distinct);
        let mut found: HashMap<_, Pattern> = HashMap::new();
        for pattern in self.patterns.into_iter().chain(other.patterns) {
            match found.get_mut(&pattern.id) {
                Some(known) => known.add(&pattern),
                None => {
                    found.insert(pattern.id, pattern);
                }
            }
        }
        let mut patterns: Vec<_> = found.into_values().collect();
        sort_patterns(&mut patterns);
        let distinct = least.max(patterns.len() as u64);
        patterns.truncate(limit);
        Self { patterns, distinct, total: self.total + other.total, covered: self.covered.max(other.covered) }
    }
}

/// Falling by count, then rising by id.
pub(crate) fn sort_patterns(patterns: &mut [Pattern]) {
    patterns.sort_by(|a, b| b.count.cmp(&a.count).then(a.id.cmp(&b.id)));
}

impl FieldInfo {
    /// The fields of both answers, by name.
    pub fn merge(fields: Vec<Self>, others: Vec<Self>) -> Vec<Self> {
        let mut found: BTreeMap<String, Self> = BTreeMap::new();
        for field in fields.into_iter().chain(others) {
            match found.get_mut(&field.name) {
                Some(known) => known.count += field.count,
                None => {
                    found.insert(field.name.clone(), field);
                }
            }
        }
        found.into_values().collect()
    }
}
