//! What the routes of keys share: what they work on, how they read and refuse, what they show.

use std::{sync::Arc, time::Duration};

use access::{Access, Caller, KeyError, Refusal};
use axum::{
    Json,
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    access::refused,
    body::Bodies,
    clock::now,
    decision::{By, Decision},
    listen::Line,
    questions::off_reactor,
};

/// A longer body is no question about keys.
const BODY_BYTES_MAX: usize = 64 << 10;

/// What the routes of [`crate::keys()`] need.
#[derive(Clone)]
pub struct KeysState {
    /// Who may. It must be over keys that can be made.
    pub access: Arc<Access>,
    /// Makes the certificates of agents; None where they get none.
    pub authority: Option<Arc<tls::Authority>>,
    /// Whether this port shows a certificate of that authority.
    pub shows_own: bool,
    /// How long the token of an agent is good. Setting `LOG_SENTINEL_TOKEN_TIME`.
    pub token_life: Duration,
    /// Bounds of bodies.
    pub body: body::Config,
    /// Ends what is half sent.
    pub stop: telemetry::task::Stop,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) access: Arc<Access>,
    pub(super) authority: Option<Arc<tls::Authority>>,
    pub(super) shows_own: bool,
    pub(super) token_life: Duration,
    bodies: Bodies,
}

/// What is known of the connection.
pub(super) struct From(Option<Line>);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Line>().cloned()))
    }
}

impl From {
    pub(super) fn address(&self) -> Option<std::net::IpAddr> {
        self.0.as_ref().map(Line::address)
    }

    pub(super) fn is_secured(&self) -> bool {
        self.0.as_ref().is_some_and(Line::is_secured)
    }
}

impl Shared {
    pub(super) fn new(state: KeysState) -> Self {
        // Some of these routes are open: nobody sends more than a question.
        let bounds = body::Config { bytes_max: BODY_BYTES_MAX, ..state.body };
        let reader = body::Reader::new(bounds, state.stop);
        Self {
            access: state.access,
            authority: state.authority,
            shows_own: state.shows_own,
            token_life: state.token_life,
            bodies: Bodies::new(reader, BODY_BYTES_MAX),
        }
    }

    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        body: Body,
        form: &str,
    ) -> Result<T, Problem> {
        let payload = self.bodies.read(headers, body).await.map_err(|problem| match problem.code {
            "empty_body" => {
                Problem::new(problem.status, problem.code, problem.title, format!("the body must be {form}"))
            }
            _ => problem,
        })?;
        serde_json::from_slice(&payload.bytes).map_err(|error| {
            // What was sent may hold a key and is not repeated.
            let detail = match error.classify() {
                serde_json::error::Category::Data => format!("the body must be {form}"),
                _ => format!("the body is not JSON; it must be {form}"),
            };
            Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read", detail)
        })
    }

    /// Changes keys by somebody's decision, off the reactor: the change is on disk and on record when it is answered.
    pub(super) async fn decide<T: Send + 'static>(
        &self,
        by: By,
        decision: Decision,
        work: impl FnOnce(&access::Keys, &Shared) -> Result<T, KeyError> + Send + 'static,
        said: impl FnOnce(&T, Decision) -> Decision + Send + 'static,
    ) -> Result<T, Problem> {
        self.with_keys(move |keys, shared| {
            by.carry_out(decision, || work(keys, shared).map_err(|error| problem(&error)), said)
        })
        .await
    }

    /// Works on the keys, off the reactor: a change is on disk when it is answered.
    pub(super) async fn with_keys<T: Send + 'static>(
        &self,
        work: impl FnOnce(&access::Keys, &Shared) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = self.clone();
        let work = move || match shared.access.keys() {
            Some(keys) => work(keys, &shared),
            None => Err(Problem::internal()),
        };
        off_reactor("keys", "a change of keys", work).await?
    }

    /// Records, off the reactor, what is decided already.
    pub(super) async fn note(&self, by: By, decision: Decision) -> Result<(), Problem> {
        off_reactor("keys", "recording", move || by.decisions.note(&decision)).await?.map_err(Problem::from)
    }

    /// Lets nobody go on who sent too many wrong keys or tokens.
    pub(super) fn unhurried(&self, from: &From) -> Result<(), Problem> {
        match self.access.wait(from.address(), now()) {
            Some(retry_after) => Err(refused(&Refusal::Slowed { retry_after })),
            None => Ok(()),
        }
    }
}

pub(super) fn problem(error: &KeyError) -> Problem {
    let detail = error.to_string();
    match error {
        KeyError::Field(field, reason) => {
            Problem::new(StatusCode::BAD_REQUEST, "bad_key", "The key cannot be made", reason.clone())
                .field(*field)
        }
        KeyError::Full(..) => Problem::new(StatusCode::CONFLICT, "too_many_keys", "Too many keys", detail),
        KeyError::NotFound(..) => Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail),
        KeyError::Token => {
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "The token is not good", detail)
        }
        KeyError::Random(_) | KeyError::Certificate(_) | KeyError::Write { .. } => {
            tracing::error!(error = error as &dyn std::error::Error, "a change of keys was not made");
            Problem::internal()
        }
    }
}

pub(super) fn caller_json(caller: &Caller) -> Value {
    json!({
        "id": &*caller.id,
        "name": &*caller.name,
        "kind": caller.kind.as_str(),
        "scopes": caller.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "organization": caller.organization.as_deref(),
    })
}

/// An answer that holds a secret, or says who is who: nobody keeps it.
pub(super) fn unstored(status: StatusCode, json: Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json)).into_response()
}
