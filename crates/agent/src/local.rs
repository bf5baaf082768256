//! Processes of the machine that a collector itself runs on: told as an agent tells them, without a journal in between.

use std::{io, path::Path};

use event::Timestamp;
use process::Report;
use telemetry::task::Tasks;

use crate::processes::{self, Processes, Wanted};

/// What is told of this machine's processes.
pub struct Local {
    processes: Option<Processes>,
    /// Reports that could not be kept.
    failed: u64,
}

impl Local {
    /// Begins to follow procmond; the thread that does so is of `tasks`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(wanted: &Wanted, proc: &Path, tasks: &Tasks) -> io::Result<Self> {
        Ok(Self { processes: processes::start(wanted, proc, tasks)?, failed: 0 })
    }

    /// Has what there is to tell kept, and acknowledges it when it was. What was not counts as missing, and a whole list follows.
    pub fn tell(&mut self, now: Timestamp, keep: impl FnOnce(Report) -> bool) {
        let Some(processes) = &mut self.processes else { return };
        let mut part = processes.take(now, self.failed);
        if part.report.take().is_none_or(keep) {
            processes.kept(&part);
        } else {
            self.failed += 1;
        }
    }
}
