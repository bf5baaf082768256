//! What is asked of a machine, and what there was at one moment. Each platform fills in what it can know.

use std::time::Duration;

use crate::{problem::Problem, wanted::Wanted};

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Processors, load, pressure.
    pub cpu: bool,
    /// Memory and swap.
    pub memory: bool,
    /// File systems, by path; with any, devices too.
    pub mounts: Wanted,
    /// Interfaces, by name; with any, connections too.
    pub interfaces: Wanted,
    /// Services, by name; everything is those that have failed.
    pub services: Wanted,
    /// How many processes of each kind: those that take most time, memory and disk.
    pub top: usize,
}

impl Default for Selection {
    fn default() -> Self {
        let all = Wanted::Everything;
        Self { cpu: true, memory: true, mounts: all.clone(), interfaces: all.clone(), services: all, top: 5 }
    }
}

/// What there was at one moment. What was not asked for, or cannot be known here, is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Over how long the rates are; nothing at the first reading, which has none.
    pub elapsed: Duration,
    /// Where the time of the processors went.
    pub cpu: Option<Cpu>,
    /// How many tasks want them.
    pub load: Option<Load>,
    /// What tasks stood still for.
    pub pressure: Vec<Pressure>,
    /// Memory.
    pub memory: Option<Memory>,
    /// Swap.
    pub swap: Option<Swap>,
    /// File systems.
    pub file_systems: Vec<FileSystem>,
    /// Block devices.
    pub devices: Vec<Device>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// Connections.
    pub tcp: Option<Tcp>,
    /// Services.
    pub services: Vec<Service>,
    /// Processes.
    pub processes: Processes,
    /// Containers.
    pub containers: Vec<Container>,
    /// Temperatures.
    pub temperatures: Vec<Temperature>,
    /// Seconds since the machine was started.
    pub uptime_s: Option<f64>,
    /// When it was started, in seconds since 1970.
    pub booted: Option<u64>,
    /// How many sessions of people there are.
    pub users: Option<usize>,
    /// File descriptors of all processes: open, and how many may be.
    pub descriptors: Option<(u64, u64)>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// What part of the time went where, in percent of all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Everything but idling and waiting for disks.
    pub busy: f64,
    /// Programs, with those that are nice, and guests.
    pub user: Option<f64>,
    /// The kernel, with interrupts.
    pub system: Option<f64>,
    /// Idle while a disk was waited for.
    pub iowait: Option<f64>,
    /// Taken by other guests of the same machine.
    pub steal: Option<f64>,
}

/// Where the time of the processors went since the reading before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cpu {
    /// All of them together.
    pub total: Shares,
    /// How busy each was, in percent, by number.
    pub cores: Vec<f64>,
}

/// How many tasks want a processor or a disk, on average.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Load {
    /// Over 1, 5 and 15 minutes.
    pub averages: [f64; 3],
}

/// For what part of the last ten seconds tasks stood still for want of a resource, in percent.
#[derive(Debug, Clone, PartialEq)]
pub struct Pressure {
    /// `cpu`, `memory` or `io`.
    pub resource: &'static str,
    /// At least one task.
    pub some: f64,
    /// All of them; None where the kernel does not say it.
    pub full: Option<f64>,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Memory {
    /// All there is.
    pub total: u64,
    /// What programs could still have without swapping.
    pub available: u64,
    /// The rest.
    pub used: u64,
    /// Its share, in percent.
    pub percent: f64,
    /// Pages of files.
    pub cached: Option<u64>,
}

/// Swap, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Swap {
    /// All there is; 0 where there is none.
    pub total: u64,
    /// In use.
    pub used: u64,
    /// Its share, in percent; 0 of none.
    pub percent: f64,
}

/// How full a file system is, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct FileSystem {
    /// Where it is mounted, or the path that was asked for.
    pub path: String,
    /// All there is.
    pub total: u64,
    /// In use.
    pub used: u64,
    /// What users other than root can still have.
    pub available: u64,
    /// Its used share of what users can have, in percent, as df(1) counts it.
    pub percent: f64,
    /// Of its inodes; None where it has no fixed number of them.
    pub inodes_percent: Option<f64>,
    /// Whether nothing may be written.
    pub is_read_only: bool,
}

/// What a device did since the reading before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Device {
    /// Such as `sda`; where only file systems are known, the path of one.
    pub name: String,
    /// Bytes a second.
    pub read_bytes_s: f64,
    /// Bytes a second.
    pub write_bytes_s: f64,
    /// Reads a second.
    pub read_ops_s: Option<f64>,
    /// Writes a second.
    pub write_ops_s: Option<f64>,
    /// The part of the time in which it had something to do, in percent.
    pub busy_percent: Option<f64>,
}

/// What an interface did since the reading before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interface {
    /// Such as `eth0`.
    pub name: String,
    /// Bytes a second.
    pub in_bytes_s: f64,
    /// Bytes a second.
    pub out_bytes_s: f64,
    /// Packets a second.
    pub in_packets_s: f64,
    /// Packets a second.
    pub out_packets_s: f64,
    /// Both ways, since it was made.
    pub errors: u64,
    /// Both ways, since it was made.
    pub drops: Option<u64>,
    /// All bytes since it was made: in, out.
    pub bytes: (u64, u64),
}

/// Connections of TCP.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tcp {
    /// How many are in which state, those of which there is one.
    pub states: Vec<(&'static str, u64)>,
    /// Segments sent again, a second.
    pub retransmits_s: Option<f64>,
}

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// It runs, or has done what it is for.
    Running,
    /// It does not.
    Stopped,
    /// It ended with an error, or is started again and again.
    Failed,
    /// There is none of this name, or nobody answers.
    Unknown,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// As it was asked for.
    pub name: String,
    /// Whether it runs.
    pub state: ServiceState,
    /// How often it was started again.
    pub restarts: Option<u64>,
    /// Memory of all its processes, in bytes.
    pub memory_bytes: Option<u64>,
}

impl Service {
    /// One of which no more is known.
    pub(crate) fn of(name: &str, state: ServiceState) -> Self {
        Self { name: name.to_owned(), state, restarts: None, memory_bytes: None }
    }
}

/// One of those that take most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// As the kernel has it: on Linux 15 bytes at most.
    pub name: String,
    /// Whose it is, by name, else by number.
    pub user: String,
    /// Since the reading before, in percent of one processor.
    pub cpu_percent: f64,
    /// Memory it has to itself or shares, in bytes.
    pub rss_bytes: u64,
    /// Read from disks and written to them, on Windows all that is read and written, since the reading before, in bytes a second; None where this user may not know.
    pub io_bytes_s: Option<f64>,
    /// Its command line, secrets masked.
    pub command: String,
}

/// All processes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Processes {
    /// How many there are.
    pub count: usize,
    /// Of those, how many run or want to.
    pub running: Option<usize>,
    /// Those that took most time, memory or disk, each once, the most time first.
    pub top: Vec<Process>,
}

/// A container.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// As Docker or Podman calls it, else the beginning of its id.
    pub name: String,
    /// Since the reading before, in percent of one processor.
    pub cpu_percent: Option<f64>,
    /// Memory of all its processes with what they have in caches, in bytes.
    pub memory_bytes: Option<u64>,
}

/// What a sensor says.
#[derive(Debug, Clone, PartialEq)]
pub struct Temperature {
    /// The chip and what it measures, such as `coretemp Core 0`.
    pub sensor: String,
    /// In degrees Celsius.
    pub celsius: f64,
}
