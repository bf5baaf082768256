//! How what a message says is written into its event: one way for all programs.

use std::net::IpAddr;

use event::{Event, Value};

pub(crate) fn list(text: &'static str) -> Value<'static> {
    Value::Json(text.into())
}

/// A sign-in of a kind that `action` names.
pub(crate) fn login(event: &mut Event<'_>, action: &'static str, outcome: &'static str) {
    attempted(event, outcome);
    event.set("event.action", action);
}

/// An authentication that no further word classes: PAM's message stands beside the program's own.
pub(crate) fn attempted(event: &mut Event<'_>, outcome: &'static str) {
    event.set("event.category", list("[\"authentication\"]"));
    event.set("event.type", list("[\"start\"]"));
    event.set("event.outcome", outcome);
}

/// Somebody who was not let in by what is asked over HTTP.
pub(crate) fn web_refused(event: &mut Event<'_>) {
    event.set("event.category", list("[\"authentication\",\"web\"]"));
    event.set("event.action", "web_login");
    event.set("event.outcome", "failure");
}

/// A change of accounts or groups; `types` is a JSON list.
pub(crate) fn account(event: &mut Event<'_>, types: &'static str) {
    event.set("event.category", list("[\"iam\"]"));
    event.set("event.type", list(types));
    event.set("event.outcome", "success");
}

pub(crate) fn reason<'a>(event: &mut Event<'a>, reason: &'a str) {
    event.set("event.reason", reason);
}

/// A user, without the quotes around the name; an empty one is none.
pub(crate) fn user<'a>(event: &mut Event<'a>, user: &'a str) {
    let user = user.trim_matches(['"', '\'', '`']);
    if !user.is_empty() {
        event.set("user.name", user);
    }
}

/// An address; one of IPv4 in the clothes of IPv6 is given as what it is. Else a host name.
pub(crate) fn source<'a>(event: &mut Event<'a>, address: &'a str) {
    let bare = address.trim_matches(['[', ']', '<', '>']);
    match bare.parse::<IpAddr>().map(|parsed| (parsed, parsed.to_canonical())) {
        Ok((parsed, canonical)) if parsed != canonical => event.set("source.ip", canonical.to_string()),
        Ok(_) => event.set("source.ip", bare),
        Err(_) if is_host_name(bare) => event.set("source.address", bare),
        Err(_) => {}
    }
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

pub(crate) fn port(event: &mut Event<'_>, text: &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if let Ok(port) = text[..end].parse::<u16>() {
        event.set("source.port", i64::from(port));
    }
}

/// `ADDRESS port N…` or `ADDRESS…` at the start.
pub(crate) fn endpoint<'a>(event: &mut Event<'a>, text: &'a str) {
    let mut words = text.split([' ', ',']);
    let Some(address) = words.next() else { return };
    source(event, address.trim_end_matches(':'));
    if words.next() == Some("port")
        && let Some(number) = words.next()
    {
        port(event, number);
    }
}

/// `ADDRESS:PORT`, `[ADDRESS]:PORT` or an address alone.
pub(crate) fn socket<'a>(event: &mut Event<'a>, text: &'a str) {
    if text.parse::<IpAddr>().is_ok() {
        return source(event, text);
    }
    match text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()) {
        Some((address, number)) => {
            source(event, address);
            port(event, number);
        }
        None => source(event, text),
    }
}

/// Whether a text is what [`socket`] takes, and no word of a sentence.
pub(crate) fn is_socket(text: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim_matches(['[', ']', '<', '>']);
        let is_name = || is_host_name(text) && (text.contains('.') || text == "localhost");
        text.parse::<IpAddr>().is_ok() || is_name()
    };
    bare(text)
        || text.rsplit_once(':').is_some_and(|(address, port)| port.parse::<u16>().is_ok() && bare(address))
}

/// Whether a text begins as `ADDRESS port N` or is an address alone: no user's name stands before it.
pub(crate) fn begins_with_address(text: &str) -> bool {
    let word = text.split([' ', ',']).next().unwrap_or_default();
    word.trim_end_matches(':').parse::<IpAddr>().is_ok()
}
