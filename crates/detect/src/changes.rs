//! Changes of who may do what, and of what tells of it: accounts, keys, sudoers, schedules, logs.

use event::{Event, Value};
use finding::fact;

use crate::{
    Entity, EntityType, FindingKind, Level, Seen,
    declaration::{Declaration, Match, host_of},
    persistence,
};

const ACCOUNT: Declaration =
    Declaration::once("account_changed", FindingKind::AccountChanged, Level::Low, "T1136.001");
const ADMINISTRATOR: Declaration =
    Declaration::once("administrator_made", FindingKind::AccountChanged, Level::High, "T1098");
const KEY: Declaration =
    Declaration::once("ssh_key_added", FindingKind::SshKeyAdded, Level::Medium, "T1098.004");
const SUDOERS: Declaration =
    Declaration::once("sudoers_changed", FindingKind::SudoersChanged, Level::Medium, "T1548.003");
const SCHEDULE: Declaration =
    Declaration::once("cron_changed", FindingKind::CronChanged, Level::Low, "T1053.003");
const LOGS_REMOVED: Declaration =
    Declaration::once("logs_removed", FindingKind::LogTampering, Level::High, "T1070.002");
const LOGGING_STOPPED: Declaration =
    Declaration::once("logging_stopped", FindingKind::LogTampering, Level::Medium, "T1562.001");
const LOGS_DAMAGED: Declaration =
    Declaration::once("logs_damaged", FindingKind::LogTampering, Level::Low, "T1070.002");
const LOGS_VACUUMED: Declaration =
    Declaration::once("logs_vacuumed", FindingKind::LogTampering, Level::Low, "T1070.002");
const LOGS_VANISHED: Declaration =
    Declaration::once("logs_vanished", FindingKind::LogTampering, Level::Medium, "T1070.002");
const LOG_EMPTIED: Declaration =
    Declaration::once("log_emptied", FindingKind::LogTampering, Level::Low, "T1070.002");
const CLOCK_CHANGED: Declaration =
    Declaration::once("clock_changed", FindingKind::LogTampering, Level::Low, "T1070.006");

/// Groups whose members may do what root may.
const GROUPS: &[&str] = &["root", "sudo", "wheel", "admin", "docker", "lxd", "disk", "shadow"];
/// Programs that only look.
const READERS: &[&str] = &[
    "cat",
    "less",
    "more",
    "head",
    "tail",
    "grep",
    "egrep",
    "fgrep",
    "zgrep",
    "zcat",
    "zless",
    "ls",
    "stat",
    "find",
    "diff",
    "wc",
    "file",
    "md5sum",
    "sha256sum",
    "du",
    "cut",
    "awk",
    "test",
    "sort",
    "view",
    "journalctl",
    "tar",
    "gzip",
    "logrotate",
    "filebeat",
    "realpath",
    "readlink",
    "namei",
    "lsattr",
];
/// Programs that take away what is in a file.
const REMOVERS: &[&str] =
    &["rm", "shred", "truncate", "unlink", "wipe", "srm", "dd", "tee", "cp", "sh", "bash"];
/// Logs that nobody has a reason to remove by hand.
const LOGS: &[&str] = &[
    "wtmp",
    "btmp",
    "utmp",
    "lastlog",
    "faillog",
    "auth.log",
    "secure",
    "messages",
    "syslog",
    "audit.log",
    "kern.log",
    "*",
    "audit/",
];
/// What keeps logs.
const KEEPERS: &[&str] =
    &["rsyslog", "syslog-ng", "auditd", "systemd-journald", "syslog", "metalog", "osqueryd"];

pub(crate) fn read(seen: &Seen<'_>, matches: &mut Vec<Match>) {
    let event = &seen.analyzed.event;
    let text = |path: &str| event.field(path).and_then(Value::as_str);
    if (text("event.action"), text("event.outcome")) == (Some("sudo"), Some("success"))
        && let Some(command) = event.field("process.command_line").and_then(Value::as_str)
    {
        let by = seen.activity.user.as_deref().map(|user| Entity::new(EntityType::User, user));
        let found = of_command(command);
        let about = |declaration| about_host(declaration, seen).and(by).fact(fact::COMMAND_LINES, command);
        matches.extend(found.map(about));
        return;
    }
    let declaration = match event.source.as_deref().unwrap_or_default() {
        _ if is_of(event, "event.category", "iam") => Some(of_account(event)),
        "system_watch" => of_watch(event),
        "log_watch" => of_log(event),
        "crontab" => of_crontab(&event.message),
        "cron" | "crond" | "CRON" | "CROND" => event.message.contains(" RELOAD (/etc/").then_some(&SCHEDULE),
        "auditd" => of_audit(event),
        "systemd-journald" => of_journal(&event.message),
        "systemd-timedated" => event.message.starts_with("Changed local time").then_some(&CLOCK_CHANGED),
        "systemd" => event.message.starts_with("Time has been changed").then_some(&CLOCK_CHANGED),
        _ => None,
    };
    let user = event.field("user.name").and_then(Value::as_str);
    let user = user.map(|user| Entity::new(EntityType::User, user));
    let found = declaration.map(|declaration| about_host(declaration, seen).and(user));
    matches.extend(found.map(|found| what_changed(event, found)));
}

/// The same with what was changed.
fn what_changed(event: &Event<'_>, found: Match) -> Match {
    let text = |path: &str| event.field(path).and_then(Value::as_str);
    let found = match text("event.action") {
        Some("path") => found.fact(fact::FILES, created(&event.message).unwrap_or_default()),
        Some("log_emptied" | "log_vanished") => {
            found.fact(fact::FILES, text("file.path").unwrap_or_default())
        }
        Some("sudoers_changed" | "cron_changed" | "ssh_key_added" | "ssh_key_changed") => {
            let found = found.fact(fact::FILES, text("file.path").unwrap_or_default());
            found.fact(fact::ACCOUNTS, text("user.name").unwrap_or_default())
        }
        Some("persistence_added" | "persistence_changed") => {
            let found = found.fact(fact::FILES, text("file.path").unwrap_or_default());
            found.fact(fact::STARTED, text("process.command_line").unwrap_or_default())
        }
        Some(action @ ("add_user" | "del_user" | "add_group" | "del_group")) => {
            let (verb, what) = action.split_once('_').unwrap_or_default();
            found.fact(
                fact::CHANGES,
                format!("{what} {}", if verb == "add" { "creation" } else { "deletion" }),
            )
        }
        _ => found,
    };
    if !is_of(event, "event.category", "iam") {
        return found;
    }
    let what = if is_of(event, "event.type", "group") { "group" } else { "user" };
    let done = ["creation", "deletion", "change"].into_iter().find(|done| is_of(event, "event.type", done));
    let found =
        done.into_iter().fold(found, |found, done| found.fact(fact::CHANGES, format!("{what} {done}")));
    let found = found.fact(fact::ACCOUNTS, text("user.name").unwrap_or_default());
    found.fact(fact::GROUPS, text("group.name").unwrap_or_default())
}

/// The file that a record of audit says was made or taken away.
fn created(message: &str) -> Option<&str> {
    message.split_once(" name=\"")?.1.split('"').next()
}

fn about_host(declaration: &'static Declaration, seen: &Seen<'_>) -> Match {
    Match::new(declaration, host_of(seen).unwrap_or(Entity::new(EntityType::Host, "")))
}

fn is_of(event: &Event<'_>, path: &str, what: &str) -> bool {
    match event.field(path) {
        Some(Value::Json(list)) => list.split('"').any(|part| part == what),
        Some(value) => value.as_str() == Some(what),
        None => false,
    }
}

fn of_account(event: &Event<'_>) -> &'static Declaration {
    let text = |path: &str| event.field(path).and_then(Value::as_str).unwrap_or_default();
    let is_group = is_of(event, "event.type", "group");
    // `delete 'ann' from group 'sudo'`, `user ann removed by root from group sudo`.
    let leaves = event.message.starts_with("delete") || event.message.split(' ').nth(2) == Some("removed");
    let joins = is_group && is_of(event, "event.type", "change") && !leaves;
    // Another user than root itself has its number: made so, or given it.
    let is_made = is_of(event, "event.type", "creation") || text("event.action") == "user_changed";
    let is_root = text("user.id") == "0" && is_made && !is_group && text("user.name") != "root";
    if is_root || (joins && GROUPS.contains(&text("group.name"))) { &ADMINISTRATOR } else { &ACCOUNT }
}

/// What the program saw change in this machine's own files.
fn of_watch(event: &Event<'_>) -> Option<&'static Declaration> {
    match event.field("event.action").and_then(Value::as_str)? {
        "sudoers_changed" => Some(&SUDOERS),
        "cron_changed" => Some(&SCHEDULE),
        "ssh_key_added" | "ssh_key_changed" => Some(&KEY),
        "persistence_added" | "persistence_changed" => {
            persistence::of_file(event.field("file.path").and_then(Value::as_str)?)
        }
        _ => None,
    }
}

/// A watched log that was emptied or removed without a rotation. Many programs begin their own logs anew when they start,
/// and write to them at once; those of the system are kept for everybody.
fn of_log(event: &Event<'_>) -> Option<&'static Declaration> {
    let path = event.field("file.path").and_then(Value::as_str)?;
    if LOGS.contains(&base_name(path)) {
        return Some(&LOGS_VANISHED);
    }
    let is_empty = event.field("file.size") == Some(&Value::Int(0));
    let is_emptied = event.field("event.action").and_then(Value::as_str) == Some("log_emptied");
    (is_emptied && is_empty).then_some(&LOG_EMPTIED)
}

/// `(ann) REPLACE (ann)`, `(ann) DELETE (ann)`.
fn of_crontab(message: &str) -> Option<&'static Declaration> {
    let (_, rest) = message.strip_prefix('(')?.split_once(") ")?;
    ["REPLACE (", "DELETE ("].iter().any(|what| rest.starts_with(what)).then_some(&SCHEDULE)
}

fn of_journal(message: &str) -> Option<&'static Declaration> {
    let is_damaged = message.contains(" corrupted or uncleanly shut down, renaming and replacing");
    is_damaged.then_some(&LOGS_DAMAGED)
}

fn of_audit(event: &Event<'_>) -> Option<&'static Declaration> {
    match event.field("event.action").and_then(Value::as_str)? {
        "daemon_end" | "daemon_abort" => Some(&LOGGING_STOPPED),
        "config_change" if event.message.contains(" audit_enabled=0") => Some(&LOGGING_STOPPED),
        "add_user" | "del_user" | "add_group" | "del_group" => Some(&ACCOUNT),
        "path" => {
            let name = created(&event.message)?;
            let is_written =
                ["nametype=CREATE", "nametype=DELETE"].iter().any(|kind| event.message.contains(kind));
            of_path(name).filter(|_| is_written)
        }
        _ => None,
    }
}

/// What a change of a file is.
fn of_path(path: &str) -> Option<&'static Declaration> {
    if path.ends_with("/authorized_keys") || path.ends_with("/authorized_keys2") {
        return Some(&KEY);
    }
    if path == "/etc/sudoers" || path.starts_with("/etc/sudoers.d/") {
        return Some(&SUDOERS);
    }
    if path.starts_with("/etc/cron") || path.starts_with("/var/spool/cron") {
        return Some(&SCHEDULE);
    }
    persistence::of_named(path)
}

/// What a command that root runs changes.
fn of_command(command: &str) -> Option<&'static Declaration> {
    let mut words = command.split_whitespace().filter(|word| !word.contains('='));
    let program = base_name(words.next()?);
    let words: Vec<&str> = words.map(|word| word.trim_matches(['\'', '"', ';'])).collect();
    match program {
        "visudo" => return Some(&SUDOERS),
        "crontab" => return words.iter().all(|word| *word != "-l").then_some(&SCHEDULE),
        "auditctl" if words.contains(&"-D") => return Some(&LOGGING_STOPPED),
        "systemctl" | "service" => return of_service(&words),
        "usermod" | "gpasswd" | "adduser" => {
            let joins = words.iter().any(|word| word.split(',').any(|group| GROUPS.contains(&group)));
            return joins.then_some(if takes_away(program, &words) { &ACCOUNT } else { &ADMINISTRATOR });
        }
        "journalctl" if command.split_whitespace().any(is_vacuum) => return Some(&LOGS_VACUUMED),
        _ if READERS.contains(&program) => return None,
        "sed" if !words.iter().any(|word| word.starts_with("-i") || word.starts_with("--in-place")) => {
            return None;
        }
        _ => {}
    }
    if REMOVERS.contains(&program) && words.iter().any(|word| is_log(word)) {
        return Some(&LOGS_REMOVED);
    }
    words.iter().find_map(|word| of_path(word))
}

/// `--vacuum-time=1s` and its like delete what the journal of systemd holds; `--rotate` alone keeps it.
fn is_vacuum(word: &str) -> bool {
    ["--vacuum-time", "--vacuum-size", "--vacuum-files"].iter().any(|option| word.starts_with(option))
}

/// Whether a command takes somebody out of a group, or changes nobody's: `usermod -rG sudo ann`, `gpasswd -d ann sudo`.
fn takes_away(program: &str, words: &[&str]) -> bool {
    let has = |long: &str, short: char| {
        let is_it = |word: &&&str| match word.strip_prefix("--") {
            Some(option) => option == long,
            None => word.strip_prefix('-').is_some_and(|options| options.contains(short)),
        };
        words.iter().any(|word| is_it(&word))
    };
    match program {
        "gpasswd" => !(has("add", 'a') || has("members", 'M')),
        "usermod" => has("remove", 'r'),
        _ => false,
    }
}

/// `stop rsyslog`, `rsyslog stop`.
fn of_service(words: &[&str]) -> Option<&'static Declaration> {
    let ends = ["stop", "disable", "mask", "kill"].iter().any(|verb| words.contains(verb));
    let keeps = words.iter().any(|word| KEEPERS.contains(&word.trim_end_matches(".service")));
    (ends && keeps).then_some(&LOGGING_STOPPED)
}

fn is_log(word: &str) -> bool {
    let path = word.trim_start_matches('>').trim_start_matches("of=");
    path.strip_prefix("/var/log/")
        .is_some_and(|rest| rest.is_empty() || LOGS.iter().any(|log| rest.ends_with(log)))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
