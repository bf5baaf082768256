//! What is found in what the program itself sees on its machine: changed accounts, keys and schedules, logs that were
//! emptied or removed; and in commands that empty the journal of systemd.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use detect::{Config, Engine};
use event::{Analyzed, Event, EventId, JournalId, Position, Timestamp, Value};

/// `rule level` of all that is found in an event.
fn found(event: Event<'_>) -> Vec<String> {
    let mut engine = Engine::new(Config::default());
    let id = EventId { journal: JournalId(1), position: Position::default() };
    engine.see_one(&Analyzed::unanalyzed(id, event));
    engine.drain().iter().map(|finding| format!("{} {}", finding.rule, finding.level.as_str())).collect()
}

fn event(
    source: &'static str,
    message: &'static str,
    fields: &[(&'static str, &'static str)],
) -> Event<'static> {
    let mut event = Event::new(message, Timestamp::parse("2026-11-02T00:00:00Z").unwrap());
    (event.source, event.host) = (Some(source.into()), Some("gate".into()));
    for (path, value) in fields {
        let value = if value.starts_with('[') { Value::Json((*value).into()) } else { Value::from(*value) };
        event.set(*path, value);
    }
    event
}

#[test]
fn changes_of_this_machine_are_found() {
    let configuration = |action: &'static str| {
        found(event(
            "system_watch",
            "changed",
            &[("event.action", action), ("event.category", r#"["configuration"]"#)],
        ))
    };
    assert_eq!(configuration("sudoers_changed"), ["sudoers_changed medium"]);
    assert_eq!(configuration("cron_changed"), ["cron_changed low"]);
    assert_eq!(configuration("ssh_key_added"), ["ssh_key_added medium"]);
    assert_eq!(configuration("ssh_key_removed"), [""; 0]);
    let starts = |action: &'static str, path: &'static str| {
        found(event("system_watch", "changed", &[("event.action", action), ("file.path", path)]))
    };
    for (path, expected) in [
        ("/etc/systemd/system/x.service", "unit_added medium"),
        ("/home/ann/.config/systemd/user/x.timer", "unit_added medium"),
        ("/usr/lib/systemd/system/nginx.service", "unit_installed info"),
        ("/etc/ld.so.preload", "preload_added high"),
        ("/etc/rc.local", "local_boot_script_added medium"),
        ("/etc/init.d/nginx", "boot_script_added low"),
        ("/etc/profile.d/x.sh", "login_script_added low"),
    ] {
        assert_eq!(starts("persistence_added", path), [expected], "{path}");
        assert_eq!(starts("persistence_changed", path), [expected], "{path}");
        assert_eq!(starts("persistence_removed", path), [""; 0], "{path}");
    }

    let iam = |message: &'static str, fields: &[(&'static str, &'static str)]| {
        found(event("system_watch", message, &[&[("event.category", r#"["iam"]"#)], fields].concat()))
    };
    let user = |action: &'static str, r#type: &'static str, name: &'static str, id: &'static str| {
        iam("user", &[("event.action", action), ("event.type", r#type), ("user.name", name), ("user.id", id)])
    };
    assert_eq!(user("user_added", r#"["user","creation"]"#, "eve", "1001"), ["account_changed low"]);
    assert_eq!(user("user_added", r#"["user","creation"]"#, "eve", "0"), ["administrator_made high"]);
    assert_eq!(user("user_changed", r#"["user","change"]"#, "ann", "0"), ["administrator_made high"]);
    assert_eq!(user("user_changed", r#"["user","change"]"#, "root", "0"), ["account_changed low"]);
    let member = |message: &'static str, action: &'static str| {
        let fields =
            [("event.action", action), ("event.type", r#"["group","change"]"#), ("group.name", "sudo")];
        iam(message, &fields)
    };
    assert_eq!(member("added ann to group sudo", "group_member_added"), ["administrator_made high"]);
    assert_eq!(member("deleted ann from group sudo", "group_member_removed"), ["account_changed low"]);
}

#[test]
fn logs_that_vanish_are_found_by_whose_they_are() {
    let log = |path: &'static str, action: &'static str, size: i64| {
        let mut event = event("log_watch", "gone", &[("event.action", action), ("file.path", path)]);
        event.set("file.size", size);
        found(event)
    };
    for action in ["log_emptied", "log_vanished"] {
        assert_eq!(log("/var/log/auth.log", action, 10), ["logs_vanished medium"]);
        assert_eq!(log("/host/var/log/messages", action, 0), ["logs_vanished medium"]);
        assert_eq!(log("/srv/app/app.log", action, 10), [""; 0], "it began its log anew");
    }
    assert_eq!(log("/srv/app/app.log", "log_emptied", 0), ["log_emptied low"]);
    assert_eq!(log("/srv/app/app.log", "log_vanished", 0), [""; 0]);
}

#[test]
fn commands_that_empty_the_journal_are_found_and_reading_it_is_not() {
    let zone = jiff::tz::TimeZone::UTC;
    let now = Timestamp::parse("2026-11-30T00:00:00Z").unwrap();
    for (command, expected) in [
        ("/usr/bin/journalctl --vacuum-time=1s", true),
        ("/usr/bin/journalctl --rotate --vacuum-size 1M", true),
        ("/usr/bin/journalctl -u ssh", false),
        ("/usr/bin/journalctl --rotate", false),
    ] {
        let line =
            format!("Nov  3 10:00:00 gate sudo[1]: ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={command}");
        let event = parse::line(line.as_bytes(), &parse::Context::new(now, &zone, 1 << 16));
        let told = found(event);
        assert_eq!(told.contains(&"logs_vacuumed low".to_owned()), expected, "{command}: {told:?}");
    }
}
