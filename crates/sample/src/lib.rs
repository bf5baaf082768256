//! What was measured on a host at one moment: the word between the agent that measures and the server that keeps.
//!
//! A [`Sample`] is written in the documented form of `POST /data` and read tolerantly ([`read`]): what does not fit is a
//! [`Problem`] with its field and reason, and the rest is kept. [`Sample::series`] flattens it to named numbers with unit
//! and kind, such as `disk./.percent`.
//!
//! It measures nothing, keeps nothing and reads no clock; it is pure, and input cannot make it panic.

mod body;
mod labels;
mod measure;
mod metrics;
mod read;
mod sample;
mod series;

pub use body::{BodyError, read};
pub use labels::{LABELS_MAX, Labels, label, pairs};
pub use measure::{Kind, Measures, Unit};
pub use metrics::{
    Container, Cpu, CpuShares, Descriptors, Disk, DiskIo, Memory, Metrics, Network, Pressure, Process,
    ServiceState, ServiceUnit, Ssh, Tcp,
};
pub use read::{Limits, PROBLEMS_MAX, Problem, Reading};
pub use sample::{Expected, Sample};
pub use series::{Series, unit};
