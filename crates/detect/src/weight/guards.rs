//! How much weighs what guards of a machine say of themselves: where they fail, nobody looks.

use event::{Event, Severity};

/// Programs that check and watch a machine.
const GUARDS: [&str; 15] = [
    "auditd",
    "oscap",
    "clamd",
    "freshclam",
    "aide",
    "tripwire",
    "samhain",
    "rkhunter",
    "suricata",
    "snort",
    "falco",
    "osqueryd",
    "wazuh",
    "ossec",
    "fail2ban",
];

/// The weight of a guard that fails, and of what one found: None for any other event.
pub(super) fn weight(event: &Event<'_>) -> Option<u8> {
    let first = event.message.split([':', ' ', '[']).next().unwrap_or_default();
    let is_of = |guard: &str| {
        [event.source.as_deref().unwrap_or_default(), first]
            .iter()
            .any(|name| name.strip_prefix(guard).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
    };
    if event.severity >= Severity::Error && GUARDS.iter().any(|guard| is_of(guard)) {
        return Some(8);
    }
    if ["clamd", "clamav", "clamscan"].iter().any(|guard| is_of(guard)) && event.message.ends_with(" FOUND") {
        return Some(8);
    }
    if !["snort", "suricata"].iter().any(|guard| is_of(guard)) {
        return None;
    }
    // Their rules have priorities from 1, the gravest, on.
    let (_, priority) = event.message.split_once("[Priority: ")?;
    Some(match priority.split(']').next()? {
        "1" => 8,
        "2" => 5,
        _ => 3,
    })
}

/// The weight of a record of the kernel's audit, by its type; None for one that says nothing by itself.
pub(super) fn of_audit(event: &Event<'_>, action: &str) -> Option<u8> {
    let has_failed = event.field("event.outcome").is_some_and(|outcome| outcome.as_str() == Some("failure"));
    match action {
        _ if action.starts_with("anom_login") => Some(5),
        _ if action.starts_with("anom_") || action.starts_with("mac_") => Some(8),
        "daemon_end" | "daemon_abort" | "daemon_err" => Some(8),
        _ if action.starts_with("daemon_") && has_failed => Some(8),
        "add_user" | "del_user" | "add_group" | "del_group" | "chuser_id" | "chgrp_id" | "user_mgmt"
        | "grp_mgmt" => Some(5),
        // Whoever gave the rule a key wants to know.
        "syscall" => {
            let (_, key) = event.message.rsplit_once(" key=")?;
            (!key.starts_with("(null)")).then_some(3)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn guards_that_fail_weigh() {
        for (source, message, level, expected) in [
            (Some("clamd"), "no database", Severity::Error, Some(8)),
            (Some("clamd"), "database reloaded", Severity::Info, None),
            (None, "oscap: ERROR: no profile", Severity::Error, Some(8)),
            (Some("clamd"), "/srv/a.exe: Example.Test-1 FOUND", Severity::Info, Some(8)),
            (Some("shop"), "404 NOT FOUND", Severity::Info, None),
            (Some("snort"), "[1:7:1] Scan [Priority: 1] {TCP} 192.0.2.7:1", Severity::Info, Some(8)),
            (Some("snort"), "[1:7:1] Scan [Priority: 3] {TCP} 192.0.2.7:1", Severity::Info, Some(3)),
            (Some("snort"), "Initializing", Severity::Info, None),
            (Some("aidesk"), "no window", Severity::Error, None),
            (None, "", Severity::Error, None),
        ] {
            let mut event = Event::new(message, Timestamp::MIN);
            event.source = source.map(Into::into);
            event.severity = level;
            assert_eq!(weight(&event), expected, "{message}");
        }
    }

    #[test]
    fn records_of_the_audit_weigh_by_their_type() {
        for (action, message, outcome, expected) in [
            ("anom_abend", "", "", Some(8)),
            ("anom_login_time", "", "", Some(5)),
            ("daemon_start", "", "failure", Some(8)),
            ("daemon_start", "", "success", None),
            ("del_user", "", "", Some(5)),
            ("syscall", "exe=\"/usr/bin/id\" key=\"rights\"", "", Some(3)),
            ("syscall", "exe=\"/usr/bin/id\" key=(null)", "", None),
        ] {
            let mut event = Event::new(message, Timestamp::MIN);
            event.set("event.outcome", outcome);
            assert_eq!(of_audit(&event, action), expected, "{action} {message}");
        }
    }
}
