//! What records say of sign-ins, whichever program writes them: by the name of an event (`LOGIN_ERROR`, `user.login`
//! with `success`), or by a message in ordinary words beside the member that holds the client's address.
//!
//! A message may hold what a user wrote. It never gives an address here, so that who writes such a message accuses
//! nobody else.

use event::{Event, Value, field};

use super::{phrases, said, services, wording};
use crate::names;

/// Names of events are no longer.
const CODE_BYTES_MAX: usize = 64;

/// What the name of an event says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Code {
    is_sign_in: bool,
    is_failure: bool,
    is_success: bool,
}

/// Adds what the record of an event says of a sign-in.
pub(crate) fn read(event: &mut Event<'_>) {
    let Some(is_failure) = outcome(event) else { return };
    if event.field("source.ip").is_none()
        && let Some(address) = client(event)
    {
        said::owned_socket(event, &address);
    }
    if named(event).is_none()
        && let Some(user) = user(event)
    {
        event.set("user.name", user);
    }
    let outcome = if is_failure { "failure" } else { "success" };
    if event.field("event.action").is_some() {
        // The record is in ECS already and keeps its own word.
        let is_other = is_other_protocol(event);
        event.set(
            "event.category",
            said::list(if is_other { "[\"authentication\"]" } else { "[\"authentication\",\"web\"]" }),
        );
        event.set("event.outcome", outcome);
    } else if is_other_protocol(event) {
        said::login(event, "login", outcome);
    } else {
        said::web_login(event, outcome);
    }
}

/// Whether the record tells of a sign-in that failed, or of one that went well.
fn outcome(event: &mut Event<'_>) -> Option<bool> {
    if event.field("event.category").is_some() {
        return None;
    }
    by_code(event).or_else(|| by_message(event))
}

/// By the name of the event, and where that does not tell how it went, by the member that does.
fn by_code(event: &Event<'_>) -> Option<bool> {
    // A record that has no message but the name of its event.
    let mut told = if event.message.len() <= CODE_BYTES_MAX && !event.message.contains(' ') {
        code(&event.message)
    } else {
        Code::default()
    };
    if told.is_sign_in && told.is_failure != told.is_success {
        return Some(told.is_failure);
    }
    for each in &event.fields {
        if let Value::String(text) = &each.value
            && may_name_event(&each.path)
            && text.len() <= CODE_BYTES_MAX
        {
            let code = code(text);
            if code.is_sign_in && code.is_failure != code.is_success {
                return Some(code.is_failure);
            }
            told.is_sign_in |= code.is_sign_in;
        } else if each.value == Value::Bool(true) || each.value.as_str() == Some("true") {
            // `authentication_failed=true`.
            let code = code(last(&each.path));
            if code.is_sign_in && code.is_failure {
                return Some(true);
            }
        }
    }
    if !told.is_sign_in {
        return None;
    }
    event.fields.iter().find_map(|each| {
        let name = last(&each.path);
        let is_outcome = matches!(name, "success" | "outcome" | "result" | "status") || code(name).is_sign_in;
        if is_outcome { failed(&each.value) } else { None }
    })
}

/// Whether a value says that something failed, or that it went well.
fn failed(value: &Value<'_>) -> Option<bool> {
    let text = match value {
        Value::Bool(is_success) => return Some(!is_success),
        Value::String(text) => text.as_ref(),
        _ => return None,
    };
    const WORDS: [(&str, bool); 12] = [
        ("false", true),
        ("fail", true),
        ("failed", true),
        ("failure", true),
        ("error", true),
        ("denied", true),
        ("unauthorized", true),
        ("true", false),
        ("ok", false),
        ("success", false),
        ("succeeded", false),
        ("successful", false),
    ];
    WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, is_failure)| *is_failure)
}

/// Whether a member may hold the name of an event, by how its path ends.
fn may_name_event(path: &str) -> bool {
    let Some(end) = path.as_bytes().last_chunk::<4>() else { return false };
    matches!(
        &end.map(|byte| byte | 0x20),
        b"tion" | b"vent" | b"type" | b"name" | b"ntid" | b"desc" | b"code" | b"kind"
    ) && {
        let name = last(path);
        matches!(
            names::folded(name, |name| {
                matches!(
                    name,
                    "action"
                        | "operation"
                        | "event"
                        | "eventtype"
                        | "eventname"
                        | "eventid"
                        | "type"
                        | "metricname"
                        | "logdesc"
                        | "eventaction"
                        | "activity"
                        | "kind"
                        | "eventcode"
                )
                .then_some(())
            }),
            Some(())
        )
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// What the words of a name say: `ADMIN_LOGIN_FAILED`, `user.login`, `UserLoginFailed`.
fn code(text: &str) -> Code {
    let mut code = Code::default();
    let (mut before, mut is_factor) = ("", false);
    for word in words(text) {
        let is = |list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known));
        let follows = |list: &[&str]| list.iter().any(|known| before.eq_ignore_ascii_case(known));
        code.is_sign_in |=
            is(&["login", "logon", "signin", "auth", "authn", "authenticate", "authentication"])
                || (is(&["in", "on"]) && follows(&["sign", "log"]))
                || (is(&["start"]) && follows(&["session"]));
        code.is_failure |= is(&[
            "fail",
            "failed",
            "failure",
            "failures",
            "error",
            "errors",
            "denied",
            "rejected",
            "invalid",
            "bad",
            "wrong",
            "unsuccessful",
            "refused",
            "unauthorized",
        ]);
        code.is_success |= is(&["success", "succeeded", "successful", "passed", "accepted"]);
        if (is(&["in"]) && follows(&["logged", "signed"])) || is(&["loggedin", "signedin"]) {
            (code.is_sign_in, code.is_success) = (true, true);
        }
        // A second factor is also switched on, sent and forgotten.
        is_factor |= is(&["mfa", "totp", "otp", "2fa"]);
        before = word;
    }
    code.is_sign_in |= is_factor && code.is_failure;
    code
}

/// The words of a name, which signs part, or letters in upper case behind some in lower case.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).flat_map(|word| {
        let bytes = word.as_bytes();
        let mut from = 0;
        let ends = (1..=bytes.len()).filter(move |at| {
            *at == bytes.len() || (bytes[*at].is_ascii_uppercase() && bytes[*at - 1].is_ascii_lowercase())
        });
        ends.map(move |to| &word[std::mem::replace(&mut from, to)..to])
    })
}

/// By its message, or by the error beside it, where a member holds the address.
fn by_message(event: &mut Event<'_>) -> Option<bool> {
    let is_said = |text: &str| {
        let found =
            wording::of_record(behind_tag(text)).map(|said| (said.is_failure, said.user.map(str::to_owned)));
        found.or_else(|| phrases::outcome(text))
    };
    let error = || {
        event
            .fields
            .iter()
            .find(|each| each.path.ends_with(".error") || each.path.ends_with(".err"))?
            .value
            .as_str()
    };
    let (is_failure, user) = is_said(&event.message).or_else(|| is_said(error()?))?;
    if event.field("source.ip").is_none() {
        client(event)?;
    }
    if let Some(user) = user.filter(|user| !user.is_empty())
        && named(event).is_none()
        && self::user(event).is_none()
    {
        event.set("user.name", user);
    }
    Some(is_failure)
}

/// `[password-auth.failed] text`, `[API]: text`: a tag of the program's own stands before its sentence.
fn behind_tag(text: &str) -> &str {
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((tag, rest)) if !tag.contains(' ') && !said::is_numeric_socket(tag) => {
            rest.trim_start_matches([':', ' '])
        }
        _ => text,
    }
}

/// The client's address, by the names that records of sign-ins have for it.
fn client(event: &Event<'_>) -> Option<String> {
    const NAMES: [&str; 15] = [
        "ip",
        "ipaddress",
        "ipaddr",
        "requestip",
        "visitorip",
        "remip",
        "userip",
        "remote",
        "addr",
        "peer",
        "rhost",
        "callerip",
        "actorip",
        "client",
        "src",
    ];
    let is_named = |path: &str| {
        let path = path.strip_prefix(field::LABELS).unwrap_or(path);
        matches!(path, "addr.remote" | "client.ip" | "origin.address")
            || names::folded(last(path), |name| NAMES.contains(&name).then_some(())).is_some()
    };
    event.fields.iter().filter(|each| is_named(&each.path)).find_map(|each| match &each.value {
        Value::String(text) => said::of_chain(text).map(str::to_owned),
        Value::Json(list) => said::of_chain(&list.replace(['[', ']', '"'], "")).map(str::to_owned),
        _ => None,
    })
}

/// The user that the record has in the place of ECS, if it is somebody.
fn named<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    event.field("user.name").and_then(Value::as_str).filter(|name| !is_nobody(name))
}

fn is_nobody(name: &str) -> bool {
    matches!(name, "" | "-" | "--" | "N/A" | "null" | "__REDACTED__" | "[FILTERED]")
}

fn user(event: &Event<'_>) -> Option<String> {
    const NAMES: [&str; 9] = [
        "username",
        "uname",
        "login",
        "principalname",
        "account",
        "accountname",
        "user",
        "email",
        "useremail",
    ];
    let is_named =
        |path: &str| names::folded(last(path), |name| NAMES.contains(&name).then_some(())).is_some();
    let found =
        event.fields.iter().filter(|each| is_named(&each.path)).filter_map(|each| each.value.as_str());
    found.into_iter().find(|name| !is_nobody(name)).map(str::to_owned)
}

/// Whether a record says that another protocol than that of the web was spoken.
fn is_other_protocol(event: &Event<'_>) -> bool {
    const PROTOCOLS: [&str; 12] =
        ["ssh", "ftp", "sftp", "telnet", "smtp", "imap", "pop3", "sip", "ldap", "rdp", "vnc", "mqtt"];
    let is_other = event.source.as_deref().is_some_and(services::is_other_than_web);
    is_other
        || event.fields.iter().any(|each| {
            let name = last(&each.path);
            let Some(value) = each.value.as_str().filter(|value| value.len() <= 16) else { return false };
            match name {
                "protocol" | "proto" | "sender" | "service" => {
                    PROTOCOLS.iter().any(|known| value.eq_ignore_ascii_case(known))
                }
                "mechanism" => value.starts_with("SCRAM"),
                _ => false,
            }
        })
}
