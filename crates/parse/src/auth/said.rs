//! How what a message says is written into its event: one way for all programs.

use std::net::IpAddr;

use event::{Event, Value};

/// The reason of who is let in no more.
pub(crate) const TOO_MANY_FAILURES: &str = "too many authentication failures";

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
    web_login(event, "failure");
}

/// A sign-in to what is asked over HTTP.
pub(crate) fn web_login(event: &mut Event<'_>, outcome: &'static str) {
    event.set("event.category", list("[\"authentication\",\"web\"]"));
    event.set("event.action", "web_login");
    event.set("event.outcome", outcome);
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

/// The same of a text that the event does not hold; only an address in numbers.
pub(crate) fn owned_socket(event: &mut Event<'_>, text: &str) {
    let bare =
        |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().map(|address| address.to_canonical());
    match (bare(text), text.rsplit_once(':')) {
        (Ok(address), _) => event.set("source.ip", address.to_string()),
        (_, Some((address, number))) => {
            if let (Ok(address), Ok(number)) = (bare(address), number.parse::<u16>()) {
                event.set("source.ip", address.to_string());
                event.set("source.port", i64::from(number));
            }
        }
        _ => {}
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

/// Whether a text is an address, with its port or without, and no name of a host.
pub(crate) fn is_numeric_socket(text: &str) -> bool {
    let bare = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    bare(text)
        || text.rsplit_once(':').is_some_and(|(address, port)| port.parse::<u16>().is_ok() && bare(address))
}

/// The client of a list that proxies have added to: the last address that is none of a private network, since what stands
/// before it may be the client's own invention; else the first.
pub(crate) fn of_chain(text: &str) -> Option<&str> {
    const PROXIES_MAX: usize = 16;
    let parts = || text.split(',').map(str::trim).take(PROXIES_MAX).filter(|part| is_numeric_socket(part));
    parts().filter(|part| !is_private(part)).last().or_else(|| parts().next())
}

/// Whether an address is none of the public internet.
fn is_private(text: &str) -> bool {
    match text.trim_matches(['[', ']']).parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}

/// Whether a text begins as `ADDRESS port N` or is an address alone: no user's name stands before it.
pub(crate) fn begins_with_address(text: &str) -> bool {
    let word = text.split([' ', ',']).next().unwrap_or_default();
    word.trim_end_matches(':').parse::<IpAddr>().is_ok()
}
