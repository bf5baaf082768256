//! One answer from the index and from what the journal holds beyond it.
//!
//! An answer covers everything that was durable when the question came. The index is given a moment
//! to catch up; what it has not then is read from the journal and looked at event by event, the
//! newest first, within a budget. What stays outside is said: the answer is partial, and why.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use event::Position;
use index::{
    FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest, Index,
    IndexError, Limits, Losses, SearchRequest, SearchResult, Selection,
};
use journal::Journal;
use query::Query;
use telemetry::metric;
use tokio::sync::watch;
use verdicts::Verdicts;

use crate::{
    aliases::{Aliases, NoAliases, widened},
    kept::Kept,
    waiting::{self, Budget, Sources, Tail, Waiting},
};

/// Values that are counted in each piece of the journal, so that those asked for are counted exactly
/// unless there are more.
const VALUES_MAX: usize = 10_000;
/// An index that does not answer is told of so often at most.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// How many values are counted where so many are asked for.
pub(crate) fn wide(limit: usize) -> usize {
    limit.max(VALUES_MAX)
}

/// Bounds of a [`Searcher`].
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a question waits for the index to catch up before the journal is read instead.
    pub catch_up: Duration,
    /// Bytes of the journal that a question looks at, the newest first.
    pub tail_bytes_max: usize,
    /// How long it looks at them.
    pub tail_time_max: Duration,
    /// Bytes of memory for what was decoded of them, which the next questions need not decode again.
    pub kept_bytes_max: usize,
    /// How long a remote index may take, before the journal alone answers. None leaves it to the
    /// caller's own bound.
    pub index_timeout: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            catch_up: Duration::from_millis(100),
            tail_bytes_max: 256 << 20,
            tail_time_max: Duration::from_secs(5),
            kept_bytes_max: 64 << 20,
            index_timeout: None,
        }
    }
}

/// Answers questions from index and journal. Clones share them.
#[derive(Clone)]
pub struct Searcher {
    pub(crate) index: Arc<dyn Index>,
    waiting: Sources,
    written: watch::Receiver<Position>,
    config: Config,
    pub(crate) aliases: Arc<dyn Aliases>,
    told_at: Arc<Mutex<Option<Instant>>>,
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
    /// Its time is up.
    #[error("no answer within the time that a query may take; narrow the time range or the query")]
    TimedOut,
    /// Nobody waits for the answer any more, or the program stops.
    #[error("the query was given up before it was answered")]
    Cancelled,
    /// The journal could not be looked through.
    #[error("the journal's tail could not be looked through")]
    Tail(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SearchError {
    /// What ends a question whoever else might answer it; gives back what another source may make good.
    fn of(error: IndexError) -> Result<Self, IndexError> {
        let (error, limit) = match error {
            IndexError::QueryTooLarge { limit } => (Self::TooLarge { limit }, "work"),
            IndexError::TimedOut => (Self::TimedOut, "time"),
            IndexError::Cancelled => (Self::Cancelled, "asker"),
            IndexError::Unsupported { what } => return Ok(Self::Unsupported { what }),
            other => return Err(other),
        };
        metrics::counter!(metric::ENDED_QUERIES, "limit" => limit).increment(1);
        Ok(error)
    }
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Searcher").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Searcher {
    /// `written` tells the position behind the last searchable event, whenever it moves. What waits in the
    /// journal is found with the verdicts that wait beside it.
    pub fn new(
        index: Arc<dyn Index>,
        journal: Journal,
        verdicts: Verdicts,
        written: watch::Receiver<Position>,
        config: Config,
    ) -> Self {
        let aliases = Arc::new(NoAliases);
        let waiting = Sources { journal, verdicts, kept: Arc::new(Kept::new(config.kept_bytes_max)) };
        Self { index, waiting, written, config, aliases, told_at: Arc::default() }
    }

    /// Questions about a template find the events of all ids that stand for it.
    #[must_use]
    pub fn following(self, aliases: Arc<dyn Aliases>) -> Self {
        Self { aliases, ..self }
    }

    /// The query with all ids that stand for those it asks for, as of now.
    pub fn widened(&self, query: Query) -> Query {
        widened(query, &*self.aliases)
    }

    pub(crate) fn selection(&self, selection: Selection) -> Selection {
        Selection { query: self.widened(selection.query), ..selection }
    }

    /// The journal it reads.
    pub fn journal(&self) -> &Journal {
        &self.waiting.journal
    }

    /// Waits until everything before this position is searchable in the index itself; false when
    /// that takes longer than `timeout` or nobody writes to the index any more.
    pub async fn wait_indexed(&self, position: Position, timeout: Duration) -> bool {
        let mut written = self.written.clone();
        let caught_up = written.wait_for(|written| *written >= position);
        matches!(tokio::time::timeout(timeout, caught_up).await, Ok(Ok(_)))
    }

    /// Hits, in the order asked for.
    ///
    /// # Errors
    /// When the question needs too much or the journal cannot be looked through.
    pub async fn search(
        &self,
        request: SearchRequest,
        limits: &Limits,
    ) -> Result<Answer<SearchResult>, SearchError> {
        let end = self.begin(limits).await;
        self.search_until(request, end, limits).await
    }

    /// A page of hits by time alone, covering the journal up to a position.
    pub(crate) async fn page(
        &self,
        request: SearchRequest,
        end: Position,
        limits: &Limits,
    ) -> Result<Answer<SearchResult>, SearchError> {
        let request = SearchRequest { selection: self.selection(request.selection), ..request };
        let (gathered, merged) = (request.clone(), request.clone());
        let found = self.in_time(self.index.search(request.clone(), limits), limits).await;
        let covered = found.as_ref().map(|found| found.covered).ok();
        let scan = move |tail: &Tail<'_>, limits: &Limits| tail.search(&request, limits);
        let gather = move |found: SearchResult, tail| found.merge(tail, &gathered);
        let merge = move |found: SearchResult, tail| found.merge(tail, &merged);
        self.with_tail(found, covered, (end, limits), scan, gather, merge).await
    }

    /// Matching events in the order of the journal: of the index as far as that has them, else of the
    /// journal itself, about `bytes_max` bytes of them at a time. None when the index does not answer.
    pub async fn follow(&self, query: Query, from: Position, bytes_max: usize) -> Option<Followed> {
        let (journal, end) = self.waiting.journal.identity().parts().find(|(_, end)| from < *end)?;
        let request = FollowRequest { query: self.widened(query), journal, from, bytes_max };
        let followed = if from < *self.written.borrow() {
            let limits = Limits::none();
            match self.in_time(self.index.follow(request, &limits), &limits).await {
                Ok(followed) => followed,
                Err(error) => {
                    self.tell(&error);
                    return None;
                }
            }
        } else {
            let Sources { journal, verdicts, .. } = self.waiting.clone();
            let work = move || {
                let records = journal.read(from, bytes_max).ok()?;
                let all = FollowRequest { bytes_max: usize::MAX, ..request };
                let hits =
                    waiting::events((&journal, &verdicts), &records).follow(&all, &Limits::none()).ok()?.hits;
                Some(Followed { hits, end: records.end() })
            };
            tokio::task::spawn_blocking(work).await.ok().flatten()?
        };
        // What comes behind has another id in its name.
        Some(Followed { end: followed.end.min(end), ..followed })
    }

    /// Counts over time.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn histogram(
        &self,
        request: HistogramRequest,
        limits: &Limits,
    ) -> Result<Answer<Histogram>, SearchError> {
        let request = HistogramRequest { selection: self.selection(request.selection), ..request };
        let by_limit = request.by_limit;
        let end = self.begin(limits).await;
        let found = self.in_time(self.index.histogram(request.clone(), limits), limits).await;
        let request = HistogramRequest { by_limit: wide(by_limit), ..request };
        let scan = move |tail: &Tail<'_>, limits: &Limits| tail.histogram(&request, limits);
        let covered = |found: &Histogram| found.covered;
        self.with_ranked_tail(found, covered, (end, limits), (by_limit, scan), Histogram::merge).await
    }

    /// The values of a field with their counts.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn field_values(
        &self,
        request: FieldValuesRequest,
        limits: &Limits,
    ) -> Result<Answer<FieldValues>, SearchError> {
        let request = FieldValuesRequest { selection: self.selection(request.selection), ..request };
        let limit = request.limit;
        let end = self.begin(limits).await;
        let found = self.in_time(self.index.field_values(request.clone(), limits), limits).await;
        let request = FieldValuesRequest { limit: wide(limit), ..request };
        let scan = move |tail: &Tail<'_>, limits: &Limits| tail.field_values(&request, limits);
        let covered = |found: &FieldValues| found.covered;
        self.with_ranked_tail(found, covered, (end, limits), (limit, scan), FieldValues::merge).await
    }

    /// The fields that occur.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn fields(&self, limits: &Limits) -> Result<Answer<Vec<FieldInfo>>, SearchError> {
        let end = self.begin(limits).await;
        // Before the question, so that nothing is left out; what comes in meanwhile may count twice.
        let covered = *self.index.written().borrow();
        let found = self.in_time(self.index.fields(limits), limits).await;
        let scan = |tail: &Tail<'_>, limits: &Limits| tail.fields(limits);
        self.with_tail(found, Some(covered), (end, limits), scan, FieldInfo::merge, FieldInfo::merge).await
    }

    /// The index's answer, as long as somebody waits for it.
    pub(crate) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, IndexError>>,
        limits: &Limits,
    ) -> Result<T, IndexError> {
        let time_is_up = async {
            match limits.deadline() {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let index_is_late = async {
            match self.config.index_timeout {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answer = answer => answer,
            () = limits.cancelled() => Err(IndexError::Cancelled),
            () = time_is_up => Err(IndexError::TimedOut),
            () = index_is_late => Err(IndexError::Remote {
                action: "answer in time",
                source: "it took longer than it may".into(),
            }),
        }
    }

    /// Where the journal ends now, after a moment for the index to get there.
    pub async fn begin(&self, limits: &Limits) -> Position {
        let end = self.waiting.journal.end();
        self.wait_indexed(end, limits.within(self.config.catch_up)).await;
        end
    }

    /// Adds what waits in the journal: `gather` joins its pieces, `merge` adds them to what the index found.
    pub(crate) async fn with_tail<T: Send + 'static>(
        &self,
        found: Result<T, IndexError>,
        covered: Option<Position>,
        (end, limits): (Position, &Limits),
        scan: impl Fn(&Tail<'_>, &Limits) -> Result<T, IndexError> + Send + 'static,
        gather: impl Fn(T, T) -> T + Send + 'static,
        merge: impl Fn(T, T) -> T + Send + 'static,
    ) -> Result<Answer<T>, SearchError> {
        let (found, from) = match found.map_err(SearchError::of) {
            Err(Ok(error)) => return Err(error),
            Err(Err(error)) => {
                self.tell(&error);
                (None, *self.index.written().borrow())
            }
            Ok(found) => (Some(found), covered.unwrap_or_default()),
        };
        let from_index = found.is_some();
        let destroyed = destroyed(&self.index.losses(None, None));
        self.waiting.kept.passed(*self.index.written().borrow());
        let found = match found {
            Some(result) if from >= end => return Ok(Answer { result, partial: destroyed, from_index }),
            found => found,
        };
        let (sources, own) = (self.waiting.clone(), limits.clone());
        let budget = Budget { bytes: self.config.tail_bytes_max, time: self.config.tail_time_max };
        let guard = limits.cancel_on_drop();
        let work = telemetry::task::blocking("query of the journal", move || -> Result<_, IndexError> {
            let scan = |part: &Tail<'_>| scan(part, &own);
            let Waiting { answer, cut } = waiting::look(&sources, (from, end), budget, scan, gather)?;
            let found = match found {
                Some(found) => found,
                None => scan(&waiting::nothing())?,
            };
            Ok((merge(found, answer), cut))
        });
        let work = work.await;
        guard.disarm();
        let (result, cut) = work.map_err(|error| SearchError::Tail(error.into()))?.map_err(|error| {
            SearchError::of(error).unwrap_or_else(|error| SearchError::Tail(error.into()))
        })?;
        let cut = match (destroyed, cut) {
            (Some(destroyed), Some(cut)) => Some(format!("{destroyed}; {cut}")),
            (destroyed, cut) => destroyed.or(cut),
        };
        if from_index {
            return Ok(Answer { result, partial: cut, from_index });
        }
        let away = "the index does not answer; only events that it does not have yet are looked at";
        let reason = cut.map_or_else(|| away.to_owned(), |cut| format!("{away}; {cut}"));
        Ok(Answer { result, partial: Some(reason), from_index })
    }

    /// As [`Searcher::with_tail`], for the most frequent so many of something. The pieces of what waits are looked at and
    /// joined with [`wide`] as many, and only what comes of all is cut.
    pub(crate) async fn with_ranked_tail<T: Send + 'static>(
        &self,
        found: Result<T, IndexError>,
        covered: fn(&T) -> Position,
        (end, limits): (Position, &Limits),
        (limit, scan): (usize, impl Fn(&Tail<'_>, &Limits) -> Result<T, IndexError> + Send + 'static),
        merge: fn(T, T, usize) -> T,
    ) -> Result<Answer<T>, SearchError> {
        let covered = found.as_ref().ok().map(covered);
        let gather = move |found, tail| merge(found, tail, wide(limit));
        let merge = move |found, tail| merge(found, tail, limit);
        self.with_tail(found, covered, (end, limits), scan, gather, merge).await
    }

    /// Says that the index does not answer, but not once a question.
    fn tell(&self, error: &IndexError) {
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        if told_at.is_none_or(|told_at| told_at.elapsed() >= TOLD_EVERY) {
            *told_at = Some(Instant::now());
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "the index does not answer; searches look at what waits in the journal"
            );
        }
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
