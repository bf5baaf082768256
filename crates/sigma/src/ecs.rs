//! The fields of Sigma's taxonomy as those of ECS.

use crate::LogSource;

/// What the fields of process creation are in ECS.
const PROCESS: &[(&str, &str)] = &[
    ("CommandLine", "process.command_line"),
    ("Company", "process.pe.company"),
    ("CurrentDirectory", "process.working_directory"),
    ("Description", "process.pe.description"),
    ("FileVersion", "process.pe.file_version"),
    ("Image", "process.executable"),
    ("IntegrityLevel", "winlog.event_data.IntegrityLevel"),
    ("LogonId", "winlog.event_data.LogonId"),
    ("OriginalFileName", "process.pe.original_file_name"),
    ("ParentCommandLine", "process.parent.command_line"),
    ("ParentImage", "process.parent.executable"),
    ("ParentProcessId", "process.parent.pid"),
    ("ParentUser", "winlog.event_data.ParentUser"),
    ("ProcessId", "process.pid"),
    ("Product", "process.pe.product"),
    ("User", "user.name"),
    ("md5", "process.hash.md5"),
    ("sha1", "process.hash.sha1"),
    ("sha256", "process.hash.sha256"),
];

/// What the fields of web servers and proxies are in ECS.
const WEB: &[(&str, &str)] = &[
    ("c-ip", "source.ip"),
    ("c-uri", "url.original"),
    ("c-uri-extension", "url.extension"),
    ("c-uri-query", "url.query"),
    ("c-uri-stem", "url.path"),
    ("c-useragent", "user_agent.original"),
    ("cs-bytes", "http.request.bytes"),
    ("cs-cookie", "http.request.headers.cookie"),
    ("cs-host", "url.domain"),
    ("cs-method", "http.request.method"),
    ("cs-referer", "http.request.referrer"),
    ("cs-uri", "url.original"),
    ("cs-uri-query", "url.query"),
    ("cs-uri-stem", "url.path"),
    ("cs-user-agent", "user_agent.original"),
    ("cs-username", "user.name"),
    ("cs-version", "http.version"),
    ("date", "@timestamp"),
    ("dst_ip", "destination.ip"),
    ("r-dns", "url.domain"),
    ("sc-bytes", "http.response.bytes"),
    ("sc-status", "http.response.status_code"),
    ("src_ip", "source.ip"),
    ("s-computername", "host.name"),
    ("s-ip", "server.ip"),
    ("s-port", "server.port"),
];

/// What the fields of network connections, firewalls and name servers are in ECS.
const NETWORK: &[(&str, &str)] = &[
    ("action", "event.action"),
    ("DestinationHostname", "destination.domain"),
    ("DestinationIp", "destination.ip"),
    ("DestinationPort", "destination.port"),
    ("dst_ip", "destination.ip"),
    ("dst_port", "destination.port"),
    ("Image", "process.executable"),
    ("Initiated", "network.initiated"),
    ("Protocol", "network.transport"),
    ("query", "dns.question.name"),
    ("QueryName", "dns.question.name"),
    ("record_type", "dns.question.type"),
    ("SourceIp", "source.ip"),
    ("SourcePort", "source.port"),
    ("src_ip", "source.ip"),
    ("src_port", "source.port"),
    ("User", "user.name"),
];

/// What the fields of file events are in ECS.
const FILE: &[(&str, &str)] = &[
    ("Image", "process.executable"),
    ("ProcessId", "process.pid"),
    ("SourceFilename", "file.Ext.original.path"),
    ("TargetFilename", "file.path"),
    ("User", "user.name"),
];

/// What the fields of all other logs of Linux are in ECS.
const LINUX: &[(&str, &str)] = &[
    ("comm", "process.name"),
    ("exe", "process.executable"),
    ("Image", "process.executable"),
    ("pid", "process.pid"),
    ("ppid", "process.parent.pid"),
    ("CommandLine", "process.command_line"),
    ("TargetFilename", "file.path"),
    ("User", "user.name"),
];

/// The field of ECS that a field of a rule for a log source is; None for what ECS does not know, which keeps its name.
pub fn field(name: &str, source: &LogSource) -> Option<&'static str> {
    let table = match source.category.as_deref() {
        Some("process_creation") => PROCESS,
        Some("webserver" | "proxy") => WEB,
        Some("network_connection" | "firewall" | "dns" | "dns_query") => NETWORK,
        Some(category) if category.starts_with("file_") => FILE,
        _ if source.product.as_deref() == Some("linux") => LINUX,
        _ => return None,
    };
    table.iter().find(|(sigma, _)| *sigma == name).map(|(_, ecs)| *ecs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_mapped_by_their_log_source() {
        let source = |category| LogSource::new(Some(category), Some("linux"), None);
        for (name, category, expected) in [
            ("CommandLine", "process_creation", Some("process.command_line")),
            ("cs-uri-query", "webserver", Some("url.query")),
            ("TargetFilename", "file_event", Some("file.path")),
            ("DestinationIp", "network_connection", Some("destination.ip")),
            ("CommandLine", "webserver", None),
            ("whatever", "process_creation", None),
        ] {
            assert_eq!(field(name, &source(category)), expected, "{name} {category}");
        }
    }
}
