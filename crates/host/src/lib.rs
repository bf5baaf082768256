//! This machine, measured: processors, memory, file systems, devices, interfaces, processes and services, from what
//! the kernel says below `/proc` and `/sys`.
//!
//! [`Machine::read`] takes a [`Reading`]; rates are over the time since the one before. Reading and understanding are
//! apart: the modules of [`Cpu`], [`Memory`] and so on parse bytes that anybody may give them, never panic on them, and
//! leave out the line they do not understand. What could not be read is named in [`Reading::problems`], and the rest
//! goes on. What may hang, such as a mount of a server that is away, is asked on a thread of its own.
//!
//! It must never know who is told, keep anything on disk, open a network connection, or let a secret of a command line
//! out unmasked.

mod command_line;
mod container;
mod cpu;
mod device;
mod interface;
mod kernel;
mod machine;
mod memory;
mod mount;
mod mounts;
mod number;
mod passwd;
mod patient;
mod problem;
mod process;
mod rate;
mod sensor;
mod service;
mod session;
mod tcp;
mod wanted;

pub use command_line::masked as masked_command_line;
pub use container::Container;
pub use cpu::{Cpu, Load, Pressure, Shares};
pub use device::Device;
pub use interface::Interface;
pub use kernel::Roots;
pub use machine::{Machine, Reading, Selection};
pub use memory::{Memory, Swap};
pub use mounts::FileSystem;
pub use problem::Problem;
pub use process::{Process, Processes};
pub use sensor::Temperature;
pub use service::{Service, ServiceState};
pub use tcp::Tcp;
pub use wanted::Wanted;
