//! A collector over a real journal and an index in memory, asked without a socket.

use std::sync::Arc;

use api::{Access, AccessConfig, CollectorConfig, CollectorState};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use event::{Analyzed, Batch, Event, EventId, Position, Severity, Timestamp, Verdict, codec};
use http_body_util::BodyExt;
use index::{Index, live::Live, scan::ScanIndex};
use journal::Journal;
use search::Searcher;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

/// An answer, its body parsed when it is JSON.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

/// Asks `router` as a client on loopback would.
pub(crate) async fn ask(
    router: &Router,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> Reply {
    let mut request = Request::builder().method(method).uri(uri);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost:8080");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response =
        router.clone().oneshot(request.body(Body::from(body.as_ref().to_vec())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Reply { status: parts.status.as_u16(), headers: parts.headers, json, text }
}

pub(crate) async fn get(router: &Router, uri: &str) -> Reply {
    ask(router, "GET", uri, &[], "").await
}

pub(crate) struct Collector {
    pub(crate) journal: Journal,
    pub(crate) index: Arc<dyn Index>,
    pub(crate) written: watch::Sender<Position>,
    pub(crate) live: Live,
    pub(crate) stop: telemetry::task::Stop,
    pub(crate) health: telemetry::health::Health,
    pub(crate) searcher: Searcher,
    pub(crate) dead_letters: Option<Arc<dead_letter::DeadLetterStream>>,
    config: CollectorConfig,
    _dir: tempfile::TempDir,
}

impl Collector {
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(ScanIndex::new()), CollectorConfig::default(), search::Config::default())
    }

    pub(crate) fn with(index: Arc<dyn Index>, config: CollectorConfig, search: search::Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(journal::Config::new(dir.path())).unwrap();
        let letters = dead_letter::Config { dir: dir.path().join("dead_letters"), budget_bytes: 8 << 20 };
        let letters = dead_letter::DeadLetterStream::open(letters, &journal, Position::default()).unwrap();
        let verdicts = verdicts::Config {
            dir: dir.path().join("verdicts"),
            budget_bytes: 8 << 20,
            held_bytes_max: 1 << 20,
        };
        let verdicts = verdicts::Verdicts::open(verdicts, &journal).unwrap();
        let (written, receiver) = watch::channel(Position::default());
        let searcher = Searcher::new(Arc::clone(&index), journal.clone(), verdicts, receiver, search);
        Self {
            journal,
            index,
            written,
            live: Live::new(32 << 10),
            stop: telemetry::task::Stop::new(),
            health: telemetry::health::Health::new(),
            searcher,
            dead_letters: Some(Arc::new(letters)),
            config,
            _dir: dir,
        }
    }

    pub(crate) fn router(&self, access: &AccessConfig) -> Router {
        let state = CollectorState {
            dead_letters: self.dead_letters.clone(),
            door: intake::Door::new(
                self.searcher.journal().clone(),
                intake::Config::default(),
                intake::system_clock,
            ),
            searcher: self.searcher.clone(),
            live: self.live.clone(),
            stop: self.stop.clone(),
            health: self.health.clone(),
            metrics: telemetry::metric::install("test").unwrap(),
            config: self.config.clone(),
        };
        api::guarded(api::collector(state), Access::new(access), &api::collector_routes())
    }

    /// Appends events to the journal only.
    pub(crate) async fn append(&self, events: &[Event<'_>]) -> journal::Appended {
        let mut batch = journal::Batch::new();
        for event in events {
            batch.push_with(|out| codec::encode(event, out));
        }
        self.journal.append(batch).await.unwrap()
    }

    /// Does what the pipeline does: writes events that stand in the journal to the index.
    pub(crate) async fn index(&self, events: &[Event<'_>], appended: journal::Appended) {
        let (mut position, mut batch) = (appended.first, Batch { end: appended.end, ..Batch::default() });
        for event in events {
            batch.events.push(analyzed(self.id(position), event.clone()));
            position = position.next();
        }
        self.index.write(&batch).await.unwrap();
        self.written.send_replace(appended.end);
    }

    /// As [`Collector::index`], with the message of each event as its template.
    pub(crate) async fn index_by_message(&self, events: &[Event<'_>], appended: journal::Appended) {
        let (mut position, mut batch) = (appended.first, Batch { end: appended.end, ..Batch::default() });
        for event in events {
            let template = Some(Arc::new(event::Template::new(event.message.clone())));
            batch.events.push(Analyzed { template, ..analyzed(self.id(position), event.clone()) });
            position = position.next();
        }
        self.index.write(&batch).await.unwrap();
        self.written.send_replace(appended.end);
    }

    pub(crate) fn id(&self, position: Position) -> EventId {
        EventId { journal: self.journal.id(), position }
    }
}

pub(crate) fn analyzed(id: EventId, event: Event<'_>) -> Analyzed<'_> {
    let template = Some(Arc::new(event::Template::new("made up")));
    Analyzed { id, event, shape: 1, variables: 0..0, template, verdict: Verdict::unscored() }
}

pub(crate) fn event(at: &str, severity: Severity, source: &str, message: &str) -> Event<'static> {
    let mut event = Event::new(message.to_owned(), Timestamp::parse(at).unwrap());
    event.severity = severity;
    event.source = Some(source.to_owned().into());
    event
}

/// Four events, a minute apart, the last the newest.
pub(crate) fn four() -> Vec<Event<'static>> {
    vec![
        event("2024-06-01T12:00:00Z", Severity::Info, "auth", "User login"),
        event("2024-06-01T12:01:00Z", Severity::Error, "auth", "Brute force detected"),
        event("2024-06-01T12:02:00Z", Severity::Info, "web", "GET /index.html"),
        event("2024-06-01T12:03:00Z", Severity::Error, "web", "upstream timed out"),
    ]
}
