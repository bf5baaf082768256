//! What the routes of hosts share.

use std::sync::Arc;

use access::Access;
use axum::{body::Body, http::HeaderMap};
use fleet::{Fleet, FleetError};
use problem::{Problem, StatusCode};
use sample::Limits;
use signal::Store;

use crate::{body::Bodies, questions::Questions};

/// A longer body is no batch of samples.
const BODY_BYTES_MAX: usize = 32 << 20;
/// Questions that are worked on at once, and bodies of samples.
const QUESTIONS_MAX: usize = 4;
const SAMPLES_MAX: usize = 64;

/// What the routes of [`crate::hosts()`] need.
#[derive(Clone)]
pub struct HostsState {
    /// The fleet.
    pub fleet: Arc<Fleet>,
    /// Where signals are, to count those of each host.
    pub signals: Arc<Store>,
    /// Who is announced.
    pub access: Arc<Access>,
    /// What a sample may hold.
    pub limits: Limits,
    /// Bounds of bodies.
    pub body: body::Config,
    /// Ends what is half sent.
    pub stop: telemetry::task::Stop,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) fleet: Arc<Fleet>,
    pub(super) signals: Arc<Store>,
    pub(super) limits: Limits,
    access: Arc<Access>,
    questions: Questions,
    samples: Questions,
    bodies: Bodies,
}

impl Shared {
    pub(super) fn new(state: HostsState) -> Self {
        let bytes_max = state.body.bytes_max.min(BODY_BYTES_MAX);
        let bounds = body::Config { bytes_max, ..state.body };
        Self {
            fleet: state.fleet,
            signals: state.signals,
            limits: state.limits,
            access: state.access,
            questions: Questions::new("hosts", "a question about hosts", QUESTIONS_MAX),
            samples: Questions::new("samples", "taking samples", SAMPLES_MAX),
            bodies: Bodies::new(body::Reader::new(bounds, state.stop), bytes_max),
        }
    }

    /// Works on the fleet off the reactor.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.questions.work(self, work).await
    }

    /// The same for samples: those who ask do not keep those out who send.
    pub(super) async fn work_on_samples<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.samples.work(self, work).await
    }

    /// The bytes of a body, whatever it is declared as.
    pub(super) async fn bytes(
        &self,
        headers: &HeaderMap,
        body: Body,
        what: &str,
    ) -> Result<Vec<u8>, Problem> {
        self.bodies.any(headers, body).await.map_err(|problem| match problem.code {
            "empty_body" => Problem::new(
                StatusCode::BAD_REQUEST,
                "empty_body",
                "The body is empty",
                format!("send {what}"),
            ),
            _ => problem,
        })
    }

    /// The agents that are announced and that hold: name and organization.
    pub(super) fn announced(&self) -> Vec<(String, Option<String>)> {
        let now = crate::clock::now();
        let agents = self.access.keys().map(|keys| keys.agents()).unwrap_or_default();
        let holds = |agent: &access::Agent| ["enrolled", "waiting"].contains(&agent.state(now));
        let told = |agent: &access::Agent| {
            let organization = match agent {
                access::Agent::Enrolled(key) => key.organization.as_deref().map(str::to_owned),
                access::Agent::Waiting(token) => token.organization.clone(),
            };
            (agent.name().to_owned(), organization)
        };
        agents.iter().filter(|agent| holds(agent)).map(told).collect()
    }
}

pub(super) fn problem(error: &FleetError) -> Problem {
    match error {
        FleetError::Unknown { .. } | FleetError::UnknownGroup { .. } => {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", error.to_string())
        }
        error => {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "what is kept of hosts cannot be read or written"
            );
            let detail = "what is measured on hosts cannot be kept or read at present; nothing of this request was \
                          kept: send it again later. The log says why";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable", "Not at present", detail)
                .retry_after(std::time::Duration::from_secs(5))
        }
    }
}
