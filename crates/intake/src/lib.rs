//! Every way in. Bytes are parsed, made durable in the journal, and only then answered for.
//!
//! There is one [`Door`]; what brings events to it is a face, a module each: [`http`] for `POST /logs`, [`tail`] for
//! watched files, [`journald`] for the journal of systemd, [`event_log`] for
//! that of Windows, [`system`] for changes of this machine's accounts, keys and schedules. A face knows its protocol and nothing of how events are kept.
//!
//! Admission is all or nothing: under load a whole request is refused before anything of it is
//! stored, and a watched file waits. Everything held is bounded by a setting.
//!
//! This crate must never know an index or what is done with an event once it is in the journal,
//! and must never answer for an event that is not durable.

mod config;
mod delivery;
mod door;
pub mod event_log;
pub mod http;
pub mod journald;
mod platform;
mod refusal;
pub mod system;
pub mod tail;

pub use config::{Config, Origin};
pub use delivery::{Counts, Delivery};
pub use door::{Door, Receipt};
use event::Timestamp;
pub use platform::identity;
pub use refusal::Refused;

/// Where the time of receipt comes from.
pub type Clock = fn() -> Timestamp;

/// The time of receipt by the system's clock.
pub fn system_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::saturating_from_nanos(i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}
