//! What breaks: disks, the kernel, and services that will not stay up.

use event::Value;
use finding::fact;

use crate::{
    Entity, EntityType, FindingKind, Level, Seen,
    declaration::{Declaration, Match, host_of},
};

const DISK: Declaration = Declaration::once("disk_error", FindingKind::DiskError, Level::Medium, "");
const DISK_LOST: Declaration = Declaration::once("disk_failing", FindingKind::DiskError, Level::High, "");
const KERNEL: Declaration = Declaration::once("kernel_error", FindingKind::KernelError, Level::Medium, "");
const KERNEL_BROKEN: Declaration =
    Declaration::once("kernel_broken", FindingKind::KernelError, Level::High, "");
const RESTARTS: Declaration =
    Declaration::once("service_restarts", FindingKind::ServiceCrashLoop, Level::Medium, "").often(3, 600);
const GIVEN_UP: Declaration =
    Declaration::once("service_given_up", FindingKind::ServiceCrashLoop, Level::High, "");
const CRASHES: Declaration =
    Declaration::once("process_crashes", FindingKind::ServiceCrashLoop, Level::Medium, "").often(3, 600);

/// What the kernel says, and what it means.
const KERNEL_SAYS: &[(&str, &Declaration)] = &[
    ("I/O error", &DISK),
    ("EXT4-fs error", &DISK),
    ("EXT4-fs (", &DISK),
    ("BTRFS error", &DISK),
    ("BTRFS critical", &DISK_LOST),
    ("XFS (", &DISK),
    ("critical medium error", &DISK_LOST),
    ("Medium Error", &DISK_LOST),
    ("Unrecovered read error", &DISK_LOST),
    ("failed command: ", &DISK),
    ("Remounting filesystem read-only", &DISK_LOST),
    ("remounting read-only", &DISK_LOST),
    ("md/raid", &DISK_LOST),
    ("nvme", &DISK),
    ("Kernel panic", &KERNEL_BROKEN),
    ("Oops: ", &KERNEL_BROKEN),
    ("BUG: ", &KERNEL_BROKEN),
    ("kernel BUG at", &KERNEL_BROKEN),
    ("general protection fault", &KERNEL_BROKEN),
    ("Machine check", &KERNEL_BROKEN),
    ("Hardware Error", &KERNEL_BROKEN),
    ("soft lockup", &KERNEL),
    ("hard LOCKUP", &KERNEL_BROKEN),
    ("blocked for more than", &KERNEL),
    ("detected stalls on CPU", &KERNEL),
    ("Out of memory: ", &KERNEL),
    ("oom-kill:", &KERNEL),
];
/// Of what is said in these words, only this is an error.
const ONLY_WITH: &[(&str, &[&str])] = &[
    ("EXT4-fs (", &["error", "failed", "corrupt"]),
    ("XFS (", &["error", "orrupt", "shut down", "failed"]),
    ("md/raid", &["failure", "failed", "Cannot continue"]),
    ("nvme", &["timeout", "I/O error", "controller is down", "Removing after probe failure"]),
];

pub(crate) fn read(seen: &Seen<'_>, matches: &mut Vec<Match>) {
    let event = &seen.analyzed.event;
    let Some(source) = event.source.as_deref() else { return };
    let message = event.message.as_ref();
    match source {
        "kernel" => kernel(seen, message, matches),
        "smartd" => {
            let is_failing = message.contains("FAILED SMART self-check")
                || message.contains("Currently unreadable")
                || message.contains("Offline uncorrectable sectors")
                || message.contains("SMART Failure");
            let device = message.split_once("/dev/").and_then(|(_, rest)| rest.split([' ', ',', '[']).next());
            let about = || about_host(&DISK_LOST, seen).fact(fact::DEVICES, device.unwrap_or_default());
            matches.extend(is_failing.then(about));
        }
        "systemd" | "init" => {
            matches.extend(unit(message).map(|(name, declaration)| about(declaration, name, seen)))
        }
        "systemd-coredump" => {
            let process = message.strip_prefix("Process ").and_then(|rest| rest.split_once(" ("));
            let name = process.and_then(|(_, rest)| rest.split_once(") of user ")).map(|(name, _)| name);
            matches.extend(name.map(|name| about(&CRASHES, name, seen)));
        }
        "supervisord" => {
            let exited = message.strip_prefix("exited: ").filter(|rest| rest.contains("; not expected)"));
            let name = exited.and_then(|rest| rest.split_once(" (")).map(|(name, _)| name);
            matches.extend(name.map(|name| about(&RESTARTS, name, seen)));
            let given_up = message.strip_prefix("gave up: ").and_then(|rest| rest.split_once(' '));
            matches.extend(given_up.map(|(name, _)| about(&GIVEN_UP, name, seen)));
        }
        "nginx" | "postgres" | "php-fpm" if is_child_killed(message) => {
            matches.push(about(&CRASHES, source, seen));
        }
        _ => {}
    }
}

fn kernel(seen: &Seen<'_>, message: &str, matches: &mut Vec<Match>) {
    let text = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((stamp, text)) if stamp.trim().bytes().all(|b| b.is_ascii_digit() || b == b'.') => text,
        _ => message,
    };
    if let Some((process, _)) =
        text.split_once("]: segfault at ").or_else(|| text.split_once("] general protection "))
    {
        let name = process.rsplit_once('[').map_or(process, |(name, _)| name);
        matches.push(about(&CRASHES, name, seen));
        return;
    }
    let says = |words: &str| {
        let only = ONLY_WITH.iter().find(|(with, _)| *with == words);
        text.contains(words)
            && only.is_none_or(|(_, needed)| needed.iter().any(|needed| text.contains(needed)))
    };
    let found: Vec<_> = KERNEL_SAYS.iter().filter(|(words, _)| says(words)).collect();
    if let Some((_, declaration)) = found.iter().max_by_key(|(_, declaration)| declaration.level) {
        let words = found.iter().find(|(_, of)| of == declaration).map_or("", |(words, _)| *words);
        let found = about_host(declaration, seen).fact(fact::ERRORS, words.trim_end_matches([':', ' ', '(']));
        matches.push(found.fact(fact::DEVICES, device(text).unwrap_or_default()));
    }
}

/// The disk that a message of the kernel is about: `device sda1`, `dev nvme0n1,`, `EXT4-fs (sda1)`, `sd 0:0:0:0: [sda]`.
fn device(text: &str) -> Option<&str> {
    const BEFORE: [&str; 7] =
        ["device ", "dev ", "EXT4-fs (", "XFS (", "BTRFS error (device ", "[", "md/raid"];
    const KINDS: [&str; 8] = ["sd", "nvme", "vd", "xvd", "md", "dm-", "mmcblk", "hd"];
    let words = BEFORE.iter().filter_map(|before| text.split_once(before)).map(|(_, rest)| {
        &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len())]
    });
    let first = text.split([' ', ':']).next();
    words.chain(first).find(|word| word.len() <= 16 && KINDS.iter().any(|kind| word.starts_with(kind)))
}

/// `web.service: Scheduled restart job, restart counter is at 5.` and older spellings.
fn unit(message: &str) -> Option<(&str, &'static Declaration)> {
    if let Some(unit) =
        message.strip_prefix("Unit ").and_then(|rest| rest.strip_suffix(" entered failed state."))
    {
        return Some((unit, &RESTARTS));
    }
    let (unit, rest) = message.split_once(": ").or_else(|| message.split_once(' '))?;
    let rest = rest.trim_start();
    let is_restart =
        rest.starts_with("Scheduled restart job") || rest.starts_with("Service hold-off time over");
    if is_restart {
        return Some((unit, &RESTARTS));
    }
    let is_given_up = rest.starts_with("Start request repeated too quickly")
        || rest.starts_with("start request repeated too quickly")
        || rest.starts_with("respawning too fast");
    is_given_up.then_some((unit, &GIVEN_UP))
}

/// `worker process 7 exited on signal 11`, `server process (PID 7) was terminated by signal 11`.
fn is_child_killed(message: &str) -> bool {
    message.contains(" exited on signal ") || message.contains(" was terminated by signal ")
}

fn about(declaration: &'static Declaration, service: &str, seen: &Seen<'_>) -> Match {
    Match::new(declaration, Entity::new(EntityType::Service, service)).and(host_of(seen))
}

fn about_host(declaration: &'static Declaration, seen: &Seen<'_>) -> Match {
    let event = &seen.analyzed.event;
    let host = event.host.as_deref().or_else(|| event.field("host.hostname").and_then(Value::as_str));
    Match::new(declaration, Entity::new(EntityType::Host, host.unwrap_or_default()))
}
