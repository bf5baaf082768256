//! Rules over the real processes of this machine.

use std::{
    collections::HashMap,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use event::Timestamp;
use finding::Finding;
use process::{Change, ChangeKind, Executables, HashLimits, Process, Reader, Scope, Watch};
use suspicion::{Scene, suspicions};

const SOON: Duration = Duration::from_secs(60);

/// Looks at this machine.
pub(crate) struct Machine {
    reader: Reader,
    executables: Executables,
    watch: Watch,
    found: Vec<Hit>,
}

/// What was found of a process.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) pid: u32,
    pub(crate) finding: Finding,
}

/// Others run programs on this machine, too.
fn is_ours(all: &HashMap<u32, Process>, mut pid: u32) -> bool {
    while pid != std::process::id() {
        match all.get(&pid) {
            Some(process) => pid = process.ppid,
            None => return false,
        }
    }
    true
}

fn now() -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000).unwrap()
}

impl Machine {
    /// What runs at this moment was there before.
    pub(crate) fn new() -> Self {
        let mut machine = Self {
            reader: Reader::open(Path::new("/proc"), Path::new("/etc/passwd"), Scope::default()).unwrap(),
            executables: Executables::new(HashLimits { scan_bytes: u64::MAX, ..HashLimits::default() }),
            watch: Watch::default(),
            found: Vec::new(),
        };
        machine.look();
        machine
    }

    fn look(&mut self) -> Vec<Change> {
        self.watch.observe(self.reader.scan(now(), &mut self.executables).unwrap())
    }

    /// What is suspect since the last look of what this test started, or of itself. Ancestors end at it: what it starts is no part of the
    /// build that runs it.
    pub(crate) fn hits(&mut self) -> Vec<Hit> {
        let changes = self.look();
        let all: HashMap<u32, Process> =
            self.watch.processes().map(|process| (process.pid, process.clone())).collect();
        let mut hits = Vec::new();
        let changes = changes.iter().filter(|change| change.kind != ChangeKind::Ended);
        for change in changes.filter(|change| is_ours(&all, change.process.pid)) {
            let mut ancestors: Vec<Process> = Vec::new();
            let mut pid = change.process.ppid;
            while pid != std::process::id()
                && ancestors.len() < 4
                && let Some(parent) = all.get(&pid)
            {
                pid = parent.ppid;
                ancestors.push(parent.clone());
            }
            let scene = Scene {
                host: "gate",
                at: change.at,
                now: &change.process,
                before: change.before.as_deref(),
                ancestors: &ancestors,
                tracer: change.process.tracer_pid.and_then(|pid| all.get(&pid)),
            };
            let found = suspicions(&scene).into_iter();
            hits.extend(found.map(|one| Hit { pid: change.process.pid, finding: one.finding }));
        }
        self.found.extend(hits.iter().cloned());
        hits
    }

    /// Waits for a child of a process that runs this file.
    pub(crate) fn child(&mut self, pid: u32, file: &Path) -> u32 {
        let began = Instant::now();
        while began.elapsed() < SOON {
            self.hits();
            if let Some(child) = self.watch.processes().find(|process| {
                process.ppid == pid
                    && process.executable.as_deref().is_some_and(|path| Path::new(path) == file)
            }) {
                return child.pid;
            }
        }
        panic!("process {pid} has no child");
    }

    /// All that was found so far.
    pub(crate) fn found(&self) -> &[Hit] {
        &self.found
    }

    /// Looks until a process or a child of it has this hit.
    pub(crate) fn until(&mut self, rule: &str, of: &[u32]) -> Finding {
        let began = Instant::now();
        let mut seen = Vec::new();
        while began.elapsed() < SOON {
            let hits = self.hits();
            let children: Vec<u32> = self
                .watch
                .processes()
                .filter(|process| of.contains(&process.ppid))
                .map(|process| process.pid)
                .collect();
            let is_of = |hit: &&Hit| of.contains(&hit.pid) || children.contains(&hit.pid);
            if let Some(hit) = hits.iter().filter(is_of).find(|hit| hit.finding.rule == rule) {
                return hit.finding.clone();
            }
            seen.extend(hits);
            std::thread::yield_now();
        }
        panic!("no {rule}: {seen:?}");
    }

    /// A process as it is now.
    pub(crate) fn process(&mut self, pid: u32) -> Process {
        self.reader.one(pid, &mut self.executables).unwrap()
    }
}

/// A program that ends with its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap())
    }

    /// A shell under another name that waits for a line.
    pub(crate) fn waits(program: &Path) -> Self {
        Self::start(Command::new(program).args(["-c", "read line"]).stdin(Stdio::piped()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its children end with their input.
        drop(self.0.stdin.take());
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}
