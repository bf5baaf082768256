//! What runs on a watched host: it measures the host at intervals, keeps each sample in a journal of its own, and sends
//! them to a collector in order, with the logs of the host beside them. While the collector is away nothing is lost
//! within a bound of size and age, and what waited is sent at a bounded rate.
//!
//! [`configuration`] is the YAML file of an agent; [`start`] runs one. It must never keep a sample that is not in the
//! journal as sent, drop one without counting it, measure anything itself (`host` does), or put a key into a log or an error.

mod answer;
mod buffer;
pub mod configuration;
mod follower;
mod identity;
mod lines;
mod local;
mod measured;
mod offset;
mod processes;
mod run;
mod said;
mod sampler;
mod server;
mod shipper;
mod sign_ins;
mod taken;

pub use local::Local;
pub use process::Report;
pub use run::{Agent, Config, Logs, MachineLog, StartError, backoff, start};
pub use server::{Place, Server, ServerError, Trust};
