//! The rules, each over one process at a time: what holds now and did not before is told.

use finding::{FindingKind, Level};
use process::{Process, StandardInput};

use crate::{
    known::{
        BUILDERS, DEBUGGERS, FETCHERS, KERNEL_THREADS, OFFICES, PIPES, SCHEDULERS, SERVERS,
        SERVERS_WITH_COMMANDS, SET_UID, SHELLS, base, is_installed, is_open, program,
    },
    names,
    scene::{Found, Rule, Scene, Suspicion},
};

const fn rule(
    name: &'static str,
    kind: FindingKind,
    technique: &'static str,
    look: fn(&Scene<'_>, &Process) -> Option<Found>,
) -> Rule {
    Rule { name, kind, technique, look }
}

pub(crate) const RULES: &[Rule] = &[
    rule("process_in_memory", FindingKind::ProcessNoExecutable, "T1620", in_memory),
    rule("process_deleted", FindingKind::ProcessNoExecutable, "T1070.004", deleted),
    rule("process_system_name", FindingKind::ProcessDuplicateName, "T1036.005", names::system_name),
    rule("process_similar_name", FindingKind::ProcessDuplicateName, "T1036.005", names::similar_name),
    rule("process_like_kernel", FindingKind::ProcessMasquerade, "T1036.009", like_kernel),
    rule("process_server_shell", FindingKind::ProcessUnusualParent, "T1505.003", server_shell),
    rule("process_office_shell", FindingKind::ProcessUnusualParent, "T1204.002", office_shell),
    rule("process_cron_network", FindingKind::ProcessUnusualParent, "T1053.003", cron_network),
    rule("process_from_open_folder", FindingKind::ProcessFromTemp, "T1059", from_temp),
    rule("process_traced", FindingKind::ProcessTraced, "T1055.008", traced),
    rule("process_network_shell", FindingKind::ReverseShell, "T1059.004", network_shell),
    rule("process_set_uid", FindingKind::SuidExecuted, "T1548.001", set_uid),
];

const OVERWRITTEN: Rule =
    rule("process_overwritten", FindingKind::ProcessChangedExecutable, "T1554", |_, _| None);

/// Container engines run themselves from memory, so that a container cannot write to them.
const ENGINES_IN_MEMORY: &[&str] = &["/memfd:runc_cloned", "/memfd:crun", "/memfd:lxc"];

fn in_memory(_: &Scene<'_>, process: &Process) -> Option<Found> {
    let path = process.executable.as_deref()?;
    let is_engine = ENGINES_IN_MEMORY.iter().any(|engine| path.starts_with(engine));
    (path.starts_with("/memfd:") && !is_engine).then_some(Found::at(Level::High))
}

/// Another file in its place is an upgrade; a builder removes what it ran.
fn deleted(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    let path = process.executable.as_deref()?;
    let is_gone = process.executable_deleted && !process.executable_replaced && !path.starts_with("/memfd:");
    if !is_gone || is_built(scene, process) {
        return None;
    }
    Some(Found::at(if is_open(path) { Level::High } else { Level::Medium }))
}

/// Whether a builder runs what it has made: one of its name from a place where anybody could have put it is none.
fn is_built(scene: &Scene<'_>, process: &Process) -> bool {
    let is_builder = |ancestor: &Process| {
        BUILDERS.contains(&program(ancestor))
            && ancestor.executable.as_deref().is_some_and(|path| !is_open(path))
    };
    process.uid == process.real_uid && scene.ancestors.iter().any(is_builder)
}

/// The file is the same and has another content.
pub(crate) fn overwritten(scene: &Scene<'_>) -> Option<Suspicion> {
    let before = scene.before?;
    let file = |process: &Process| process.device.zip(process.inode);
    let is_same = file(before).is_some() && file(before) == file(scene.now);
    let hashes = before.executable_hash.as_ref().zip(scene.now.executable_hash.as_ref());
    let is_other = hashes.is_some_and(|(before, now)| before != now);
    (is_same && is_other).then(|| scene.suspicion(&OVERWRITTEN, Found::at(Level::High)))
}

/// What is shown in brackets, or called so, and runs a file.
fn like_kernel(_: &Scene<'_>, process: &Process) -> Option<Found> {
    if process.kernel_thread || process.executable.is_none() {
        return None;
    }
    let command = process.command.trim();
    let in_brackets = command.starts_with('[') && command.ends_with(']') && command.len() > 2;
    // `[` is a program, too, which ends with a bracket of its own.
    let is_test = command.starts_with("[ ") || program(process) == "[";
    let stem = process.name.split(['/', ':', '-']).next().unwrap_or_default();
    let is_called_so =
        KERNEL_THREADS.contains(&stem) && base(process.executable.as_deref()?) != &*process.name;
    let is_file_so = process.executable.as_deref().is_some_and(|path| {
        KERNEL_THREADS.contains(&base(path).split(['/', ':', '-']).next().unwrap_or_default())
            && !is_installed(path)
    });
    ((in_brackets && !is_test) || is_called_so || is_file_so).then_some(Found::at(Level::High))
}

fn server_shell(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    let child = program(process);
    if !SHELLS.contains(&child) && !PIPES.contains(&child) && !FETCHERS.contains(&child) {
        return None;
    }
    let parent = program(scene.ancestors.first()?);
    if !SERVERS.contains(&parent) {
        return None;
    }
    let is_told_to = SERVERS_WITH_COMMANDS.contains(&parent) && SHELLS.contains(&child);
    Some(Found::at(if is_told_to { Level::Medium } else { Level::High }))
}

fn office_shell(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    let child = program(process);
    let is_child = SHELLS.contains(&child) || PIPES.contains(&child) || FETCHERS.contains(&child);
    (is_child && scene.is_below(1, OFFICES)).then_some(Found::at(Level::High))
}

fn cron_network(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    let child = program(process);
    let level = match child {
        _ if PIPES.contains(&child) => Level::High,
        _ if FETCHERS.contains(&child) => Level::Low,
        _ => return None,
    };
    scene.is_below(3, SCHEDULERS).then_some(Found::at(level))
}

fn from_temp(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    let path = process.executable.as_deref()?;
    // Images that are mounted for as long as they run.
    if !is_open(path) || path.starts_with("/tmp/.mount_") || is_built(scene, process) {
        return None;
    }
    let in_memory = path.starts_with("/dev/shm/") || path.starts_with("/run/");
    Some(Found::at(if in_memory { Level::High } else { Level::Medium }))
}

fn traced(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    let number = process.tracer_pid?;
    let tracer = scene.tracer.filter(|tracer| tracer.pid == number);
    let is_debugger = tracer.is_some_and(|tracer| DEBUGGERS.contains(&program(tracer)));
    let mut found = Found::at(if is_debugger { Level::Informational } else { Level::Medium });
    found.about = tracer.map(|tracer| program(tracer).to_owned());
    Some(found)
}

fn network_shell(scene: &Scene<'_>, process: &Process) -> Option<Found> {
    if !SHELLS.contains(&program(process)) && !SHELLS.contains(&&*process.name) {
        return None;
    }
    let is_of_network = process.standard_input == Some(StandardInput::Network);
    let is_of_pipe = scene.is_below(1, PIPES) && process.standard_input != Some(StandardInput::Terminal);
    (is_of_network || is_of_pipe).then_some(Found::at(Level::Critical))
}

/// Those that every distribution has are no news; others are, once on a host.
fn set_uid(_: &Scene<'_>, process: &Process) -> Option<Found> {
    let path = process.executable.as_deref().filter(|_| process.set_uid)?;
    let is_installed = is_installed(path);
    if is_installed && SET_UID.contains(&base(path)) {
        return None;
    }
    let hash = process.executable_hash.as_deref().unwrap_or_default();
    Some(Found {
        level: if is_installed { Level::Medium } else { Level::High },
        once: Some(format!("set_uid {path} {hash}")),
        about: None,
    })
}
