//! Linux: what the kernel says below `/proc` and `/sys`, and systemd of its units.

mod container;
mod cpu;
mod device;
mod interface;
mod kernel;
mod memory;
mod mount;
mod mounts;
mod number;
mod passwd;
mod process;
mod sensor;
mod session;
mod systemd;
mod tcp;

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    problem::Problem,
    reading::{Load, Pressure, Reading, Selection},
    roots::Roots,
    service::Services,
    wanted::Wanted,
};
use cpu::Times;
use kernel::Kernel;
use number::{decimal, number, words};

/// This machine.
#[derive(Debug)]
pub struct Machine {
    kernel: Kernel,
    read: Option<Instant>,
    times: Option<Times>,
    devices: Vec<device::Counters>,
    interfaces: Vec<interface::Counters>,
    segments: Option<tcp::Segments>,
    mounts: mounts::Reader,
    processes: process::Reader,
    containers: container::Reader,
    services: Services,
}

impl Machine {
    /// What the kernel says below these folders.
    pub fn new(roots: Roots) -> Self {
        Self {
            kernel: Kernel::new(roots),
            read: None,
            times: None,
            devices: vec![],
            interfaces: vec![],
            segments: None,
            mounts: mounts::Reader::default(),
            processes: process::Reader::default(),
            containers: container::Reader::default(),
            services: systemd::services(PathBuf::from("systemctl")),
        }
    }

    /// The kernel's name and version, for people.
    pub fn system(&mut self) -> String {
        let release = self.kernel.roots().etc.join("os-release");
        let name = self.kernel.file(&release).ok().and_then(|text| {
            let text = String::from_utf8_lossy(text);
            let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
            Some(name.trim_matches('"').to_owned())
        });
        let kernel = self.kernel.proc("sys/kernel/osrelease").map(number::text).unwrap_or_default();
        format!("{}, Linux {kernel}", name.as_deref().unwrap_or("Linux"))
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect()
    }

    /// What this machine is called; None where the kernel does not say it.
    pub fn name(&mut self) -> Option<String> {
        self.kernel.proc("sys/kernel/hostname").ok().map(number::text).filter(|name| !name.is_empty())
    }

    /// Looks at everything that is asked for. `now` is the time of the reading; rates are since the one before.
    pub fn read(&mut self, selection: &Selection, now: Instant) -> Reading {
        let elapsed = self.read.map_or(Duration::ZERO, |before| now.saturating_duration_since(before));
        self.read = Some(now);
        let mut reading = Reading { elapsed, ..Reading::default() };
        if selection.cpu {
            self.cpu(&mut reading);
        }
        if selection.memory {
            let parsed = said(self.kernel.proc("meminfo"), memory::parse);
            (reading.memory, reading.swap) = or_told(parsed, "meminfo", &mut reading).unzip();
        }
        let mut problems = std::mem::take(&mut reading.problems);
        if selection.mounts != Wanted::Nothing {
            reading.file_systems = self.mounts.read(&mut self.kernel, &selection.mounts, &mut problems);
        }
        reading.problems = problems;
        self.rates(selection, &mut reading);
        match self.processes.read(&mut self.kernel, elapsed, selection.top) {
            Ok(processes) => reading.processes = processes,
            Err(error) => reading.problems.push(Problem::new("processes", error)),
        }
        let processes = &self.processes;
        let runs = |name: &str| processes.has(name);
        reading.services = match systemd::is_there(&self.kernel) {
            true => self.services.read(&selection.services, &mut reading.problems),
            false => systemd::by_processes(&self.kernel, &selection.services, runs),
        };
        reading.containers = self.containers.read(&mut self.kernel, elapsed);
        reading.temperatures = sensor::read(&mut self.kernel);
        self.rest(&mut reading);
        reading
    }

    fn cpu(&mut self, reading: &mut Reading) {
        let times = said(self.kernel.proc("stat"), Times::parse);
        let times = or_told(times, "stat", reading);
        reading.booted = times.as_ref().and_then(|times| times.booted);
        reading.cpu = times.as_ref().zip(self.times.as_ref()).and_then(|(now, before)| now.since(before));
        self.times = times.or(self.times.take());
        let load = said(self.kernel.proc("loadavg"), Load::parse);
        reading.load = or_told(load, "loadavg", reading);
        for resource in ["cpu", "memory", "io"] {
            // Many kernels are built or started without it.
            let parsed = self.kernel.proc(&format!("pressure/{resource}")).ok().and_then(Pressure::parse);
            reading.pressure.extend(parsed.map(|(some, full)| Pressure { resource, some, full }));
        }
    }

    fn rates(&mut self, selection: &Selection, reading: &mut Reading) {
        let elapsed = reading.elapsed;
        if selection.mounts != Wanted::Nothing {
            let counters = said(self.kernel.proc("diskstats"), |text| Some(device::parse(text)));
            let counters = or_told(counters, "diskstats", reading).unwrap_or_default();
            reading.devices = counters.iter().filter_map(|one| one.since(&self.devices, elapsed)).collect();
            self.devices = counters;
        }
        if selection.interfaces == Wanted::Nothing {
            return;
        }
        let counters = said(self.kernel.of_namespace("net/dev"), |text| Some(interface::parse(text)));
        let mut counters = or_told(counters, "net/dev", reading).unwrap_or_default();
        match &selection.interfaces {
            Wanted::These(names) => {
                counters.retain(|one| names.contains(&one.name));
                let missing = names.iter().filter(|name| !counters.iter().any(|one| one.name == **name));
                reading.problems.extend(missing.map(|name| Problem::new(name, "there is no such interface")));
            }
            Wanted::Everything | Wanted::Nothing => counters.retain(|one| interface::is_real(&one.name)),
        }
        reading.interfaces = counters.iter().filter_map(|one| one.since(&self.interfaces, elapsed)).collect();
        self.interfaces = counters;
        match tcp::read(&mut self.kernel, &mut self.segments, elapsed) {
            Ok(tcp) => reading.tcp = tcp,
            Err(error) => reading.problems.push(Problem::new("net/snmp", error)),
        }
    }

    fn rest(&mut self, reading: &mut Reading) {
        let first = |text: &[u8]| words(text).next().and_then(decimal);
        let uptime = said(self.kernel.proc("uptime"), first);
        reading.uptime_s = or_told(uptime, "uptime", reading);
        let open = |text: &[u8]| {
            let mut words = words(text).map(number);
            let (allocated, free, max) = (words.next()??, words.next()??, words.next()??);
            Some((allocated.saturating_sub(free), max))
        };
        reading.descriptors = said(self.kernel.proc("sys/fs/file-nr"), open).ok();
        reading.users = session::count(&mut self.kernel);
    }
}

/// What a file says, understood.
fn said<T>(read: io::Result<&[u8]>, parse: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<T> {
    parse(read?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not as this version knows it"))
}

fn or_told<T>(said: io::Result<T>, what: &str, reading: &mut Reading) -> Option<T> {
    said.map_err(|error| reading.problems.push(Problem::new(what, error))).ok()
}
