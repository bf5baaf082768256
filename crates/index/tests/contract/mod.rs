//! What every index owes its callers: scenarios with expectations written by hand, and equality with
//! [`index::scan::Scan`] on random events and queries. Call [`check`] with a [`Factory`].

#![expect(clippy::unwrap_used, reason = "a test ends at its first failure")]

pub(crate) mod random;
mod scenarios;

use std::sync::Arc;

use async_trait::async_trait;
use event::{
    Analyzed, Batch, Event, EventId, JournalId, Position, Severity, Template, Timestamp, Verdict,
    VerdictState,
};
use index::{Index, Limits, SearchRequest, Selection};
use query::Query;

/// The journal of all events here.
pub(crate) const JOURNAL: JournalId = JournalId(0xfeed);

/// How an implementation is made for a test.
#[async_trait]
pub(crate) trait Factory: Sync {
    /// Where an index keeps what is to survive.
    type Place: Send + Sync;

    /// Whether it searches by regular expressions; else it refuses them.
    const FINDS_EXPRESSIONS: bool = true;

    /// A fresh, empty place.
    fn place(&self) -> Self::Place;

    /// Opens what is there. Called again on the same place, after the first index was dropped
    /// without a commit, as after a crash.
    async fn open(&self, place: &Self::Place) -> Box<dyn Index>;
}

/// Runs the whole suite.
pub(crate) async fn check<F: Factory>(factory: &F) {
    scenarios::queries(factory).await;
    scenarios::expressions(factory).await;
    scenarios::paging(factory).await;
    scenarios::following(factory).await;
    scenarios::counts(factory).await;
    scenarios::calendars(factory).await;
    scenarios::durability(factory).await;
    scenarios::expiry(factory).await;
    scenarios::late_verdicts(factory).await;
}

/// The instant of these queries and events.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2024-06-01T12:00:00Z").unwrap()
}

pub(crate) fn seconds(offset: i64) -> Timestamp {
    now().saturating_add(offset * 1_000_000_000)
}

pub(crate) fn id(record: u32) -> EventId {
    EventId { journal: JOURNAL, position: Position { segment: 0, record } }
}

/// An analysed event; its template is its message.
pub(crate) fn analyzed(
    record: u32,
    mut event: Event<'static>,
    build: impl FnOnce(&mut Event<'static>),
) -> Analyzed<'static> {
    build(&mut event);
    let template = Template::new(event.message.clone().into_owned());
    let verdict = Verdict {
        score: Verdict::quantize(record as f32 / 10.0),
        is_anomaly: record > 4,
        state: VerdictState::Scored,
        reasons: if record > 4 { vec!["never seen".to_owned()] } else { Vec::new() },
    };
    let shape = template.id.0;
    Analyzed { id: id(record), event, shape, variables: 0..0, template: Some(Arc::new(template)), verdict }
}

pub(crate) fn plain(record: u32, offset: i64, message: &'static str) -> Analyzed<'static> {
    analyzed(record, Event::new(message, seconds(offset)), |event| event.severity = Severity::Info)
}

pub(crate) fn batch(events: Vec<Analyzed<'static>>) -> Batch<'static> {
    let end = events.iter().map(|event| event.id.position.next()).max().unwrap_or_default();
    Batch { events, variables: Vec::new(), end }
}

pub(crate) fn selection(query: &str) -> Selection {
    Selection { query: Query::parse(query, now()).unwrap(), from: None, to: None }
}

pub(crate) fn all(query: &str) -> SearchRequest {
    SearchRequest::new(selection(query), 1000)
}

/// Writes a batch and waits until it is found.
pub(crate) async fn write(index: &dyn Index, batch: Batch<'static>) {
    index.write(&batch).await.unwrap();
    index.written().wait_for(|written| *written >= batch.end).await.unwrap();
}

/// The records found by a request, newest first, and the total.
pub(crate) async fn found(index: &dyn Index, request: SearchRequest) -> (Vec<u32>, u64) {
    let result = index.search(request, &Limits::none()).await.unwrap();
    (result.hits.iter().map(|hit| hit.key.id.position.record).collect(), result.total)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
