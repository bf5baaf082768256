//! Windows, macOS and the rest, by the crate `sysinfo`. What that does not know is absent from a reading.

mod disk;
mod interface;
mod process;

use std::time::{Duration, Instant};

use sysinfo::System;

use crate::{
    problem::Problem,
    rate::percent,
    reading::{Cpu, Memory, Reading, Selection, Service, Shares, Swap},
    roots::Roots,
    wanted::Wanted,
};

/// This machine.
#[derive(Debug)]
pub struct Machine {
    system: Option<System>,
    read: Option<Instant>,
    disks: disk::Reader,
    interfaces: interface::Reader,
    processes: process::Reader,
    #[cfg(windows)]
    services: crate::service::Services,
}

impl Machine {
    /// Nothing is said below folders here.
    pub fn new(_: Roots) -> Self {
        Self {
            system: System::new().ok(),
            read: None,
            disks: disk::Reader::default(),
            interfaces: interface::Reader::default(),
            processes: process::Reader::default(),
            #[cfg(windows)]
            services: crate::sc::services("sc.exe".into()),
        }
    }

    /// The system's name and version, for people.
    pub fn system(&mut self) -> String {
        let name = System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
        let kernel = System::kernel_version().map(|version| format!(", {version}")).unwrap_or_default();
        format!("{name}{kernel}").chars().filter(|c| !c.is_control()).take(200).collect()
    }

    /// What this machine is called; None where the system does not say it.
    pub fn name(&mut self) -> Option<String> {
        System::host_name().ok().filter(|name| !name.is_empty())
    }

    /// Looks at everything that is asked for. `now` is the time of the reading; rates are since the one before.
    pub fn read(&mut self, selection: &Selection, now: Instant) -> Reading {
        let elapsed = self.read.map_or(Duration::ZERO, |before| now.saturating_duration_since(before));
        self.read = Some(now);
        let mut reading = Reading { elapsed, ..Reading::default() };
        let mut problems = vec![];
        match &mut self.system {
            Some(system) => {
                if selection.cpu {
                    system.refresh_cpu_usage();
                    reading.cpu = (!elapsed.is_zero()).then(|| cpu(system)).flatten();
                    #[cfg(unix)]
                    {
                        reading.load = System::load_average().ok().map(|load| crate::reading::Load {
                            averages: [load.one, load.five, load.fifteen],
                        });
                    }
                }
                if selection.memory {
                    system.refresh_memory();
                    (reading.memory, reading.swap) = memory(system).unzip();
                }
                reading.processes = self.processes.read(system, elapsed, selection.top);
            }
            None => {
                problems.push(Problem::new("processors, memory and processes", "the system is not known"))
            }
        }
        if selection.mounts != Wanted::Nothing {
            (reading.file_systems, reading.devices) =
                self.disks.read(&selection.mounts, elapsed, &mut problems);
        }
        if selection.interfaces != Wanted::Nothing {
            reading.interfaces = self.interfaces.read(&selection.interfaces, elapsed, &mut problems);
        }
        reading.services = self.services(&selection.services, &mut problems);
        reading.uptime_s = System::uptime().ok().map(|seconds| seconds as f64);
        reading.booted = System::boot_time().ok();
        reading.problems = problems;
        reading
    }

    #[cfg(windows)]
    fn services(&mut self, wanted: &Wanted, problems: &mut Vec<Problem>) -> Vec<Service> {
        self.services.read(wanted, problems)
    }

    /// Whether a process of that name runs.
    #[cfg(not(windows))]
    fn services(&mut self, wanted: &Wanted, _: &mut Vec<Problem>) -> Vec<Service> {
        use crate::reading::ServiceState;
        let state = |name: &String| match self.processes.has(name) {
            true => ServiceState::Running,
            false => ServiceState::Stopped,
        };
        wanted.names().iter().map(|name| Service::of(name, state(name))).collect()
    }
}

/// None while nothing is known of them: that all have done nothing at all, down to this reading, is only said where nobody counts.
fn cpu(system: &System) -> Option<Cpu> {
    let known = |share: f32| f64::from(share).is_finite().then(|| f64::from(share).clamp(0.0, 100.0));
    let cores: Vec<f64> = system.cpus().iter().filter_map(|core| known(core.usage())).collect();
    let busy = known(system.global_cpu_usage())?;
    let is_counted = busy > 0.0 || cores.iter().any(|core| *core > 0.0);
    is_counted.then(|| Cpu { total: Shares { busy, ..Shares::default() }, cores })
}

/// None while nothing is known of it.
fn memory(system: &System) -> Option<(Memory, Swap)> {
    let total = system.total_memory();
    let available = system.available_memory().min(total);
    let used = total - available;
    let memory = Memory { total, available, used, percent: percent(used, total)?, cached: None };
    let (total, used) = (system.total_swap(), system.used_swap());
    Some((memory, Swap { total, used, percent: percent(used, total).unwrap_or(0.0) }))
}
