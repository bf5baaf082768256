//! What the logger of a language or of its best known framework writes by default: Ruby and Rails, PHP, Go's Gin, Nest.

use event::{Event, Severity};

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, access, level, time};

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "Ruby logger",
        begins: Begins::With(b"DIWEFA"),
        read: ruby,
        #[cfg(test)]
        samples: RUBY,
    },
    Format {
        name: "Rails",
        begins: Begins::With(b"S"),
        read: rails_request,
        #[cfg(test)]
        samples: &[],
    },
    Format {
        name: "PHP",
        begins: Begins::Stamp(b"P"),
        read: php,
        #[cfg(test)]
        samples: PHP,
    },
    Format {
        name: "Gin",
        begins: Begins::With(b"["),
        read: gin,
        #[cfg(test)]
        samples: GIN,
    },
    Format {
        name: "Gin",
        begins: Begins::Digits(b"|"),
        read: gin,
        #[cfg(test)]
        samples: &[],
    },
    Format {
        name: "Nest",
        begins: Begins::With(b"["),
        read: nest,
        #[cfg(test)]
        samples: NEST,
    },
];

/// `E, [2026-10-22T21:59:01.123456 #4711] ERROR -- worker: text`.
fn ruby<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let severity = level::of_letter(line.text.as_bytes()[0])?;
    let stamp = time::stamp(line.text.get(1..)?.strip_prefix(", ")?, context)?;
    let (pid, rest) = stamp.rest.split_once(']')?;
    let (_, rest) = rest.split_once(" -- ").filter(|(word, _)| word.trim().len() <= 7)?;
    let (program, message) =
        rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|name| (name, "")))?;
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = severity;
    if let Some(pid) = pid.trim().strip_prefix('#').and_then(|pid| pid.parse::<i64>().ok()) {
        event.set("process.pid", pid);
    }
    if !program.is_empty() {
        event.set("log.logger", program);
    }
    Some(event)
}

/// `Started GET "/x" for 192.0.2.7 at 2026-10-22 21:59:01 +0000`.
fn rails_request<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (request, rest) = line.text.strip_prefix("Started ")?.split_once("\" for ")?;
    let (address, written) = rest.split_once(" at ")?;
    let (method, path) = request.split_once(" \"")?;
    let mut event = Event::new(line.text, context.received);
    event.timestamp = time::parse(written, context)?;
    event.set("http.request.method", method);
    event.set("url.original", path);
    if address.parse::<std::net::IpAddr>().is_ok() {
        event.set("source.ip", address);
    }
    Some(event)
}

/// `[22-Oct-2026 21:59:01 UTC] PHP Fatal error:  Uncaught …`. The kind of error stays in the message.
fn php<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let message = stamp.rest.trim_start();
    let (kind, _) = message.strip_prefix("PHP ")?.split_once(": ").filter(|(kind, _)| kind.len() <= 32)?;
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = match kind {
        "Fatal error" | "Recoverable fatal error" | "Core error" | "Compile error" => Severity::Fatal,
        "Parse error" => Severity::Error,
        "Warning" | "Core warning" | "Compile warning" | "User warning" => Severity::Warn,
        _ => Severity::Info,
    };
    Some(event)
}

/// `[GIN] 2026/10/22 - 21:59:01 | 404 |     505.317µs |       192.0.2.7 | GET      "/x"`.
fn gin<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (message, stamp) = match line.stamp {
        Some(stamp) => (line.text, stamp),
        None => {
            let message = line.text.strip_prefix("[GIN] ")?;
            (message, time::stamp(message, context)?)
        }
    };
    let mut columns = stamp.rest.split('|').skip(1).map(str::trim);
    let status = columns.next()?.parse::<i64>().ok().filter(|status| (100..600).contains(status))?;
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = access::severity_of(status);
    event.set("http.response.status_code", status);
    let address = columns.nth(1)?;
    if address.parse::<std::net::IpAddr>().is_ok() {
        event.set("source.ip", address);
    }
    // A path may hold the mark of the columns.
    let request = stamp.rest.splitn(5, '|').nth(4).unwrap_or_default();
    if let Some((method, path)) = request.split_once('"') {
        event.set("http.request.method", method.trim());
        event.set("url.original", path.strip_suffix('"').unwrap_or(path));
    }
    Some(event)
}

/// `[Nest] 7  - 10/22/2026, 9:59:01 PM     WARN [AuthService] text`.
fn nest<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (pid, rest) = line.text.strip_prefix("[Nest] ")?.split_once(" - ")?;
    let stamp = time::stamp(rest, context)?;
    let (word, rest) = stamp.rest.trim_start().split_once(' ')?;
    let severity = if word == "LOG" { Severity::Info } else { level::of_token(word)? };
    let (logger, message) = match rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((logger, message)) => (Some(logger), message),
        None => (None, rest.trim_start()),
    };
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = severity;
    if let Ok(pid) = pid.trim().parse::<i64>() {
        event.set("process.pid", pid);
    }
    if let Some(logger) = logger {
        event.set("log.logger", logger);
    }
    Some(event)
}

#[cfg(test)]
const NEST: &[Sample] = &[[
    "Nest",
    "[Nest] 7  - 10/22/2026, 9:59:01 PM     WARN [AuthService] Failed login attempt for user ann from ip address 192.0.2.7",
    "2026-10-22T21:59:01Z",
    "warn",
    "",
    "",
    "Failed login attempt for user ann from ip address 192.0.2.7",
]];

#[cfg(test)]
const RUBY: &[Sample] = &[
    [
        "Ruby",
        "E, [2026-10-22T21:59:01.123456 #4711] ERROR -- worker: boom happened",
        "2026-10-22T21:59:01.123456Z",
        "error",
        "",
        "",
        "boom happened",
    ],
    [
        "Rails",
        "I, [2026-10-22T21:59:01.123456 #4711]  INFO -- : Completed 200 OK in 7ms",
        "2026-10-22T21:59:01.123456Z",
        "info",
        "",
        "",
        "Completed 200 OK in 7ms",
    ],
    [
        "Rails",
        "Started GET \"/x\" for 192.0.2.7 at 2026-10-22 23:59:01 +0200",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "",
        "Started GET \"/x\" for 192.0.2.7 at 2026-10-22 23:59:01 +0200",
    ],
];

#[cfg(test)]
const PHP: &[Sample] = &[
    [
        "PHP",
        "[22-Oct-2026 21:59:01 UTC] PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3",
        "2026-10-22T21:59:01Z",
        "fatal",
        "",
        "",
        "PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3",
    ],
    [
        "PHP",
        "[22-Oct-2026 23:59:01 Europe/Berlin] PHP Parse error:  syntax error in /srv/a.php on line 9",
        "2026-10-22T21:59:01Z",
        "error",
        "",
        "",
        "PHP Parse error:  syntax error in /srv/a.php on line 9",
    ],
];

#[cfg(test)]
const GIN: &[Sample] = &[[
    "Gin",
    "[GIN] 2026/10/22 - 21:59:01 | 404 |     505.317µs |       192.0.2.7 | GET      \"/x\"",
    "2026-10-22T21:59:01Z",
    "warn",
    "",
    "",
    "2026/10/22 - 21:59:01 | 404 |     505.317µs |       192.0.2.7 | GET      \"/x\"",
]];
