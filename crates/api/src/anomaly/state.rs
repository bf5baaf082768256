//! What the routes of the anomaly service share: what they ask, the bounds within which they do, and what several
//! of them answer.

use std::sync::Arc;

use anomaly::Service;
use event::{Timestamp, VerdictState};
use problem::{Problem, StatusCode};
use search::Searcher;
use serde_json::{Value, json};

use crate::{body::Bodies, gate::Gate, jobs::Jobs, questions::off_reactor, trainings::Trainings};

/// Bounds of the anomaly service.
#[derive(Debug, Clone)]
pub struct AnomalyConfig {
    /// Of bodies.
    pub body: body::Config,
    /// Up to so many events `/train` answers once the model serves; with more it answers 202.
    pub train_sync_events: usize,
    /// Events of one training; of the store's the newest, of a body not one more.
    pub train_events_max: usize,
    /// Events of one `/predict`.
    pub predict_events_max: usize,
    /// Predictions worked on at once.
    pub predictions_max: usize,
    /// Longest line, in bytes; what is longer is cut and marked.
    pub line_bytes_max: usize,
    /// Zone of time stamps that name none.
    pub zone: jiff::tz::TimeZone,
    /// Formats of the user's own, which lines are looked at for first.
    pub formats: Arc<parse::Formats>,
}

impl Default for AnomalyConfig {
    fn default() -> Self {
        Self {
            body: body::Config::default(),
            train_sync_events: 50_000,
            train_events_max: 500_000,
            predict_events_max: 50_000,
            predictions_max: 8,
            line_bytes_max: 1 << 20,
            zone: jiff::tz::TimeZone::UTC,
            formats: Arc::default(),
        }
    }
}

/// What the anomaly router needs.
#[derive(Clone)]
pub struct AnomalyState {
    /// The service itself.
    pub service: Arc<Service>,
    /// What `{"source":"store"}` learns from; None where nothing is stored.
    pub searcher: Option<Searcher>,
    /// Whose turn it is to train; shared with [`crate::AnomalyGrpc`].
    pub trainings: Trainings,
    /// Cancels trainings.
    pub stop: telemetry::task::Stop,
    /// For `/readyz`.
    pub health: telemetry::health::Health,
    /// For `/metrics`.
    pub metrics: telemetry::metric::Metrics,
    /// Bounds.
    pub config: AnomalyConfig,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) state: Arc<AnomalyState>,
    pub(super) jobs: Jobs,
    pub(super) bodies: Bodies,
    pub(super) predictions: Gate,
}

impl Shared {
    /// With no work under way.
    pub(super) fn new(state: AnomalyState) -> Self {
        let config = &state.config;
        Self {
            jobs: Jobs::new(state.trainings.clone(), state.stop.clone()),
            bodies: Bodies::new(
                body::Reader::new(config.body.clone(), state.stop.clone()),
                config.body.bytes_max,
            ),
            predictions: Gate::new(config.predictions_max),
            state: Arc::new(state),
        }
    }

    pub(super) fn context(&self, received: Timestamp) -> parse::Context<'_> {
        let config = &self.state.config;
        parse::Context {
            formats: Some(&config.formats),
            ..parse::Context::new(received, &config.zone, config.line_bytes_max)
        }
    }
}

pub(super) fn stopping(detail: &'static str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Stopping", detail)
}

/// Runs what takes CPU or disk time off the reactor.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    off_reactor("anomaly service", "work for a request", work).await
}

pub(super) fn model_state(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Scored => "trained",
        other => other.as_str(),
    }
}

pub(super) fn refused_json(problem: &parse::Problem) -> Value {
    let mut json = json!({"line": problem.line, "reason": problem.reason});
    if let Some(column) = problem.column {
        json["column"] = column.into();
    }
    if let Some(field) = &problem.field {
        json["field"] = field.as_str().into();
    }
    json
}
