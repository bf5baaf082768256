//! One answer from the index and from what the journal holds beyond it.
//!
//! An answer covers everything that was durable when the question came. The index is given a moment
//! to catch up; what it has not then is read from the journal and looked at event by event, within
//! a budget. What stays outside is said: the answer is partial, and why.

mod future;

use std::{sync::Arc, time::Duration};

use event::{Analyzed, EventId, Position, Verdict, codec};
use index::{
    FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest, Index,
    IndexError, Losses, Patterns, PatternsRequest, SearchRequest, SearchResult, scan::Scan,
};
use journal::{Journal, Records};
use problem::{Problem, StatusCode};
use tokio::sync::watch;

use crate::observe::internal;

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 1 << 20;

/// Bounds of a [`Searcher`].
#[derive(Debug, Clone)]
pub struct SearcherConfig {
    /// How long a question waits for the index to catch up before the journal is read instead.
    pub catch_up: Duration,
    /// Events of the journal that a question looks at.
    pub tail_events_max: usize,
    /// Bytes of the journal that a question looks at.
    pub tail_bytes_max: usize,
    /// How long a remote index may take, before the journal alone answers. None leaves it to the
    /// caller's own bound.
    pub index_timeout: Option<Duration>,
}

impl Default for SearcherConfig {
    fn default() -> Self {
        Self {
            catch_up: Duration::from_millis(100),
            tail_events_max: 50_000,
            tail_bytes_max: 32 << 20,
            index_timeout: None,
        }
    }
}

/// Answers questions from index and journal. Clones share them.
#[derive(Clone)]
pub struct Searcher {
    index: Arc<dyn Index>,
    journal: Journal,
    written: watch::Receiver<Position>,
    config: SearcherConfig,
}

/// An answer, and why it does not cover everything, when it does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// The answer.
    pub result: T,
    /// None when it covers everything durable.
    pub partial: Option<String>,
    /// Whether the index answered; else it is of the journal alone.
    pub from_index: bool,
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The question needs more than it may have.
    #[error("the query needs more than {limit}; narrow its time range")]
    TooLarge {
        /// The limit, with its unit.
        limit: String,
    },
    /// The index cannot answer such a question.
    #[error("the cluster cannot answer this: {what}")]
    Unsupported {
        /// What it cannot do, and what it can.
        what: String,
    },
    /// The journal could not be looked through.
    #[error("the journal's tail could not be looked through")]
    Tail(#[source] tokio::task::JoinError),
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::TooLarge { .. } => Self::new(
                StatusCode::BAD_REQUEST,
                "query_too_large",
                "The query needs too much",
                error.to_string(),
            ),
            SearchError::Unsupported { .. } => Self::new(
                StatusCode::BAD_REQUEST,
                "query_unsupported",
                "The index cannot answer this",
                error.to_string(),
            ),
            SearchError::Tail(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a query failed");
                internal()
            }
        }
    }
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Searcher").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Searcher {
    /// `written` tells the position behind the last searchable event, whenever it moves.
    pub fn new(
        index: Arc<dyn Index>,
        journal: Journal,
        written: watch::Receiver<Position>,
        config: SearcherConfig,
    ) -> Self {
        Self { index, journal, written, config }
    }

    /// The journal it reads.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Waits until everything before this position is searchable in the index itself; false when
    /// that takes longer than `timeout` or nobody writes to the index any more.
    pub async fn wait_indexed(&self, position: Position, timeout: Duration) -> bool {
        let mut written = self.written.clone();
        let caught_up = written.wait_for(|written| *written >= position);
        matches!(tokio::time::timeout(timeout, caught_up).await, Ok(Ok(_)))
    }

    /// Hits, newest first.
    ///
    /// # Errors
    /// When the question needs too much or the journal cannot be looked through.
    pub async fn search(&self, request: SearchRequest) -> Result<Answer<SearchResult>, SearchError> {
        let end = self.begin().await;
        self.search_until(request, end).await
    }

    /// A page of hits by time alone, covering the journal up to a position.
    async fn page(&self, request: SearchRequest, end: Position) -> Result<Answer<SearchResult>, SearchError> {
        let (limit, bytes_max) = (request.limit, request.bytes_max);
        let found = self.in_time(self.index.search(request.clone())).await;
        let covered = found.as_ref().map(|found| found.covered).ok();
        let scan = move |tail: &Scan| Ok(tail.search(&request));
        let merge = move |found: SearchResult, tail| found.merge(tail, limit, bytes_max);
        self.with_tail(found, covered, end, scan, merge, merge).await
    }

    /// Matching events in the order of the journal: of the index as far as that has them, else of the
    /// journal itself. None when the index does not answer.
    pub(crate) async fn follow(&self, request: FollowRequest) -> Option<Followed> {
        let from = request.from;
        if from < *self.written.borrow() {
            return match self.in_time(self.index.follow(request)).await {
                Ok(followed) => Some(followed),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the index does not answer");
                    None
                }
            };
        }
        let journal = self.journal.clone();
        let work = tokio::task::spawn_blocking(move || {
            let records = journal.read(from, request.bytes_max).ok()?;
            let mut tail = Scan::new();
            add(&mut tail, &journal, &records, usize::MAX);
            let all = FollowRequest { bytes_max: usize::MAX, ..request };
            Some(Followed { hits: tail.follow(&all).hits, end: records.end() })
        });
        work.await.ok().flatten()
    }

    /// Counts over time.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn histogram(&self, request: HistogramRequest) -> Result<Answer<Histogram>, SearchError> {
        let by_limit = request.by_limit;
        let end = self.begin().await;
        let found = self.in_time(self.index.histogram(request.clone())).await;
        let covered = found.as_ref().map(|found| found.covered).ok();
        let request = HistogramRequest { by_limit: usize::MAX, ..request };
        let scan = move |tail: &Scan| tail.histogram(&request);
        let join = |tail: Histogram, more| tail.merge(more, usize::MAX);
        self.with_tail(found, covered, end, scan, join, |found, tail| found.merge(tail, by_limit)).await
    }

    /// The values of a field with their counts.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn field_values(
        &self,
        request: FieldValuesRequest,
    ) -> Result<Answer<FieldValues>, SearchError> {
        let limit = request.limit;
        let end = self.begin().await;
        let found = self.in_time(self.index.field_values(request.clone())).await;
        let covered = found.as_ref().map(|found| found.covered).ok();
        let request = FieldValuesRequest { limit: usize::MAX, ..request };
        let scan = move |tail: &Scan| Ok(tail.field_values(&request));
        let join = |tail: FieldValues, more| tail.merge(more, usize::MAX);
        self.with_tail(found, covered, end, scan, join, |found, tail| found.merge(tail, limit)).await
    }

    /// The fields that occur.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn fields(&self) -> Result<Answer<Vec<FieldInfo>>, SearchError> {
        let end = self.begin().await;
        // Before the question, so that nothing is left out; what comes in meanwhile may count twice.
        let covered = *self.index.written().borrow();
        let found = self.in_time(self.index.fields()).await;
        let scan = |tail: &Scan| Ok(tail.fields());
        self.with_tail(found, Some(covered), end, scan, FieldInfo::merge, FieldInfo::merge).await
    }

    /// Templates with their counts. Events of the journal's tail have none yet.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn patterns(&self, request: PatternsRequest) -> Result<Answer<Patterns>, SearchError> {
        let limit = request.limit;
        let end = self.begin().await;
        let found = self.in_time(self.index.patterns(request.clone())).await;
        let covered = found.as_ref().map(|found| found.covered).ok();
        let request = PatternsRequest { limit: usize::MAX, ..request };
        let scan = move |tail: &Scan| Ok(tail.patterns(&request));
        let join = |tail: Patterns, more| tail.merge(more, usize::MAX);
        self.with_tail(found, covered, end, scan, join, |found, tail| found.merge(tail, limit)).await
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, IndexError>>) -> Result<T, IndexError> {
        let Some(limit) = self.config.index_timeout else { return answer.await };
        tokio::time::timeout(limit, answer).await.unwrap_or_else(|elapsed| {
            Err(IndexError::Remote { action: "answer in time", source: elapsed.into() })
        })
    }

    /// Where the journal ends now, after a moment for the index to get there.
    pub(crate) async fn begin(&self) -> Position {
        let end = self.journal.end();
        self.wait_indexed(end, self.config.catch_up).await;
        end
    }

    async fn with_tail<T: Send + 'static>(
        &self,
        found: Result<T, IndexError>,
        covered: Option<Position>,
        end: Position,
        scan: impl Fn(&Scan) -> Result<T, IndexError> + Send + 'static,
        join: impl Fn(T, T) -> T + Send + 'static,
        merge: impl FnOnce(T, T) -> T,
    ) -> Result<Answer<T>, SearchError> {
        let (found, from) = match found {
            Err(IndexError::QueryTooLarge { limit }) => return Err(SearchError::TooLarge { limit }),
            Err(IndexError::Unsupported { what }) => return Err(SearchError::Unsupported { what }),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the index does not answer");
                (None, *self.index.written().borrow())
            }
            Ok(found) => (Some(found), covered.unwrap_or_default()),
        };
        let from_index = found.is_some();
        let destroyed = destroyed(&self.index.losses(None, None));
        let found = match found {
            Some(result) if from >= end => return Ok(Answer { result, partial: destroyed, from_index }),
            found => found,
        };
        let (journal, config) = (self.journal.clone(), self.config.clone());
        let work = move || {
            let mut tail =
                Tail { journal: &journal, position: from, end, config: &config, events: 0, bytes: 0 };
            let mut answer = None;
            loop {
                let part = tail.next();
                let answered = scan(&part.events)?;
                let whole = match answer.take() {
                    Some(before) => join(before, answered),
                    None => answered,
                };
                if part.is_last {
                    return Ok((whole, part.cut));
                }
                answer = Some(whole);
            }
        };
        let (tail, cut) = match tokio::task::spawn_blocking(work).await.map_err(SearchError::Tail)? {
            Ok(answer) => answer,
            Err(IndexError::QueryTooLarge { limit }) => return Err(SearchError::TooLarge { limit }),
            // A scan touches no file, so there is nothing else that can go wrong.
            Err(error) => return Err(SearchError::TooLarge { limit: error.to_string() }),
        };
        let result = match found {
            Some(found) => merge(found, tail),
            None => tail,
        };
        let cut = match (destroyed, cut) {
            (Some(destroyed), Some(cut)) => Some(format!("{destroyed}; {cut}")),
            (destroyed, cut) => destroyed.or(cut),
        };
        let partial = if from_index {
            cut
        } else {
            let away = "the index does not answer; only events that it does not have yet are looked at";
            Some(cut.map_or_else(|| away.to_owned(), |cut| format!("{away}; {cut}")))
        };
        Ok(Answer { result, partial, from_index })
    }
}

/// What to say of an answer from an index that lacks what was destroyed.
fn destroyed(losses: &Losses) -> Option<String> {
    let Losses { places, events, .. } = losses;
    match (places, events) {
        (0, _) => None,
        (_, 0) => Some("files of the index are missing or damaged; /readyz names them".to_owned()),
        _ => Some(format!(
            "{events} events are not found because files of the index are missing or damaged; /readyz names them \
             and their time"
        )),
    }
}

/// The journal from a position on, up to the budget, a part at a time.
struct Tail<'j> {
    journal: &'j Journal,
    position: Position,
    end: Position,
    config: &'j SearcherConfig,
    events: usize,
    bytes: usize,
}

/// Some of it.
struct Part {
    events: Scan,
    is_last: bool,
    /// Why nothing comes behind it, when there is more.
    cut: Option<String>,
}

impl Tail<'_> {
    fn next(&mut self) -> Part {
        let mut part = Part { events: Scan::new(), is_last: true, cut: None };
        let config = self.config;
        let records = match self.journal.read(self.position, READ_BYTES.min(config.tail_bytes_max)) {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the journal's tail cannot be read");
                part.cut = Some("part of the journal cannot be read; the server's log says why".to_owned());
                return part;
            }
        };
        let bytes: usize = records.iter().map(|(_, record)| record.len()).sum();
        let room = config.tail_events_max - self.events;
        let mut added = 0;
        if self.bytes + bytes <= config.tail_bytes_max || self.events == 0 {
            added = add(&mut part.events, self.journal, &records, room);
        }
        self.events += added;
        self.bytes += bytes;
        if added < records.iter().count() {
            part.cut = Some(format!(
                "the index is behind; of what it does not have yet the first {} events are looked at",
                self.events
            ));
            return part;
        }
        part.is_last = records.end() <= self.position || records.end() >= self.end;
        self.position = records.end();
        part
    }
}

/// Adds at most `events_max` records as events; what cannot be decoded is found once the pipeline has
/// made an event of it, and counts as added.
fn add(tail: &mut Scan, journal: &Journal, records: &Records, events_max: usize) -> usize {
    let id = journal.id();
    let mut added = 0;
    for (position, record) in records.iter().take(events_max) {
        added += 1;
        if let Ok(event) = codec::decode(record) {
            tail.push(Analyzed {
                id: EventId { journal: id, position },
                event: event.into_owned(),
                shape: 0,
                variables: 0..0,
                template: None,
                verdict: Verdict::unscored(),
            });
        }
    }
    added
}
