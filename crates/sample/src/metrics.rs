//! What can be measured. Bytes unless the name says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::measure::{Kind, Unit, measures, numbers, one, row};

measures! {
    /// Shares of all cores' time since the last sample.
    CpuShares {
        /// Not idle.
        percent: Percent Gauge,
        /// In programs.
        user: Percent Gauge,
        /// In the kernel.
        system: Percent Gauge,
        /// Waiting for disks.
        iowait: Percent Gauge,
        /// Taken by the machine's host for others.
        steal: Percent Gauge,
    }

    /// Memory, or swap.
    Memory {
        /// In use.
        percent: Percent Gauge,
        /// In all.
        total: Bytes Gauge,
        /// In use.
        used: Bytes Gauge,
        /// Free, or can be freed without swapping.
        available: Bytes Gauge,
    }

    /// One file system.
    Disk {
        /// In use, of what users can use.
        percent: Percent Gauge,
        /// In all.
        total: Bytes Gauge,
        /// In use.
        used: Bytes Gauge,
        /// Free for users.
        available: Bytes Gauge,
        /// Inodes in use.
        inodes_percent: Percent Gauge,
        /// Mounted, or turned, read-only.
        read_only: Flag Gauge,
    }

    /// One block device, since the last sample.
    DiskIo {
        /// Bytes read.
        read_bytes_s: BytesPerSecond Gauge,
        /// Bytes written.
        write_bytes_s: BytesPerSecond Gauge,
        /// Reads.
        read_ops_s: PerSecond Gauge,
        /// Writes.
        write_ops_s: PerSecond Gauge,
        /// Of the time, with something to do.
        busy_percent: Percent Gauge,
    }

    /// One interface.
    Network {
        /// Received since the last sample, in units of 1024 bytes.
        in_kb_s: KilobytesPerSecond Gauge,
        /// Sent since the last sample, in units of 1024 bytes.
        out_kb_s: KilobytesPerSecond Gauge,
        /// Packets received since the last sample.
        in_packets_s: PerSecond Gauge,
        /// Packets sent since the last sample.
        out_packets_s: PerSecond Gauge,
        /// Errors both ways since the interface came up.
        errors: Count Counter,
        /// Packets dropped both ways since the interface came up.
        drops: Count Counter,
    }

    /// How long tasks waited for a resource (pressure stall information): shares of the last ten seconds.
    Pressure {
        /// At least one task waited.
        some: Percent Gauge,
        /// All tasks waited.
        full: Percent Gauge,
    }

    /// TCP connections by state.
    Tcp {
        /// Established.
        established: Count Gauge,
        /// Waiting for connections.
        listen: Count Gauge,
        /// Closed here, waiting for stray packets.
        time_wait: Count Gauge,
        /// Closed by the peer and not yet here.
        close_wait: Count Gauge,
        /// Being opened.
        opening: Count Gauge,
        /// In any other state.
        other: Count Gauge,
        /// Segments sent again since the last sample.
        retransmits_s: PerSecond Gauge,
    }

    /// Open files of the whole host.
    Descriptors {
        /// Open.
        open: Count Gauge,
        /// That can be open.
        max: Count Gauge,
    }

    /// One container, as its control group counts.
    Container {
        /// Since the last sample.
        cpu_percent: PercentOfCore Gauge,
        /// In use.
        memory_bytes: Bytes Gauge,
    }

    /// One unit of the service manager.
    ServiceUnit {
        /// Started again by the manager since it was loaded.
        restarts: Count Counter,
        /// In use.
        memory_bytes: Bytes Gauge,
    }
}

/// The processors.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// Shares of all cores' time.
    #[serde(flatten)]
    pub shares: CpuShares,
    /// Not idle, for each core.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "cores")]
    pub cores: Vec<f64>,
    /// Load averages of 1, 5 and 15 minutes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "load")]
    pub load: Option<[f64; 3]>,
}

#[expect(clippy::ptr_arg, reason = "serde hands over the field as it is")]
fn cores<S: serde::Serializer>(cores: &Vec<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    row(cores, serializer)
}

fn load<S: serde::Serializer>(load: &Option<[f64; 3]>, serializer: S) -> Result<S::Ok, S::Error> {
    row(load.as_ref().map_or(&[], |load| load.as_slice()), serializer)
}

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// It runs, or has done what it was for.
    Running,
    /// It does not run.
    Stopped,
    /// It ended with an error.
    Failed,
    /// It could not be asked for.
    Unknown,
}

impl ServiceState {
    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state that a service manager or a script names in a sample; null is unknown. None where it is no state.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let text = match value {
            Value::Bool(true) => return Some(Self::Running),
            Value::Bool(false) => return Some(Self::Stopped),
            Value::Null => return Some(Self::Unknown),
            Value::String(text) => text.to_ascii_lowercase(),
            _ => return None,
        };
        match text.as_str() {
            "running" | "active" | "up" => Some(Self::Running),
            "stopped" | "inactive" | "dead" | "down" => Some(Self::Stopped),
            "failed" => Some(Self::Failed),
            "unknown" | "" => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// Failed sign-ins over SSH since the last sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ssh {
    /// In all.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub failed_attempts: Option<f64>,
    /// By each address.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "numbers")]
    pub addresses: BTreeMap<String, f64>,
}

/// One of the processes that use most.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u64,
    /// What it is called.
    pub name: String,
    /// As whom it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its command line, with secrets masked by who measured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Of one core, since the last sample.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub cpu_percent: Option<f64>,
    /// Memory of its own that is not swapped out.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub rss_bytes: Option<f64>,
    /// Read and written since the last sample.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub io_bytes_s: Option<f64>,
}

/// All that was measured at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// The processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram: Option<Memory>,
    /// Swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<Memory>,
    /// File systems by mount point.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disk: BTreeMap<String, Disk>,
    /// Block devices by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disk_io: BTreeMap<String, DiskIo>,
    /// Interfaces by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub network: BTreeMap<String, Network>,
    /// Waiting for `cpu`, `memory` and `io`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pressure: BTreeMap<String, Pressure>,
    /// TCP connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
    /// Open files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<Descriptors>,
    /// Services by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceState>,
    /// What the service manager says of the same services.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, ServiceUnit>,
    /// Containers by name, else by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<String, Container>,
    /// Failed sign-ins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Degrees Celsius by sensor.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "numbers")]
    pub temperatures: BTreeMap<String, f64>,
    /// Seconds since the host started.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub uptime_s: Option<f64>,
    /// Users who are logged in.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub users: Option<f64>,
    /// Processes there are.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub processes: Option<f64>,
    /// Seconds by which the host's clock is ahead, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "one")]
    pub clock_offset_s: Option<f64>,
    /// The processes that use most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Process>,
    /// Numbers by names not known here; what was nested has its path as name, with dots.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "numbers")]
    pub other: BTreeMap<String, f64>,
}
