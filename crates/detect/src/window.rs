//! What was done how often by whom: keyed windows of event time, in the order in which things
//! happened, whatever order they came in.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Duration,
};

use event::{EventId, Timestamp};
use finding::Occurrence;
use serde::{Deserialize, Serialize};

use crate::table::{Occupancy, Table};

/// Events may come this much later than others and count where they belong, as long as no more than the moments
/// that are kept of a key ([`Windows::keeping`]) happened meanwhile. What comes later than that is left out of
/// windows that have passed.
pub const LATENESS: Duration = Duration::from_secs(10 * 60);

/// Moments of one key that are kept one by one, unless said otherwise; earlier ones are kept as a sum.
const MOMENTS: usize = 16;
/// Evidence kept of the beginning, and as much of the end.
const EVIDENCE: usize = 4;

/// Nanoseconds of a length of time.
pub(crate) const fn nanos(length: Duration) -> i64 {
    let nanos = length.as_nanos();
    if nanos > i64::MAX as u128 { i64::MAX } else { nanos as i64 }
}

/// When so much within so long is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// Points. No more moments than are kept ([`Windows::keeping`]) can bring them together.
    pub points: u32,
    /// The length of the window. A run is over when nothing came for as long.
    pub within: Duration,
}

/// Something that one key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When, in nanoseconds since 1970.
    pub at: i64,
    /// How many events it stands for.
    pub times: u32,
    /// What it is worth.
    pub points: u32,
    /// A hash of what it was done to or with, where different ones are counted.
    pub what: u64,
}

impl Moment {
    /// Done so many times at a time, each worth a point.
    pub fn new(at: Timestamp, times: u32) -> Self {
        Self { at: at.as_nanos(), times, points: times, what: 0 }
    }

    /// Worth so many points.
    pub fn worth(self, points: u32) -> Self {
        Self { points, ..self }
    }

    /// Done to or with this.
    pub fn with(self, what: u64) -> Self {
        Self { what, ..self }
    }
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Run<N> {
    /// What its detector notes of it.
    pub note: N,
    /// In the order in which they happened.
    moments: Vec<Moment>,
    /// What is no longer among the moments.
    earlier: Option<Span>,
    told: Option<Span>,
    evidence: Vec<(i64, EventId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Span {
    first: i64,
    last: i64,
    count: u64,
}

impl<N: Default> Run<N> {
    /// The moments that are kept one by one, in the order in which they happened.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The most points of any window of this length that a moment lies in.
    pub fn most(&self, at: i64, within: Duration) -> u64 {
        let (mut points, mut most) = (0, 0);
        self.slide(at, within, |moment, is_in| {
            if is_in {
                points += u64::from(moment.points);
            } else {
                points -= u64::from(moment.points);
            }
            most = points.max(most);
        });
        most
    }

    /// The most different things of any window of this length that a moment lies in.
    pub fn most_different(&self, at: i64, within: Duration) -> usize {
        let (mut counts, mut most) = (HashMap::<u64, u32>::new(), 0);
        self.slide(at, within, |moment, is_in| {
            let count = counts.entry(moment.what).or_default();
            if is_in {
                *count += 1;
            } else if *count > 1 {
                *count -= 1;
            } else {
                counts.remove(&moment.what);
            }
            most = counts.len().max(most);
        });
        most
    }

    /// Whether a time lies in something that was done, or no longer than that away from it.
    pub fn is_near(&self, at: i64, within: Duration) -> bool {
        self.span(at, nanos(within)).count > 0
    }

    /// Leaves out the moments of one thing.
    pub fn forget(&mut self, what: u64) {
        self.moments.retain(|moment| moment.what != what);
    }

    /// Slides a window over all places in which a moment lies in it, saying what comes in and what leaves.
    fn slide(&self, at: i64, within: Duration, mut visit: impl FnMut(&Moment, bool)) {
        let within = nanos(within);
        let mut first = self.moments.partition_point(|moment| moment.at < at.saturating_sub(within));
        let end = at.saturating_add(within);
        let near = self.moments[first..].iter().take_while(|moment| moment.at <= end);
        for moment in near {
            while self.moments[first].at < moment.at.saturating_sub(within) {
                visit(&self.moments[first], false);
                first += 1;
            }
            visit(moment, true);
        }
    }

    /// The run that a time lies in, or is no longer than a pause away from.
    fn span(&self, at: i64, pause: i64) -> Span {
        let next = self.moments.partition_point(|moment| moment.at < at);
        let is_near = |place: &usize| {
            self.moments.get(*place).is_some_and(|moment| moment.at.abs_diff(at) <= pause.unsigned_abs())
        };
        let near = Some(next).filter(is_near).or(next.checked_sub(1).filter(is_near));
        let earlier = self.earlier.filter(|earlier| {
            at >= earlier.first.saturating_sub(pause) && at <= earlier.last.saturating_add(pause)
        });
        let near = match (near, earlier, self.moments.first()) {
            (Some(near), ..) => near,
            (None, None, _) => return Span { first: at, last: at, count: 0 },
            // What is no longer known one by one may go on in what is.
            (None, Some(earlier), Some(next)) if next.at.saturating_sub(earlier.last) <= pause => 0,
            (None, Some(earlier), _) => return earlier,
        };
        let (mut first, mut last) = (near, near);
        while first > 0 && self.moments[first].at - self.moments[first - 1].at <= pause {
            first -= 1;
        }
        while last + 1 < self.moments.len() && self.moments[last + 1].at - self.moments[last].at <= pause {
            last += 1;
        }
        let run = &self.moments[first..=last];
        let count = run.iter().map(|moment| u64::from(moment.times)).sum();
        let mut span = Span { first: run[0].at, last: run[run.len() - 1].at, count };
        if let Some(earlier) = self.earlier.filter(|earlier| first == 0 && span.first - earlier.last <= pause)
        {
            span.first = span.first.min(earlier.first);
            span.count += earlier.count;
        }
        span
    }

    /// Whether the run that a time lies in, or is no longer than a pause away from, was told, if only a part of it.
    fn has_told(&self, at: i64, pause: i64) -> bool {
        self.told.is_some_and(|told| {
            let span = self.span(at, pause);
            told.last.saturating_add(pause) >= span.first && told.first <= span.last.saturating_add(pause)
        })
    }

    fn add(&mut self, moment: Moment, id: EventId, oldest: i64, (pause, moments_max): (i64, usize)) {
        let at = self.moments.partition_point(|other| other.at <= moment.at);
        self.moments.insert(at, moment);
        let old = self.moments.partition_point(|moment| moment.at < oldest);
        for moment in self.moments.drain(..old.max(self.moments.len().saturating_sub(moments_max))) {
            let now = Span { first: moment.at, last: moment.at, count: u64::from(moment.times) };
            self.earlier = Some(match self.earlier {
                Some(span) if moment.at.saturating_sub(span.last) <= pause => Span {
                    first: span.first.min(moment.at),
                    last: span.last.max(moment.at),
                    count: span.count + now.count,
                },
                _ => now,
            });
        }
        let from = self.span(moment.at, pause).first;
        self.evidence.retain(|(at, _)| *at >= from);
        let place = self.evidence.partition_point(|known| *known < (moment.at, id));
        self.evidence.insert(place, (moment.at, id));
        if self.evidence.len() > 2 * EVIDENCE {
            self.evidence.remove(EVIDENCE);
        }
    }

    /// Tells the run that a time lies in, where it is due: before that, what had grown of another one that was told.
    fn tell(
        &mut self,
        at: i64,
        pause: i64,
        is_due: impl Fn(u64, u64) -> bool,
    ) -> (Option<Occurrence>, Option<Occurrence>) {
        let span = self.span(at, pause);
        let told = self.told.filter(|told| {
            told.last.saturating_add(pause) >= span.first && told.first <= span.last.saturating_add(pause)
        });
        if told.is_some_and(|told| !is_due(told.count, span.count)) {
            return (None, None);
        }
        let other = self.told.filter(|_| told.is_none()).and_then(|other| {
            let now = self.span(other.last, pause);
            (now.count > other.count).then(|| self.as_told(now, true))
        });
        self.told = Some(span);
        (other, Some(self.as_told(span, told.is_some())))
    }

    fn as_told(&self, span: Span, is_update: bool) -> Occurrence {
        Occurrence {
            first: Timestamp::saturating_from_nanos(span.first.into()),
            last: Timestamp::saturating_from_nanos(span.last.into()),
            count: span.count,
            is_update,
            evidence: self.evidence.iter().map(|(_, id)| *id).collect(),
        }
    }
}

/// A run for each of a bounded number of keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Hash + Ord + Clone + Serialize, N: Default + Serialize",
    deserialize = "K: Hash + Ord + Clone + Deserialize<'de>, N: Default + Deserialize<'de>"
))]
pub struct Windows<K, N = ()> {
    #[serde(skip)]
    limit: Limit,
    #[serde(skip)]
    moments_max: usize,
    table: Table<K, Run<N>>,
    /// Keys of which a run was told that may not be over.
    open: BTreeSet<K>,
    /// Runs that were over when another one began or was told, with what was noted of them.
    ended: Vec<(K, Occurrence, N)>,
}

impl<K, N> Windows<K, N>
where
    K: Hash + Ord + Clone,
    N: Default + Clone,
{
    /// Empty windows of this limit, for at most so many keys.
    pub fn new(limit: Limit, keys_max: usize) -> Self {
        let moments_max = MOMENTS.max(limit.points as usize);
        Self { limit, moments_max, table: Table::new(keys_max), open: BTreeSet::new(), ended: Vec::new() }
    }

    /// The same with so many moments of a key kept one by one.
    pub fn keeping(self, moments_max: usize) -> Self {
        Self { moments_max, ..self }
    }

    /// Goes on with what was kept, within its own limit and bounds.
    pub fn take_up(&mut self, kept: Self) {
        self.table.take_up(kept.table);
        (self.open, self.ended) = (kept.open, kept.ended);
    }

    /// The limit.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// The keys and what is known of them.
    pub fn table(&self) -> &Table<K, Run<N>> {
        &self.table
    }

    /// What is known of a key.
    pub fn get(&self, key: &K) -> Option<&Run<N>> {
        self.table.get(key)
    }

    /// What is known of a key.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut Run<N>> {
        self.table.get_mut(key)
    }

    /// Counts a moment. None when it comes too late to be counted: what is old by the clock of others counts, as
    /// where an old log is taken in beside a live one, but not what is old by the key's own.
    pub fn add(&mut self, key: &K, moment: Moment, id: EventId) -> Option<&mut Run<N>> {
        let pause = nanos(self.limit.within);
        let run = self.table.touch(key);
        let latest = run.moments.last().map_or(moment.at, |last| last.at.max(moment.at));
        let oldest = latest.saturating_sub(pause).saturating_sub(nanos(LATENESS));
        if moment.at < oldest {
            return None;
        }
        if run.moments.last().is_some_and(|last| moment.at.saturating_sub(last.at) > pause)
            && let Some(over) = run.told
        {
            // Another run begins before anybody said that this one is over.
            let (_, told) = run.tell(over.last, pause, |told, now| now > told);
            self.ended.extend(told.map(|told| (key.clone(), told, run.note.clone())));
        }
        run.add(moment, id, oldest, (pause, self.moments_max));
        // What was over as far as was known goes on, and is told again when it really is.
        if run.has_told(moment.at, pause) && !self.open.contains(key) {
            self.open.insert(key.clone());
        }
        Some(run)
    }

    /// Counts a moment, and tells the run it lies in when that goes past the limit: the first time, and again
    /// each time it has doubled.
    pub fn count(&mut self, key: &K, moment: Moment, id: EventId) -> Option<Occurrence> {
        let limit = self.limit;
        let run = self.add(key, moment, id)?;
        if run.most(moment.at, limit.within) < u64::from(limit.points) {
            return None;
        }
        self.tell(key, moment.at)
    }

    /// Tells the run that a moment lies in, if it was not told or has doubled.
    pub fn tell(&mut self, key: &K, at: i64) -> Option<Occurrence> {
        self.tell_when(key, at, |told, now| now >= told.saturating_mul(2))
    }

    /// Tells the run that a moment lies in, told or not.
    pub fn tell_anyway(&mut self, key: &K, at: i64) -> Option<Occurrence> {
        self.tell_when(key, at, |_, _| true)
    }

    /// Whether the run that a moment lies in, or would lie in, was told.
    pub fn has_told(&self, key: &K, at: i64) -> bool {
        let pause = nanos(self.limit.within);
        self.get(key).is_some_and(|run| run.has_told(at, pause))
    }

    fn tell_when(&mut self, key: &K, at: i64, is_due: impl Fn(u64, u64) -> bool) -> Option<Occurrence> {
        let run = self.table.get_mut(key)?;
        let (other, told) = run.tell(at, nanos(self.limit.within), is_due);
        self.ended.extend(other.map(|other| (key.clone(), other, run.note.clone())));
        if told.is_some() {
            self.open.insert(key.clone());
        }
        told
    }

    /// The runs that are over as of now, and have grown since they were told, each with what is noted of it.
    pub fn over(&mut self, now: Timestamp) -> Vec<(K, Occurrence, N)> {
        let pause = nanos(self.limit.within);
        let mut over = std::mem::take(&mut self.ended);
        let table = &mut self.table;
        self.open.retain(|key| {
            let Some(run) = table.get_mut(key) else { return false };
            let Some(span) = run.told else { return false };
            let latest = run.span(span.last, pause).last;
            if latest.saturating_add(pause).saturating_add(nanos(LATENESS)) >= now.as_nanos() {
                return true;
            }
            let (_, told) = run.tell(span.last, pause, |told, now| now > told);
            over.extend(told.map(|told| (key.clone(), told, run.note.clone())));
            false
        });
        over
    }

    /// How full it is.
    pub fn occupancy(&self) -> Occupancy {
        self.occupancy_with(0)
    }

    /// The same where a note holds so many bytes beside itself.
    pub fn occupancy_with(&self, note_bytes: usize) -> Occupancy {
        let of_key = self.moments_max * size_of::<Moment>() + 2 * EVIDENCE * size_of::<(i64, EventId)>();
        self.table.occupancy(of_key + note_bytes)
    }
}
