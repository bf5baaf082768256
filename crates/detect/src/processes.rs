//! What the records of the Linux audit say of processes.

use event::{Event, Value};

use crate::{
    Entity, EntityType, FindingKind, Level, Seen,
    declaration::{Declaration, Match, host_of},
};

const CRASHED: Declaration = Declaration::once(
    "program_with_privileges_crashed",
    FindingKind::PrivilegeEscalation,
    Level::High,
    "T1068",
);
const DECODED: Declaration =
    Declaration::once("decoded_script_run", FindingKind::ProcessUnusualParent, Level::Medium, "T1059.004")
        .often(2, 10)
        .of_different();
const FROM_TEMP: Declaration =
    Declaration::once("program_run_from_temp", FindingKind::ProcessFromTemp, Level::Low, "T1059");
const FETCHED: Declaration =
    Declaration::once("fetched_program_run", FindingKind::ProcessUnusualParent, Level::High, "T1105")
        .often(2, 60)
        .of_different();
const KILLED: Declaration =
    Declaration::once("many_programs_killed", FindingKind::ProcessUnusualParent, Level::Medium, "T1489")
        .often(5, 10);

/// Programs that run with the rights of root whoever calls them.
const WITH_PRIVILEGES: &[&str] = &[
    "su",
    "sudo",
    "passwd",
    "mount",
    "umount",
    "pkexec",
    "chsh",
    "chfn",
    "newgrp",
    "gpasswd",
    "fusermount",
    "fusermount3",
    "doas",
    "ping",
    "at",
    "crontab",
    "ssh-keysign",
    "unix_chkpwd",
    "Xorg.wrap",
    "polkit-agent-helper-1",
    "dbus-daemon-launch-helper",
    "expiry",
    "chage",
    "sudoedit",
];
const DECODERS: &[&str] = &["base64", "base32", "basenc", "uudecode"];
const DOWNLOADERS: &[&str] = &["wget", "curl", "tftp", "ftpget"];
const KILLERS: &[&str] = &["pkill", "killall", "killall5", "skill"];
/// Where everybody may write, and nothing is installed.
const OPEN_PLACES: &[&str] = &["/tmp/", "/var/tmp/", "/dev/shm/"];
const INTERPRETERS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "perl", "python", "ruby", "php", "node"];

pub(crate) fn read(seen: &Seen<'_>, matches: &mut Vec<Match>) {
    let event = &seen.analyzed.event;
    let text = |path: &str| event.field(path).and_then(Value::as_str);
    let Some(action) = text("event.action").filter(|_| event.source.as_deref() == Some("auditd")) else {
        return;
    };
    match action {
        "anom_abend" => {
            let program = text("process.executable")
                .filter(|path| WITH_PRIVILEGES.contains(&path.rsplit('/').next().unwrap_or_default()));
            let about = program.map(|path| Match::new(&CRASHED, Entity::new(EntityType::Process, path)));
            matches.extend(about.map(|about| about.and(host_of(seen))));
        }
        // Nothing where the record does not say what is needed.
        "syscall" => executed(seen, event, matches).unwrap_or_default(),
        _ => {}
    }
}

/// What one parent starts: a decoder and an interpreter at once, which is a script in disguise; what it has just fetched;
/// one killer of programs after the other.
fn executed(seen: &Seen<'_>, event: &Event<'_>, matches: &mut Vec<Match>) -> Option<()> {
    let is_success = event.field("event.outcome").and_then(Value::as_str) == Some("success");
    let path = event.field("process.executable").and_then(Value::as_str)?;
    let program = path.rsplit('/').next()?.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_open = OPEN_PLACES.iter().any(|place| path.starts_with(place));
    let is_decoder = DECODERS.iter().any(|name| path.ends_with(name));
    let of_pair = |declaration, is_first: bool, is_second: bool| match (is_first, is_second) {
        (true, _) => Some((declaration, 1)),
        (_, true) => Some((declaration, 2)),
        _ => None,
    };
    let said = [
        of_pair(&DECODED, is_decoder, INTERPRETERS.contains(&program)),
        of_pair(&FETCHED, DOWNLOADERS.contains(&program), is_open),
        KILLERS.contains(&program).then_some((&KILLED, 0)),
    ];
    if !is_success || (said.iter().all(Option::is_none) && !is_open) || !is_execution(event) {
        return None;
    }
    let parent = match event.field("process.parent.pid") {
        Some(pid) => pid.to_json().to_string(),
        None => assigned(&event.message, " ppid=")?.to_owned(),
    };
    let about = Entity::new(EntityType::Process, parent);
    for (declaration, what) in said.into_iter().flatten() {
        matches.push(Match { what, ..Match::new(declaration, about.clone()).and(host_of(seen)) });
    }
    if is_open {
        matches.push(Match::new(&FROM_TEMP, Entity::new(EntityType::Process, path)).and(host_of(seen)));
    }
    Some(())
}

/// Whether the call is `execve` or `execveat`, on one of the common machines.
fn is_execution(event: &Event<'_>) -> bool {
    let call = match event.field("labels.SYSCALL.syscall") {
        Some(number) => Some(number.to_json().to_string()),
        None => assigned(&event.message, " syscall=").map(str::to_owned),
    };
    matches!(call.as_deref(), Some("59" | "322" | "221" | "281" | "11"))
}

fn assigned<'e>(message: &'e str, name: &str) -> Option<&'e str> {
    message.split_once(name)?.1.split(' ').next()
}
