//! Decisions on record: that something is asked for stands there before it is done, and how it ended before it is
//! answered. What cannot be recorded is not done.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use access::{Caller, Kind};
use audit::{Action, Actor, ActorKind, Audit, Outcome, Record, RecordError};
use axum::{
    extract::FromRequestParts,
    http::{Extensions, request::Parts},
};
use problem::{Problem, StatusCode};
use serde_json::Value as Json;
use tonic::{Code, Status};

use crate::clock::now;

/// The most bytes of a text that came with a request.
const TOLD_BYTES_MAX: usize = 200;
/// As many hexadecimal digits behind the beginning of a key or token are one.
const SECRET_DIGITS: usize = 16;

/// The audit record, for those who decide. Clones share it; the default one keeps none.
#[derive(Debug, Clone, Default)]
pub struct Decisions(Option<Arc<OnceLock<Audit>>>);

/// Something that is to be decided: by whom, what, about what.
#[derive(Debug, Clone)]
pub struct Decision {
    actor: Actor,
    action: Action,
    target: String,
    details: Vec<(&'static str, Json)>,
}

/// A decision that is on record as asked for, and not yet as ended. Dropped before that it is on record as failed.
#[must_use = "how it ends is recorded too"]
#[derive(Debug)]
pub struct Asked {
    on_record: Option<(Audit, u64)>,
    decision: Decision,
}

/// Why something was not done, or not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// It could not be put on record, and was not done.
    #[error(
        "this must be put on record before it is done, and the audit record cannot be written; nothing changed. \
         GET /readyz and the log say why"
    )]
    Before,
    /// It is on record as asked for; how it ended is not.
    #[error(
        "this is on record as asked for, but how it ended could not be recorded; look at what there is before you \
         ask again"
    )]
    After,
}

/// How a failure is recorded.
pub trait Ending: From<NotRecorded> {
    /// Refused, or failed.
    fn outcome(&self) -> Outcome;
    /// Its kind, in a word that holds nothing of the request.
    fn reason(&self) -> String;
}

impl Decisions {
    /// On a record that may be opened later: until then everything is refused that must be recorded.
    pub fn on(record: Arc<OnceLock<Audit>>) -> Self {
        Self(Some(record))
    }

    /// Puts on record that something is asked for. Waits for the disk.
    ///
    /// # Errors
    /// [`NotRecorded::Before`]: then it must not be done.
    pub fn ask(&self, decision: Decision) -> Result<Asked, NotRecorded> {
        let Some(record) = &self.0 else { return Ok(Asked { on_record: None, decision }) };
        let audit = record.get().ok_or(NotRecorded::Before)?;
        let seq = audit.record(&decision.record(Outcome::Asked));
        let seq = seq.map_err(|error| told(&error, &decision, NotRecorded::Before))?;
        Ok(Asked { on_record: Some((audit.clone(), seq)), decision })
    }

    /// Records something that is decided already, and that only counts once it is recorded. Waits for the disk.
    ///
    /// # Errors
    /// [`NotRecorded::Before`].
    pub fn note(&self, decision: &Decision) -> Result<(), NotRecorded> {
        let Some(record) = &self.0 else { return Ok(()) };
        let audit = record.get().ok_or(NotRecorded::Before)?;
        let noted = audit.record(&decision.record(Outcome::Done));
        noted.map(drop).map_err(|error| told(&error, decision, NotRecorded::Before))
    }

    /// Does `work` between the two records of it; `said` adds to the second what only its outcome tells, such as the
    /// id of what was made. Waits for the disk and for the work.
    ///
    /// # Errors
    /// Those of the work, and that it could not be recorded.
    pub fn carry_out<T, E: Ending>(
        &self,
        decision: Decision,
        work: impl FnOnce() -> Result<T, E>,
        said: impl FnOnce(&T, Decision) -> Decision,
    ) -> Result<T, E> {
        let asked = self.ask(decision)?;
        let outcome = work();
        match &outcome {
            Ok(value) => asked.end(Outcome::Done, |decision| said(value, decision))?,
            // Who asked hears why it was not done; the log has why that is not on record.
            Err(error) => {
                drop(asked.end(error.outcome(), |decision| decision.with("why", error.reason())));
            }
        }
        outcome
    }
}

impl Asked {
    /// Puts on record how it ended. Waits for the disk.
    ///
    /// # Errors
    /// [`NotRecorded::After`].
    pub fn end(self, outcome: Outcome, said: impl FnOnce(Decision) -> Decision) -> Result<(), NotRecorded> {
        let decision = said(self.decision.clone());
        self.end_as(outcome, decision)
    }

    fn end_as(mut self, outcome: Outcome, decision: Decision) -> Result<(), NotRecorded> {
        let Some((audit, seq)) = self.on_record.take() else { return Ok(()) };
        let decision = decision.with("asked", seq);
        let ended = audit.record(&decision.record(outcome));
        ended.map(drop).map_err(|error| told(&error, &decision, NotRecorded::After))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some((audit, seq)) = self.on_record.take() {
            let decision = self.decision.clone().with("asked", seq).with("why", "ended_early");
            if let Err(error) = audit.record(&decision.record(Outcome::Failed)) {
                tell(&error, &decision);
            }
        }
    }
}

/// Says in the log what is not on record.
fn tell(error: &RecordError, decision: &Decision) {
    let action = decision.action.as_str();
    tracing::error!(error = error as &dyn std::error::Error, action, "a decision is not on record");
}

fn told(error: &RecordError, decision: &Decision, which: NotRecorded) -> NotRecorded {
    tell(error, decision);
    which
}

impl Decision {
    /// Of somebody.
    pub fn new(actor: Actor, action: Action) -> Self {
        Self { actor, action, target: String::new(), details: vec![] }
    }

    /// About this; of a longer text the beginning, and nothing of what looks like a key.
    #[must_use]
    pub fn about(mut self, target: &str) -> Self {
        self.target = shown(target);
        self
    }

    /// Something more to know about it; of a longer text the beginning, and nothing of what looks like a key.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        let value = match value.into() {
            Json::String(text) => shown(&text).into(),
            other => other,
        };
        self.details.push((name, value));
        self
    }

    /// The same where there is something.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn record(&self, outcome: Outcome) -> Record {
        let record =
            Record::new(now(), self.actor.clone(), self.action, self.target.as_str()).outcome(outcome);
        self.details.iter().fold(record, |record, (name, value)| record.with(name, value.clone()))
    }
}

/// What may stand in a record of a text that somebody sent.
fn shown(text: &str) -> String {
    let is_secret = |(at, mark): (usize, &str)| {
        let digits = text.as_bytes().get(at + mark.len()..).unwrap_or_default();
        digits.len() >= SECRET_DIGITS && digits[..SECRET_DIGITS].iter().all(u8::is_ascii_hexdigit)
    };
    if ["ls_", "lse_"].into_iter().any(|mark| text.match_indices(mark).any(is_secret)) {
        return "(a secret)".to_owned();
    }
    if text.len() <= TOLD_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TOLD_BYTES_MAX);
    format!("{}…", &text[..end])
}

/// Who sends a request, and where what they decide is recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct By {
    pub(crate) decisions: Decisions,
    pub(crate) caller: Option<Caller>,
    pub(crate) address: Option<IpAddr>,
}

impl By {
    /// Of a request that the access rules let through.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// What they decide.
    pub(crate) fn decides(&self, action: Action) -> Decision {
        self.as_caller(self.caller.as_ref(), action)
    }

    /// What somebody decides who is known by something else than the request's key.
    pub(crate) fn as_caller(&self, caller: Option<&Caller>, action: Action) -> Decision {
        let actor = match caller {
            None => Actor::new(ActorKind::Open, ""),
            Some(caller) => match caller.kind {
                Kind::Open => Actor::new(ActorKind::Open, ""),
                Kind::Session => Actor::new(ActorKind::Session, &*caller.id),
                Kind::Setting | Kind::Key | Kind::Certificate => Actor::new(ActorKind::Key, &*caller.id),
            },
        };
        let actor = match self.address {
            Some(address) => actor.at(address),
            None => actor,
        };
        let name = caller.map(|caller| &*caller.name).filter(|name| !name.is_empty());
        Decision::new(actor, action)
            .with_some("by", name)
            .with_some("of", caller.and_then(|caller| caller.organization.as_deref()))
    }

    /// Has something done that they decide. See [`Decisions::carry_out`].
    pub(crate) fn carry_out<T, E: Ending>(
        &self,
        decision: Decision,
        work: impl FnOnce() -> Result<T, E>,
        said: impl FnOnce(&T, Decision) -> Decision,
    ) -> Result<T, E> {
        self.decisions.carry_out(decision, work, said)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

impl From<NotRecorded> for Problem {
    fn from(error: NotRecorded) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "audit_unavailable", "The audit record cannot be written", error.to_string())
    }
}

impl From<NotRecorded> for Status {
    fn from(error: NotRecorded) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl Ending for Problem {
    fn outcome(&self) -> Outcome {
        if self.status.is_server_error() { Outcome::Failed } else { Outcome::Refused }
    }

    fn reason(&self) -> String {
        self.code.to_owned()
    }
}

impl Ending for Status {
    fn outcome(&self) -> Outcome {
        match self.code() {
            Code::Internal | Code::Unknown | Code::Unavailable | Code::DataLoss => Outcome::Failed,
            _ => Outcome::Refused,
        }
    }

    fn reason(&self) -> String {
        format!("{:?}", self.code())
    }
}

#[cfg(test)]
mod tests {
    use audit::Config;

    use super::*;

    fn kept(dir: &std::path::Path) -> (Audit, Decisions) {
        let audit = Audit::open(Config::new(dir), None, now()).unwrap();
        let cell = OnceLock::new();
        cell.set(audit.clone()).unwrap();
        (audit, Decisions::on(Arc::new(cell)))
    }

    fn recorded(dir: &std::path::Path) -> Vec<(String, String, Json)> {
        let mut all = vec![];
        audit::each(dir, |_, entry| {
            all.push((entry.outcome, entry.target, Json::Object(entry.details)));
            true
        })
        .unwrap();
        all.split_off(1)
    }

    #[test]
    fn what_is_asked_for_is_on_record_before_and_how_it_ended_after() {
        let dir = tempfile::tempdir().unwrap();
        let (audit, decisions) = kept(dir.path());
        let decision = || Decision::new(Actor::system(), Action::ModelTrained);
        let before = audit.status().records;
        let done: Result<u32, Problem> = decisions.carry_out(
            decision().with("events", 7),
            || {
                assert_eq!(audit.status().records, before + 1, "nothing is done before it is on record");
                Ok(5)
            },
            |version, decision| decision.about(&version.to_string()),
        );
        assert_eq!(done.unwrap(), 5);
        let refused: Result<u32, Problem> = decisions.carry_out(
            decision(),
            || Err(Problem::new(StatusCode::CONFLICT, "busy", "", "")),
            |_, decision| decision,
        );
        assert_eq!(refused.unwrap_err().code, "busy");
        drop(decisions.ask(decision()).unwrap());
        let outcomes: Vec<_> = recorded(dir.path())
            .into_iter()
            .map(|(outcome, target, details)| (outcome, target, details["why"].clone()))
            .collect();
        let row = |outcome: &str, target: &str, why: Json| (outcome.to_owned(), target.to_owned(), why);
        assert_eq!(
            outcomes,
            [
                row("asked", "", Json::Null),
                row("done", "5", Json::Null),
                row("asked", "", Json::Null),
                row("refused", "", "busy".into()),
                row("asked", "", Json::Null),
                row("failed", "", "ended_early".into()),
            ]
        );
    }

    #[test]
    fn what_cannot_be_recorded_is_not_done() {
        let dir = tempfile::tempdir().unwrap();
        let (audit, decisions) = kept(dir.path());
        audit.close(now()).unwrap();
        for decisions in [decisions, Decisions::on(Arc::default())] {
            let decision = Decision::new(Actor::system(), Action::ModelActivated);
            let outcome: Result<(), Problem> =
                decisions.carry_out(decision, || panic!("it is done"), |(), decision| decision);
            let problem = outcome.unwrap_err();
            assert_eq!((problem.status.as_u16(), problem.code), (503, "audit_unavailable"));
        }
        let off: Result<u8, Status> = Decisions::default().carry_out(
            Decision::new(Actor::system(), Action::ModelActivated),
            || Ok(1),
            |_, decision| decision,
        );
        assert_eq!(off.unwrap(), 1, "where no record is kept nothing waits for one");
    }

    #[test]
    fn no_secret_and_no_long_text_is_taken() {
        for (text, expected) in [
            ("web-1", "web-1"),
            ("controls_1", "controls_1"),
            ("ls_0123456789abcdef", "(a secret)"),
            ("of lse_0123456789abcdefAA", "(a secret)"),
            ("ls_0123456789", "ls_0123456789"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"é".repeat(200)), format!("{}…", "é".repeat(100)));
    }
}
