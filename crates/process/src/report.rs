//! What an agent tells a collector of the processes of its host.

use serde::{Deserialize, Serialize};

use crate::{change::Change, kind::Problem};

/// A part of what there is to tell, in the order in which it was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The run of the machine; in another one, what there was before has ended.
    pub boot_id: String,
    /// Who read the processes.
    pub source: Source,
    /// The kernel tells of starts and ends; otherwise what lives shorter than one look from the next is not seen.
    pub told_by_kernel: bool,
    /// A list of all that there is begins here, in this report or over more of them.
    pub begins: bool,
    /// That list is complete: what it does not have has ended.
    pub complete: bool,
    /// What changed; processes of the list come as present.
    pub changes: Vec<Change>,
    /// Changes that were known and given up.
    pub lost: u64,
    /// Processes that ended before anybody could read them, as far as that was told.
    pub unseen: u64,
    /// What could not be read, where processes are read without privileges.
    pub problems: Vec<Problem>,
}

/// Who read the processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The privileged reader.
    Procmond,
    /// The agent itself, from one look to the next.
    #[default]
    Polling,
}
