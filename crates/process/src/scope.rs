//! What is read of processes.

use std::collections::HashSet;

use mask::Mask;

/// What of a process is read, and how much of it.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Bytes of a command line; what is longer ends with `…`.
    pub command_bytes: usize,
    /// Open files of one process that are looked at for sockets.
    pub descriptors: usize,
    /// Short names of processes that are left out.
    pub excluded: HashSet<String>,
    /// What on command lines is secret.
    pub mask: Mask,
}

impl Default for Scope {
    fn default() -> Self {
        Self { command_bytes: 4_096, descriptors: 4_096, excluded: HashSet::new(), mask: Mask::default() }
    }
}
