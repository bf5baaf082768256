//! Answers by looking at every event: the reference that every index must equal, and what answers
//! for the journal's tail that no index has yet.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use event::{
    Analyzed, Batch, Document, EventId, FieldKind, JournalId, Position, Timestamp, Value, Verdict,
    VerdictState, field, fields_of,
};
use query::{lowered, members, scalars, value_at};
use tokio::sync::watch;

pub use crate::events::{Events, Look};
use crate::{
    Bucket, FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest,
    Hit, Index, IndexError, IndexStats, Interval, Limits, Pattern, Patterns, PatternsRequest, SearchRequest,
    SearchResult, Selection, SortKey,
    interval::{CHOSEN_BUCKETS_MAX, counting_width},
    merge::{sort_counts, sort_patterns},
    page::Room,
    width::Width,
};

/// So many bytes of a message count as another test.
const MESSAGE_BYTES: u64 = 256;

/// Answers from events, in time in proportion to how many there are. By default it holds them as a list.
#[derive(Debug, Clone, Default)]
pub struct Scan<E = Vec<Analyzed<'static>>> {
    events: E,
    /// Of the events that were added one by one.
    ids: HashSet<EventId>,
    covered: Position,
}

impl Scan {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a batch; events whose id is there already are left as they are.
    pub fn add(&mut self, batch: &Batch<'_>) {
        for analyzed in &batch.events {
            self.push(analyzed.clone().into_owned());
        }
        self.covered = self.covered.max(batch.end);
    }

    /// Adds one event, unless its id is there already.
    pub fn push(&mut self, analyzed: Analyzed<'static>) {
        if self.ids.insert(analyzed.id) {
            self.covered = self.covered.max(analyzed.id.position.next());
            self.events.push(analyzed);
        }
    }

    /// Gives events without a verdict the ones that came later; says how many.
    pub fn amend(&mut self, verdicts: &[(EventId, Verdict)]) -> u64 {
        let late: HashMap<EventId, &Verdict> = verdicts.iter().map(|(id, verdict)| (*id, verdict)).collect();
        let mut amended = 0;
        for event in self.events.iter_mut().filter(|event| event.verdict.state == VerdictState::Unscored) {
            if let Some(verdict) = late.get(&event.id) {
                event.verdict = (*verdict).clone();
                amended += 1;
            }
        }
        amended
    }

    /// Removes events older than this; returns how many.
    pub fn expire(&mut self, before: Timestamp) -> u64 {
        let had = self.events.len();
        self.events.retain(|analyzed| analyzed.event.timestamp >= before);
        self.ids = self.events.iter().map(|analyzed| analyzed.id).collect();
        (had - self.events.len()) as u64
    }
}

impl<E: Events> Scan<E> {
    /// Of events as they are, each there once, that reach up to a position.
    pub fn of(events: E, covered: Position) -> Self {
        Self { events, ids: HashSet::new(), covered }
    }

    /// Behind the last event.
    pub fn covered(&self) -> Position {
        self.covered
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows all events.
    fn each(&self, look: &mut Look<'_>) -> Result<(), IndexError> {
        self.events.show(0..self.len(), look)
    }

    /// Shows those that are selected.
    fn selected(
        &self,
        selection: &Selection,
        limits: &Limits,
        mut look: impl FnMut(usize, &Analyzed<'_>),
    ) -> Result<(), IndexError> {
        let (mut meter, tests) = (limits.meter(), selection.query.tests());
        meter.check()?;
        self.each(&mut |number, analyzed| {
            meter.spend(1 + tests * (1 + analyzed.event.message.len() as u64 / MESSAGE_BYTES))?;
            if selection.matches(analyzed) {
                look(number, analyzed);
            }
            Ok(())
        })
    }

    /// The document of the event with a number, if there is one.
    fn document(&self, number: usize) -> Result<Option<Document>, IndexError> {
        let mut document = None;
        self.events.show(number..number + 1, &mut |_, analyzed| {
            document = Some(analyzed.document());
            Ok(())
        })?;
        Ok(document)
    }

    /// As [`Index::search`].
    ///
    /// # Errors
    /// When the limits are reached.
    pub fn search(&self, request: &SearchRequest, limits: &Limits) -> Result<SearchResult, IndexError> {
        let (mut total, mut found, order) = (0, Vec::new(), request.order);
        self.selected(&request.selection, limits, |number, analyzed| {
            total += 1;
            let key = SortKey { timestamp: analyzed.event.timestamp, id: analyzed.id };
            if request.after.is_none_or(|after| order.is_before(&after, &key)) {
                found.push((key, number));
            }
        })?;
        found.sort_by(|(a, _), (b, _)| order.compare(a, b));
        let matching = found.len();
        let (mut hits, mut room) = (Vec::new(), Room::new(request.bytes_max));
        for (key, number) in found.into_iter().take(request.limit) {
            let Some(document) = self.document(number)? else { continue };
            if !room.take(&document) {
                break;
            }
            hits.push(Hit { key, document });
        }
        let next = hits.last().map(|hit| hit.key).filter(|_| matching > hits.len());
        let total = if request.counted { total } else { 0 };
        Ok(SearchResult { total, hits, next, covered: self.covered })
    }

    /// As [`Index::follow`].
    ///
    /// # Errors
    /// When the limits are reached.
    pub fn follow(&self, request: &FollowRequest, limits: &Limits) -> Result<Followed, IndexError> {
        let (mut meter, tests) = (limits.meter(), request.query.tests());
        let mut found = Vec::new();
        self.each(&mut |number, analyzed| {
            let Analyzed { event, template, verdict, id, .. } = analyzed;
            if request.reaches(*id) {
                meter.spend(1 + tests)?;
                if request.query.matches(*id, event, template.as_deref(), verdict) {
                    found.push((SortKey { timestamp: event.timestamp, id: *id }, number));
                }
            }
            Ok(())
        })?;
        found.sort_by_key(|(key, _)| key.id.position);
        let (mut hits, mut room) = (Vec::new(), Room::new(request.bytes_max));
        for (key, number) in found {
            let Some(document) = self.document(number)? else { continue };
            if !room.take(&document) {
                return Ok(Followed { hits, end: key.id.position });
            }
            hits.push(Hit { key, document });
        }
        Ok(Followed { hits, end: request.from.max(self.covered) })
    }

    /// As [`Index::histogram`].
    ///
    /// # Errors
    /// When there would be more buckets than the request allows, or the limits are reached.
    pub fn histogram(&self, request: &HistogramRequest, limits: &Limits) -> Result<Histogram, IndexError> {
        let by = |analyzed: &Analyzed<'_>| match &request.by {
            Some(by) => values_at(analyzed, by),
            None => Vec::new(),
        };
        let (width, buckets_max) = (request.interval.first(), request.buckets_max);
        let mut counted = Buckets { width, span: (0, 0), buckets: BTreeMap::new(), buckets_max };
        match &request.interval {
            Interval::Fixed(_) | Interval::Calendar(..) => {
                self.selected(&request.selection, limits, |_, analyzed| {
                    counted.add(analyzed.event.timestamp, by(analyzed));
                })?;
            }
            Interval::Chosen { until, zone } => {
                let mut selected = Vec::new();
                self.selected(&request.selection, limits, |_, analyzed| {
                    selected.push((analyzed.event.timestamp, by(analyzed)));
                })?;
                let known = selected.iter().map(|(time, _)| *time).filter(|time| time <= until);
                if let Some((first, last)) = known.clone().min().zip(known.max()) {
                    counted.width = counting_width(first.as_nanos(), last.as_nanos(), zone);
                }
                counted.buckets_max = buckets_max.max(CHOSEN_BUCKETS_MAX);
                selected.into_iter().for_each(|(time, values)| counted.add(time, values));
            }
        }
        let Buckets { width, buckets, buckets_max, .. } = counted;
        if buckets.len() > buckets_max {
            let limit = format!("{} buckets, or widen its interval", request.buckets_max);
            return Err(IndexError::QueryTooLarge { limit });
        }
        let buckets = buckets.into_values().collect();
        let mut histogram = Histogram { buckets, width, covered: self.covered };
        histogram.limit_values(request.by_limit);
        Ok(histogram)
    }

    /// As [`Index::field_values`].
    ///
    /// # Errors
    /// When the limits are reached.
    pub fn field_values(
        &self,
        request: &FieldValuesRequest,
        limits: &Limits,
    ) -> Result<FieldValues, IndexError> {
        let mut counts: HashMap<String, u64> = HashMap::new();
        let mut total = 0;
        self.selected(&request.selection, limits, |_, analyzed| {
            let values = values_at(analyzed, &request.field);
            total += u64::from(!values.is_empty());
            for value in values {
                *counts.entry(value).or_default() += 1;
            }
        })?;
        let distinct = counts.len() as u64;
        let mut values: Vec<_> = counts.into_iter().collect();
        sort_counts(&mut values);
        values.truncate(request.limit);
        Ok(FieldValues { values, total, distinct, covered: self.covered })
    }

    /// As [`Index::fields`], by name.
    ///
    /// # Errors
    /// When the limits are reached.
    pub fn fields(&self, limits: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        let mut meter = limits.meter();
        meter.check()?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        self.each(&mut |_, Analyzed { event, template, verdict, .. }| {
            meter.spend(1 + event.fields.len() as u64)?;
            fields_of(event, template.as_deref(), verdict, &mut |path, value| {
                names(path, &value, |name| *counts.entry(name.to_owned()).or_default() += 1);
            });
            Ok(())
        })?;
        let info = |(name, count): (String, u64)| {
            let kind = FieldKind::of(&name).as_str().to_owned();
            FieldInfo { name, kind, count }
        };
        Ok(counts.into_iter().map(info).collect())
    }

    /// As [`Index::patterns`].
    ///
    /// # Errors
    /// When the limits are reached.
    pub fn patterns(&self, request: &PatternsRequest, limits: &Limits) -> Result<Patterns, IndexError> {
        let mut found: HashMap<_, Pattern> = HashMap::new();
        let mut total = 0;
        self.selected(&request.selection, limits, |_, Analyzed { event, template, verdict, .. }| {
            total += 1;
            let Some(template) = template else { return };
            let mut pattern = Pattern {
                id: template.id,
                text: String::new(),
                count: 1,
                first: event.timestamp,
                last: event.timestamp,
                severity: event.severity,
                score_max: verdict.score,
                anomalies: u64::from(verdict.is_anomaly),
            };
            match found.get_mut(&template.id) {
                Some(known) => known.add(&pattern),
                None => {
                    pattern.text.clone_from(&template.text);
                    found.insert(template.id, pattern);
                }
            }
        })?;
        let distinct = found.len() as u64;
        let mut patterns: Vec<_> = found.into_values().collect();
        sort_patterns(&mut patterns);
        patterns.truncate(request.limit);
        Ok(Patterns { patterns, distinct, total, covered: self.covered })
    }
}

/// The buckets of a histogram: one more than there may be, and no further ones, where there would be too many.
struct Buckets {
    width: Width,
    /// Of the bucket that was added to last.
    span: (i64, i64),
    buckets: BTreeMap<i64, Bucket>,
    buckets_max: usize,
}

impl Buckets {
    fn add(&mut self, time: Timestamp, values: Vec<String>) {
        let at = time.as_nanos();
        if !(self.span.0..self.span.1).contains(&at) {
            self.span = self.width.span(at);
        }
        if self.buckets.len() > self.buckets_max {
            return;
        }
        let start = self.span.0;
        let t = Timestamp::saturating_from_nanos(start.into());
        let bucket = self.buckets.entry(start).or_insert_with(|| Bucket { t, count: 0, by: BTreeMap::new() });
        bucket.count += 1;
        for value in values {
            *bucket.by.entry(value).or_default() += 1;
        }
    }
}

/// The names under which a field has values: its own, and for a label those of what is in the objects of a list.
pub(crate) fn names(path: &str, value: &Value<'_>, mut take: impl FnMut(&str)) {
    if !scalars(value).is_empty() {
        take(path);
    }
    if path.starts_with(field::LABELS) {
        members(value).into_keys().for_each(|member| take(&format!("{path}.{member}")));
    }
}

/// The distinct values of an event's field as text; those of enumerations in lower case.
fn values_at(analyzed: &Analyzed<'_>, path: &str) -> Vec<String> {
    let Analyzed { event, template, verdict, .. } = analyzed;
    let Some(value) = value_at(event, template.as_deref(), verdict, path) else { return Vec::new() };
    let text = |text: &str| match FieldKind::of(path) {
        FieldKind::Enumeration => lowered(text).into_owned(),
        _ => text.to_owned(),
    };
    if let Value::String(single) = &value {
        return vec![text(single)];
    }
    let mut values: Vec<_> = scalars(&value).iter().map(|scalar| text(&scalar.text())).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// A [`Scan`] as an index in memory, for tests and small sets.
#[derive(Debug, Clone, Default)]
pub struct ScanIndex {
    written: Arc<Mutex<Scan>>,
    covered: watch::Sender<Position>,
    /// What survives reopening.
    committed: Arc<Mutex<Scan>>,
}

impl ScanIndex {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// As after a restart: only what was committed is there.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let committed = lock(&self.committed).clone();
        let covered = watch::Sender::new(committed.covered());
        Self { written: Arc::new(Mutex::new(committed)), covered, committed: Arc::clone(&self.committed) }
    }
}

fn lock(scan: &Mutex<Scan>) -> MutexGuard<'_, Scan> {
    // A panic while adding leaves at worst an event less, which the writer adds again.
    scan.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Index for ScanIndex {
    fn attach(&self, journal: JournalId, _: Position, _: Position) -> Position {
        let committed = lock(&self.committed);
        let known = committed.is_empty() || committed.ids.iter().any(|id| id.journal == journal);
        let position = if known { committed.covered() } else { Position::default() };
        self.covered.send_replace(position);
        position
    }

    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let covered = {
            let mut written = lock(&self.written);
            written.add(batch);
            written.covered()
        };
        self.covered.send_replace(covered);
        Ok(())
    }

    async fn commit(&self) -> Result<Position, IndexError> {
        let written = lock(&self.written).clone();
        let position = written.covered();
        *lock(&self.committed) = written;
        Ok(position)
    }

    fn written(&self) -> watch::Receiver<Position> {
        self.covered.subscribe()
    }

    async fn search(&self, request: SearchRequest, limits: &Limits) -> Result<SearchResult, IndexError> {
        lock(&self.written).search(&request, limits)
    }

    async fn follow(&self, request: FollowRequest, limits: &Limits) -> Result<Followed, IndexError> {
        lock(&self.written).follow(&request, limits)
    }

    async fn histogram(&self, request: HistogramRequest, limits: &Limits) -> Result<Histogram, IndexError> {
        lock(&self.written).histogram(&request, limits)
    }

    async fn field_values(
        &self,
        request: FieldValuesRequest,
        limits: &Limits,
    ) -> Result<FieldValues, IndexError> {
        lock(&self.written).field_values(&request, limits)
    }

    async fn fields(&self, limits: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        lock(&self.written).fields(limits)
    }

    async fn patterns(&self, request: PatternsRequest, limits: &Limits) -> Result<Patterns, IndexError> {
        lock(&self.written).patterns(&request, limits)
    }

    async fn amend(&self, verdicts: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        let amended = lock(&self.written).amend(verdicts);
        lock(&self.committed).amend(verdicts);
        Ok(amended)
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, IndexError> {
        let removed = lock(&self.written).expire(before);
        lock(&self.committed).expire(before);
        Ok(removed)
    }

    fn stats(&self) -> IndexStats {
        let (events, durable) = (lock(&self.written).len() as u64, lock(&self.committed).len() as u64);
        IndexStats { events, open_events: events - durable.min(events), ..IndexStats::default() }
    }
}
