//! The names by which loggers say when, how bad, what, which program and which machine.
//!
//! Names are compared folded: in lower case, and without `_` and `-` between words, so that `LogLevel`, `log_level` and
//! `LOG-LEVEL` are one name. Underscores at the start stay: they tell journald's and GELF's own names from others.

use std::{collections::HashMap, sync::LazyLock};

/// What an event has a place of its own for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    Timestamp,
    Level,
    Message,
    Source,
    Host,
}

/// A name's member, its rank among the member's names (0 the best), and how it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) member: Member,
    pub(crate) rank: u8,
    /// One of the product's own names: a value that cannot be used is marked.
    pub(crate) is_own: bool,
    /// The value also stays where the record has it.
    pub(crate) is_lent: bool,
}

/// Names of a member in the order in which they count, how many of them are the product's own, and from which on the
/// value is only lent.
struct Names {
    member: Member,
    own: usize,
    lent_from: usize,
    names: &'static [&'static str],
}

const MEMBERS: &[Names] = &[
    Names {
        member: Member::Timestamp,
        own: 4,
        lent_from: usize::MAX,
        names: &[
            "@timestamp",
            "timestamp",
            "time",
            "ts",
            "@t",
            "timeunixnano",
            "datetime",
            "eventtime",
            "eventtimestamp",
            "asctime",
            "timemillis",
            "timestampms",
            "timestampmillis",
            "timestampus",
            "timestampns",
            "timestampnanos",
            "timenanos",
            "timems",
            "epochms",
            "epochmillis",
            "instant",
            "_sourcerealtimetimestamp",
            "__realtimetimestamp",
            "timeiso8601",
            "timelocal",
            "isotimestamp",
            "logtime",
            "logtimestamp",
            "logdate",
            "requestreceivedtimestamp",
            "stagetimestamp",
            "startutc",
            "startlocal",
            "starttime",
            "timecreated",
            "event.system.timecreated.systemtime",
            "event.system.timecreated.#attributes.systemtime",
            "event.system.timecreated.@systemtime",
            "system.timecreated.systemtime",
            "timegenerated",
            "utctime",
            "record.time.timestamp",
            "record.time.repr",
            "dt",
            "msec",
            "unixtime",
            "epoch",
            "created",
            "createdat",
            "date",
            "t",
            "_time",
            "publishtime",
            "observedtimestamp",
            "observedtimeunixnano",
            "receivetimestamp",
        ],
    },
    Names {
        member: Member::Level,
        own: 6,
        lent_from: usize::MAX,
        names: &[
            "log.level",
            "level",
            "severity",
            "lvl",
            "levelname",
            "loglevel",
            "severitytext",
            "@l",
            "@level",
            "errorseverity",
            "severitylabel",
            "severityname",
            "level.name",
            "record.level.name",
            "leveldisplayname",
            "leveltext",
            "logseverity",
            "log.severity",
            "syslog.severity",
            "syslogseverity",
            "severitynumber",
            "levelno",
            "levelvalue",
            "levelnum",
            "priority",
            "sev",
            "event.system.level",
            "system.level",
            "s",
        ],
    },
    Names {
        member: Member::Message,
        own: 5,
        lent_from: usize::MAX,
        names: &[
            "message",
            "msg",
            "log",
            "body",
            "text",
            "@m",
            "@message",
            "renderedmessage",
            "shortmessage",
            "textpayload",
            "jsonpayload.message",
            "jsonpayload.msg",
            "fields.message",
            "record.message",
            "_msg",
            "logmessage",
            "log.message",
            "eventmessage",
            "messagetext",
            "body.stringvalue",
            "event.renderinginfo.message",
            "renderinginfo.message",
            "event",
            "line",
            "fullmessage",
            "messagetemplate",
            "@mt",
            "jsonpayload.messagetemplate",
            "protopayload.status.message",
        ],
    },
    Names {
        member: Member::Source,
        own: 3,
        lent_from: 11,
        names: &[
            "service.name",
            "source",
            "service",
            "servicename",
            "appname",
            "app",
            "application",
            "applicationname",
            "programname",
            "program",
            "syslogidentifier",
            "ident",
            "job",
            "kubernetes.containername",
            "kubernetes.container.name",
            "k8s.container.name",
            "containername",
            "resource.labels.containername",
            "_systemdunit",
            "_comm",
            "providername",
            "sourcename",
            "event.system.provider.name",
            "event.system.provider.#attributes.name",
            "event.system.provider.@name",
            "system.provider.name",
            "channel",
            "logstream",
            "name",
        ],
    },
    Names {
        member: Member::Host,
        own: 3,
        lent_from: 8,
        names: &[
            "host.name",
            "host",
            "hostname",
            "_hostname",
            "computername",
            "computer",
            "machinename",
            "nodename",
            "host.hostname",
            "event.system.computer",
            "system.computer",
            "winlog.computername",
            "kubernetes.host",
            "kubernetes.nodename",
            "kubernetes.node.name",
            "k8s.node.name",
            "agent.hostname",
            "beat.hostname",
            "syslog.hostname",
            "logsource",
            "fqdn",
            "devname",
            "resource.labels.nodename",
            "resource.labels.instanceid",
        ],
    },
];

/// Names of access records and of sensors, and the ECS field that holds their value when it fits there.
const SYNONYMS: &[(&str, &[&str])] = &[
    (
        "source.ip",
        &[
            "remoteaddr",
            "remoteip",
            "clientip",
            "clienthost",
            "clientaddr",
            "clientaddress",
            "srcip",
            "sourceip",
            "sourceipaddress",
            "request.remoteip",
            "request.clientip",
            "downstreamremoteaddress",
            "httprequest.remoteip",
            "remotehost",
            "remoteaddress",
            "req.remoteaddress",
            "request.ip",
            "visitorip",
        ],
    ),
    ("source.port", &["srcport", "sourceport", "remoteport", "request.remoteport", "clientport"]),
    ("destination.ip", &["destip", "dstip", "destinationip", "destinationipaddress"]),
    ("destination.port", &["destport", "dstport", "destinationport"]),
    (
        METHOD,
        &[
            "requestmethod",
            "httpmethod",
            "method",
            "verb",
            "request.method",
            "req.method",
            "httprequest.requestmethod",
        ],
    ),
    (
        STATUS,
        &[
            "status",
            "statuscode",
            "responsecode",
            "httpstatus",
            "httpstatuscode",
            "downstreamstatus",
            "responsestatus",
            "res.statuscode",
            "httprequest.status",
        ],
    ),
    (
        URL,
        &[
            "uri",
            "requesturi",
            "requestpath",
            "url",
            "path",
            "request.uri",
            "xenvoyoriginalpath",
            "httprequest.requesturl",
            "req.url",
            "request.url",
            "httppath",
        ],
    ),
    ("user_agent.original", &["httpuseragent", "useragent", "requestuseragent", "httprequest.useragent"]),
    ("http.request.referrer", &["httpreferer", "httpreferrer", "referer", "httprequest.referer"]),
    ("process.pid", &["_pid", "procid"]),
];

/// What a name stands for; no name stands for two things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) member: Option<Named>,
    /// The ECS field that a name of another schema stands for.
    pub(crate) ecs: Option<&'static str>,
}

static MEANINGS: LazyLock<HashMap<&'static str, Meaning, foldhash::fast::FixedState>> = LazyLock::new(|| {
    let members = MEMBERS.iter().flat_map(|list| {
        (0..list.names.len())
            .map(|rank| (list.names[rank], Meaning { member: Some(list.at(rank)), ecs: None }))
    });
    let synonyms = SYNONYMS
        .iter()
        .flat_map(|(ecs, names)| names.iter().map(|name| (*name, Meaning { member: None, ecs: Some(*ecs) })));
    members.chain(synonyms).collect()
});

impl Names {
    const fn at(&self, rank: usize) -> Named {
        Named {
            member: self.member,
            rank: rank as u8,
            is_own: rank < self.own,
            is_lent: rank >= self.lent_from,
        }
    }
}

/// The longest name of the tables is shorter.
const NAME_BYTES_MAX: usize = 64;

/// The names that nearly every record has.
fn common(path: &str) -> Option<Named> {
    Some(match path {
        "message" => const { in_table("message") },
        "level" => const { in_table("level") },
        "timestamp" => const { in_table("timestamp") },
        "source" => const { in_table("source") },
        "host" => const { in_table("host") },
        "msg" => const { in_table("msg") },
        "time" => const { in_table("time") },
        "@timestamp" => const { in_table("@timestamp") },
        _ => return None,
    })
}

/// The member of a name of the table, when this is compiled.
const fn in_table(name: &str) -> Named {
    let mut list = 0;
    while list < MEMBERS.len() {
        let names = &MEMBERS[list];
        let mut rank = 0;
        while rank < names.names.len() {
            if is_same(names.names[rank].as_bytes(), name.as_bytes()) {
                return names.at(rank);
            }
            rank += 1;
        }
        list += 1;
    }
    panic!("the table has no such name")
}

const fn is_same(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// What a dotted path stands for.
pub(crate) fn meaning(path: &str) -> Meaning {
    if let Some(named) = common(path) {
        return Meaning { member: Some(named), ecs: None };
    }
    let meaning = folded(path, |name| match name.strip_suffix(".$date") {
        // A time alone is ever written as an object with a date.
        Some(dated) => MEANINGS.get(dated).copied().filter(|meaning| meaning.member.is_some()),
        None => MEANINGS.get(name).copied(),
    });
    meaning.unwrap_or_default()
}

/// The event's member for a dotted path.
pub(crate) fn member(path: &str) -> Option<Named> {
    meaning(path).member
}

/// HTTP: what tells a record of a request from any other that has a `path` or a `status`.
pub(crate) const STATUS: &str = "http.response.status_code";
pub(crate) const METHOD: &str = "http.request.method";
pub(crate) const URL: &str = "url.original";

/// What a look-up gives for the folded name.
pub(crate) fn folded<T>(path: &str, look_up: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let bytes = path.as_bytes();
    if bytes.len() > NAME_BYTES_MAX {
        return None;
    }
    if !bytes.iter().any(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-')) {
        return look_up(path);
    }
    let (mut name, mut length) = ([0; NAME_BYTES_MAX], 0);
    let mut in_word = false;
    for byte in bytes {
        let is_joint = matches!(byte, b'_' | b'-');
        in_word = (in_word || !is_joint) && *byte != b'.';
        if !(is_joint && in_word) {
            name[length] = byte.to_ascii_lowercase();
            length += 1;
        }
    }
    look_up(std::str::from_utf8(&name[..length]).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_spelled() {
        for (path, expected) in [
            ("@timestamp", Some((Member::Timestamp, true))),
            ("@Timestamp", Some((Member::Timestamp, true))),
            ("time_iso8601", Some((Member::Timestamp, false))),
            ("t.$date", Some((Member::Timestamp, false))),
            ("LogLevel", Some((Member::Level, true))),
            ("log-level", Some((Member::Level, true))),
            ("Log.Level", Some((Member::Level, true))),
            ("__REALTIME_TIMESTAMP", Some((Member::Timestamp, false))),
            ("_HOSTNAME", Some((Member::Host, false))),
            ("_host", None),
            ("RenderedMessage", Some((Member::Message, false))),
            ("size", None),
        ] {
            assert_eq!(member(path).map(|named| (named.member, named.is_own)), expected, "{path}");
        }
        for (path, expected) in [
            ("ClientAddr", Some("source.ip")),
            ("client", None),
            ("client_ip.$date", None),
            ("message", None),
        ] {
            assert_eq!(meaning(path).ecs, expected, "{path}");
        }
    }

    #[test]
    fn no_name_stands_for_two_things() {
        let mut names: Vec<_> = MEMBERS.iter().flat_map(|list| list.names).collect();
        names.extend(SYNONYMS.iter().flat_map(|(_, names)| *names));
        let known = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), known);
        for name in names {
            assert!(
                name.len() <= NAME_BYTES_MAX && folded(name, |folded| Some(folded == *name)) == Some(true),
                "{name}"
            );
        }
    }
}
