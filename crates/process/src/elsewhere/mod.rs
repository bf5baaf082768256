//! Windows, macOS and the rest, by the crate `sysinfo`. What that does not know is absent.

mod executable;

use std::{path::Path, sync::Arc};

use event::Timestamp;
pub use executable::Executables;
use mask::Mask;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, Users};

use crate::{
    kind::{Capabilities, NO_USER, Process, Snapshot},
    problems::Problems,
    scope::Scope,
};

/// Nothing at all can be said of the processes.
#[derive(Debug, thiserror::Error)]
#[error("the processes of this machine cannot be read: {0}")]
pub struct Error(String);

/// Reads processes.
#[derive(Debug)]
pub struct Reader {
    system: System,
    users: Users,
    scope: Scope,
    host: String,
    boot_id: String,
}

impl Reader {
    /// The paths are those of other platforms.
    ///
    /// # Errors
    /// Where the system tells nothing.
    pub fn open(_: &Path, _: &Path, scope: Scope) -> Result<Self, Error> {
        let failed = |error: sysinfo::Error| Error(error.to_string());
        // The system names no run of the machine; when it began is worked out anew each time, to about a second.
        let minutes = System::boot_time().map_err(failed)? / 60;
        Ok(Self {
            system: System::new().map_err(failed)?,
            users: Users::new().map_err(failed)?,
            scope,
            host: System::host_name().unwrap_or_default(),
            boot_id: format!("minute-{minutes}"),
        })
    }

    /// Every process that there is. `now` is the time of the scan.
    ///
    /// # Errors
    /// Never at present; what cannot be read of a process stands in the snapshot's problems.
    pub fn scan(&mut self, now: Timestamp, executables: &mut Executables) -> Result<Snapshot, Error> {
        executables.begin();
        let kind = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .with_disk_usage()
            .with_user(UpdateKind::Always)
            .with_cmd(UpdateKind::Always)
            .with_exe(UpdateKind::Always)
            .with_cwd(UpdateKind::Always)
            .without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        self.users.refresh();
        let mut problems = Problems::default();
        let all = self.system.processes().iter();
        let mut processes: Vec<Process> =
            all.filter_map(|(pid, one)| self.process(*pid, one, executables, &mut problems)).collect();
        processes.sort_by_key(|process| process.pid);
        Ok(Snapshot {
            host: self.host.clone(),
            taken_at: now,
            boot_id: self.boot_id.clone(),
            processes,
            problems: problems.told(),
        })
    }

    fn process(
        &self,
        pid: Pid,
        one: &sysinfo::Process,
        executables: &mut Executables,
        problems: &mut Problems,
    ) -> Option<Process> {
        let name = one.name().to_string_lossy();
        if self.scope.excluded.contains(&*name) {
            return None;
        }
        let user = one.effective_user_id().or_else(|| one.user_id());
        let named = user.map(|id| {
            let known = self.users.get_user_by_id(id);
            known.map_or_else(|| id.to_string(), |user| user.name().to_owned())
        });
        let text = |path: Option<&Path>| path.map(|path| Arc::from(path.to_string_lossy()));
        let path = one.exe().filter(|path| !path.as_os_str().is_empty());
        let hash = path.and_then(|path| problems.hash(executables.hash(path)));
        let number =
            |id: Option<&sysinfo::Uid>| id.and_then(|id| id.to_string().parse().ok()).unwrap_or(NO_USER);
        let group = one.effective_group_id().or_else(|| one.group_id());
        let usage = one.disk_usage();
        Some(Process {
            pid: pid.as_u32(),
            started_at: seconds(one.start_time()),
            ppid: one.parent().map_or(0, Pid::as_u32),
            command: command_line(one, self.scope.command_bytes, &self.scope.mask).into(),
            executable: text(one.exe()),
            executable_deleted: false,
            executable_replaced: false,
            executable_hash: hash,
            user: named.unwrap_or_default().into(),
            uid: number(user),
            gid: group.and_then(|id| id.to_string().parse().ok()).unwrap_or(NO_USER),
            capabilities: Capabilities(0),
            cgroup: None,
            cwd: text(one.cwd()),
            cpu_seconds: one.accumulated_cpu_time() as f64 / 1000.0,
            rss_bytes: one.memory(),
            open_ports: Vec::new(),
            real_uid: number(one.user_id()),
            kernel_thread: false,
            tracer_pid: None,
            standard_input: None,
            container: None,
            device: None,
            inode: None,
            set_uid: false,
            namespaces: Vec::new(),
            read_bytes: Some(usage.total_read_bytes),
            write_bytes: Some(usage.total_written_bytes),
            listening: Vec::new(),
            name: name.into(),
        })
    }
}

/// Of a number of seconds since 1970.
fn seconds(seconds: u64) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(seconds) * 1_000_000_000)
}

/// Arguments joined by blanks, masked, about `limit` bytes at most.
fn command_line(one: &sysinfo::Process, limit: usize, mask: &Mask) -> String {
    let words: Vec<_> = one.cmd().iter().map(|word| word.to_string_lossy()).collect();
    let mut text = match words.as_slice() {
        [] => String::new(),
        [title] => mask.text(title),
        words => mask.arguments(words).join(" "),
    };
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
}
