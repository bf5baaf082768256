//! What the error logs of web servers say of who was refused: Apache, nginx, lighttpd.
//!
//! Paths, users and requests stand in these lines as the client sent them. What was done is read from how a message
//! begins, or from the server's own words behind a quote; the client's address from where the server puts it.

use event::Event;

use super::said;
use crate::access;

fn web(event: &mut Event<'_>, action: &'static str) {
    event.set("event.category", said::list("[\"web\"]"));
    event.set("event.action", action);
    event.set("event.outcome", "failure");
}

/// Adds what a message of Apache says; its client has been read.
pub(crate) fn apache<'a>(event: &mut Event<'a>, message: &'a str) {
    // `AH01617: `, and `Digest: ` of old versions.
    let text = match message.strip_prefix("AH").and_then(|rest| rest.split_once(": ")) {
        Some((number, rest)) if number.len() == 5 => rest,
        _ => message,
    };
    let text = text.strip_prefix("Digest: ").unwrap_or(text);
    let Some((word, rest)) = text.split_once(' ') else { return };
    match word {
        "client" if rest.starts_with("denied by server configuration") => {
            web(event, "web_access");
            if let Some((_, path)) = rest.split_once(": ") {
                event.set("file.path", path);
            }
        }
        "client" if rest.starts_with("used wrong authentication scheme") => said::web_refused(event),
        "user" => apache_user(event, rest),
        "Authorization" => {
            if let Some((user, _)) =
                rest.strip_prefix("of user ").and_then(|rest| rest.split_once(" to access "))
            {
                said::user(event, user);
                said::web_refused(event);
            }
        }
        "invalid" if rest.starts_with("qop `") => said::web_refused(event),
        "invalid" if rest.starts_with("nonce ") => {
            // A wrong hash may be that of a nonce which has run out.
            let rest = rest.rsplit_once(" received - ").map_or("", |(_, why)| why);
            if rest.starts_with("length is not") || rest.starts_with("user attempted time travel") {
                said::web_refused(event);
            }
        }
        "realm" if rest.starts_with("mismatch - got `") => said::web_refused(event),
        "unknown" if rest.starts_with("algorithm `") => said::web_refused(event),
        "Hostname" | "No" if rest.contains("provided via SNI") => web(event, "tls_handshake"),
        "Invalid" if rest.starts_with("URI in request") || rest.starts_with("method in request") => {
            web(event, "malformed_request");
        }
        "request" if rest.starts_with("failed: ") => web(event, "malformed_request"),
        "File" => {
            if let Some(path) = rest.strip_prefix("does not exist: ") {
                event.set("file.path", path.split(", referer: ").next().unwrap_or(path));
                web(event, "file_not_found");
            }
        }
        "script" | "stderr" | "Got" => apache_script(event, text),
        "ModSecurity:" => modsecurity(event, rest),
        _ => {}
    }
}

/// `NAME not found: /path`, `NAME: authentication failure for "/path": …`, and their like; the name may be empty.
fn apache_user<'a>(event: &mut Event<'a>, rest: &'a str) {
    const REASONS: [&str; 7] = [
        " not found",
        ": authentication failure",
        ": authorization failure",
        ": password mismatch",
        " authorization failure",
        " authentication failure",
        " denied by provider",
    ];
    if let Some(rest) = rest.strip_prefix('`') {
        let Some((user, why)) = rest.split_once("' in realm `") else { return };
        if ["' not found", "' denied by provider", "' auth"].iter().any(|reason| why.contains(reason)) {
            said::user(event, user);
            said::web_refused(event);
        }
        return;
    }
    let found = REASONS.iter().filter_map(|reason| Some((rest.find(reason)?, *reason))).min();
    if let Some((at, why)) = found {
        said::user(event, rest[..at].trim());
        said::reason(event, why.trim_start_matches([':', ' ']));
        said::web_refused(event);
    }
}

fn apache_script(event: &mut Event<'_>, text: &str) {
    let is_missing = text.starts_with("script not found or unable to stat")
        || text.starts_with("Got error 'Primary script unknown")
        || (text.starts_with("script '") && text.ends_with("' not found or unable to stat"))
        || (text.starts_with("stderr from ") && text.ends_with(": script not found or unable to stat"));
    if is_missing {
        web(event, "script_not_found");
    }
}

/// `Access denied with code 403 (phase 2). … [id "960015"] [msg "…"] [severity "NOTICE"] …`.
fn modsecurity<'a>(event: &mut Event<'a>, text: &'a str) {
    let tagged = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        rest.split('"').next().filter(|value| !value.is_empty())
    };
    if let Some(id) = tagged("[id \"") {
        event.set("rule.id", id);
    }
    if let Some(name) = tagged("[msg \"") {
        event.set("rule.name", name);
    }
    if text.contains("Access denied with ") {
        web(event, "request_blocked");
    }
}

/// The part of a message of nginx that names the client and what it asked for: behind `, client: `. A user's name,
/// which stands before it, may hold these words too, and so may the referrer, which stands at the end: where both may
/// have been written by others, nothing is taken.
pub(crate) fn nginx_client(message: &str) -> Option<&str> {
    let mark = ", client: ";
    let first = message.find(mark)?;
    let head = message.find(", referrer: \"").map_or(message, |at| &message[..at]);
    let last = head.rfind(mark)?;
    if first != last && head.len() < message.len() && message.starts_with("user \"") {
        return None;
    }
    Some(&message[last + mark.len()..])
}

/// Adds what a message of nginx says: `user "ann": password mismatch`, `limiting requests, excess: …`.
pub(crate) fn nginx<'a>(event: &mut Event<'a>, message: &'a str) {
    let named = |event: &mut Event<'a>, user: &'a str| {
        said::user(event, user);
        said::web_refused(event);
    };
    let Some((word, rest)) = message.split_once(' ') else { return };
    match word {
        "user" => {
            let Some(rest) = rest.strip_prefix('"') else { return };
            if let Some((user, _)) = rest.split_once("\": password mismatch, client: ") {
                named(event, user);
            } else if let Some((user, _)) = rest.split_once("\" was not found in \"") {
                named(event, user);
            }
        }
        "PAM:" => {
            if let Some((user, _)) =
                rest.strip_prefix("user '").and_then(|rest| rest.split_once("' - not authenticated: "))
            {
                named(event, user);
            }
        }
        "limiting" | "delaying"
            if rest.starts_with("requests") || rest.starts_with("connections by zone ") =>
        {
            web(event, "rate_limited");
        }
        "access" if rest.starts_with("forbidden by rule, client: ") => web(event, "web_forbidden"),
        "directory" if rest.starts_with("index of \"") && rest.contains("\" is forbidden, client: ") => {
            web(event, "web_forbidden");
        }
        "SSL_do_handshake()" if rest.starts_with("failed (SSL: ") => {
            let inside = rest.split_once(") while SSL handshaking").map_or("", |(inside, _)| inside);
            if inside.ends_with(" too long") || inside.ends_with(" too short") {
                web(event, "tls_handshake");
            }
        }
        _ => {}
    }
}

/// Adds what a message of lighttpd says: `(mod_auth.c.525) password doesn't match for /x username: ann, IP: 192.0.2.7`.
pub(crate) fn lighttpd<'a>(event: &mut Event<'a>, message: &'a str) {
    if !message.starts_with(['(', 'm']) {
        return;
    }
    let Some((place, text)) = message.trim_start_matches('(').split_once(") ") else { return };
    if !(place.starts_with("mod_auth.c.") || place.starts_with("http_auth.c.")) {
        return;
    }
    let is_refusal = text.starts_with("password doesn't match for ")
        || text.starts_with("digest: auth failed")
        || text.starts_with("get_password failed");
    let Some((head, address)) = text.rsplit_once("IP: ").filter(|_| is_refusal) else { return };
    let head = head.trim_end_matches([',', ' ']);
    if let Some((_, user)) = head.rsplit_once(" username: ") {
        said::user(event, user);
    } else if let Some(user) =
        text.strip_prefix("digest: auth failed for ").and_then(|rest| rest.split(" : ").next())
    {
        said::user(event, user.trim());
    }
    said::socket(event, address.trim());
    said::web_refused(event);
}

/// Adds what a line of an error log says that went through syslog: the program's own time and level stand before it.
pub(super) fn through_syslog<'a>(event: &mut Event<'a>, message: &'a str) {
    if let Some((_, rest)) = message.split_once("[client ").filter(|_| message.starts_with('['))
        && let Some((client, text)) = rest.split_once("] ")
    {
        said::socket(event, client);
        apache(event, text);
        return;
    }
    // `2023/12/09 21:35:20 [error] 983#983: *3 text, client: …`.
    let Some((head, text)) = message.split_once("] ").and_then(|(_, rest)| rest.split_once(": ")) else {
        return;
    };
    if !head.split('#').all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
        return;
    }
    let text = match text.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => text,
    };
    nginx(event, text);
    if let Some(tail) = nginx_client(text) {
        said::socket(event, tail.split([',', ' ']).next().unwrap_or_default());
        if let Some((_, request)) = tail.split_once(", request: \"") {
            access::set_request(event, request.split('"').next().unwrap_or_default());
        }
    }
}
