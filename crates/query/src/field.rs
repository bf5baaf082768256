//! What kind of values a field holds, which decides how a query compares them.

use std::borrow::Cow;

use event::field;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// `message`: searched by tokens.
    Text,
    /// Compared as a whole, exactly.
    Keyword,
    /// A keyword of few known values; case is ignored.
    Enumeration,
    /// Everything below `labels.`: every leaf is a keyword, whatever its type was.
    Label,
    /// Whole numbers.
    Long,
    /// Numbers with fractions.
    Double,
    /// True or false.
    Boolean,
    /// Time stamps.
    Date,
    /// IPv4 and IPv6 addresses.
    Ip,
}

const ENUMERATIONS: &[&str] = &[
    field::LEVEL,
    field::ANOMALY_STATE,
    field::FLAGS,
    "event.category",
    "event.kind",
    "event.outcome",
    "event.type",
    "http.request.method",
    "log.syslog.facility.name",
    "log.syslog.severity.name",
    "network.direction",
    "network.protocol",
    "network.transport",
    "network.type",
];

const DATES: &[&str] = &[
    field::TIMESTAMP,
    field::CREATED,
    "event.end",
    "event.ingested",
    "event.start",
    "file.accessed",
    "file.created",
    "file.ctime",
    "file.mtime",
    "package.installed",
    "process.end",
    "process.parent.start",
    "process.start",
    "tls.client.not_after",
    "tls.client.not_before",
    "tls.server.not_after",
    "tls.server.not_before",
];

const ADDRESSES: &[&str] = &[
    "client.ip",
    "client.nat.ip",
    "destination.ip",
    "destination.nat.ip",
    "dns.resolved_ip",
    "host.ip",
    "network.forwarded_ip",
    "observer.ip",
    "related.ip",
    "server.ip",
    "server.nat.ip",
    "source.ip",
    "source.nat.ip",
    "threat.indicator.ip",
];

const LONGS: &[&str] = &[
    "client.as.number",
    "client.bytes",
    "client.nat.port",
    "client.packets",
    "client.port",
    "destination.as.number",
    "destination.bytes",
    "destination.nat.port",
    "destination.packets",
    "destination.port",
    "dns.answers.ttl",
    "event.duration",
    "event.sequence",
    "event.severity",
    "file.size",
    "host.disk.read.bytes",
    "host.disk.write.bytes",
    "host.network.egress.bytes",
    "host.network.egress.packets",
    "host.network.ingress.bytes",
    "host.network.ingress.packets",
    "host.uptime",
    "http.request.body.bytes",
    "http.request.bytes",
    "http.response.body.bytes",
    "http.response.bytes",
    "http.response.status_code",
    "log.origin.file.line",
    "log.syslog.facility.code",
    "log.syslog.priority",
    "log.syslog.severity.code",
    "network.bytes",
    "network.packets",
    "package.size",
    "process.args_count",
    "process.exit_code",
    "process.parent.exit_code",
    "process.parent.pgid",
    "process.parent.pid",
    "process.parent.thread.id",
    "process.pgid",
    "process.pid",
    "process.session_leader.pid",
    "process.thread.id",
    "process.uptime",
    "server.as.number",
    "server.bytes",
    "server.nat.port",
    "server.packets",
    "server.port",
    "source.as.number",
    "source.bytes",
    "source.nat.port",
    "source.packets",
    "source.port",
    "url.port",
];

const DOUBLES: &[&str] = &[
    field::ANOMALY_SCORE,
    "event.risk_score",
    "event.risk_score_norm",
    "host.cpu.usage",
    "host.risk.calculated_score",
    "user.risk.calculated_score",
    "vulnerability.score.base",
];

const BOOLEANS: &[&str] = &[
    field::ANOMALY_IS_ANOMALY,
    "container.security_context.privileged",
    "faas.coldstart",
    "process.interactive",
    "tls.established",
    "tls.resumed",
];

/// The field sets of the Elastic Common Schema 8, and this product's own.
const FIELD_SETS: &[&str] = &[
    "@timestamp",
    "agent",
    "as",
    "client",
    "cloud",
    "code_signature",
    "container",
    "data_stream",
    "destination",
    "device",
    "dll",
    "dns",
    "ecs",
    "email",
    "error",
    "event",
    "faas",
    "file",
    "geo",
    "group",
    "hash",
    "host",
    "http",
    "interface",
    "labels",
    "log",
    "message",
    "network",
    "observer",
    "orchestrator",
    "organization",
    "os",
    "package",
    "pe",
    "process",
    "registry",
    "related",
    "risk",
    "rule",
    "sentinel",
    "server",
    "service",
    "source",
    "span",
    "tags",
    "threat",
    "tls",
    "trace",
    "transaction",
    "url",
    "user",
    "user_agent",
    "vlan",
    "volume",
    "vulnerability",
    "x509",
];

impl FieldKind {
    /// The kind of the field at a full path; paths not known here hold keywords.
    pub fn of(path: &str) -> Self {
        if path.starts_with(field::LABELS) {
            Self::Label
        } else if path == field::MESSAGE {
            Self::Text
        } else if ENUMERATIONS.contains(&path) {
            Self::Enumeration
        } else if LONGS.contains(&path) {
            Self::Long
        } else if DATES.contains(&path) {
            Self::Date
        } else if ADDRESSES.contains(&path) {
            Self::Ip
        } else if DOUBLES.contains(&path) {
            Self::Double
        } else if BOOLEANS.contains(&path) {
            Self::Boolean
        } else {
            Self::Keyword
        }
    }

    /// The name in an answer about fields, Elasticsearch's name of the type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Keyword | Self::Enumeration | Self::Label => "keyword",
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Ip => "ip",
        }
    }
}

/// The full path of a field as users name it: `level`, `source`, `host` and `timestamp` stand for
/// their ECS fields, and a name outside the field sets of ECS is looked for below `labels.`, where
/// every field ECS does not know is kept.
pub fn resolve(name: &str) -> Cow<'_, str> {
    let full = field::resolve(name);
    let set = full.split('.').next().unwrap_or(full);
    if full != name || FIELD_SETS.contains(&set) {
        Cow::Borrowed(full)
    } else {
        Cow::Owned(format!("{}{full}", field::LABELS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_to_full_paths() {
        for (name, expected) in [
            ("level", "log.level"),
            ("source", "service.name"),
            ("source.ip", "source.ip"),
            ("host", "host.name"),
            ("timestamp", "@timestamp"),
            ("request_id", "labels.request_id"),
            ("labels.request_id", "labels.request_id"),
            ("user.name", "user.name"),
        ] {
            assert_eq!(resolve(name), expected);
        }
    }

    #[test]
    fn every_typed_field_is_in_a_field_set() {
        for path in [ENUMERATIONS, DATES, ADDRESSES, LONGS, DOUBLES, BOOLEANS].concat() {
            assert_eq!(resolve(path), path);
        }
    }
}
