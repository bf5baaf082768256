//! File systems, and what is read and written of each. They are asked on a thread of their own: one that is away does
//! not answer.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sysinfo::Disks;

use crate::{
    patient::Patient,
    problem::Problem,
    rate::{per_second, percent},
    reading::{Device, FileSystem},
    wanted::Wanted,
};

/// All of them together have so long to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is said of one.
#[derive(Debug, Clone)]
struct Said {
    path: PathBuf,
    total: u64,
    available: u64,
    is_read_only: bool,
    /// Bytes read and written since the start.
    moved: (u64, u64),
}

/// Asks for them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    thread: Option<Patient<(), Result<Vec<Said>, String>>>,
    before: Vec<Said>,
}

impl Reader {
    pub(super) fn read(
        &mut self,
        wanted: &Wanted,
        elapsed: Duration,
        problems: &mut Vec<Problem>,
    ) -> (Vec<FileSystem>, Vec<Device>) {
        let all = match self.ask() {
            Ok(all) => all,
            Err(reason) => {
                problems.push(Problem::new("file systems", reason));
                return (vec![], vec![]);
            }
        };
        let file_systems = match wanted {
            Wanted::Nothing => vec![],
            Wanted::Everything => {
                all.iter().filter_map(|one| one.file_system(one.path.display().to_string())).collect()
            }
            Wanted::These(paths) => {
                let mut found = vec![];
                for path in paths {
                    let one = all
                        .iter()
                        .filter(|one| Path::new(path).starts_with(&one.path))
                        .max_by_key(|one| one.path.as_os_str().len());
                    match one.and_then(|one| one.file_system(path.clone())) {
                        Some(one) => found.push(one),
                        None => problems.push(Problem::new(path, "it is on no file system that is known")),
                    }
                }
                found
            }
        };
        let devices = all.iter().filter_map(|one| one.since(&self.before, elapsed)).collect();
        self.before = all;
        (file_systems, devices)
    }

    fn ask(&mut self) -> Result<Vec<Said>, String> {
        let thread = match &mut self.thread {
            Some(thread) => thread,
            none => {
                let mut disks = Disks::new().map_err(|error| error.to_string())?;
                let answer = move |()| {
                    disks.refresh(true);
                    Ok(disks.iter().map(Said::of).collect())
                };
                none.insert(Patient::new("mount", answer).map_err(|error| error.to_string())?)
            }
        };
        thread.ask(());
        thread.answer(Instant::now() + PATIENCE).unwrap_or_else(|| Err("they do not answer".to_owned()))
    }
}

impl Said {
    fn of(disk: &sysinfo::Disk) -> Self {
        let usage = disk.usage();
        Self {
            path: disk.mount_point().to_owned(),
            total: disk.total_space(),
            available: disk.available_space(),
            is_read_only: disk.is_read_only(),
            moved: (usage.total_read_bytes, usage.total_written_bytes),
        }
    }

    fn file_system(&self, path: String) -> Option<FileSystem> {
        let used = self.total.saturating_sub(self.available);
        Some(FileSystem {
            path,
            total: self.total,
            used,
            available: self.available,
            percent: percent(used, self.total)?,
            inodes_percent: None,
            is_read_only: self.is_read_only,
        })
    }

    /// None while nothing is counted: whether that is so is not told apart from none at all.
    fn since(&self, before: &[Self], elapsed: Duration) -> Option<Device> {
        let before = before.iter().find(|other| other.path == self.path)?;
        (self.moved != (0, 0)).then_some(())?;
        Some(Device {
            name: self.path.display().to_string(),
            read_bytes_s: per_second(before.moved.0, self.moved.0, elapsed)?,
            write_bytes_s: per_second(before.moved.1, self.moved.1, elapsed)?,
            read_ops_s: None,
            write_ops_s: None,
            busy_percent: None,
        })
    }
}
