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
        "syscall" => matches.extend(executed(seen, event)),
        _ => {}
    }
}

/// A decoder and an interpreter that one parent starts at once: a script in disguise.
fn executed(seen: &Seen<'_>, event: &Event<'_>) -> Option<Match> {
    let is_success = event.field("event.outcome").and_then(Value::as_str) == Some("success");
    let path = event.field("process.executable").and_then(Value::as_str)?;
    let program = path.rsplit('/').next()?.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_decoder = DECODERS.contains(&program) || DECODERS.iter().any(|name| path.ends_with(name));
    let what = if is_decoder { 1 } else { 2 };
    if !is_success || !(is_decoder || INTERPRETERS.contains(&program)) {
        return None;
    }
    let parent = match event.field("process.parent.pid") {
        Some(pid) => pid.to_json().to_string(),
        None => assigned(&event.message, " ppid=")?.to_owned(),
    };
    let call = match event.field("labels.SYSCALL.syscall") {
        Some(number) => number.to_json().to_string(),
        None => assigned(&event.message, " syscall=")?.to_owned(),
    };
    let is_execution = matches!(call.as_str(), "59" | "322" | "221" | "281" | "11");
    let about = Entity::new(EntityType::Process, parent);
    is_execution.then(|| Match { what, ..Match::new(&DECODED, about).and(host_of(seen)) })
}

fn assigned<'e>(message: &'e str, name: &str) -> Option<&'e str> {
    message.split_once(name)?.1.split(' ').next()
}
