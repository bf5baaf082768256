//! MySQL and MariaDB, SQL Server, MongoDB before its JSON, Redis.

use event::{Event, Severity};

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, cut, level, time};

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "MySQL or MariaDB",
        begins: Begins::Numbered(b"[CQPESI"),
        read: mysql,
        #[cfg(test)]
        samples: MYSQL,
    },
    Format {
        name: "MySQL or MariaDB",
        begins: Begins::Digits(b"["),
        read: mysql,
        #[cfg(test)]
        samples: &[],
    },
    Format {
        name: "MySQL slow log",
        begins: Begins::With(b"#"),
        read: mysql_slow,
        #[cfg(test)]
        samples: &[],
    },
    Format {
        name: "SQL Server",
        begins: Begins::Stamp(b"sSLB"),
        read: sql_server,
        #[cfg(test)]
        samples: SQL_SERVER,
    },
    Format {
        name: "MongoDB",
        begins: Begins::Stamp(b"TVDINWEFAC"),
        read: mongodb,
        #[cfg(test)]
        samples: MONGODB,
    },
    Format {
        name: "Redis",
        begins: Begins::With(b"0123456789["),
        read: redis,
        #[cfg(test)]
        samples: REDIS,
    },
];

fn of_program<'a>(program: &'static str, message: &'a str, context: &Context<'_>) -> Event<'a> {
    let mut event = Event::new(message, context.received);
    event.source = Some(program.into());
    event.set("process.name", program);
    event
}

/// `8 [Warning] [MY-010055] [Server] text` of the error log, `8 Connect<tab>ann@localhost` of the general log.
fn mysql<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let rest = stamp.rest.strip_prefix([' ', '\t'])?.trim_start();
    let digits = rest.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (thread, rest) = rest.split_at(digits);
    let rest = rest.trim_start_matches(' ');
    let mut event = if let Some((word, message)) =
        rest.strip_prefix('[').and_then(|rest| cut::within(rest, b']', 8))
    {
        let message = message.trim_start();
        // Others write a number and `[ERROR]` too: of MySQL are the codes, its thread 0 and MariaDB's long threads.
        let is_ours = message.starts_with("[MY-") || thread == "0" || thread.len() > 9;
        let is_old = thread.is_empty() && stamp.text.bytes().take(6).all(|byte| byte.is_ascii_digit());
        let severity = match word {
            "System" | "Note" if is_old || !thread.is_empty() => Severity::Info,
            "Warning" if is_old || !thread.is_empty() => Severity::Warn,
            "ERROR" if is_old || is_ours => Severity::Error,
            _ => return None,
        };
        let mut event = of_program("mysqld", message, context);
        event.severity = severity;
        event
    } else {
        const COMMANDS: [&str; 9] =
            ["Connect", "Query", "Quit", "Prepare", "Execute", "Close stmt", "Init DB", "Statistics", "Ping"];
        let is_command = |command: &&str| {
            rest.strip_prefix(command)
                .is_some_and(|after| after.trim_end().is_empty() || after.starts_with('\t'))
        };
        let is_word = rest.as_bytes().get(1).is_some_and(u8::is_ascii_lowercase);
        if !is_word || thread.is_empty() || !COMMANDS.iter().any(is_command) {
            return None;
        }
        of_program("mysqld", rest, context)
    };
    if let Ok(thread) = thread.parse::<i64>() {
        event.set("process.thread.id", thread);
    }
    event.timestamp = stamp.at?;
    Some(event)
}

/// `# Time: 2026-10-22T21:59:01.123456Z`, the first line of an entry of the slow log.
fn mysql_slow<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let written = line.text.strip_prefix("# Time: ")?;
    let mut event = of_program("mysqld", line.text, context);
    event.timestamp = time::parse(written, context)?;
    Some(event)
}

/// `Logon       Login failed for user …`, `spid52s     Starting up database …`: a source padded with blanks.
fn sql_server<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let rest = stamp.rest.strip_prefix(' ')?;
    let (source, message) = rest.split_at_checked(rest.bytes().take(12).position(|byte| byte == b' ')?)?;
    let is_process = source
        .strip_prefix("spid")
        .is_some_and(|id| id.trim_end_matches('s').bytes().all(|byte| byte.is_ascii_digit()));
    if !message.starts_with("  ") || !(is_process || matches!(source, "Server" | "Logon" | "Backup")) {
        return None;
    }
    let message = message.trim_start();
    let mut event = of_program("sqlservr", message, context);
    event.timestamp = stamp.at?;
    event.set("log.logger", source);
    // `Error: 18456, Severity: 14, State: 8.`
    let severity = message.strip_prefix("Error: ").and_then(|rest| rest.split_once("Severity: "));
    event.severity = match severity.and_then(|(_, rest)| rest.split(',').next()?.parse::<u8>().ok()) {
        Some(0..=10) => Severity::Info,
        Some(11..=19) => Severity::Error,
        Some(_) => Severity::Fatal,
        None => level::level_from_message(message).unwrap_or(Severity::Info),
    };
    Some(event)
}

/// `I NETWORK  [conn1] text`, of MongoDB 3 to 4.2.
fn mongodb<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let (letter, rest) = cut::within(stamp.rest.strip_prefix(' ')?, b' ', 3)?;
    let severity = match letter.as_bytes() {
        [letter] | [letter, b'1'..=b'5'] => level::of_letter(*letter)?,
        _ => return None,
    };
    let (component, rest) = rest.split_once(' ')?;
    let (thread, message) = rest.trim_start().strip_prefix('[')?.split_once("] ")?;
    if component.len() < 3 && component != "-"
        || !component.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-')
    {
        return None;
    }
    let mut event = of_program("mongod", message, context);
    event.timestamp = stamp.at?;
    event.severity = severity;
    event.set("log.logger", component);
    event.set("process.thread.name", thread);
    Some(event)
}

/// `7:M 22 Oct 2026 21:59:01.123 * Ready`, `[7] 22 Oct 21:59:01.123 # text` of older ones.
fn redis<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (pid, rest) = match line.text.strip_prefix('[') {
        Some(inner) => inner.split_once("] ")?,
        None => {
            let (pid, rest) = line.text.split_once(':')?;
            let rest = rest.strip_prefix(['M', 'S', 'C', 'X'])?;
            (pid, rest.strip_prefix(' ')?)
        }
    };
    let pid = pid.parse::<i64>().ok()?;
    let stamp = time::stamp(rest, context)?;
    let rest = stamp.rest.strip_prefix(' ')?;
    let severity = match rest.as_bytes().first()? {
        b'.' | b'-' => Severity::Debug,
        b'*' => Severity::Info,
        b'#' => Severity::Warn,
        _ => return None,
    };
    let mut event = of_program("redis-server", rest[1..].trim_start(), context);
    event.timestamp = stamp.at?;
    event.severity = severity;
    event.set("process.pid", pid);
    Some(event)
}

#[cfg(test)]
const MYSQL: &[Sample] = &[
    [
        "MySQL",
        "2026-10-22T21:59:01.123456Z 8 [Warning] [MY-010055] [Server] IP address could not be resolved",
        "2026-10-22T21:59:01.123456Z",
        "warn",
        "",
        "mysqld",
        "[MY-010055] [Server] IP address could not be resolved",
    ],
    [
        "MySQL",
        "2026-10-22T21:59:01.123456Z 0 [System] [MY-010931] [Server] ready for connections",
        "2026-10-22T21:59:01.123456Z",
        "info",
        "",
        "mysqld",
        "[MY-010931] [Server] ready for connections",
    ],
    [
        "MySQL general log",
        "2026-10-22T21:59:01.123456Z\t    8 Connect\tann@localhost on test using Socket",
        "2026-10-22T21:59:01.123456Z",
        "info",
        "",
        "mysqld",
        "Connect\tann@localhost on test using Socket",
    ],
    [
        "MySQL slow log",
        "# Time: 2026-10-22T21:59:01.123456Z",
        "2026-10-22T21:59:01.123456Z",
        "info",
        "",
        "mysqld",
        "# Time: 2026-10-22T21:59:01.123456Z",
    ],
    [
        "MariaDB",
        "2026-10-22  9:59:01 139845235329792 [ERROR] Plugin init failed",
        "2026-10-22T09:59:01Z",
        "error",
        "",
        "mysqld",
        "Plugin init failed",
    ],
    ["MySQL 5.5", "261022  9:59:01 [Note] ready", "2026-10-22T09:59:01Z", "info", "", "mysqld", "ready"],
];

#[cfg(test)]
const SQL_SERVER: &[Sample] = &[
    [
        "SQL Server",
        "2026-10-22 21:59:01.83 Logon       Login failed for user 'sa'. Reason: Password did not match.",
        "2026-10-22T21:59:01.83Z",
        "info",
        "",
        "sqlservr",
        "Login failed for user 'sa'. Reason: Password did not match.",
    ],
    [
        "SQL Server",
        "2026-10-22 21:59:01.83 spid52s     Error: 9002, Severity: 17, State: 2.",
        "2026-10-22T21:59:01.83Z",
        "error",
        "",
        "sqlservr",
        "Error: 9002, Severity: 17, State: 2.",
    ],
];

#[cfg(test)]
const MONGODB: &[Sample] = &[[
    "MongoDB 3",
    "2026-10-22T23:59:01.110+0200 W NETWORK  [conn1] Failed to connect",
    "2026-10-22T21:59:01.11Z",
    "warn",
    "",
    "mongod",
    "Failed to connect",
]];

#[cfg(test)]
const REDIS: &[Sample] = &[
    [
        "Redis",
        "812:M 22 Oct 2026 21:59:01.123 - Accepted 192.0.2.7:35914",
        "2026-10-22T21:59:01.123Z",
        "debug",
        "",
        "redis-server",
        "Accepted 192.0.2.7:35914",
    ],
    [
        "Redis",
        "7:M 22 Oct 2026 21:59:01.123 * Ready to accept connections",
        "2026-10-22T21:59:01.123Z",
        "info",
        "",
        "redis-server",
        "Ready to accept connections",
    ],
    [
        "Redis",
        "812:S 22 Oct 2026 21:59:01.123 # Connection with master lost.",
        "2026-10-22T21:59:01.123Z",
        "warn",
        "",
        "redis-server",
        "Connection with master lost.",
    ],
];
