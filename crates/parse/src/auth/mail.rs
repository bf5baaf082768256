//! What mail servers say of who signed in or was refused: Dovecot, Postfix, Exim.

use event::Event;

use super::said;

/// Adds what a process of Dovecot says that writes a log of its own: `pop3-login: Info: Aborted login …`.
pub(super) fn dovecot_process<'a>(event: &mut Event<'a>, process: &str, message: &'a str) {
    let text = message.strip_prefix("Info: ").unwrap_or(message);
    if process.starts_with("auth") { dovecot_database(event, text) } else { dovecot_login(event, text) }
}

/// Adds what a message of Dovecot says: `imap-login: Disconnected (auth failed, 2 attempts in 6 secs): user=<ann>,
/// method=PLAIN, rip=192.0.2.7, …`.
pub(super) fn dovecot<'a>(event: &mut Event<'a>, message: &'a str) {
    let Some((process, rest)) = message.split_once(": ") else { return };
    let rest = rest.strip_prefix("Info: ").unwrap_or(rest);
    if process.starts_with("auth") {
        return dovecot_database(event, rest);
    }
    if process.contains("-login") {
        dovecot_login(event, rest);
    }
}

fn dovecot_login<'a>(event: &mut Event<'a>, text: &'a str) {
    // Newer versions name the kind of failure once more before the fields.
    let Some((what, details)) = text
        .split_once(": user=<")
        .map(|(what, _)| (what, &text[what.len() + 2..]))
        .or_else(|| text.split_once(": "))
    else {
        return;
    };
    let what = what
        .strip_prefix("Login aborted: Connection closed")
        .map_or(what, |_| &what["Login aborted: ".len()..]);
    let (head, why) = what.split_once(" (").unwrap_or((what, ""));
    // A name may hold what looks like the fields behind it: the last end of one counts.
    let (user, fields) = match details
        .strip_prefix("user=<")
        .and_then(|rest| rest.rsplit_once(">, method=").or_else(|| rest.rsplit_once(">, rip=")))
    {
        Some((user, _)) => (user, &details["user=<".len() + user.len()..]),
        None => ("", details),
    };
    said::user(event, user);
    let from = fields.split_once("rip=").map(|(_, rest)| rest.split(',').next().unwrap_or(rest));
    if let Some(from) = from {
        said::source(event, from.trim_end());
    }
    let is_refused = ["auth failed", "tried to use d", "tried to use unsupported", "no auth attempts"]
        .iter()
        .position(|reason| why.starts_with(reason));
    match (head, is_refused) {
        ("Login", _) => said::login(event, "login", "success"),
        ("Disconnected" | "Aborted login" | "Login aborted" | "Connection closed", Some(0..=2)) => {
            said::login(event, "login", "failure");
            said::reason(event, why.trim_end_matches(')'));
            let attempts = why.strip_prefix("auth failed, ").and_then(|rest| rest.split_once(" attempts"));
            if let Some(number) = attempts.and_then(|(number, _)| number.parse::<u32>().ok()) {
                event.set("labels.repeated", i64::from(number));
            }
        }
        _ => {}
    }
}

/// `passwd-file(ann,192.0.2.7): unknown user`, `pam(ann,192.0.2.7,<session>): Password mismatch`: said again when the
/// connection ends, so that nothing is counted here.
fn dovecot_database<'a>(event: &mut Event<'a>, text: &'a str) {
    // Processes stand in parentheses before it too.
    let found = text.match_indices('(').find_map(|(at, _)| {
        let (inside, _) = text[at + 1..].split_once("): ")?;
        let (user, rest) = inside.split_once(',')?;
        let from = rest.split(',').next().unwrap_or(rest);
        from.parse::<std::net::IpAddr>().is_ok().then_some((user, from))
    });
    if let Some((user, from)) = found {
        said::user(event, user);
        said::source(event, from);
    }
}

/// Adds what a message of Postfix says: `warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: …`.
pub(super) fn postfix<'a>(event: &mut Event<'a>, message: &'a str) {
    /// `host.example.org[192.0.2.7]` at the start.
    fn peer<'a>(event: &mut Event<'a>, text: &'a str) {
        if let Some((_, rest)) = text.split_once('[')
            && let Some((address, after)) = rest.split_once(']')
        {
            said::source(event, address);
            if let Some(port) = after.strip_prefix(':') {
                said::port(event, port);
            }
        }
    }
    if let Some(rest) = message.strip_prefix("warning: ") {
        let Some((who, why)) = rest.split_once(": SASL ") else { return };
        let Some((_, reason)) = why.split_once(" authentication failed") else { return };
        peer(event, who);
        // Behind it stands what the peer sent, and in newer versions its name.
        if let Some((_, user)) = reason.rsplit_once(", sasl_username=") {
            said::user(event, user);
        }
        said::login(event, "login", "failure");
    } else if let Some((_, rest)) = message.split_once(": client=") {
        peer(event, rest);
        if let Some((_, user)) = rest.split_once(", sasl_username=") {
            said::user(event, user.split(',').next().unwrap_or(user));
            said::login(event, "login", "success");
        }
    } else if let Some((_, rest)) = message.split_once("reject: ").filter(|(head, _)| head.len() < 40) {
        if let Some((_, from)) = rest.split_once(" from ") {
            peer(event, from);
        }
        event.set("event.action", "mail_rejected");
        event.set("event.outcome", "failure");
    } else if let Some((_, from)) = message.split_once(" from ").filter(|(head, _)| head.len() < 60) {
        // `connect from …`, `lost connection after AUTH from …`, `improper command pipelining after EHLO from …`.
        peer(event, from);
    }
}

/// Adds who the peer is that Exim turns away: `H=mx.example.org (helo) [192.0.2.7]:4711 F=<ann@example.org> rejected RCPT …`.
pub(crate) fn exim_refusal<'a>(event: &mut Event<'a>, text: &'a str) {
    let Some(rest) = text.strip_prefix("H=") else { return };
    let name_end = rest.find([' ', '[', '(']).unwrap_or(rest.len());
    let rest = rest[name_end..].trim_start();
    // What the peer calls itself has no blank.
    let rest = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(") ").map_or("", |(_, rest)| rest),
        None => rest,
    };
    let Some((address, rest)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return };
    said::source(event, address);
    if let Some(port) = rest.strip_prefix(':') {
        said::port(event, port);
    }
    event.set("event.action", "mail_rejected");
    event.set("event.outcome", "failure");
}

/// Adds what Exim says behind `authenticator failed for `: `H=mx (helo)
/// [192.0.2.7]:4711: 535 Incorrect authentication data (set_id=ann)`.
pub(crate) fn exim<'a>(event: &mut Event<'a>, rest: &'a str) {
    // What the peer calls itself stands in front of its address.
    let Some((head, tail)) = rest.split_once(": 535 ") else { return };
    if let Some((_, from)) = head.rsplit_once(" [").or_else(|| Some(("", head.strip_prefix('[')?))) {
        let (address, after) = from.split_once(']').unwrap_or((from, ""));
        said::source(event, address);
        if let Some(port) = after.strip_prefix(':') {
            said::port(event, port);
        }
    }
    if let Some((_, user)) = tail.rsplit_once("(set_id=") {
        said::user(event, user.trim_end().strip_suffix(')').unwrap_or(user));
    }
    said::login(event, "login", "failure");
}
