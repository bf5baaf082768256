//! Which log sources of Sigma an event is of.

use std::{collections::HashMap, sync::LazyLock};

use event::{Event, Value};
use foldhash::fast::RandomState;
use sigma::LogSource;

/// A category, a product and a service; empty where one says nothing.
type Names = (&'static str, &'static str, &'static str);

/// A kind of events whose log sources are the same.
#[derive(Debug)]
pub(super) struct Class {
    /// The programs that write them; none for those that are told otherwise.
    programs: &'static [&'static str],
    sources: &'static [Names],
}

const SYSLOG: Names = ("", "linux", "syslog");
const AUTH: Names = ("", "linux", "auth");

/// Requests, told by their method; what writes them is of no matter.
pub(super) const REQUEST: usize = 0;
/// Records of auditd.
pub(super) const AUDIT: usize = 1;
/// Events of Windows, of no channel that is known.
const WINDOWS: usize = 2;
/// What no program is known of.
const UNKNOWN: usize = 3;

pub(super) const CLASSES: &[Class] = &[
    Class {
        programs: &[],
        sources: &[
            ("webserver", "", ""),
            ("proxy", "", ""),
            ("webserver", "apache", "access"),
            ("webserver", "nginx", "access"),
        ],
    },
    Class {
        programs: &["auditd", "audisp-syslog", "audispd"],
        sources: &[
            ("", "linux", "auditd"),
            ("process_creation", "linux", "auditd"),
            ("file_event", "linux", "auditd"),
            ("network_connection", "linux", "auditd"),
        ],
    },
    Class { programs: &[], sources: &[("", "windows", "")] },
    Class { programs: &[], sources: &[("", "linux", ""), SYSLOG] },
    Class {
        programs: &["sshd", "sshd-session", "sshd-auth", "dropbear"],
        sources: &[("", "linux", "sshd"), AUTH, SYSLOG],
    },
    Class { programs: &["sudo", "sudo-rs", "doas"], sources: &[("", "linux", "sudo"), AUTH, SYSLOG] },
    Class {
        programs: &[
            "su",
            "login",
            "systemd-logind",
            "useradd",
            "userdel",
            "usermod",
            "groupadd",
            "groupdel",
            "groupmod",
            "passwd",
            "chpasswd",
            "chage",
            "gpasswd",
            "pkexec",
            "polkitd",
        ],
        sources: &[AUTH, SYSLOG],
    },
    Class { programs: &["CRON", "cron", "crond", "anacron"], sources: &[("", "linux", "cron"), SYSLOG] },
    Class { programs: &["kernel"], sources: &[("", "linux", "kernel"), SYSLOG] },
    Class {
        programs: &["clamd", "freshclam", "clamav", "clamscan"],
        sources: &[("", "linux", "clamav"), SYSLOG],
    },
    Class { programs: &["vsftpd"], sources: &[("", "linux", "vsftpd"), SYSLOG] },
    Class { programs: &["guacd", "guacamole"], sources: &[("", "linux", "guacamole"), SYSLOG] },
    Class {
        programs: &["apache2", "httpd", "apache", "apache_error"],
        sources: &[("webserver", "apache", "error"), SYSLOG],
    },
    Class { programs: &["nginx"], sources: &[("webserver", "nginx", "error"), SYSLOG] },
    Class {
        programs: &["haproxy", "lighttpd", "caddy", "traefik", "squid"],
        sources: &[("webserver", "", ""), ("proxy", "", ""), SYSLOG],
    },
    Class {
        programs: &["postgres", "postgresql"],
        sources: &[("database", "postgresql", ""), ("application", "sql", ""), SYSLOG],
    },
    Class {
        programs: &["mysqld", "mysql", "mariadbd", "mariadb"],
        sources: &[("database", "mysql", ""), ("application", "sql", ""), SYSLOG],
    },
    Class { programs: &["redis", "redis-server", "valkey"], sources: &[("database", "redis", ""), SYSLOG] },
    Class { programs: &["named", "unbound", "dnsmasq"], sources: &[("dns", "", ""), SYSLOG] },
];

impl Class {
    pub(super) fn sources(&self) -> Vec<LogSource> {
        let known = |name: &'static str| Some(name).filter(|name| !name.is_empty());
        let source = |(category, product, service): &Names| {
            LogSource::new(known(category), known(product), known(service))
        };
        self.sources.iter().map(source).collect()
    }
}

/// The class of each program that has one.
static PROGRAMS: LazyLock<HashMap<&str, usize, RandomState>> = LazyLock::new(|| {
    let of =
        |(number, class): (usize, &'static Class)| class.programs.iter().map(move |name| (*name, number));
    CLASSES.iter().enumerate().flat_map(of).collect()
});

/// The number of an event's class.
pub(super) fn class_of(event: &Event<'_>) -> usize {
    let text = |path: &str| event.field(path).and_then(Value::as_str);
    if event.field("http.request.method").is_some() {
        return REQUEST;
    }
    if event.message.starts_with("type=") && event.message.contains(" msg=audit(") {
        return AUDIT;
    }
    if event.field("winlog.channel").is_some() {
        return WINDOWS;
    }
    let program = text("process.name").or(event.source.as_deref()).unwrap_or_default();
    // `postfix/smtpd` is a part of postfix, `apache2.service` what systemd calls it.
    let program = program.split(['/', '[']).next().unwrap_or_default();
    // A file is often called `nginx-error.log`.
    let head = program.split(['-', '_', '.']).next().unwrap_or_default();
    PROGRAMS.get(program).or_else(|| PROGRAMS.get(head)).copied().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn events_are_of_the_log_sources_of_their_programs() {
        let made = |program: &'static str, path: &'static str, value: &'static str| {
            let mut event = Event::new("text", Timestamp::MIN);
            event.source = Some(program.into());
            event.set(path, value);
            event
        };
        let of = |category, product, service| LogSource::new(category, product, service);
        for (event, expected, is_of) in [
            (made("sshd", "a", "b"), of(None, Some("linux"), Some("sshd")), true),
            (made("sshd", "a", "b"), of(None, Some("linux"), None), true),
            (made("sshd", "a", "b"), of(None, Some("linux"), Some("sudo")), false),
            (made("x", "process.name", "CRON"), of(None, Some("linux"), Some("cron")), true),
            (made("shop", "a", "b"), of(None, Some("linux"), None), true),
            (made("shop", "http.request.method", "GET"), of(Some("webserver"), None, None), true),
            (made("shop", "http.request.method", "GET"), of(None, Some("linux"), None), false),
            (made("nginx", "a", "b"), of(Some("webserver"), Some("nginx"), None), true),
            (made("nginx-error", "a", "b"), of(Some("webserver"), None, None), true),
            (made("postgres", "a", "b"), of(None, Some("postgresql"), None), true),
            (made("x", "winlog.channel", "Security"), of(None, Some("linux"), None), false),
        ] {
            let sources = CLASSES[class_of(&event)].sources();
            assert_eq!(sources.iter().any(|source| expected.covers(source)), is_of, "{event:?} {expected:?}");
        }
    }

    #[test]
    fn no_program_is_of_two_classes() {
        let mut all: Vec<_> = CLASSES.iter().flat_map(|class| class.programs).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
