//! What people decide of a signal: each decision is on record, and doing it twice changes nothing.

use access::Caller;
use audit::Action;
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use event::Timestamp;
use problem::Problem;
use serde::Deserialize;
use signal::{Act, Deed, Label, SignalId, narrative::Reader};

use super::{
    asked,
    state::{Shared, answer, problem},
    told::signal_json,
};
use crate::{clock::now, decision::By, params::bad_parameter};

/// Who does it, and what they say of it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    by: Option<String>,
    note: Option<String>,
    until: Option<String>,
    to: Option<String>,
    label: Option<String>,
    #[serde(default)]
    similar: bool,
}

type Given = (State<Shared>, Extension<Caller>, By, Path<String>, HeaderMap, Body);

pub(super) async fn acknowledge(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalAcknowledged, |_| Ok(Deed::Acknowledge)).await
}

pub(super) async fn resolve(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalResolved, |_| Ok(Deed::Resolve)).await
}

pub(super) async fn reopen(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalReopened, |_| Ok(Deed::Reopen)).await
}

pub(super) async fn snooze(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalSnoozed, |said| {
        let until = said.until.as_deref().filter(|until| !until.is_empty()).map(Timestamp::parse).transpose();
        until
            .map(Deed::Snooze)
            .map_err(|_| bad_parameter("until", "'until' must be a time such as 2030-01-01T00:00:00Z"))
    })
    .await
}

pub(super) async fn assign(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalAssigned, |said| Ok(Deed::Assign(said.to.clone().filter(|to| !to.is_empty()))))
        .await
}

pub(super) async fn note(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalNoted, |said| match said.note.as_deref() {
        None | Some("") => Err(bad_parameter("note", "'note' must hold what is to be noted")),
        Some(_) => Ok(Deed::Note),
    })
    .await
}

pub(super) async fn feedback(given: Given) -> Result<Response, Problem> {
    act(given, Action::SignalLabelled, |said| {
        let label = match said.label.as_deref() {
            Some("expected" | "normal") => Some(Label::Expected),
            Some("real" | "bad") => Some(Label::Real),
            Some("none") => None,
            _ => return Err(bad_parameter("label", "'label' must be expected or real; none takes it back")),
        };
        Ok(Deed::Label { label, similar: said.similar })
    })
    .await
}

/// Has somebody act on a signal.
async fn act(
    (State(shared), Extension(caller), by, Path(id), headers, body): Given,
    action: Action,
    deed: impl FnOnce(&Said) -> Result<Deed, Problem>,
) -> Result<Response, Problem> {
    let form = r#"{"by": …, "note": …}, both of which may be left out"#;
    let said = shared.read::<Said>(&headers, body, form).await?;
    let act =
        Act { deed: deed(&said)?, by: who(&said, &caller), note: said.note.filter(|note| !note.is_empty()) };
    let is_opinion = matches!(act.deed, Deed::Label { .. });
    let decision = by.decides(action).about(&id).with("said_by", act.by.as_str());
    shared
        .work(move |shared| {
            let work = || {
                let id: SignalId = asked::id(&id)?;
                shared.seen(id, &caller)?;
                let beside = &shared.beside;
                let done =
                    shared.store.act(id, &act, now(), |transaction, changes| beside(transaction, changes));
                done.map_err(|error| problem(&error))
            };
            let signal = by.carry_out(decision, work, |_, decision| decision)?;
            if is_opinion {
                (shared.learn)();
            }
            Ok(signal_json(&signal, &Reader::default()))
        })
        .await
        .map(answer)
}

/// Who is said to do it; else whose key it is.
fn who(said: &Said, caller: &Caller) -> String {
    let named = said.by.as_deref().filter(|by| !by.trim().is_empty());
    named.unwrap_or_else(|| caller.name_or("somebody")).to_owned()
}
