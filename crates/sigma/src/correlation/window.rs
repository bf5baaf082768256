//! The matches of one group, by time, and what is computed of those within a time span.

use std::{
    collections::{HashSet, VecDeque},
    ops::Range,
};

use crate::correlation::definition::{Correlation, CorrelationType};

/// One match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub(crate) time_ns: i64,
    /// How many events it stands for.
    pub(crate) times: u32,
    /// Which of the correlation's rules matched.
    pub(crate) reference: u16,
    pub(crate) value: EntryValue,
}

/// What is counted of a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum EntryValue {
    None,
    Number(f64),
    /// A text, by its hash.
    Text(u128),
}

/// The most windows that a match out of order is looked at in: those that end with it and with the next ones.
const ENDS_MAX: usize = 64;

/// The matches of one group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// In the order of their time.
    pub(crate) entries: VecDeque<Entry>,
}

/// What a correlation is met by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Met {
    pub(crate) value: f64,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    pub(crate) count: u64,
}

impl Window {
    pub(crate) fn newest_ns(&self) -> Option<i64> {
        self.entries.back().map(|entry| entry.time_ns)
    }

    /// Adds a match and gives its place.
    pub(crate) fn insert(&mut self, entry: Entry) -> usize {
        let place = self.entries.partition_point(|other| other.time_ns <= entry.time_ns);
        self.entries.insert(place, entry);
        place
    }

    /// Forgets matches older than a time; says how many.
    pub(crate) fn forget_before(&mut self, time_ns: i64) -> usize {
        let old = self.entries.partition_point(|entry| entry.time_ns < time_ns);
        self.entries.drain(..old);
        old
    }

    /// Whether a window with the match at this place meets the condition: the one that ends with it, and those that end
    /// with later matches, for where it came late.
    pub(crate) fn meets(&mut self, place: usize, correlation: &Correlation) -> Option<Met> {
        let entries: &[Entry] = self.entries.make_contiguous();
        let span = correlation.timespan_ns;
        let start_of = |end_ns: i64| {
            let oldest = end_ns.saturating_sub(span);
            entries.partition_point(|entry| entry.time_ns < oldest)
        };
        for end in (place..entries.len()).take(ENDS_MAX) {
            let range = start_of(entries[end].time_ns)..end + 1;
            if range.start > place {
                break;
            }
            if let Some(met) = meets(&entries[range.clone()], range, place, correlation) {
                return Some(met);
            }
        }
        None
    }
}

fn meets(entries: &[Entry], range: Range<usize>, place: usize, correlation: &Correlation) -> Option<Met> {
    let value = match &correlation.expression {
        Some(expression) => {
            let has =
                |reference: usize| entries.iter().any(|entry| usize::from(entry.reference) == reference);
            if !expression.holds(&mut |reference| has(reference)) || !is_in_order(entries, correlation) {
                return None;
            }
            distinct_rules(entries)
        }
        None => value(entries, place - range.start, correlation)?,
    };
    if correlation.expression.is_none() && !correlation.condition.holds(value) {
        return None;
    }
    let (first, last) = (entries.first()?, entries.last()?);
    Some(Met { value, first_ns: first.time_ns, last_ns: last.time_ns, count: events(entries) })
}

fn value(entries: &[Entry], last: usize, correlation: &Correlation) -> Option<f64> {
    Some(match correlation.r#type {
        CorrelationType::EventCount => events(entries) as f64,
        CorrelationType::ValueCount => {
            let values: HashSet<u128> = entries.iter().filter_map(text_of).collect();
            values.len() as f64
        }
        CorrelationType::Temporal => distinct_rules(entries),
        CorrelationType::TemporalOrdered => longest_order(entries, correlation.rules.len()) as f64,
        CorrelationType::ValueSum => {
            entries.iter().filter_map(number_of).map(|(number, times)| number * f64::from(times)).sum()
        }
        CorrelationType::ValueAverage => {
            let numbers = || entries.iter().filter_map(number_of);
            let count: f64 = numbers().map(|(_, times)| f64::from(times)).sum();
            let sum: f64 = numbers().map(|(number, times)| number * f64::from(times)).sum();
            (count > 0.0).then_some(sum / count)?
        }
        CorrelationType::ValueMedian => percentile(entries, 50.0)?,
        CorrelationType::ValuePercentile => match correlation.condition.percentile {
            Some(percent) => percentile(entries, percent)?,
            None => rank(entries, entries.get(last)?)?,
        },
    })
}

fn events(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| u64::from(entry.times)).sum()
}

fn text_of(entry: &Entry) -> Option<u128> {
    match entry.value {
        EntryValue::Text(hash) => Some(hash),
        _ => None,
    }
}

fn number_of(entry: &Entry) -> Option<(f64, u32)> {
    match entry.value {
        EntryValue::Number(number) => Some((number, entry.times)),
        _ => None,
    }
}

fn distinct_rules(entries: &[Entry]) -> f64 {
    let rules: HashSet<u16> = entries.iter().map(|entry| entry.reference).collect();
    rules.len() as f64
}

/// How many rules match one behind the other, each not before the one that is named before it.
fn longest_order(entries: &[Entry], rules: usize) -> usize {
    // For each length, the earliest time at which so many can have matched.
    let mut earliest: Vec<i64> = vec![];
    for rule in 0..rules {
        let times = || {
            entries
                .iter()
                .filter(move |entry| usize::from(entry.reference) == rule)
                .map(|entry| entry.time_ns)
        };
        for length in (0..=earliest.len()).rev() {
            let from = if length == 0 { i64::MIN } else { earliest[length - 1] };
            let Some(next) = times().find(|time| *time >= from) else { continue };
            match earliest.get_mut(length) {
                Some(known) => *known = next.min(*known),
                None => earliest.push(next),
            }
        }
    }
    earliest.len()
}

/// Whether the rules that match do so in the order in which they are named, where order matters.
fn is_in_order(entries: &[Entry], correlation: &Correlation) -> bool {
    if correlation.r#type != CorrelationType::TemporalOrdered {
        return true;
    }
    let rules: HashSet<u16> = entries.iter().map(|entry| entry.reference).collect();
    longest_order(entries, correlation.rules.len()) == rules.len()
}

/// The value at a percentile, interpolated between its neighbours.
fn percentile(entries: &[Entry], percent: f64) -> Option<f64> {
    let mut numbers: Vec<f64> = entries.iter().filter_map(number_of).map(|(number, _)| number).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    let exact = percent / 100.0 * last as f64;
    let place = exact as usize;
    let (below, above) = (numbers[place.min(last)], numbers[(place + 1).min(last)]);
    Some(below + (above - below) * exact.fract())
}

/// How usual a value is, in percent: the share of its like for text, the percentile rank (those below, and half of its
/// like) for numbers.
fn rank(entries: &[Entry], entry: &Entry) -> Option<f64> {
    let (mut all, mut below, mut same) = (0.0, 0.0, 0.0);
    for other in entries {
        let times = f64::from(other.times);
        all += times;
        if other.value == entry.value {
            same += times;
        } else if let (EntryValue::Number(other), EntryValue::Number(number)) = (other.value, entry.value)
            && other < number
        {
            below += times;
        }
    }
    match entry.value {
        EntryValue::None => None,
        EntryValue::Text(_) => Some(100.0 * same / all),
        EntryValue::Number(_) => Some(100.0 * (below + same / 2.0) / all),
    }
}
