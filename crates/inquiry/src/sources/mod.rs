//! Where the rows of tables come from: a file for each.

pub(crate) mod hosts;
pub(crate) mod logs;
pub(crate) mod processes;
pub(crate) mod signals;
