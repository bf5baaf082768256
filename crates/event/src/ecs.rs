//! The fields that events have a place for: those of the Elastic Common Schema that logs meet (ECS 8.17 field
//! reference), and this product's own.
//!
//! This is the one table of them. The parser places values by it and puts the rest below `labels.`, queries
//! compare by it, and the mappings for a cluster are checked against it.

use std::{collections::HashMap, sync::LazyLock};

use crate::field;

/// What a field holds, which decides what fits into it and how it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// `message`: searched by tokens.
    Text,
    /// Text compared as a whole, exactly.
    Keyword,
    /// A keyword of few known values; case is ignored.
    Enumeration,
    /// Everything below `labels.`: every leaf is a keyword, whatever its type was.
    Label,
    /// Whole numbers of 64 bits with a sign.
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

/// A field that has a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownField {
    /// Dotted path.
    pub path: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether this product gives it its value: no event brings it along.
    pub is_ours: bool,
}

const KEYWORD: &str = "
    tags
    agent.build.original agent.ephemeral_id agent.id agent.name agent.type agent.version
    cloud.account.id cloud.account.name cloud.availability_zone cloud.instance.id cloud.instance.name
    cloud.machine.type cloud.project.id cloud.project.name cloud.provider cloud.region cloud.service.name
    container.id container.image.hash.all container.image.name container.image.tag container.name
    container.runtime
    data_stream.dataset data_stream.namespace data_stream.type
    dns.header_flags dns.id dns.op_code dns.question.class dns.question.name dns.question.registered_domain
    dns.question.subdomain dns.question.top_level_domain dns.question.type dns.response_code dns.type
    dns.answers.class dns.answers.data dns.answers.name dns.answers.type
    ecs.version
    error.code error.id error.stack_trace error.type error.message
    event.action event.agent_id_status event.code event.dataset event.hash event.id event.module
    event.original event.provider event.reason event.reference event.timezone event.url
    faas.execution faas.id faas.name faas.trigger.request_id faas.trigger.type faas.version
    file.attributes file.device file.directory file.drive_letter file.extension file.fork_name file.gid
    file.group file.hash.md5 file.hash.sha1 file.hash.sha256 file.hash.sha384 file.hash.sha512
    file.hash.ssdeep file.hash.tlsh file.inode file.mime_type file.mode file.name file.owner file.path
    file.target_path file.type file.uid
    group.domain group.id group.name
    host.architecture host.boot.id host.domain host.hostname host.id host.mac host.name host.type
    host.pid_ns_ino host.os.family host.os.full host.os.kernel host.os.name host.os.platform host.os.type
    host.os.version host.geo.city_name host.geo.country_iso_code host.geo.name
    http.request.id http.request.mime_type http.request.referrer http.request.body.content
    http.response.body.content http.response.mime_type http.version
    log.file.path log.logger log.origin.file.name log.origin.function log.syslog.appname log.syslog.hostname
    log.syslog.msgid log.syslog.procid log.syslog.version
    network.application network.community_id network.iana_number network.name network.vlan.id
    network.vlan.name
    observer.egress.interface.name observer.egress.zone observer.hostname observer.ingress.interface.name
    observer.ingress.zone observer.mac observer.name observer.product observer.serial_number observer.type
    observer.vendor observer.version observer.os.family observer.os.full observer.os.kernel observer.os.name
    observer.os.platform observer.os.type observer.os.version
    orchestrator.api_version orchestrator.cluster.id orchestrator.cluster.name orchestrator.cluster.url
    orchestrator.cluster.version orchestrator.namespace orchestrator.organization orchestrator.resource.id
    orchestrator.resource.name orchestrator.resource.parent.type orchestrator.resource.type
    orchestrator.type
    organization.id organization.name
    package.architecture package.checksum package.description package.license package.name package.path
    package.reference package.type package.version
    process.args process.command_line process.entity_id process.env_vars process.executable process.hash.md5
    process.hash.sha1 process.hash.sha256 process.name process.parent.args process.parent.command_line
    process.parent.entity_id process.parent.executable process.parent.name process.parent.title
    process.parent.user.id process.parent.user.name process.thread.name process.title process.user.id
    process.user.name process.group.id process.group.name process.real_user.id process.real_user.name
    process.saved_user.id process.saved_user.name process.working_directory
    registry.data.type registry.data.strings registry.hive registry.key registry.path registry.value
    related.hash related.hosts related.user
    rule.author rule.category rule.description rule.id rule.license rule.name rule.reference rule.ruleset
    rule.uuid rule.version
    service.address service.environment service.ephemeral_id service.id service.name service.node.name
    service.node.role service.node.roles service.state service.type service.version
    span.id
    trace.id
    transaction.id
    threat.framework threat.group.id threat.group.name threat.indicator.type threat.indicator.provider
    threat.indicator.confidence threat.software.id threat.software.name threat.tactic.id threat.tactic.name
    threat.tactic.reference threat.technique.id threat.technique.name threat.technique.reference
    threat.technique.subtechnique.id threat.technique.subtechnique.name
    threat.technique.subtechnique.reference
    tls.cipher tls.client.hash.sha256 tls.client.issuer tls.client.ja3 tls.client.server_name
    tls.client.subject tls.client.supported_ciphers tls.curve tls.next_protocol tls.server.hash.sha256
    tls.server.issuer tls.server.ja3s tls.server.subject tls.version tls.version_protocol
    url.domain url.extension url.fragment url.full url.original url.password url.path url.query
    url.registered_domain url.scheme url.subdomain url.top_level_domain url.username
    user.domain user.email user.full_name user.group.domain user.group.id user.group.name user.hash user.id
    user.name user.roles user.changes.id user.changes.name user.effective.domain user.effective.id
    user.effective.name user.target.domain user.target.email user.target.group.id user.target.group.name
    user.target.id user.target.name
    user_agent.device.name user_agent.name user_agent.original user_agent.os.family user_agent.os.full
    user_agent.os.kernel user_agent.os.name user_agent.os.platform user_agent.os.type user_agent.os.version
    user_agent.version
    vulnerability.category vulnerability.id vulnerability.reference vulnerability.severity
";

const ENUMERATION: &str = "
    event.category event.kind event.outcome event.type http.request.method log.flags log.level
    log.syslog.facility.name log.syslog.severity.name network.direction network.protocol network.transport
    network.type
";

const LONG: &str = "
    dns.answers.ttl event.sequence event.severity event.duration file.size host.disk.read.bytes
    host.disk.write.bytes host.network.egress.bytes host.network.egress.packets host.network.ingress.bytes
    host.network.ingress.packets host.uptime http.request.body.bytes http.request.bytes
    http.response.body.bytes http.response.bytes http.response.status_code log.origin.file.line
    log.syslog.facility.code log.syslog.priority log.syslog.severity.code network.bytes network.packets
    package.size process.args_count process.exit_code process.parent.pid process.parent.pgid
    process.parent.thread.id process.pgid process.pid process.thread.id process.uptime
    process.session_leader.pid process.parent.exit_code url.port
";

const DOUBLE: &str = "
    event.risk_score event.risk_score_norm host.cpu.usage host.risk.calculated_score
    user.risk.calculated_score vulnerability.score.base
";

const IP: &str = "dns.resolved_ip host.ip network.forwarded_ip observer.ip related.ip threat.indicator.ip";

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
    geo.timezone mac registered_domain subdomain top_level_domain user.domain user.email user.full_name
    user.group.id user.group.name user.id user.name
";
const END_LONG: &str = "as.number bytes nat.port packets port";
const END_IP: &str = "ip nat.ip";
const ENDS: [&str; 4] = ["client", "destination", "server", "source"];

/// This product's own.
const OURS: [(&str, FieldKind); 6] = [
    (field::TEMPLATE_ID, FieldKind::Keyword),
    (field::TEMPLATE_TEXT, FieldKind::Keyword),
    (field::ANOMALY_SCORE, FieldKind::Double),
    (field::ANOMALY_IS_ANOMALY, FieldKind::Boolean),
    (field::ANOMALY_REASONS, FieldKind::Keyword),
    (field::ANOMALY_STATE, FieldKind::Enumeration),
];

type Table = HashMap<&'static str, KnownField, foldhash::fast::FixedState>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let mut add = |path, kind, is_ours| table.insert(path, KnownField { path, kind, is_ours });
    add(field::MESSAGE, FieldKind::Text, false);
    for (list, kind) in [
        (KEYWORD, FieldKind::Keyword),
        (ENUMERATION, FieldKind::Enumeration),
        (LONG, FieldKind::Long),
        (DOUBLE, FieldKind::Double),
        (IP, FieldKind::Ip),
        (DATE, FieldKind::Date),
        (BOOLEAN, FieldKind::Boolean),
    ] {
        for path in list.split_ascii_whitespace() {
            add(path, kind, false);
        }
    }
    for end in ENDS {
        for (list, kind) in
            [(END_KEYWORD, FieldKind::Keyword), (END_LONG, FieldKind::Long), (END_IP, FieldKind::Ip)]
        {
            for path in list.split_ascii_whitespace() {
                add(format!("{end}.{path}").leak(), kind, false);
            }
        }
    }
    for (path, kind) in OURS {
        add(path, kind, true);
    }
    table
});

/// The field at a dotted path, where it has a place of its own.
pub fn known(path: &str) -> Option<KnownField> {
    TABLE.get(path).copied()
}

/// Every field that has a place of its own, in no particular order.
pub fn fields() -> impl Iterator<Item = KnownField> {
    TABLE.values().copied()
}

impl FieldKind {
    /// The kind of the field at a full path; fields without a place of their own hold keywords.
    pub fn of(path: &str) -> Self {
        if path.starts_with(field::LABELS) {
            return Self::Label;
        }
        known(path).map_or(Self::Keyword, |known| known.kind)
    }

    /// Elasticsearch's name of the type, which answers about fields give.
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

    /// Whether any text fits.
    pub const fn holds_text(self) -> bool {
        matches!(self, Self::Text | Self::Keyword | Self::Enumeration | Self::Label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_ecs() {
        for (path, expected) in [
            ("message", FieldKind::Text),
            ("error.message", FieldKind::Keyword),
            ("error.stack_trace", FieldKind::Keyword),
            ("ecs.version", FieldKind::Keyword),
            ("client.user.name", FieldKind::Keyword),
            ("event.outcome", FieldKind::Enumeration),
            ("log.level", FieldKind::Enumeration),
            ("sentinel.anomaly.state", FieldKind::Enumeration),
            ("source.port", FieldKind::Long),
            ("event.risk_score", FieldKind::Double),
            ("sentinel.anomaly.score", FieldKind::Double),
            ("source.ip", FieldKind::Ip),
            ("network.forwarded_ip", FieldKind::Ip),
            ("event.start", FieldKind::Date),
            ("process.interactive", FieldKind::Boolean),
            ("labels.source.ip", FieldKind::Label),
            ("process.unheard_of", FieldKind::Keyword),
        ] {
            assert_eq!(FieldKind::of(path), expected, "{path}");
        }
        assert_eq!(known("source"), None);
        assert_eq!(known("labels.x"), None);
    }

    #[test]
    fn every_field_stands_once() {
        let lists = [KEYWORD, ENUMERATION, LONG, DOUBLE, IP, DATE, BOOLEAN];
        let ends = [END_KEYWORD, END_LONG, END_IP];
        let count = |lists: &[&str]| -> usize {
            lists.iter().map(|list| list.split_ascii_whitespace().count()).sum()
        };
        assert_eq!(fields().count(), 1 + count(&lists) + ENDS.len() * count(&ends) + OURS.len());
        for KnownField { path, is_ours, .. } in fields() {
            assert_eq!(is_ours, path.starts_with("sentinel."), "{path}");
        }
    }

    #[test]
    fn no_leaf_is_also_an_object() {
        for KnownField { path, .. } in fields() {
            for (dot, _) in path.match_indices('.') {
                assert_eq!(known(&path[..dot]), None, "{path}");
            }
        }
    }
}
