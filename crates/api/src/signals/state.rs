//! What the routes of signals share.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use access::Caller;
use axum::{
    Json,
    body::Body,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use signal::{Signal, SignalId, Store, StoreError};
use tokio::sync::watch;

use crate::{body::Bodies, gate::Gate, outlet::Outlets, questions::Questions};

/// A longer body is neither a note nor a thousand signals.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Senders whose last signal is remembered; beyond it all are forgotten.
const SENDERS_MAX: usize = 4_096;
/// Questions that are worked on at once.
const QUESTIONS_MAX: usize = 4;
/// Streams at once, bytes under way to all of them, and how long one may take nothing.
const STREAMS_MAX: usize = 64;
const STREAMS_BYTES_MAX: usize = 16 << 20;
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What the routes of [`crate::signals()`] need.
#[derive(Clone)]
pub struct SignalsState {
    /// Where signals are kept.
    pub store: Arc<Store>,
    /// What is written in the transaction of a change: who is to be told of it.
    pub beside: signal::Beside,
    /// The number of the newest change.
    pub newest: watch::Receiver<u64>,
    /// Waits until what was taken in so far has been looked at; false when that takes longer.
    pub settled: Settled,
    /// Called when something was said of signals, before that is answered: has whoever learns from it do so.
    pub learn: Learn,
    /// Bounds of bodies.
    pub body: body::Config,
    /// Ends streams when the program stops.
    pub stop: telemetry::task::Stop,
}

/// Waits for detection, at most so long, and says whether it has come that far.
pub type Settled = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Has whoever learns from what was said of signals do so.
pub type Learn = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) learn: Learn,
    pub(super) settled: Settled,
    pub(super) store: Arc<Store>,
    pub(super) beside: signal::Beside,
    pub(super) newest: watch::Receiver<u64>,
    pub(super) stop: telemetry::task::Stop,
    pub(super) places: Gate,
    pub(super) streams: Outlets,
    questions: Questions,
    bodies: Bodies,
    /// The last signals of senders, by sender.
    sent: Arc<Mutex<HashMap<String, SignalId>>>,
}

impl Shared {
    pub(super) fn new(state: SignalsState) -> Self {
        let bounds = body::Config { bytes_max: BODY_BYTES_MAX, ..state.body };
        Self {
            learn: state.learn,
            store: state.store,
            settled: state.settled,
            beside: state.beside,
            newest: state.newest,
            places: Gate::new(STREAMS_MAX),
            streams: Outlets::new(STREAMS_BYTES_MAX, WRITE_TIMEOUT),
            questions: Questions::new("signals", "a question about signals", QUESTIONS_MAX),
            sent: Arc::default(),
            bodies: Bodies::new(body::Reader::new(bounds, state.stop.clone()), BODY_BYTES_MAX),
            stop: state.stop,
        }
    }

    /// Works on the store off the reactor.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.questions.work(self, work).await
    }

    /// The signal of an id, where the caller may see it.
    pub(super) fn seen(&self, id: SignalId, caller: &Caller) -> Result<Signal, Problem> {
        let found = self.store.get(id).map_err(|error| problem(&error))?;
        found
            .filter(|signal| may_see(caller, signal.organization.as_deref()))
            .ok_or_else(|| problem(&StoreError::Unknown { id }))
    }

    /// The bytes of a body.
    pub(super) async fn bytes(&self, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
        self.bodies.read(headers, body).await.map(|payload| payload.bytes)
    }

    /// Remembers what a sender sent last.
    pub(super) fn sent(&self, sender: String, id: SignalId) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= SENDERS_MAX {
            sent.clear();
        }
        sent.insert(sender, id);
    }

    /// What a sender sent last.
    pub(super) fn last_sent(&self, sender: &str) -> Option<SignalId> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).get(sender).copied()
    }

    /// The members of a body; those of an empty one are all absent.
    pub(super) async fn read<T: DeserializeOwned + Default>(
        &self,
        headers: &HeaderMap,
        body: Body,
        form: &str,
    ) -> Result<T, Problem> {
        self.bodies.json_or_default(headers, body, form).await
    }
}

/// Whether what is of an organization is of what the caller may read.
pub(super) fn may_see(caller: &Caller, organization: Option<&str>) -> bool {
    caller.organization.is_none() || caller.organization.as_deref() == organization
}

pub(super) fn answer(json: Value) -> Response {
    Json(json).into_response()
}

pub(super) fn problem(error: &StoreError) -> Problem {
    match error {
        StoreError::Unknown { .. } | StoreError::UnknownSuppression { .. } => {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", error.to_string())
        }
        StoreError::Cursor { .. } => crate::params::bad_parameter("cursor", error.to_string()),
        StoreError::Suppression { .. } | StoreError::TooLong { .. } => {
            Problem::new(StatusCode::BAD_REQUEST, "bad_signal", "This cannot be done", error.to_string())
        }
        error => {
            tracing::error!(error = error as &dyn std::error::Error, "signals cannot be read or changed");
            Problem::internal()
        }
    }
}
