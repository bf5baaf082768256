//! The fields of the Elastic Common Schema that logs meet, with their types (ECS 8.17 field reference).
//!
//! What is not in this table goes under `labels.`; what is here and has a value of another type
//! does too. The Elasticsearch mapping is checked against it.

use std::{collections::HashMap, net::IpAddr, sync::LazyLock};

use event::{Timestamp, Value};

/// The type of a field, as far as values must fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text matched as a whole (`keyword`, `constant_keyword`, `wildcard`).
    Keyword,
    /// Text searched by words (`text`, `match_only_text`).
    Text,
    /// A whole number of 64 bits with a sign.
    Long,
    /// A number.
    Float,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A point in time.
    Date,
    /// True or false.
    Boolean,
}

const KEYWORD: &str = "
    tags
    agent.build.original agent.ephemeral_id agent.id agent.name agent.type agent.version
    cloud.account.id cloud.account.name cloud.availability_zone cloud.instance.id cloud.instance.name
    cloud.machine.type cloud.project.id cloud.project.name cloud.provider cloud.region cloud.service.name
    container.id container.image.hash.all container.image.name container.image.tag container.name
    container.runtime
    data_stream.dataset data_stream.namespace data_stream.type
    dns.header_flags dns.id dns.op_code dns.question.class dns.question.name
    dns.question.registered_domain dns.question.subdomain dns.question.top_level_domain
    dns.question.type dns.response_code dns.type dns.answers.class dns.answers.data dns.answers.name
    dns.answers.type
    ecs.version
    error.code error.id error.stack_trace error.type
    event.action event.agent_id_status event.category event.code event.dataset event.hash event.id
    event.kind event.module event.original event.outcome event.provider event.reason event.reference
    event.timezone event.type event.url
    faas.execution faas.id faas.name faas.trigger.request_id faas.trigger.type faas.version
    file.attributes file.device file.directory file.drive_letter file.extension file.fork_name file.gid
    file.group file.hash.md5 file.hash.sha1 file.hash.sha256 file.hash.sha384 file.hash.sha512
    file.hash.ssdeep file.hash.tlsh file.inode file.mime_type file.mode file.name file.owner file.path
    file.target_path file.type file.uid
    group.domain group.id group.name
    host.architecture host.boot.id host.domain host.hostname host.id host.mac host.name host.type
    host.pid_ns_ino host.os.family host.os.full host.os.kernel host.os.name host.os.platform
    host.os.type host.os.version host.geo.city_name host.geo.country_iso_code host.geo.name
    http.request.id http.request.method http.request.mime_type http.request.referrer
    http.request.body.content http.response.body.content http.response.mime_type http.version
    log.file.path log.flags log.level log.logger log.origin.file.name log.origin.function
    log.syslog.appname log.syslog.facility.name log.syslog.hostname log.syslog.msgid log.syslog.procid
    log.syslog.severity.name log.syslog.version
    network.application network.community_id network.direction network.iana_number network.name
    network.protocol network.transport network.type network.vlan.id network.vlan.name
    observer.egress.interface.name observer.egress.zone observer.hostname
    observer.ingress.interface.name observer.ingress.zone observer.mac observer.name observer.product
    observer.serial_number observer.type observer.vendor observer.version observer.os.family
    observer.os.full observer.os.kernel observer.os.name observer.os.platform observer.os.type
    observer.os.version
    orchestrator.api_version orchestrator.cluster.id orchestrator.cluster.name orchestrator.cluster.url
    orchestrator.cluster.version orchestrator.namespace orchestrator.organization
    orchestrator.resource.id orchestrator.resource.name orchestrator.resource.parent.type
    orchestrator.resource.type orchestrator.type
    organization.id organization.name
    package.architecture package.checksum package.description package.license package.name
    package.path package.reference package.type package.version
    process.args process.command_line process.entity_id process.env_vars process.executable
    process.hash.md5 process.hash.sha1 process.hash.sha256 process.name process.parent.args
    process.parent.command_line process.parent.entity_id process.parent.executable
    process.parent.name process.parent.title process.parent.user.id process.parent.user.name
    process.thread.name process.title process.user.id process.user.name process.group.id
    process.group.name process.real_user.id process.real_user.name process.saved_user.id
    process.saved_user.name process.working_directory
    registry.data.type registry.data.strings registry.hive registry.key registry.path registry.value
    related.hash related.hosts related.user
    rule.author rule.category rule.description rule.id rule.license rule.name rule.reference
    rule.ruleset rule.uuid rule.version
    service.address service.environment service.ephemeral_id service.id service.name
    service.node.name service.node.role service.node.roles service.state service.type service.version
    span.id trace.id transaction.id
    threat.framework threat.group.id threat.group.name threat.indicator.type threat.indicator.provider
    threat.indicator.confidence threat.software.id threat.software.name threat.tactic.id
    threat.tactic.name threat.tactic.reference threat.technique.id threat.technique.name
    threat.technique.reference threat.technique.subtechnique.id threat.technique.subtechnique.name
    threat.technique.subtechnique.reference
    tls.cipher tls.client.hash.sha256 tls.client.issuer tls.client.ja3 tls.client.server_name
    tls.client.subject tls.client.supported_ciphers tls.curve tls.next_protocol tls.server.hash.sha256
    tls.server.issuer tls.server.ja3s tls.server.subject tls.version tls.version_protocol
    url.domain url.extension url.fragment url.full url.original url.password url.path url.query
    url.registered_domain url.scheme url.subdomain url.top_level_domain url.username
    user.domain user.email user.full_name user.group.domain user.group.id user.group.name user.hash
    user.id user.name user.roles user.changes.id user.changes.name user.effective.domain
    user.effective.id user.effective.name user.target.domain user.target.email user.target.group.id
    user.target.group.name user.target.id user.target.name
    user_agent.device.name user_agent.name user_agent.original user_agent.os.family
    user_agent.os.full user_agent.os.kernel user_agent.os.name user_agent.os.platform
    user_agent.os.type user_agent.os.version user_agent.version
    vulnerability.category vulnerability.id vulnerability.reference vulnerability.severity
";

const TEXT: &str = "message error.message";

const LONG: &str = "
    dns.answers.ttl event.sequence event.severity event.duration file.size
    host.disk.read.bytes host.disk.write.bytes host.network.egress.bytes host.network.egress.packets
    host.network.ingress.bytes host.network.ingress.packets host.uptime
    http.request.body.bytes http.request.bytes http.response.body.bytes http.response.bytes
    http.response.status_code
    log.origin.file.line log.syslog.facility.code log.syslog.priority log.syslog.severity.code
    network.bytes network.packets package.size
    process.args_count process.exit_code process.parent.pid process.parent.pgid
    process.parent.thread.id process.pgid process.pid process.thread.id process.uptime
    process.session_leader.pid process.parent.exit_code url.port
";

const FLOAT: &str = "
    event.risk_score event.risk_score_norm host.cpu.usage host.risk.calculated_score
    user.risk.calculated_score vulnerability.score.base
";

const IP: &str = "dns.resolved_ip host.ip observer.ip related.ip threat.indicator.ip";

const DATE: &str = "
    @timestamp event.created event.end event.ingested event.start file.accessed file.created file.ctime
    file.mtime package.installed process.end process.start process.parent.start tls.client.not_after
    tls.client.not_before tls.server.not_after tls.server.not_before
";

const BOOLEAN: &str = "
    container.security_context.privileged faas.coldstart process.interactive tls.established tls.resumed
";

/// The fields that each end of a connection has: `client`, `destination`, `server`, `source`.
const END_KEYWORD: &str = "
    address as.organization.name domain geo.city_name geo.continent_code geo.continent_name
    geo.country_iso_code geo.country_name geo.name geo.postal_code geo.region_iso_code geo.region_name
    geo.timezone mac registered_domain subdomain top_level_domain user.domain user.email
    user.full_name user.group.id user.group.name user.id user.name
";
const END_LONG: &str = "as.number bytes nat.port packets port";
const END_IP: &str = "ip nat.ip";
const ENDS: [&str; 4] = ["client", "destination", "server", "source"];

type Table = HashMap<String, Kind, foldhash::fast::FixedState>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let lists = [
        (KEYWORD, Kind::Keyword),
        (TEXT, Kind::Text),
        (LONG, Kind::Long),
        (FLOAT, Kind::Float),
        (IP, Kind::Ip),
        (DATE, Kind::Date),
        (BOOLEAN, Kind::Boolean),
    ];
    for (list, kind) in lists {
        table.extend(list.split_ascii_whitespace().map(|path| (path.to_owned(), kind)));
    }
    for end in ENDS {
        for (list, kind) in [(END_KEYWORD, Kind::Keyword), (END_LONG, Kind::Long), (END_IP, Kind::Ip)] {
            table.extend(list.split_ascii_whitespace().map(|path| (format!("{end}.{path}"), kind)));
        }
    }
    table
});

/// The type of the field at a dotted path; None for what ECS (or this table) does not know.
pub fn kind(path: &str) -> Option<Kind> {
    TABLE.get(path).copied()
}

/// Every known field with its type, in no particular order.
pub fn fields() -> impl Iterator<Item = (&'static str, Kind)> {
    TABLE.iter().map(|(path, kind)| (path.as_str(), *kind))
}

/// The value in the field's type, when it fits without loss; else the value back.
pub(crate) fn fit<'a>(kind: Kind, value: Value<'a>) -> Result<Value<'a>, Value<'a>> {
    let fits = match (kind, value) {
        (_, Value::Null) => Value::Null,
        (_, Value::Json(text)) => return fit_json(kind, text),
        (Kind::Keyword | Kind::Text, Value::Bool(value)) => value.to_string().into(),
        (Kind::Keyword | Kind::Text, Value::Int(value)) => value.to_string().into(),
        (Kind::Keyword | Kind::Text, Value::Float(value)) => value.to_string().into(),
        (Kind::Keyword | Kind::Text, value @ Value::String(_)) => value,
        (Kind::Long, value @ Value::Int(_)) => value,
        (Kind::Long, Value::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Value::Int(value as i64)
        }
        (Kind::Float, value @ Value::Float(_)) => value,
        (Kind::Float, Value::Int(value)) if value.unsigned_abs() < 1 << 53 => Value::Float(value as f64),
        (Kind::Boolean, value @ Value::Bool(_)) => value,
        (Kind::Date, Value::Int(value)) => match Timestamp::from_integer(value) {
            Some(timestamp) => timestamp.to_string().into(),
            None => return Err(Value::Int(value)),
        },
        (Kind::Long | Kind::Float | Kind::Boolean | Kind::Ip | Kind::Date, Value::String(text)) => {
            match fit_text(kind, &text) {
                Some(Some(converted)) => converted,
                Some(None) => Value::String(text),
                None => return Err(Value::String(text)),
            }
        }
        (_, value) => return Err(value),
    };
    Ok(fits)
}

/// None: does not fit. Some(None): fits as it is. Some(Some): fits when converted.
fn fit_text(kind: Kind, text: &str) -> Option<Option<Value<'static>>> {
    match kind {
        Kind::Long => {
            let int = text.parse::<i64>().ok()?;
            (int.to_string() == text).then_some(Some(Value::Int(int)))
        }
        Kind::Float => {
            let float = text.parse::<f64>().ok().filter(|float| float.is_finite())?;
            (float.to_string() == text).then_some(Some(Value::Float(float)))
        }
        Kind::Boolean => match text {
            "true" => Some(Some(Value::Bool(true))),
            "false" => Some(Some(Value::Bool(false))),
            _ => None,
        },
        Kind::Ip => text.parse::<IpAddr>().is_ok().then_some(None),
        Kind::Date => {
            let timestamp = Timestamp::parse(text).ok()?;
            // A blank between date and time is read here, but not by every index.
            let strict = text.as_bytes().get(10) == Some(&b'T');
            Some((!strict).then(|| timestamp.to_string().into()))
        }
        Kind::Keyword | Kind::Text => Some(None),
    }
}

/// A list fits when each of its elements is a scalar that fits as it is; a number too large for the
/// other types fits as text only.
fn fit_json<'a>(kind: Kind, text: std::borrow::Cow<'a, str>) -> Result<Value<'a>, Value<'a>> {
    use serde_json::Value as Json;
    let scalar = |element: &Json| match (kind, element) {
        (_, Json::Null) | (Kind::Boolean, Json::Bool(_)) => true,
        (Kind::Keyword | Kind::Text, Json::String(_) | Json::Number(_) | Json::Bool(_)) => true,
        (Kind::Long, Json::Number(number)) => number.is_i64(),
        (Kind::Float, Json::Number(_)) => true,
        (Kind::Ip | Kind::Date, Json::String(text)) => matches!(fit_text(kind, text), Some(None)),
        _ => false,
    };
    match serde_json::from_str(&text) {
        Ok(Json::Array(elements)) if elements.iter().all(scalar) => Ok(Value::Json(text)),
        Ok(Json::Number(_)) if matches!(kind, Kind::Keyword | Kind::Text) => Ok(Value::String(text)),
        _ => Err(Value::Json(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_ecs() {
        for (path, expected) in [
            ("source.ip", Some(Kind::Ip)),
            ("source.port", Some(Kind::Long)),
            ("client.user.name", Some(Kind::Keyword)),
            ("http.response.status_code", Some(Kind::Long)),
            ("user.effective.name", Some(Kind::Keyword)),
            ("error.message", Some(Kind::Text)),
            ("event.start", Some(Kind::Date)),
            ("source", None),
            ("labels.x", None),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
        assert!(fields().count() > 400);
    }

    #[test]
    fn no_leaf_is_also_an_object() {
        for (path, _) in fields() {
            for (dot, _) in path.match_indices('.') {
                assert_eq!(kind(&path[..dot]), None, "{path}");
            }
        }
    }

    #[test]
    fn values_fit_or_come_back() {
        let list = |text: &'static str| Value::Json(text.into());
        for (kind, value, expected) in [
            (Kind::Long, Value::from("443"), Ok(Value::Int(443))),
            (Kind::Long, Value::from("0443"), Err(Value::from("0443"))),
            (Kind::Long, Value::Float(4.0), Ok(Value::Int(4))),
            (Kind::Long, Value::Float(4.5), Err(Value::Float(4.5))),
            (Kind::Long, Value::Bool(true), Err(Value::Bool(true))),
            (Kind::Keyword, Value::Int(7), Ok(Value::from("7"))),
            (Kind::Ip, Value::from("192.0.2.7"), Ok(Value::from("192.0.2.7"))),
            (Kind::Ip, Value::from("example.org"), Err(Value::from("example.org"))),
            (Kind::Ip, Value::Int(1), Err(Value::Int(1))),
            (Kind::Date, Value::from("2024-06-01 12:00:00Z"), Ok(Value::from("2024-06-01T12:00:00Z"))),
            (Kind::Date, Value::from("soon"), Err(Value::from("soon"))),
            (Kind::Boolean, Value::from("true"), Ok(Value::Bool(true))),
            (Kind::Keyword, list("[\"a\",\"b\"]"), Ok(list("[\"a\",\"b\"]"))),
            (Kind::Keyword, list("[{\"a\":1}]"), Err(list("[{\"a\":1}]"))),
            (Kind::Long, list("[1,\"2\"]"), Err(list("[1,\"2\"]"))),
        ] {
            assert_eq!(fit(kind, value.clone()), expected, "{kind:?} {value:?}");
        }
    }
}
