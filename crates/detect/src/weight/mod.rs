//! How much an event weighs by itself, from 0 to 15.

mod checks;
mod devices;
mod guards;
mod scripts;
mod sysmon;
mod words;

use event::{Event, Severity, Value};

use words::last;

use crate::{Activity, Kind};

/// The weight of an event that stands alone, in the bands that Wazuh's users know: 0 to 2 is silent, 3 to 6 a note, 7 to
/// 11 an alert, from 12 on critical.
///
/// What was done decides where that is known; else what a device, a guard, Sysmon, a script or a check says in its own
/// way; else what the sender says of its severity; else what the action is on record for; last the level of the line.
///
/// | what | weight |
/// |---|---|
/// | a sign-in that failed, over SSH, to a service, through PAM, sudo or su; sudo refused somebody | 5 |
/// | as many failures as one connection may have | 8 |
/// | a sign-in that went through, a session, a command run by sudo or doas | 3 |
/// | a sign-in to a remote desktop from the machine itself | 12 |
/// | an SSH client that no ordinary one is; a request that attacks, or one of too many | 6 |
/// | PAM locked a user out | 8 |
/// | a request that probes, is refused, or is none | 5 |
/// | a network device: everyday, warning, error, worse, of that a failure or refusal, what is over | 2, 4, 5, 6, 8, 3 |
/// | of a network device's everyday: who signs in and what they do; who could not; an attack, or another user who rules it | 3, 5, 8 |
/// | an account or a group: changed or gone, made | 5, 8 |
/// | a guard of the machine that fails or ends, that found malware, or an intrusion by its priority from 1 on | 8; 8; 8, 5, 3 |
/// | of the kernel's audit: what somebody asked to be told of; a change of accounts; an anomaly or other rules of access | 3, 5, 8 |
/// | what Sysmon tells of programs: telemetry, hosts of scripts, programs that these put into Windows, what attackers do | 2, 3, 8, 12 |
/// | a script of PowerShell: any, one that puts code into memory or takes what people write | 3, 8 |
/// | a check of the configuration: passed, not made, failed at a low severity, failed; a report of less than half passed | 2, 3, 5, 8, 8 |
/// | a guard found something, or cleaned it away | 3 |
/// | the sender's own severity: low, medium, high, critical; what was stopped no more than | 3, 5, 8, 12; 5 |
/// | what a firewall did not let through | 5 |
/// | an action on record: switches something off; takes away, or touches secrets, rights or money; gives more of these; another | 12, 7, 5, 3 |
/// | a request to a store of objects: answered, one that deletes, refused | 2, 3, 5 |
/// | an error of a web server with what a client asked for | 2 |
/// | a line by which somebody came or went, or something was added or removed; in which something was refused or failed | 3, 5 |
/// | a line that names an attack or its like, or another policy; Windows tells of an account that was made, locked or deleted | 8 |
/// | another line: debug, info, warn, error, fatal | 0, 2, 3, 5, 7 |
pub fn weight(event: &Event<'_>, activity: &Activity<'_>) -> u8 {
    let text = |path: &str| event.field(path).and_then(Value::as_str);
    match activity.kind {
        // The reason may be that the user is invalid: then the form of the line says so.
        Kind::SshFailure
            if text("event.reason") == Some("too many authentication failures")
                || text("labels.ssh.event") == Some("maximum") =>
        {
            8
        }
        Kind::SshFailure
        | Kind::AuthFailure
        | Kind::PamFailedAuth
        | Kind::SudoFailure
        | Kind::SudoDenied
        | Kind::SuFailure => 5,
        // The desktop of a machine, reached from the machine itself: somebody forwards it.
        Kind::AuthSuccess
            if activity.address.is_some_and(|address| address.is_loopback()) && is_remote_desktop(event) =>
        {
            12
        }
        Kind::SshSuccess | Kind::AuthSuccess | Kind::SudoSuccess | Kind::SuOther => 3,
        Kind::SshSuspicious | Kind::WebAttack | Kind::WebRate => 6,
        Kind::PamUserLock => 8,
        Kind::WebProbe | Kind::WebMalformed | Kind::WebAuthFailure => 5,
        Kind::None => devices::weight(&event.message)
            .or_else(|| guards::weight(event))
            .or_else(|| of_account(event))
            .or_else(|| sysmon::weight(event))
            .or_else(|| scripts::weight(event))
            .or_else(|| checks::weight(event))
            .or_else(|| said(event).map(|weight| if is_refused(event) { weight.min(5) } else { weight }))
            .or_else(|| recorded(event))
            .unwrap_or_else(|| of_level(event)),
    }
}

/// An account or a group: made, or changed otherwise.
fn of_account(event: &Event<'_>) -> Option<u8> {
    let has =
        |path: &str, what: &str| matches!(event.field(path), Some(Value::Json(list)) if list.contains(what));
    has("event.category", "\"iam\"").then(|| if has("event.type", "\"creation\"") { 8 } else { 5 })
}

/// Whether Windows says that somebody signed in over its remote desktop.
fn is_remote_desktop(event: &Event<'_>) -> bool {
    event.fields.iter().any(|field| {
        last(&field.path).eq_ignore_ascii_case("logonType") && field.value.as_str() == Some("10")
    })
}

/// Whether a guard let it not through: what was stopped weighs less than what came in.
fn is_refused(event: &Event<'_>) -> bool {
    event
        .fields
        .iter()
        .any(|field| last(&field.path) == "action" && field.value.as_str().is_some_and(words::is_refusal))
}

/// What the sender says of its severity: in words, or as the number of its rule or product, from 0 to 10 or 0 to 100.
fn said(event: &Event<'_>) -> Option<u8> {
    let mut found = None;
    for field in &event.fields {
        let path = field.path.as_ref();
        let name = last(path);
        let is_severity = name.eq_ignore_ascii_case("severity")
            || (name == "Label" && path.ends_with("Severity.Label"))
            || matches!(name, "severityLabel" | "threat_level" | "crlevel");
        // What a guard made of what it saw.
        let is_verdict = matches!(name, "log_subtype" | "verdict");
        if !(is_severity || is_verdict) || path.starts_with("log.") {
            continue;
        }
        let weight = match &field.value {
            Value::String(text) if is_verdict => words::of_verdict(text),
            Value::String(text) => of_word(text),
            Value::Int(number) if path == "event.severity" => of_number(*number),
            _ => None,
        };
        found = found.max(weight);
    }
    // Products of security speak of levels in other words than programs do.
    if found.is_none() && event.field("observer.vendor").is_some() {
        found = Some(match event.severity {
            Severity::Fatal => 12,
            Severity::Error => 8,
            Severity::Warn => 5,
            _ => 3,
        });
    }
    found
}

fn of_word(word: &str) -> Option<u8> {
    [("informational", 3), ("low", 3), ("medium", 5), ("moderate", 5), ("high", 8), ("critical", 12)]
        .iter()
        .find_map(|(name, weight)| word.eq_ignore_ascii_case(name).then_some(*weight))
}

const fn of_number(number: i64) -> Option<u8> {
    Some(match number {
        0..=3 | 11..=39 => 3,
        4..=6 | 40..=69 => 5,
        7 | 8 | 70..=89 => 8,
        9 | 10 | 90..=100 => 12,
        _ => return None,
    })
}

/// What somebody did on record: the name of an action tells what it is about.
fn recorded(event: &Event<'_>) -> Option<u8> {
    let text = |is_asked: &dyn Fn(&str) -> bool| {
        event.fields.iter().find(|field| is_asked(last(&field.path))).and_then(|field| field.value.as_str())
    };
    let Some(action) = text(&|name| name.eq_ignore_ascii_case("action") || name == "operation") else {
        let operation = text(&|name| name == "Operation").unwrap_or_default();
        return text(&|name| name == "Workload").map(|workload| words::of_workload(workload, operation));
    };
    if event.source.as_deref() == Some("auditd")
        && let Some(weight) = guards::of_audit(event, action)
    {
        return Some(weight);
    }
    if event.field("observer.product").is_some() && words::is_refusal(action) {
        return Some(5);
    }
    if event.original.as_deref().is_some_and(|line| !line.starts_with('{')) {
        let is_noted = matches!(action, "ssh_disconnect" | "password_changed" | "cron_changed");
        return is_noted.then_some(3);
    }
    let is_error = text(&|name| name == "error_code").is_some_and(|code| code != "-");
    words::of_request(action, is_error).or_else(|| {
        // What the action is done to may stand beside it.
        let target = text(&|name| name == "Type").unwrap_or_default();
        Some(words::of_action(&format!("{target} {action}")))
    })
}

fn of_level(event: &Event<'_>) -> u8 {
    // Records of Windows number their levels the other way round than syslog does.
    let is_windows = event.fields.iter().any(|field| {
        field.path.starts_with("labels.win.")
            || field.path.starts_with("winlog.")
            || field.path == "event.provider"
    });
    let is_record = event.original.as_deref().is_some_and(|line| line.starts_with('{'));
    let is_session =
        matches!(event.field("event.category"), Some(Value::Json(list)) if list.contains("session"));
    let said = || if is_record || is_session { None } else { words::of_message(&event.message) };
    let has_client = || event.original.as_deref().is_some_and(|line| line.contains("[client "));
    match event.severity {
        _ if is_windows => {
            let message = event.fields.iter().find(|field| last(&field.path) == "message");
            words::of_windows(message.and_then(|field| field.value.as_str()).unwrap_or(&event.message))
        }
        Severity::Warn | Severity::Error
            if let Some(weight) = words::of_web_error(&event.message, has_client()) =>
        {
            weight
        }
        Severity::Info | Severity::Warn if let Some(weight) = said() => weight,
        Severity::Trace | Severity::Debug => 0,
        Severity::Info if is_record || is_session => 3,
        Severity::Info => 2,
        Severity::Warn => 3,
        Severity::Error if !is_record && words::is_grave(&words::beginning(&event.message)) => 8,
        Severity::Error => 5,
        Severity::Fatal => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn kinds_and_senders_and_levels_weigh() {
        for (fields, level, expected) in [
            (&[("event.action", "ssh_handshake")] as &[(&str, &str)], Severity::Info, 6),
            (&[("event.action", "account_locked")], Severity::Info, 8),
            (
                &[
                    ("event.action", "ssh_login"),
                    ("event.outcome", "failure"),
                    ("event.reason", "too many authentication failures"),
                ],
                Severity::Info,
                8,
            ),
            (
                &[
                    ("event.action", "ssh_login"),
                    ("event.outcome", "failure"),
                    ("labels.ssh.event", "maximum"),
                ],
                Severity::Info,
                8,
            ),
            (&[("labels.finding.Severity.Label", "HIGH")], Severity::Info, 8),
            (&[("observer.vendor", "Example")], Severity::Fatal, 12),
            (&[("observer.vendor", "Example"), ("event.action", "dropped")], Severity::Fatal, 5),
            (&[("observer.product", "Wall"), ("event.action", "Drop")], Severity::Info, 5),
            (&[("observer.product", "Wall"), ("event.action", "allow")], Severity::Info, 3),
            (&[("labels.log_subtype", "Cleaned")], Severity::Info, 3),
            (&[("labels.log_subtype", "Allowed")], Severity::Info, 2),
            (&[], Severity::Debug, 0),
            (&[], Severity::Info, 2),
            (&[], Severity::Fatal, 7),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            event.severity = level;
            for (path, value) in fields {
                event.set(*path, *value);
            }
            let activity = Activity::of(&event);
            assert_eq!(weight(&event, &activity), expected, "{fields:?} {level}");
        }
    }

    #[test]
    fn a_remote_desktop_that_is_reached_from_its_own_machine_is_grave() {
        for (address, how, expected) in [("127.0.0.1", "10", 12), ("192.0.2.7", "10", 3), ("::1", "2", 3)] {
            let mut event = Event::new("", Timestamp::MIN);
            event.set("event.category", Value::Json(r#"["authentication"]"#.into()));
            event.set("event.outcome", "success");
            event.set("source.ip", address);
            event.set("labels.win.eventdata.logonType", how);
            let activity = Activity::of(&event);
            assert_eq!(
                (activity.kind, weight(&event, &activity)),
                (Kind::AuthSuccess, expected),
                "{address}"
            );
        }
    }

    #[test]
    fn errors_at_somebodys_end_weigh_more_than_others() {
        for (message, expected) in [("Out of memory: killed process 7", 8), ("no such option", 5)] {
            let mut event = Event::new(message, Timestamp::MIN);
            event.severity = Severity::Error;
            assert_eq!(weight(&event, &Activity::of(&event)), expected, "{message}");
        }
    }

    #[test]
    fn accounts_that_are_made_weigh_more_than_those_that_go() {
        for (types, expected) in [(r#"["user","creation"]"#, 8), (r#"["user","deletion"]"#, 5)] {
            let mut event = Event::new("", Timestamp::MIN);
            event.set("event.category", Value::Json(r#"["iam"]"#.into()));
            event.set("event.type", Value::Json(types.into()));
            assert_eq!(weight(&event, &Activity::of(&event)), expected, "{types}");
        }
    }

    #[test]
    fn numbers_and_names_of_severity_weigh() {
        for (message, expected) in
            [("%ASA-1-105009: x failed", 8), ("%SYS-5-CONFIG_I: x", 2), ("%ASA-x", 2), ("plain", 2)]
        {
            let event = Event::new(message, Timestamp::MIN);
            assert_eq!(weight(&event, &Activity::of(&event)), expected, "{message}");
        }
        let mut event = Event::new("", Timestamp::MIN);
        event.set("event.severity", 10);
        assert_eq!(weight(&event, &Activity::of(&event)), 12);
        event.set("event.severity", 1000);
        assert_eq!(weight(&event, &Activity::of(&event)), 2);
    }

    #[test]
    fn actions_on_record_weigh_by_their_names() {
        for (action, expected) in [
            ("org.disable_two_factor_requirement", 12),
            ("repo.destroy", 7),
            ("org.update_actions_secret", 7),
            ("discussion.create", 3),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            event.original = Some("{}".into());
            event.set("labels.audit.action", action);
            assert_eq!(weight(&event, &Activity::of(&event)), expected, "{action}");
        }
    }
}
