//! This machine, measured: processors, memory, file systems, devices, interfaces, processes and services, from what
//! the kernel says below `/proc` and `/sys`; elsewhere, what the system's own interfaces tell.
//!
//! [`Machine::read`] takes a [`Reading`]; rates are over the time since the one before. Reading and understanding are
//! apart: the modules of `linux` parse bytes that anybody may give them, never panic on them, and
//! leave out the line they do not understand. What could not be read is named in [`Reading::problems`], and the rest
//! goes on. What may hang, such as a mount of a server that is away, is asked on a thread of its own.
//!
//! It must never know who is told, keep anything on disk, open a network connection, or let a secret of a command line
//! out unmasked.

mod command_line;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
mod patient;
mod problem;
mod rate;
mod reading;
mod roots;
#[cfg(any(windows, test))]
mod sc;
#[cfg(any(target_os = "linux", windows))]
mod service;
mod top;
mod wanted;

pub use command_line::masked as masked_command_line;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::Machine;
#[cfg(target_os = "linux")]
pub use linux::Machine;
pub use problem::Problem;
pub use reading::{
    Container, Cpu, Device, FileSystem, Interface, Load, Memory, Pressure, Process, Processes, Reading,
    Selection, Service, ServiceState, Shares, Swap, Tcp, Temperature,
};
pub use roots::Roots;
pub use wanted::Wanted;
