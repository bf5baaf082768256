//! Feeds matches to correlations, and correlations to each other.

use std::collections::{VecDeque, hash_map};

use crate::{
    Fields, Rules, Value,
    correlation::{
        definition::{Correlation, CorrelationType},
        state::{CorrelatorStatus, Group, Key, Limits, State},
        window::{Entry, EntryValue, Met},
    },
    number::Number,
};

/// The most bytes of a value by which a group is known; what is longer is cut.
const KEY_BYTES_MAX: usize = 256;
/// The most correlations that one event feeds, over all that feed each other.
const FEEDS_MAX: usize = 1_024;

/// Counts the matches of rules over time.
///
/// Time is the events'. A window of time slides: it ends with each match, and for a match that comes late also with
/// those after it. Matches that are later than the [lateness](Limits::lateness_ns) do not count.
#[derive(Debug, Clone)]
pub struct Correlator {
    limits: Limits,
    pub(crate) state: State,
}

/// A correlation that is met.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlated {
    /// Its number among [`Rules::correlations`].
    pub correlation: usize,
    /// The values of its `group-by`, in that order; None for a field that the event does not have.
    pub group: Vec<Option<String>>,
    /// What was counted or computed.
    pub value: f64,
    /// When the first match of the window happened.
    pub first_ns: i64,
    /// When the last one did.
    pub last_ns: i64,
    /// How many events are in the window.
    pub count: u64,
    /// Whether this group is met anew: it was not within the last time span.
    pub is_new: bool,
}

/// One match on its way to a correlation.
struct Feed {
    correlation: usize,
    reference: usize,
    /// The names and values of the group of the correlation that it comes from.
    group: Vec<(String, Option<String>)>,
}

impl Correlator {
    /// One for the correlations of these rules.
    pub fn new(rules: &Rules, limits: Limits) -> Self {
        Self { limits, state: State::new(rules.correlations().len()) }
    }

    /// Takes the rules that an event matches, as [`Rules::matches`] gives them for the rules that this was made for, and
    /// adds the correlations that are met, also those that are not [alone](Correlation::is_alone).
    ///
    /// `time_ns` is when the event happened, `times` how many events it stands for.
    pub fn observe(
        &mut self,
        rules: &Rules,
        matched: &[usize],
        event: &dyn Fields,
        time_ns: i64,
        times: u32,
        met: &mut Vec<Correlated>,
    ) {
        let uses = rules.uses();
        let mut feeds: VecDeque<Feed> = matched
            .iter()
            .filter_map(|rule| uses.rules.get(*rule))
            .flatten()
            .map(|(correlation, reference)| Feed {
                correlation: *correlation,
                reference: *reference,
                group: vec![],
            })
            .collect();
        for _ in 0..FEEDS_MAX {
            let Some(feed) = feeds.pop_front() else { break };
            let correlation = &rules.correlations()[feed.correlation];
            let Some(found) = self.feed(&feed, correlation, event, time_ns, times) else { continue };
            for (place, reference) in &uses.correlations[feed.correlation] {
                let counts = rules.correlations()[*place].r#type;
                let counts_each = counts.is_temporal() || counts == CorrelationType::ValueCount;
                if counts_each || found.is_new {
                    let names = correlation.group_by.iter().cloned();
                    let group = names.zip(found.group.iter().cloned()).collect();
                    feeds.push_back(Feed { correlation: *place, reference: *reference, group });
                }
            }
            met.push(found);
        }
    }

    /// Forgets the groups that nothing can join any more at this time.
    pub fn forget_before(&mut self, rules: &Rules, now_ns: i64) {
        for (correlation, groups) in rules.correlations().iter().zip(&mut self.state.correlations) {
            let kept_ns = correlation.timespan_ns.saturating_add(self.limits.lateness_ns);
            let oldest = now_ns.saturating_sub(kept_ns);
            let status = &mut self.state.status;
            groups.retain(|_, group| {
                let stays = group.window.newest_ns().is_some_and(|newest| newest >= oldest);
                if !stays {
                    status.groups -= 1;
                    status.entries -= group.window.entries.len();
                }
                stays
            });
        }
    }

    /// What is held, and what the limits have cost.
    pub fn status(&self) -> CorrelatorStatus {
        self.state.status
    }

    fn feed(
        &mut self,
        feed: &Feed,
        correlation: &Correlation,
        event: &dyn Fields,
        time_ns: i64,
        times: u32,
    ) -> Option<Correlated> {
        let key = key(feed, correlation, event)?;
        let entry = Entry {
            time_ns,
            times,
            reference: u16::try_from(feed.reference).ok()?,
            value: counted(feed, correlation, event)?,
        };
        let found = self.add(feed.correlation, key.clone(), entry, correlation);
        self.state.make_room(feed.correlation, &self.limits);
        let (met, is_new) = found?;
        Some(Correlated {
            correlation: feed.correlation,
            group: key,
            value: met.value,
            first_ns: met.first_ns,
            last_ns: met.last_ns,
            count: met.count,
            is_new,
        })
    }

    fn add(
        &mut self,
        place: usize,
        key: Key,
        entry: Entry,
        correlation: &Correlation,
    ) -> Option<(Met, bool)> {
        let State { correlations, status, feeds } = &mut self.state;
        let groups = &mut correlations[place];
        let entry_of = groups.entry(key);
        status.groups += usize::from(matches!(entry_of, hash_map::Entry::Vacant(_)));
        let Group { window, quiet_until_ns, fed } = entry_of.or_default();
        *feeds += 1;
        *fed = *feeds;
        let newest_ns = window.newest_ns().map_or(entry.time_ns, |newest| newest.max(entry.time_ns));
        let kept_ns = correlation.timespan_ns.saturating_add(self.limits.lateness_ns);
        let oldest_ns = newest_ns.saturating_sub(kept_ns);
        let mut found = None;
        if entry.time_ns < oldest_ns {
            status.late += 1;
        } else {
            status.entries -= window.forget_before(oldest_ns);
            let mut place = window.insert(entry);
            status.entries += 1;
            if window.entries.len() > self.limits.entries {
                window.entries.pop_front();
                status.entries -= 1;
                status.entries_evicted += 1;
                place = place.saturating_sub(1);
            }
            found = window.meets(place, correlation);
        }
        let met = found?;
        let is_new = quiet_until_ns.is_none_or(|until| entry.time_ns > until);
        let until = entry.time_ns.saturating_add(correlation.timespan_ns);
        *quiet_until_ns = Some(quiet_until_ns.map_or(until, |known| known.max(until)));
        Some((met, is_new))
    }
}

/// The values by which a group is known; nothing where the event has none of them.
fn key(feed: &Feed, correlation: &Correlation, event: &dyn Fields) -> Option<Key> {
    let fields = &correlation.fields[feed.reference].group_by;
    let names = correlation.group_by.iter().zip(fields);
    let key: Key = names.map(|(name, field)| text(&[name, field], feed, event)).collect();
    let is_known = key.is_empty() || key.iter().any(Option::is_some);
    is_known.then_some(key)
}

/// The value of a field: of the group that the match comes from, else of the event.
fn text(names: &[&String], feed: &Feed, event: &dyn Fields) -> Option<String> {
    let of_group = feed.group.iter().find(|(name, _)| names.contains(&name));
    if let Some((_, value)) = of_group {
        return value.clone();
    }
    let mut text = None;
    event.any(names[names.len() - 1], &mut |value| {
        text = value.with_text(|text| {
            let end = text.floor_char_boundary(KEY_BYTES_MAX);
            text[..end].to_owned()
        });
        text.is_some()
    });
    text
}

/// What is counted of a match; nothing where the event does not have it.
fn counted(feed: &Feed, correlation: &Correlation, event: &dyn Fields) -> Option<EntryValue> {
    let fields = &correlation.fields[feed.reference].counted;
    let number = |field: &String| {
        let mut number = None;
        event.any(field, &mut |value: Value<'_>| {
            number = value.number().map(Number::as_f64);
            number.is_some()
        });
        number
    };
    let texts = || {
        let mut hasher = blake3::Hasher::new();
        for field in fields {
            let text = text(&[field], feed, event)?;
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let hash = hasher.finalize();
        let half = hash.as_bytes().first_chunk::<16>()?;
        Some(EntryValue::Text(u128::from_le_bytes(*half)))
    };
    match correlation.r#type {
        CorrelationType::EventCount | CorrelationType::Temporal | CorrelationType::TemporalOrdered => {
            Some(EntryValue::None)
        }
        CorrelationType::ValueCount => texts(),
        CorrelationType::ValueSum | CorrelationType::ValueAverage | CorrelationType::ValueMedian => {
            fields.first().and_then(number).map(EntryValue::Number)
        }
        CorrelationType::ValuePercentile => {
            let number = fields.first().and_then(number).map(EntryValue::Number);
            number.or_else(|| if correlation.condition.percentile.is_none() { texts() } else { None })
        }
    }
}
