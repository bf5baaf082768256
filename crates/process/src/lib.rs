//! What runs on this machine. `Reader::scan` reads every process, on Linux from `/proc`, into a [`Snapshot`], [`Watch`] says what is new, gone or
//! changed since the scan before, and [`Executables`] gives the BLAKE3 of what runs, paced.
//!
//! It opens no socket, starts nothing, signals nobody and writes nothing: whoever runs it with privileges runs readers only. Secrets in
//! command lines are masked here, before anybody else sees them. Files of `/proc` that vanish while they are read are no error:
//! the process has ended.

mod change;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod executable;
mod kind;
pub mod message;
mod problems;
#[cfg(target_os = "linux")]
mod proc;
mod report;
mod scope;

pub use change::{Change, ChangeKind, Watch, difference};
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Error, Executables, Reader};
pub use executable::HashLimits;
pub use kind::{Capabilities, Listening, NO_USER, Problem, Process, Snapshot, StandardInput};
#[cfg(target_os = "linux")]
pub use proc::{Error, Executables, Reader, fuzz};
pub use report::{Report, Source};
pub use scope::Scope;
