//! A browser signs in with a key, and out.

use access::{Caller, SESSION_COOKIE, SignedIn};
use audit::Action;
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use problem::Problem;
use serde::Deserialize;

use super::state::{From, Shared, caller_json, unstored};
use crate::{access::refused_response, clock::now, decision::By};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    key: String,
}

pub(super) async fn begin(
    State(shared): State<Shared>,
    by: By,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !shared.access.is_locked() {
        return Ok(unstored(StatusCode::OK, caller_json(&Caller::open())));
    }
    let brings_key = headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key");
    let key = match brings_key {
        true => None,
        false => Some(shared.read::<SignIn>(&headers, body, r#"{"key": "ls_…"}"#).await?.key),
    };
    let signed_in = match shared.access.sign_in(key.as_deref(), &headers, from.address(), now()) {
        Ok(signed_in) => signed_in,
        Err(refusal) => return Ok(refused_response(&refusal)),
    };
    let cookie = signed_in.cookie.as_ref().map_or("", |cookie| cookie.reveal());
    let decision = by.as_caller(Some(&signed_in.caller), Action::SessionOpened);
    // Nobody has the cookie before this is answered: a sign-in that is not on record ends here.
    shared.note(by, decision).await?;
    let seconds = (signed_in.expires.as_nanos() - now().as_nanos()).max(0) / 1_000_000_000;
    let mut response = told(&signed_in);
    set_cookie(&mut response, cookie, seconds, from.is_secured());
    Ok(response)
}

pub(super) async fn tell(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    match shared.access.signed_in(&headers, now()) {
        Some(signed_in) => told(&signed_in),
        None => unstored(StatusCode::OK, caller_json(&caller)),
    }
}

/// Ends the sign-in, whether it was good or not.
pub(super) async fn end(State(shared): State<Shared>, by: By, from: From, headers: HeaderMap) -> Response {
    let signed_in = shared.access.signed_in(&headers, now());
    shared.access.sign_out(&headers);
    if let Some(signed_in) = signed_in {
        let decision = by.as_caller(Some(&signed_in.caller), Action::SessionClosed);
        // Nothing keeps a browser signed in. The log says when this is not on record.
        drop(shared.note(by, decision).await);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", 0, from.is_secured());
    response
}

fn told(signed_in: &SignedIn) -> Response {
    let mut json = caller_json(&signed_in.caller);
    json["csrf_token"] = signed_in.csrf_token.reveal().into();
    json["expires"] = signed_in.expires.to_string().into();
    unstored(StatusCode::OK, json)
}

fn set_cookie(response: &mut Response, value: &str, seconds: i64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie =
        format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
