//! The tables that can be asked.

use sql::{Column, Kind, Table};

const fn text(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Text, what }
}

const fn integer(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Integer, what }
}

const fn real(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Real, what }
}

/// Events.
pub(crate) const LOGS: Table = Table {
    name: "logs",
    what: "an event, the newest first",
    columns: &[
        text("timestamp", "when it happened"),
        text("id", "its id"),
        text("level", "trace, debug, info, warn, error or fatal"),
        text("host", "the machine it was logged on"),
        text("service", "the program or service that logged it"),
        text("message", "the text"),
        text("template_id", "the id of its template"),
        text("template", "the text of its template"),
        real("score", "how strange it is, 0 to 1"),
        integer("is_anomaly", "1 where the score is past the threshold of the model"),
        text("source_ip", "the address from which something was done"),
        text("user", "who did it, or to whom it was done"),
        text("organization", "whose event it is"),
        text("fields", "the whole event as JSON, for json_extract(fields, '$.http.response.status_code')"),
    ],
};

/// Agents and what they measured last.
pub(crate) const HOSTS: Table = Table {
    name: "hosts",
    what: "a host that sends samples",
    columns: &[
        text("host", "its name"),
        text("state", "online, silent or never"),
        text("last_seen", "when it was last heard of, by the server's clock"),
        text("first_seen", "when it was first heard of"),
        text("version", "the version of its agent"),
        text("os", "its operating system"),
        real("interval_s", "seconds from one sample to the next"),
        text("expected", "always, or sometimes for what comes and goes"),
        text("labels", "what groups are told by, as JSON, for json_extract(labels, '$.role')"),
        real("cpu_percent", "of all cores, in its newest sample"),
        real("memory_percent", "in use, in its newest sample"),
        real("load_1", "tasks that ran or waited, over one minute"),
        real("uptime_s", "seconds since it started"),
        real("processes", "processes there are"),
        text("metrics", "its newest sample as JSON"),
    ],
};

/// Services as hosts reported them last.
pub(crate) const SERVICES: Table = Table {
    name: "services",
    what: "a service that is watched on a host, as its newest sample has it",
    columns: &[
        text("host", "the host"),
        text("service", "its name"),
        text("state", "running, stopped, failed or unknown"),
        integer("restarts", "times that it was started again since it was loaded"),
        integer("memory_bytes", "in use"),
    ],
};

/// What was measured over time.
pub(crate) const METRICS: Table = Table {
    name: "metrics",
    what: "one metric of one host in a stretch of time; the last hour, unless the question says otherwise",
    columns: &[
        text("timestamp", "the beginning of the stretch"),
        text("host", "the host"),
        text("metric", "its name, such as cpu.percent"),
        real("value", "the mean of all samples"),
        real("min", "the least"),
        real("max", "the greatest"),
        integer("samples", "how many there are"),
        text("unit", "in what it is measured"),
    ],
};

/// Signals.
pub(crate) const SIGNALS: Table = Table {
    name: "signals",
    what: "something that a person can act on, those last seen first",
    columns: &[
        text("id", "its id"),
        text("kind", "what kind of thing it is"),
        text("severity", "info, low, medium, high or critical"),
        real("confidence", "how sure it is, 0 to 1"),
        text("state", "new, ongoing, escalating, acknowledged, resolved or reopened"),
        text("first", "when it began"),
        text("last", "when it was last seen"),
        integer("count", "events that it stands for"),
        text("rule", "the rule that found it"),
        text("host", "the host that it is about"),
        text("source_ip", "the address that it is about"),
        text("user", "the user that it is about"),
        text("service", "the service that it is about"),
        text("techniques", "of MITRE ATT&CK, with commas"),
        text("incident", "the id of the incident that it belongs to"),
        text("organization", "whose it is"),
        integer("hidden", "1 where it is not shown by default"),
        text("facts", "what else is known, as JSON"),
    ],
};

/// What is known of a process, behind the columns of its table.
macro_rules! of_process {
    ($($first:expr),+) => {
        &[
            $($first,)+
            integer("pid", "its number; used again when it has ended"),
            integer("ppid", "number of its parent"),
            text("started_at", "when it was started"),
            text("name", "its short name, which it can choose"),
            text("command", "its arguments, with secrets masked"),
            text("executable", "path of the file that it runs"),
            integer("executable_deleted", "1 where no path leads to that file any more"),
            text("executable_hash", "BLAKE3 of that file"),
            text("user", "as whom it runs"),
            integer("uid", "the number of that user"),
            text("cwd", "its working directory"),
            text("container", "the container that it runs in"),
            integer("tracer_pid", "number of the process that traces it"),
            integer("kernel_thread", "1 where it runs no file"),
            integer("set_uid", "1 where its file carries the set-uid bit of root"),
            real("cpu_seconds", "processor time that it took, when last told"),
            integer("rss_bytes", "memory that it has resident, when last told"),
        ]
    };
}

/// What runs, or ran at a moment.
pub(crate) const PROCESSES: Table = Table {
    name: "processes",
    what: "a process that runs, or ran at the time that it is for the question",
    columns: of_process![
        text("host", "the host"),
        text("since", "since when it was just so"),
        text("until", "until when; nothing where it goes on")
    ],
};

/// Changes of processes.
pub(crate) const PROCESS_EVENTS: Table = Table {
    name: "process_events",
    what: "a process that began, changed or ended; the last day, unless the question says otherwise",
    columns: of_process![text("timestamp", "when"), text("event", "what happened"), text("host", "the host")],
};

/// Ports on which processes listen.
pub(crate) const LISTENING_PORTS: Table = Table {
    name: "listening_ports",
    what: "a port on which a process listens, or did at the time that it is for the question",
    columns: &[
        text("host", "the host"),
        integer("port", "its number"),
        integer("pid", "number of the process"),
        text("process", "its short name"),
        text("executable", "path of the file that it runs"),
        text("user", "as whom it runs"),
    ],
};

/// All of them.
pub const TABLES: &[Table] =
    &[LOGS, SIGNALS, HOSTS, SERVICES, METRICS, PROCESSES, PROCESS_EVENTS, LISTENING_PORTS];
