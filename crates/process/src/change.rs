//! What changed between two scans. Polling cannot see a process that starts and ends between two scans; how many numbers were given
//! out meanwhile says how many those were at most.

use std::collections::HashMap;

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::kind::{Process, Snapshot};

/// A change of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What happened to it.
    pub kind: ChangeKind,
    /// When it was seen; a start is dated by the process itself.
    pub at: Timestamp,
    /// As it is now, or was at last.
    pub process: Process,
    /// As it was before, where it goes on.
    pub before: Option<Box<Process>>,
}

/// What happened to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was there when the watching began.
    Present,
    /// It is new.
    Started,
    /// It has ended.
    Ended,
    /// It runs another file.
    Executed,
    /// The file that it runs was deleted, or has another content.
    ExecutableChanged,
    /// Its users or capabilities are others.
    CredentialsChanged,
    /// It gave itself another short name.
    Renamed,
    /// It listens elsewhere than before.
    ListeningChanged,
    /// Another process traces it, or none any more.
    TracerChanged,
    /// Its standard input is of another kind.
    InputChanged,
}

impl ChangeKind {
    /// Its name, as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Started => "started",
            Self::Ended => "ended",
            Self::Executed => "executed",
            Self::ExecutableChanged => "executable_changed",
            Self::CredentialsChanged => "credentials_changed",
            Self::Renamed => "renamed",
            Self::ListeningChanged => "listening_changed",
            Self::TracerChanged => "tracer_changed",
            Self::InputChanged => "input_changed",
        }
    }
}

/// Holds each scan against the one before.
#[derive(Debug, Default)]
pub struct Watch {
    /// By number. `None` before the first scan.
    known: Option<HashMap<u32, Process>>,
    boot_id: String,
}

impl Watch {
    /// Takes a scan in, and gives what changed since the one before, ends first, then by the time of the start. The first scan, and the
    /// first after the machine started anew, gives nothing: everything in it was there before.
    pub fn observe(&mut self, snapshot: Snapshot) -> Vec<Change> {
        let at = snapshot.taken_at;
        let processes: HashMap<_, _> =
            snapshot.processes.into_iter().map(|process| (process.pid, process)).collect();
        let same_run = self.boot_id == snapshot.boot_id;
        self.boot_id = snapshot.boot_id;
        let Some(mut before) = self.known.take().filter(|_| same_run) else {
            self.known = Some(processes);
            return Vec::new();
        };
        let mut changes = Vec::new();
        for process in processes.values() {
            compare(before.remove(&process.pid), process, false, at, &mut changes);
        }
        changes.extend(before.into_values().map(|process| ended(process, at)));
        changes.sort_by_key(|change| {
            (change.kind != ChangeKind::Ended, change.process.started_at, change.process.pid)
        });
        self.known = Some(processes);
        changes
    }

    /// Takes one process in as it is now, between two scans, and gives what that changes: an end and a start where its number was
    /// that of another. `executed` where it is known to run another file, which may be the same one anew.
    pub fn see(&mut self, process: Process, executed: bool, at: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        let before = self.known.get_or_insert_default().insert(process.pid, process.clone());
        compare(before, &process, executed, at, &mut changes);
        changes
    }

    /// The process of this number has ended.
    pub fn end(&mut self, pid: u32, at: Timestamp) -> Option<Change> {
        Some(ended(self.known.as_mut()?.remove(&pid)?, at))
    }

    /// Processes as the last scan had them, to be told to somebody who knows none of them yet.
    pub fn present(&self, at: Timestamp) -> impl Iterator<Item = Change> {
        let told = move |process: &Process| Change {
            kind: ChangeKind::Present,
            at,
            process: process.clone(),
            before: None,
        };
        self.processes().map(told)
    }

    /// Processes as the last scan had them.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.known.iter().flat_map(HashMap::values)
    }
}

fn ended(process: Process, at: Timestamp) -> Change {
    Change { kind: ChangeKind::Ended, at, process, before: None }
}

fn compare(before: Option<Process>, now: &Process, executed: bool, at: Timestamp, changes: &mut Vec<Change>) {
    let before = match before {
        Some(before) if before.started_at != now.started_at => {
            changes.push(ended(before, at));
            None
        }
        before => before,
    };
    let (kind, at) = match &before {
        None => (Some(ChangeKind::Started), now.started_at.min(at)),
        Some(_) if executed => (Some(ChangeKind::Executed), at),
        Some(before) => (difference(before, now), at),
    };
    if let Some(kind) = kind {
        changes.push(Change { kind, at, process: now.clone(), before: before.map(Box::new) });
    }
}

/// What of a process that goes on is another than before, the gravest first; figures such as memory do not count.
#[must_use]
pub fn difference(before: &Process, now: &Process) -> Option<ChangeKind> {
    let file = |process: &Process| (process.device, process.inode);
    // A part that could not be read this time is no change.
    if file(before) != file(now) && now.inode.is_some() {
        return Some(ChangeKind::Executed);
    }
    let hashes = before.executable_hash.as_ref().zip(now.executable_hash.as_ref());
    if hashes.is_some_and(|(before, now)| before != now)
        || (now.executable_deleted && !before.executable_deleted)
    {
        return Some(ChangeKind::ExecutableChanged);
    }
    let credentials = |process: &Process| (process.real_uid, process.uid, process.gid, process.capabilities);
    if credentials(before) != credentials(now) {
        return Some(ChangeKind::CredentialsChanged);
    }
    if before.name != now.name {
        return Some(ChangeKind::Renamed);
    }
    if before.listening != now.listening {
        return Some(ChangeKind::ListeningChanged);
    }
    if before.tracer_pid != now.tracer_pid {
        return Some(ChangeKind::TracerChanged);
    }
    let inputs = before.standard_input.zip(now.standard_input);
    inputs.is_some_and(|(before, now)| before != now).then_some(ChangeKind::InputChanged)
}
