//! What the routes of alerts share.

use std::sync::Arc;

use alert::{Outbox, OutboxError, RouteProblem};
use axum::{body::Body, http::HeaderMap};
use problem::{Problem, StatusCode};
use serde::de::DeserializeOwned;
use signal::Store;

use crate::{body::Bodies, questions::Questions};

/// A longer body says no more than a note.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Questions that are worked on at once.
const QUESTIONS_MAX: usize = 4;

/// What the routes of [`crate::alerts()`] need.
#[derive(Clone)]
pub struct AlertsState {
    /// Where alerts are kept.
    pub outbox: Arc<Outbox>,
    /// Where their signals are.
    pub signals: Arc<Store>,
    /// Bounds of bodies.
    pub body: body::Config,
    /// Ends what is half sent.
    pub stop: telemetry::task::Stop,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) outbox: Arc<Outbox>,
    pub(super) signals: Arc<Store>,
    questions: Questions,
    bodies: Bodies,
}

impl Shared {
    pub(super) fn new(state: AlertsState) -> Self {
        let bounds = body::Config { bytes_max: BODY_BYTES_MAX, ..state.body };
        Self {
            outbox: state.outbox,
            signals: state.signals,
            questions: Questions::new("alerts", "a question about alerts", QUESTIONS_MAX),
            bodies: Bodies::new(body::Reader::new(bounds, state.stop), BODY_BYTES_MAX),
        }
    }

    /// Works on the outbox off the reactor.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.questions.work(self, work).await
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

pub(super) fn problem(error: &OutboxError) -> Problem {
    match error {
        OutboxError::Unknown { .. } | OutboxError::NoChannel { .. } | OutboxError::NoSilence { .. } => {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", error.to_string())
        }
        OutboxError::Taken { .. } | OutboxError::Many { .. } => {
            Problem::new(StatusCode::CONFLICT, "conflict", "That cannot be made", error.to_string())
        }
        OutboxError::Wrong { problems } => {
            let of = |problem: &RouteProblem| match problem.place.as_str() {
                "" => problem.reason.clone(),
                place => format!("{place}: {}", problem.reason),
            };
            let detail = problems.iter().map(of).collect::<Vec<_>>().join("; ");
            let place = problems.first().map(|problem| problem.place.clone()).unwrap_or_default();
            refused(detail).field(place)
        }
        OutboxError::Over { .. } => refused(error.to_string()).field("until"),
        OutboxError::Unusable { .. } => refused(error.to_string()),
        error => {
            tracing::error!(error = error as &dyn std::error::Error, "alerts cannot be read or changed");
            Problem::internal()
        }
    }
}

fn refused(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_body", "What was sent does not suit", detail)
}
