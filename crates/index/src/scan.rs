//! Answers by looking at every event: the reference that every index must equal, and what answers
//! for the journal's tail that no index has yet.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use event::{Analyzed, Batch, EventId, JournalId, Position, Timestamp, Verdict, VerdictState, fields_of};
use tokio::sync::watch;

use crate::{
    Bucket, Cursor, FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram,
    HistogramRequest, Hit, Index, IndexError, IndexStats, Pattern, Patterns, PatternsRequest, SearchRequest,
    SearchResult, Selection,
    merge::{sort_counts, sort_patterns},
    page::Room,
    query::{FieldKind, lowered, scalars, value_at},
};

/// A list of events. Every answer takes time in proportion to its length.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    events: Vec<Analyzed<'static>>,
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

    /// Behind the last event.
    pub fn covered(&self) -> Position {
        self.covered
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Removes events older than this; returns how many.
    pub fn expire(&mut self, before: Timestamp) -> u64 {
        let had = self.events.len();
        self.events.retain(|analyzed| analyzed.event.timestamp >= before);
        self.ids = self.events.iter().map(|analyzed| analyzed.id).collect();
        (had - self.events.len()) as u64
    }

    fn selected<'s>(&'s self, selection: &'s Selection) -> impl Iterator<Item = &'s Analyzed<'static>> {
        self.events.iter().filter(|analyzed| selection.matches(analyzed))
    }

    /// As [`Index::search`].
    pub fn search(&self, request: &SearchRequest) -> SearchResult {
        let cursor =
            |analyzed: &Analyzed<'_>| Cursor { timestamp: analyzed.event.timestamp, id: analyzed.id };
        let mut found: Vec<_> = self.selected(&request.selection).collect();
        let total = found.len() as u64;
        found.retain(|analyzed| request.after.is_none_or(|after| cursor(analyzed) < after));
        found.sort_by_key(|analyzed| std::cmp::Reverse(cursor(analyzed)));
        let matching = found.len();
        let mut room = Room::new(request.bytes_max);
        let hits: Vec<_> = found
            .into_iter()
            .take(request.limit)
            .map(|analyzed| Hit { cursor: cursor(analyzed), document: analyzed.document() })
            .take_while(|hit| room.take(&hit.document))
            .collect();
        let next = hits.last().map(|hit| hit.cursor).filter(|_| matching > hits.len());
        SearchResult { total: if request.counted { total } else { 0 }, hits, next, covered: self.covered }
    }

    /// As [`Index::follow`].
    pub fn follow(&self, request: &FollowRequest) -> Followed {
        let position = |analyzed: &Analyzed<'_>| analyzed.id.position;
        let mut found: Vec<_> = self.events.iter().filter(|analyzed| request.reaches(analyzed.id)).collect();
        found.sort_by_key(|analyzed| position(analyzed));
        let (mut hits, mut room) = (Vec::new(), Room::new(request.bytes_max));
        for analyzed in found {
            let Analyzed { event, template, verdict, id, .. } = analyzed;
            if !request.query.matches(event, template.as_deref(), verdict) {
                continue;
            }
            let cursor = Cursor { timestamp: event.timestamp, id: *id };
            let hit = Hit { cursor, document: analyzed.document() };
            if !room.take(&hit.document) {
                return Followed { hits, end: id.position };
            }
            hits.push(hit);
        }
        Followed { hits, end: request.from.max(self.covered) }
    }

    /// As [`Index::histogram`].
    ///
    /// # Errors
    /// When there would be more buckets than the request allows.
    pub fn histogram(&self, request: &HistogramRequest) -> Result<Histogram, IndexError> {
        let interval = request.interval_nanos.max(1);
        let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
        for analyzed in self.selected(&request.selection) {
            let start = analyzed.event.timestamp.as_nanos() / interval * interval;
            let t = Timestamp::saturating_from_nanos(start.into());
            let bucket = buckets.entry(start).or_insert_with(|| Bucket { t, count: 0, by: BTreeMap::new() });
            bucket.count += 1;
            for value in request.by.iter().flat_map(|by| values_at(analyzed, by)) {
                *bucket.by.entry(value).or_default() += 1;
            }
            if buckets.len() > request.buckets_max {
                let limit = format!("{} buckets, or widen its interval", request.buckets_max);
                return Err(IndexError::QueryTooLarge { limit });
            }
        }
        let mut histogram = Histogram { buckets: buckets.into_values().collect(), covered: self.covered };
        histogram.limit_values(request.by_limit);
        Ok(histogram)
    }

    /// As [`Index::field_values`].
    pub fn field_values(&self, request: &FieldValuesRequest) -> FieldValues {
        let mut counts: HashMap<String, u64> = HashMap::new();
        let mut total = 0;
        for analyzed in self.selected(&request.selection) {
            let values = values_at(analyzed, &request.field);
            total += u64::from(!values.is_empty());
            for value in values {
                *counts.entry(value).or_default() += 1;
            }
        }
        let distinct = counts.len() as u64;
        let mut values: Vec<_> = counts.into_iter().collect();
        sort_counts(&mut values);
        values.truncate(request.limit);
        FieldValues { values, total, distinct, covered: self.covered }
    }

    /// As [`Index::fields`], by name.
    pub fn fields(&self) -> Vec<FieldInfo> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for Analyzed { event, template, verdict, .. } in &self.events {
            fields_of(event, template.as_deref(), verdict, &mut |path, value| {
                if !scalars(&value).is_empty() {
                    *counts.entry(path.to_owned()).or_default() += 1;
                }
            });
        }
        let info = |(name, count): (String, u64)| {
            let kind = FieldKind::of(&name).as_str().to_owned();
            FieldInfo { name, kind, count }
        };
        counts.into_iter().map(info).collect()
    }

    /// As [`Index::patterns`].
    pub fn patterns(&self, request: &PatternsRequest) -> Patterns {
        let mut found: HashMap<_, Pattern> = HashMap::new();
        let mut total = 0;
        for Analyzed { event, template, verdict, .. } in self.selected(&request.selection) {
            total += 1;
            let Some(template) = template else { continue };
            let pattern = Pattern {
                id: template.id,
                text: template.text.clone(),
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
                    found.insert(template.id, pattern);
                }
            }
        }
        let distinct = found.len() as u64;
        let mut patterns: Vec<_> = found.into_values().collect();
        sort_patterns(&mut patterns);
        patterns.truncate(request.limit);
        Patterns { patterns, distinct, total, covered: self.covered }
    }
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self { query: crate::query::Query::All, from: None, to: None }
    }

    /// Whether an event is selected.
    pub fn matches(&self, analyzed: &Analyzed<'_>) -> bool {
        let Analyzed { event, template, verdict, .. } = analyzed;
        self.from.is_none_or(|from| event.timestamp >= from)
            && self.to.is_none_or(|to| event.timestamp < to)
            && self.query.matches(event, template.as_deref(), verdict)
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

    async fn search(&self, request: SearchRequest) -> Result<SearchResult, IndexError> {
        Ok(lock(&self.written).search(&request))
    }

    async fn follow(&self, request: FollowRequest) -> Result<Followed, IndexError> {
        Ok(lock(&self.written).follow(&request))
    }

    async fn histogram(&self, request: HistogramRequest) -> Result<Histogram, IndexError> {
        lock(&self.written).histogram(&request)
    }

    async fn field_values(&self, request: FieldValuesRequest) -> Result<FieldValues, IndexError> {
        Ok(lock(&self.written).field_values(&request))
    }

    async fn fields(&self) -> Result<Vec<FieldInfo>, IndexError> {
        Ok(lock(&self.written).fields())
    }

    async fn patterns(&self, request: PatternsRequest) -> Result<Patterns, IndexError> {
        Ok(lock(&self.written).patterns(&request))
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
