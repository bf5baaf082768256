//! What is recorded: who did what to what, when, and how it ended.

use event::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::{Action, RecordError};

/// The most bytes of an actor's id.
pub const ID_BYTES_MAX: usize = 256;
/// The most bytes of an actor's address.
pub const ADDRESS_BYTES_MAX: usize = 64;
/// The most bytes of a target.
pub const TARGET_BYTES_MAX: usize = 1024;
/// The most bytes of details, as JSON.
pub const DETAILS_BYTES_MAX: usize = 8192;

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActorKind {
    /// Whoever holds an API key; the id is the key's, never the key.
    Key,
    /// Whoever signed in with a browser; the id is the key's with which they did.
    Session,
    /// Whoever ran a command on the data folder; the id is the user's name.
    CommandLine,
    /// The program by itself.
    System,
    /// Anybody: whoever asked while no key was needed.
    Open,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    kind: ActorKind,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Actor {
    /// An actor with an id that is no secret.
    pub fn new(kind: ActorKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), address: None }
    }

    /// The program by itself.
    pub fn system() -> Self {
        Self::new(ActorKind::System, "")
    }

    /// Where the request came from.
    #[must_use]
    pub fn at(mut self, address: impl ToString) -> Self {
        self.address = Some(address.to_string());
        self
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is about to be tried; the record that says how it ended names this one as `asked`.
    Asked,
    /// It was done.
    Done,
    /// It was not allowed, or not possible as asked.
    Refused,
    /// It was tried and went wrong.
    Failed,
}

/// One thing that was decided. It must hold no secret: ids of keys, never keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    time: Timestamp,
    actor: Actor,
    action: Action,
    target: String,
    outcome: Outcome,
    details: Map<String, Json>,
}

impl Record {
    /// A record of something done at `time` to `target` (a key's id, a model's version; empty where the action says all).
    pub fn new(time: Timestamp, actor: Actor, action: Action, target: impl Into<String>) -> Self {
        Self { time, actor, action, target: target.into(), outcome: Outcome::Done, details: Map::new() }
    }

    /// How it ended, when that was not [`Outcome::Done`].
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Something more to know about it, small.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The same at another time: the times of the record's lines must not run back.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = time;
        self
    }

    /// When it was done.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Its members as they stand in a line, the braces left out, bounds checked.
    pub(crate) fn members(&self) -> Result<String, RecordError> {
        #[derive(Serialize)]
        struct Members<'r> {
            actor: &'r Actor,
            action: Action,
            target: &'r str,
            outcome: Outcome,
            #[serde(skip_serializing_if = "Map::is_empty")]
            details: &'r Map<String, Json>,
        }

        let unwritable =
            |error| RecordError::Unwritable { action: self.action, source: std::sync::Arc::new(error) };
        let details_bytes = if self.details.is_empty() {
            0
        } else {
            serde_json::to_string(&self.details).map_err(unwritable)?.len()
        };
        let address_bytes = self.actor.address.as_ref().map_or(0, String::len);
        for (what, bytes, max) in [
            ("actor's id", self.actor.id.len(), ID_BYTES_MAX),
            ("actor's address", address_bytes, ADDRESS_BYTES_MAX),
            ("target", self.target.len(), TARGET_BYTES_MAX),
            ("details", details_bytes, DETAILS_BYTES_MAX),
        ] {
            if bytes > max {
                return Err(RecordError::TooLong { action: self.action, what, bytes, max });
            }
        }
        let members = Members {
            actor: &self.actor,
            action: self.action,
            target: &self.target,
            outcome: self.outcome,
            details: &self.details,
        };
        let json = serde_json::to_string(&members).map_err(unwritable)?;
        // What steers a terminal is escaped: the document stays the same, and `cat` is safe.
        let json = telemetry::clean::json(&json);
        Ok(json.strip_prefix('{').and_then(|json| json.strip_suffix('}')).unwrap_or(&json).to_owned())
    }
}
