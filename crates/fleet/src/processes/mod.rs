//! Processes of hosts, now and as of any time that is kept.
//!
//! An agent tells of changes, and from time to time begins a list of all that there is. A process is kept in *versions*:
//! each holds from one change to the next, so that what ran at a moment is what holds at it. Events name versions, and
//! nothing is written twice. Reports come in the order in which they were seen and each once, as their samples do.

mod behind;
mod forget;
mod given_up;
mod judge;
mod read;
mod record;
mod resources;
mod starts;
mod stored;
mod usual;

pub use behind::ProcessPlace;
pub(crate) use given_up::GivenUp;
pub(crate) use judge::judge;
pub use read::{ProcessEvent, ProcessQuestion, ProcessRow, Reading};
pub(crate) use record::record;
pub(crate) use resources::resources;

/// Until when a version holds that goes on.
const GOES_ON: i64 = i64::MAX;
/// The tables of an agent.
pub(crate) const TABLES: [&str; 10] = [
    "process_host",
    "process",
    "process_event",
    "process_gap",
    "process_known",
    "process_pair",
    "process_use",
    "process_habit",
    "process_start",
    "process_forest",
];
