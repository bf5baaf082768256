//! For tests and benchmarks only: the real program as a process, realistic logs, a load on its ports.
//!
//! It must never be a dependency of what is shipped, and never reach into the program: it speaks to
//! it as users do.

pub mod corpus;
pub mod load;
pub mod process;
pub mod program;
pub mod replay;
mod server;
mod wait;

pub use server::{Server, ServerError};
pub use wait::{WAIT_MAX, eventually};
