//! Processes: how many there are, and those that take most.

use std::time::Duration;

use mask::Mask;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, Users};

use crate::{
    command_line,
    reading::{Process, Processes},
    top::{Takes, top},
};

/// Names of users are read again after so many readings.
const USERS_READ_AGAIN: u32 = 60;

/// Reads processes.
#[derive(Debug, Default)]
pub(super) struct Reader {
    mask: Mask,
    users: Option<Users>,
    readings: u32,
    #[cfg(not(windows))]
    names: std::collections::HashSet<String>,
}

impl Reader {
    /// All processes, with those `each` that take most time, memory and disk.
    pub(super) fn read(&mut self, system: &mut System, elapsed: Duration, each: usize) -> Processes {
        // What is told only of those that take most is not asked for again of a process that has it.
        let kind = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .with_disk_usage()
            .with_user(UpdateKind::OnlyIfNotSet)
            .with_cmd(UpdateKind::OnlyIfNotSet)
            .without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        if self.readings.is_multiple_of(USERS_READ_AGAIN) {
            self.users = Users::new_with_refreshed_list().ok();
        }
        self.readings = self.readings.wrapping_add(1);
        #[cfg(not(windows))]
        {
            let names = system.processes().values();
            self.names = names.map(|one| one.name().to_string_lossy().into_owned()).collect();
        }
        let io_s = |one: &sysinfo::Process| {
            let usage = one.disk_usage();
            let moved = usage.read_bytes.saturating_add(usage.written_bytes);
            if elapsed.is_zero() { 0.0 } else { moved as f64 / elapsed.as_secs_f64() }
        };
        let takes = system.processes().iter().map(|(pid, one)| Takes {
            of: *pid,
            cpu_percent: Some(f64::from(one.cpu_usage())).filter(|cpu| cpu.is_finite()).unwrap_or(0.0),
            rss: one.memory(),
            io_bytes_s: Some(io_s(one)),
        });
        let told = top(takes.collect(), each);
        Processes {
            count: system.processes().len(),
            running: None,
            top: told.iter().filter_map(|takes| self.told(system, takes)).collect(),
        }
    }

    fn told(&self, system: &System, takes: &Takes<Pid>) -> Option<Process> {
        let one = system.process(takes.of)?;
        let user = one.user_id().map(|id| {
            let user = self.users.as_ref().and_then(|users| users.get_user_by_id(id));
            user.map_or_else(|| id.to_string(), |user| user.name().to_owned())
        });
        let words: Vec<_> = one.cmd().iter().map(|word| word.to_string_lossy()).collect();
        Some(Process {
            pid: takes.of.as_u32(),
            name: one.name().to_string_lossy().into_owned(),
            user: user.unwrap_or_default(),
            cpu_percent: takes.cpu_percent,
            rss_bytes: takes.rss,
            io_bytes_s: takes.io_bytes_s,
            command: command_line::masked(words.join("\0").as_bytes(), &self.mask),
        })
    }

    /// Whether the last reading had a process that may be of a service: of its name, or of that of a daemon.
    #[cfg(not(windows))]
    pub(super) fn has(&self, service: &str) -> bool {
        !service.is_empty()
            && [service.to_owned(), format!("{service}d")].iter().any(|name| self.names.contains(name))
    }
}
