//! What is known of a process.

use std::sync::Arc;

use event::Timestamp;
use serde::{Deserialize, Serialize};

/// Every process of a machine at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The machine's name.
    pub host: String,
    /// When the scan began.
    pub taken_at: Timestamp,
    /// The kernel's name for this run of the machine, from `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// In order of their numbers.
    pub processes: Vec<Process>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// The number of a user or group where there are no numbers: no user has it (POSIX, `chown`).
pub const NO_USER: u32 = u32::MAX;

/// One process. What could not be read is `None` or empty; why stands in the snapshot's problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Its number, in the namespace of who reads.
    pub pid: u32,
    /// When it was started, to a hundredth of a second. Together with `pid` it names a process for good: numbers are used again.
    pub started_at: Timestamp,
    /// Number of its parent; 0 for the first ones.
    pub ppid: u32,
    /// The kernel's short name of it, at most 15 bytes. A process can give itself any.
    pub name: Arc<str>,
    /// Its arguments, its own name first, separated by blanks, with secrets masked and bytes that are no UTF-8 replaced by U+FFFD.
    pub command: Arc<str>,
    /// Path of the file that it runs; for one without a file the kernel's name of it, such as `/memfd:x`.
    pub executable: Option<Arc<str>>,
    /// No path leads to the file that it runs any more, or none ever did.
    pub executable_deleted: bool,
    /// It was deleted, and another file lies in its place, as after an upgrade.
    #[serde(default)]
    pub executable_replaced: bool,
    /// BLAKE3 of that file, 64 hexadecimal digits.
    pub executable_hash: Option<Arc<str>>,
    /// Name of its effective user, or the number where there is none.
    pub user: Arc<str>,
    /// Effective user; [`NO_USER`] where users have no numbers.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Names of its effective capabilities, such as `CAP_NET_ADMIN`.
    pub capabilities: Capabilities,
    /// Its path in the control groups' one hierarchy, or of the `name=systemd` one.
    pub cgroup: Option<Arc<str>>,
    /// Its working directory.
    pub cwd: Option<Arc<str>>,
    /// Processor time that it took so far, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Memory that it has resident, bytes.
    pub rss_bytes: u64,
    /// Ports on which it listens, each once.
    pub open_ports: Vec<u16>,

    /// Its real user, who started it; another than the effective one in a set-uid program.
    pub real_uid: u32,
    /// It is a thread of the kernel, which runs no file.
    pub kernel_thread: bool,
    /// Number of the process that traces it, as debuggers do.
    pub tracer_pid: Option<u32>,
    /// What it reads as its standard input.
    pub standard_input: Option<StandardInput>,
    /// The container that it runs in: the first twelve digits of its id, or its name.
    pub container: Option<Arc<str>>,
    /// Device and inode of the file that it runs.
    pub device: Option<u64>,
    /// See `device`.
    pub inode: Option<u64>,
    /// The file that it runs carries the set-uid bit of root.
    pub set_uid: bool,
    /// Numbers of its namespaces that differ from those of process 1: `mnt`, `net`, `pid`, `user`.
    pub namespaces: Vec<Arc<str>>,
    /// Bytes that it had storage read so far.
    pub read_bytes: Option<u64>,
    /// Bytes that it had storage write so far.
    pub write_bytes: Option<u64>,
    /// Where it listens.
    pub listening: Vec<Listening>,
}

impl Process {
    /// What names this process for good: its number and when it was started.
    #[must_use]
    pub fn identity(&self) -> (u32, Timestamp) {
        (self.pid, self.started_at)
    }
}

/// Effective capabilities, as the kernel's bit set; written as a list of names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(pub u64);

impl Serialize for Capabilities {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..64u8).filter(|bit| self.0 >> bit & 1 == 1).map(capability_name))
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(Self(
            (0..64u8).filter(|bit| names.contains(&capability_name(*bit))).fold(0, |set, bit| set | 1 << bit),
        ))
    }
}

fn capability_name(bit: u8) -> String {
    CAPABILITIES.get(usize::from(bit)).map_or_else(|| format!("CAP_{bit}"), |name| format!("CAP_{name}"))
}

/// In the order of their bits, from `linux/capability.h`.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What a process reads as its standard input, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandardInput {
    /// A terminal.
    Terminal,
    /// A pipe.
    Pipe,
    /// A socket of this machine, or one of which no more is known.
    Socket,
    /// A socket of the network.
    Network,
    /// A file or a device.
    File,
}

/// A place where a process takes what comes from other machines or programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// `tcp` or `udp`.
    pub protocol: Arc<str>,
    /// The address, such as `0.0.0.0` or `::1`.
    pub address: Arc<str>,
    /// The port.
    pub port: u16,
}

/// What could not be read, of how many processes, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The part that is missing, such as `executable`.
    pub what: String,
    /// Processes that lack it.
    pub processes: u64,
    /// The system's reason.
    pub reason: String,
}

/// The ports of places, each once.
pub(crate) fn ports(listening: &[Listening]) -> Vec<u16> {
    let mut ports: Vec<u16> = listening.iter().map(|place| place.port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
