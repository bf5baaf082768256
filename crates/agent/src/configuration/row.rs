//! What there is to configure.

use sample::LABELS_MAX;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wants {
    /// true or false.
    Flag,
    /// A number between two, both included.
    Number(f64, f64),
    /// Text that is not empty.
    Text,
    /// Text that is never shown.
    Secret,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    List,
    /// Labels: texts by name.
    Labels,
    /// An address that begins with `http://` or `https://`.
    Address,
    /// A number of bytes, also as text such as `64MiB`.
    Bytes,
    /// Seconds, also as text such as `7d`.
    Seconds(f64, f64),
}

impl Wants {
    /// In words, behind "must be".
    pub(crate) fn words(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Number(min, max) => format!("a number from {min} to {max}"),
            Self::Text | Self::Secret => "a text".to_owned(),
            Self::Word(words) => words.join(" or "),
            Self::Labels => format!(
                "at most {LABELS_MAX} names and values such as {{ role: web, env: prod }}: names of A-Z a-z 0-9 _ - . /, \
                 values without commas, each of at most 63 bytes"
            ),
            Self::List => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
            Self::Address => "an address such as http://localhost:8080, without a password in it".to_owned(),
            Self::Bytes => "a number of bytes of at least 1MiB, such as 64MiB".to_owned(),
            Self::Seconds(min, max) => {
                format!("seconds from {min} to {max}, or a time such as 30s, 12h or 7d")
            }
        }
    }
}

/// A value that can be configured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Its path in the document.
    pub path: &'static str,
    /// What it may be.
    pub wants: Wants,
    /// As YAML; empty: unset.
    pub default: &'static str,
    /// What it is, for people.
    pub help: &'static str,
}

const fn row(path: &'static str, wants: Wants, default: &'static str, help: &'static str) -> Row {
    Row { path, wants, default, help }
}

const PERCENT: Wants = Wants::Number(0.0, 100.0);
const COUNT: Wants = Wants::Number(1.0, 1e9);

const LEARNED: &str =
    "whether the limit is what is usual at this hour of the week, once three weeks say what that is";

/// All of them.
pub const ROWS: &[Row] = &[
    row("agent.name", Wants::Text, "", "what this host is called; unset: its host name"),
    row("agent.interval", Wants::Seconds(1.0, 3600.0), "10", "from one sample to the next"),
    row(
        "agent.expected",
        Wants::Word(&["always", "sometimes"]),
        "always",
        "whether silence means that something is wrong",
    ),
    row("agent.labels", Wants::Labels, "", "what groups of hosts are told by, such as { role: web }"),
    row(
        "agent.top",
        Wants::Number(0.0, 20.0),
        "5",
        "how many processes of each kind: most time, memory, disk",
    ),
    row("server.url", Wants::Address, "", "the collector, or its /data"),
    row("server.api_key", Wants::Secret, "", "its key, whose scope is ingest"),
    row("server.ca_file", Wants::Text, "", "PEM of authorities that are trusted as well"),
    row("server.certificate_file", Wants::Text, "", "PEM of this agent's certificate"),
    row("server.key_file", Wants::Text, "", "PEM of that certificate's key"),
    row("monitoring.cpu.enabled", Wants::Flag, "true", "processors, load, pressure"),
    row("monitoring.cpu.threshold", PERCENT, "80", "percent"),
    row("monitoring.cpu.learned", Wants::Flag, "", LEARNED),
    row("monitoring.ram.enabled", Wants::Flag, "true", "memory and swap"),
    row("monitoring.ram.threshold", PERCENT, "85", "percent"),
    row("monitoring.ram.learned", Wants::Flag, "", LEARNED),
    row("monitoring.disk.enabled", Wants::Flag, "true", "file systems and devices"),
    row("monitoring.disk.paths", Wants::List, "", "paths; unset: all real file systems"),
    row("monitoring.disk.threshold", PERCENT, "90", "percent"),
    row("monitoring.network.enabled", Wants::Flag, "true", "interfaces and connections"),
    row("monitoring.network.interfaces", Wants::List, "", "names; unset: all that lead out of this machine"),
    row("monitoring.network.threshold.in", COUNT, "100000", "KB/s"),
    row("monitoring.network.threshold.out", COUNT, "100000", "KB/s"),
    row("monitoring.network.learned", Wants::Flag, "", LEARNED),
    row("monitoring.services.enabled", Wants::Flag, "true", "services"),
    row("monitoring.services.list", Wants::List, "", "names; unset: units of systemd that have failed"),
    row("monitoring.ssh.enabled", Wants::Flag, "true", "failed sign-ins over SSH"),
    row(
        "monitoring.ssh.log_path",
        Wants::Text,
        "",
        "the log they stand in; unset: /var/log/auth.log, /var/log/secure or the journal",
    ),
    row("monitoring.ssh.threshold", COUNT, "5", "failures by one address"),
    row("monitoring.processes.enabled", Wants::Flag, "true", "processes: which run, and what changes"),
    row(
        "monitoring.processes.socket",
        Wants::Text,
        "/run/log-sentinel/procmond.sock",
        "where procmond is asked; where it is not there, the agent looks for itself",
    ),
    row("logs.enabled", Wants::Flag, "true", "whether logs are sent to the collector"),
    row(
        "logs.url",
        Wants::Address,
        "",
        "the collector for logs; unset: that of the samples (8080 where that is port 8000)",
    ),
    row(
        "logs.changes",
        Wants::Flag,
        "true",
        "changes of accounts, keys, schedules and of what starts by itself are sent as logs",
    ),
    row("logs.files", Wants::List, "", "paths and globs; unset: the logs of this machine"),
    row(
        "buffer.bytes_max",
        Wants::Bytes,
        "64MiB",
        "room for samples while the collector is away; as much again for logs",
    ),
    row("buffer.age_max", Wants::Seconds(60.0, 31_536_000.0), "7d", "older samples are given up"),
    row(
        "buffer.backfill_per_second",
        Wants::Number(1.0, 1000.0),
        "60",
        "samples a second of those that waited",
    ),
];
