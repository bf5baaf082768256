//! PostgreSQL: the lines of stderr with any `log_line_prefix`, and csvlog.

use std::{borrow::Cow, sync::LazyLock};

use event::{Event, Severity};
use memchr::memmem;

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::Context;

pub(super) const FORMATS: &[Format] = &[Format {
    name: "PostgreSQL",
    begins: Begins::Stamp(&[]),
    read,
    #[cfg(test)]
    samples: SAMPLES,
}];

/// What stands behind a level.
static END_OF_LEVEL: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b":  "));

/// How far behind the time stamp the level stands, in bytes.
const PREFIX_BYTES_MAX: usize = 200;

fn read<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let mut event = match stamp.rest.as_bytes().first()? {
        b' ' | b':' => stderr(stamp.rest, context),
        b',' => csv(stamp.rest, context),
        _ => None,
    }?;
    event.timestamp = stamp.at?;
    event.source = Some("postgres".into());
    event.set("process.name", "postgres");
    Some(event)
}

/// The level that PostgreSQL means; what belongs to the line before it is no more than information.
fn severity(word: &str) -> Option<Severity> {
    Some(match word {
        "LOG" | "INFO" | "NOTICE" | "DETAIL" | "HINT" | "STATEMENT" | "CONTEXT" | "QUERY" | "LOCATION" => {
            Severity::Info
        }
        "WARNING" => Severity::Warn,
        "ERROR" => Severity::Error,
        "FATAL" | "PANIC" => Severity::Fatal,
        _ => word.strip_prefix("DEBUG").filter(|number| number.len() == 1).map(|_| Severity::Debug)?,
    })
}

/// `[4711] ann@shop ERROR:  relation "orders" does not exist`: two blanks follow the level's colon.
fn stderr<'a>(rest: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let head = &rest.as_bytes()[..rest.len().min(PREFIX_BYTES_MAX)];
    let colon = END_OF_LEVEL.find(head)?;
    let start = rest[..colon].rfind([' ', ':']).map_or(0, |mark| mark + 1);
    let word = &rest[start..colon];
    let severity = severity(word)?;
    let belongs_to_earlier =
        matches!(word, "DETAIL" | "HINT" | "STATEMENT" | "CONTEXT" | "QUERY" | "LOCATION");
    let message = if belongs_to_earlier { &rest[start..] } else { &rest[colon + 3..] };
    let mut event = Event::new(message, context.received);
    event.severity = severity;
    if rest.starts_with(':') {
        between_colons(&mut event, &rest[1..start]);
        return Some(event);
    }
    for part in rest[..start].split([' ', ',']) {
        if let Some((user, database)) = part.split_once('@').filter(|(user, _)| !user.is_empty()) {
            event.set("user.name", user);
            event.set("labels.database", database.trim_end_matches(':'));
        } else if let Some(pid) = pid(part).filter(|_| event.field("process.pid").is_none()) {
            // The number of the session's line may stand behind it: `[4711]: [3-1]`.
            event.set("process.pid", pid);
        }
    }
    if let Some(client) = client(&rest[..start]) {
        event.set("source.ip", client);
    }
    Some(event)
}

/// `192.0.2.7(4711):ann@shop:[77]:`, as Amazon RDS has it.
fn between_colons<'a>(event: &mut Event<'a>, prefix: &'a str) -> Option<()> {
    let client = prefix.split_once("):").and_then(|(client, behind)| {
        let (address, port) = client.split_once('(')?;
        address.parse::<std::net::IpAddr>().ok()?;
        Some((address, port.parse::<u16>().ok()?, behind))
    });
    let rest = match client {
        Some((address, port, behind)) => {
            event.set("source.ip", address);
            event.set("source.port", i64::from(port));
            behind
        }
        None => prefix.split_once(':')?.1,
    };
    let (user, rest) = rest.split_once('@')?;
    let (database, rest) = rest.split_once(':')?;
    for (path, value) in [("user.name", user), ("labels.database", database)] {
        if !value.is_empty() {
            event.set(path, value);
        }
    }
    event.set("process.pid", pid(rest)?);
    Some(())
}

/// `client=192.0.2.7`: names that a client chooses may stand beside it, so that it counts where it occurs once.
fn client(prefix: &str) -> Option<&str> {
    let (_, rest) = prefix.split_once("client=").filter(|(_, rest)| !rest.contains("client="))?;
    let address = rest.split([' ', ',', '(', ']']).next()?;
    address.parse::<std::net::IpAddr>().ok().map(|_| address)
}

/// `[4711]`, `[4711-1]`.
fn pid(part: &str) -> Option<i64> {
    let digits = part.strip_prefix('[')?.split([']', '-']).next()?;
    digits.parse().ok()
}

/// User, database, pid, client, session, line, command, start, two transactions, level, code, message, …
fn csv<'a>(rest: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut columns = Columns { rest: rest.strip_prefix(',')? };
    let (user, database, pid) = (columns.next()?, columns.next()?, columns.next()?);
    let pid = pid.parse::<i64>().ok()?;
    let client = columns.next()?;
    let severity = severity(&columns.nth(6)?)?;
    let code = columns.next()?;
    let mut event = Event::new(columns.next()?, context.received);
    event.severity = severity;
    event.set("process.pid", pid);
    let address = client.rsplit_once(':').map_or(client.as_ref(), |(address, _)| address);
    if address.parse::<std::net::IpAddr>().is_ok() {
        event.set("source.ip", address.to_owned());
    }
    for (path, value) in [("user.name", user), ("labels.database", database), ("event.code", code)] {
        if !value.is_empty() {
            event.set(path, event::Value::String(value));
        }
    }
    Some(event)
}

/// The columns of a line of CSV, those in quotes with their quotes undone.
struct Columns<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Columns<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let (column, rest) = self.rest.split_once(',').unwrap_or((self.rest, ""));
            self.rest = rest;
            return Some(Cow::Borrowed(column));
        };
        let mut end = 0;
        loop {
            end += quoted.get(end..)?.find('"')?;
            if !quoted[end + 1..].starts_with('"') {
                break;
            }
            end += 2;
        }
        let (column, rest) = (&quoted[..end], &quoted[end + 1..]);
        self.rest = rest.strip_prefix(',').unwrap_or(rest);
        Some(if column.contains('"') { column.replace("\"\"", "\"").into() } else { Cow::Borrowed(column) })
    }
}

#[cfg(test)]
const SAMPLES: &[Sample] = &[
    [
        "PostgreSQL",
        "2026-10-22 23:59:01.123 CEST [4711] ERROR:  relation \"orders\" does not exist at character 15",
        "2026-10-22T21:59:01.123Z",
        "error",
        "",
        "postgres",
        "relation \"orders\" does not exist at character 15",
    ],
    [
        "PostgreSQL",
        "2026-10-22 21:59:01.123 UTC [7] LOG:  checkpoint starting: time",
        "2026-10-22T21:59:01.123Z",
        "info",
        "",
        "postgres",
        "checkpoint starting: time",
    ],
    [
        "PostgreSQL",
        "2026-10-22 21:59:01.123 UTC [7] DETAIL:  Key (id)=(7) already exists.",
        "2026-10-22T21:59:01.123Z",
        "info",
        "",
        "postgres",
        "DETAIL:  Key (id)=(7) already exists.",
    ],
    [
        "PostgreSQL",
        "2026-10-22 21:59:01 GMT:192.0.2.7(4711):ann@shop:[77]:FATAL:  password authentication failed",
        "2026-10-22T21:59:01Z",
        "fatal",
        "",
        "postgres",
        "password authentication failed",
    ],
    [
        "PostgreSQL csvlog",
        "2026-10-22 21:59:01.123 UTC,\"ann\",\"shop\",4711,\"192.0.2.7:5000\",6538.1,3,\"SELECT\",2026-10-22 21:00:00 UTC,3/7,0,ERROR,42P01,\"relation \"\"orders\"\" does not exist\",,,",
        "2026-10-22T21:59:01.123Z",
        "error",
        "",
        "postgres",
        "relation \"orders\" does not exist",
    ],
];
