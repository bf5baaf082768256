//! What runs on this machine. `Reader::scan` reads every process from `/proc` into a [`Snapshot`], [`Watch`] says what is new, gone or
//! changed since the scan before, and [`Executables`] gives the BLAKE3 of what runs, paced.
//!
//! It opens no socket, starts nothing, signals nobody and writes nothing: whoever runs it with privileges runs readers only. Secrets in
//! command lines are masked here, before anybody else sees them. Files of `/proc` that vanish while they are read are no error:
//! the process has ended.

mod change;
mod executable;
mod kind;
pub mod message;
mod proc;
mod report;

pub use change::{Change, ChangeKind, Watch, difference};
pub use executable::{Executables, HashLimits};
pub use kind::{Capabilities, Listening, Problem, Process, Snapshot, StandardInput};
pub use proc::{Error, Reader, Scope, fuzz};
pub use report::{Report, Source};
