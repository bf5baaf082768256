//! How findings are called in the classes of behaviour of the CrowdSec hub (`service:what`).

use detect::{EntityType, Finding, FindingKind};

/// What services speak, by the names of programs.
const SERVICES: &[(&str, &[&str])] = &[
    ("pop3/imap", &["dovecot", "courier", "cyrus", "imapd", "pop3d", "perdition", "zimbra", "exchange"]),
    ("smtp", &["postfix", "exim", "sendmail", "haraka", "opensmtpd", "smtpd"]),
    ("ftp", &["vsftpd", "proftpd", "pure-ftpd", "ftpd", "wu-ftpd"]),
    (
        "database",
        &["mysqld", "mysql", "mariadb", "mariadbd", "postgres", "postgresql", "mongod", "mongodb", "mssql"],
    ),
    ("vcs", &["gitlab", "gitea", "gogs", "forgejo"]),
    ("sip", &["asterisk"]),
    ("telnet", &["telnetd", "telnet"]),
    ("ldap", &["slapd", "llng", "lemonldap"]),
    ("vm-management", &["pvedaemon", "pveproxy", "proxmox", "vcenter"]),
    ("iot", &["home-assistant", "homeassistant", "mikrotik", "qbittorrent"]),
    ("windows", &["microsoft-windows-security-auditing", "security"]),
    ("teleport", &["teleport"]),
];

/// The class of a finding; None for what the hub has no class for.
pub(super) fn of(finding: &Finding) -> Option<String> {
    let what = match (finding.kind, finding.rule.as_str()) {
        (FindingKind::SshBruteForce, "ssh_handshake_abuse") => "ssh:exploit",
        (FindingKind::SshBruteForce | FindingKind::SshBruteForceDistributed, _) => "ssh:bruteforce",
        (FindingKind::PasswordSpraying, "password_spraying") => return None,
        (FindingKind::PasswordSpraying, _) => return Some(format!("{}:bruteforce", service_of(finding))),
        (FindingKind::WebAuthBruteForce, _) => "http:bruteforce",
        (FindingKind::WebScan, _) => "http:scan",
        (FindingKind::WebExploitAttempt, _) => "http:exploit",
        (FindingKind::VolumeSpike, "web_rate") => "http:dos",
        (FindingKind::PrivilegeEscalation, "program_with_privileges_crashed") => "linux:exploitation",
        (
            _,
            "decoded_script_run" | "fetched_program_run" | "program_run_from_temp" | "many_programs_killed",
        ) => "linux:post-exploitation",
        _ => return None,
    };
    Some(what.to_owned())
}

fn service_of(finding: &Finding) -> &'static str {
    let service = finding.entities.iter().find(|entity| entity.r#type == EntityType::Service);
    let name = service.map(|service| service.value.to_ascii_lowercase()).unwrap_or_default();
    let known = SERVICES.iter().find(|(_, names)| names.iter().any(|known| name.starts_with(known)));
    known.map_or("generic", |(class, _)| class)
}
