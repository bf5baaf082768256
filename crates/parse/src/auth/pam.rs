//! What modules of PAM say, in whichever program they run.

use event::Event;

use super::said;
use crate::cut;

/// Adds what a message of PAM says. Whether it is one, even if nothing is read from it.
pub(super) fn read<'a>(event: &mut Event<'a>, message: &'a str) -> bool {
    // Few programs write words that begin as those of PAM do.
    if !matches!(message.as_bytes().first(), Some(b'p' | b'(' | b'a' | b'c' | b'P' | b's' | b'u')) {
        return false;
    }
    let (module, text) = module(message);
    if let Some(module) = module {
        // `pam_unix(sshd:auth)`: which service asked, which old modules do not say.
        let (name, service) = module.split_once('(').unwrap_or((module, ""));
        event.set("labels.pam.module", name);
        if let Some(service) = service.split([':', ')']).next().filter(|service| !service.is_empty()) {
            event.set("labels.pam.service", service);
        }
    }
    failure(event, text) || session(event, text) || account(event, text) || module.is_some()
}

/// `pam_unix(sshd:auth): text`, `pam_unix: text`, `(pam_unix) text`.
fn module(message: &str) -> (Option<&str>, &str) {
    if let Some(rest) = message.strip_prefix('(') {
        return named(message, rest, ") ");
    }
    match named(message, message, ": ") {
        (Some(name), _) if name.contains(' ') => (None, message),
        module => module,
    }
}

/// What stands before and behind the mark, where that is a module's name; else the message.
fn named<'t>(message: &'t str, text: &'t str, mark: &str) -> (Option<&'t str>, &'t str) {
    let parts = if text.starts_with("pam_") { cut::at(text, mark) } else { None };
    parts.map_or((None, message), |(name, text)| (Some(name), text))
}

fn failure<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    if let Some(rest) = text.strip_prefix("authentication failure; ") {
        whence(event, rest);
        said::attempted(event, "failure");
    } else if let Some((number, rest)) = more(text) {
        if let Ok(number) = number.parse::<u32>() {
            event.set("labels.repeated", i64::from(number));
        }
        whence(event, rest);
        said::attempted(event, "failure");
    } else if text.starts_with("check pass; user unknown") {
        said::attempted(event, "failure");
    } else if let Some(rest) = text.strip_prefix("Consecutive login failures for user ") {
        said::user(event, rest.strip_suffix(" account temporarily locked").unwrap_or(rest));
        locked(event);
    } else if let Some(rest) = text.strip_prefix("user ")
        && let Some((user, _)) = rest.split_once(" tally ").filter(|(_, tally)| tally.contains(", deny "))
    {
        said::user(event, user.split(" (").next().unwrap_or(user));
        locked(event);
    } else {
        return false;
    }
    true
}

fn locked(event: &mut Event<'_>) {
    said::login(event, "account_locked", "failure");
}

/// `PAM 2 more authentication failures; …`.
fn more(text: &str) -> Option<(&str, &str)> {
    let (number, rest) = cut::at(text.strip_prefix("PAM ")?, " more authentication failure")?;
    Some((number, cut::at(rest, "; ")?.1))
}

/// `logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root`: the fields stand in this order, a host has no
/// blank, and both users' names may be what the peer sent.
fn whence<'a>(event: &mut Event<'a>, text: &'a str) {
    let text = text.trim_end();
    let Some((_, rest)) = cut::at(text, "ruser=") else { return };
    let (remote, rest) = match rest.strip_prefix("rhost=").or_else(|| rest.strip_prefix(" rhost=")) {
        Some(rest) => ("", rest),
        None => match cut::at_last(rest, " rhost=") {
            Some(parts) => parts,
            None => (rest, ""),
        },
    };
    let (host, after) = rest.split_once(' ').unwrap_or((rest, ""));
    if !host.is_empty() {
        said::source(event, host);
    }
    let user = after.trim_start().strip_prefix("user=").unwrap_or(remote);
    said::user(event, user);
}

fn session<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    if let Some(rest) = text.strip_prefix("session opened for user ") {
        became(event, rest);
        event.set("event.category", said::list("[\"session\"]"));
        event.set("event.type", said::list("[\"start\"]"));
        event.set("event.outcome", "success");
    } else if let Some(user) = text.strip_prefix("session closed for user ") {
        said::user(event, user.split(' ').next().unwrap_or_default());
        event.set("event.category", said::list("[\"session\"]"));
        event.set("event.type", said::list("[\"end\"]"));
    } else {
        return false;
    }
    true
}

/// `root(uid=0) by vagrant(uid=1000)`: who became whom. Without a caller the user is the one named.
fn became<'a>(event: &mut Event<'a>, rest: &'a str) {
    let (target, caller) = rest.split_once(" by ").unwrap_or((rest, ""));
    let name = |text: &'a str| text.split(['(', ' ']).next().unwrap_or_default();
    let id =
        |text: &'a str| text.split_once("(uid=").and_then(|(_, rest)| rest.split_once(')')).map(|(id, _)| id);
    let who = if name(caller).is_empty() { target } else { caller };
    said::user(event, name(who));
    if let Some(id) = id(who) {
        event.set("user.id", id);
    }
    if !name(caller).is_empty() {
        event.set("user.effective.name", name(target));
    }
}

fn account<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    if memchr::memchr(b'"', text.as_bytes()).is_some()
        && let Some((_, user)) = cut::at(text, "not met by user \"")
    {
        said::user(event, user.trim_end_matches('"'));
    } else if let Some(user) = text.strip_prefix("password changed for ") {
        said::user(event, user);
        said::account(event, "[\"user\",\"change\"]");
        event.set("event.action", "password_changed");
    } else {
        return false;
    }
    true
}
