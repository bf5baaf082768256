//! The fleet: hosts that send samples, what was measured on them, and what of it a person should be told.
//!
//! [`Fleet::take`] makes samples durable before it returns, each (agent, sequence) once. What was measured is kept in
//! *tiers* ([`Tier`]): each has buckets of one width with the least, the greatest, the sum and the count of what was
//! measured in them, in chunks of one series ([`chunk`]), in a table for each partition of time, which is dropped as a
//! whole when it is too old. Newest samples wait beside them as they came and are read together with them. All of it is
//! in `metrics.db`, apart from logs and signals.
//!
//! Thresholds are looked at in the transaction that keeps a sample, in the samples' own time, so that a resend or a
//! replay finds nothing twice; [`Keeper`] makes signals of what was found.
//!
//! [`Fleet::processes`] says what ran on hosts at a moment, and [`Fleet::process_events`] what changed
//! ([0110](../../../docs/decisions/0110-processes-in-versions.md)).
//!
//! It reads no clock and no network, and must never let one host's samples get lost for another's.

mod agents;
mod backtest;
mod chunk;
mod condition;
mod config;
mod error;
mod fixed;
mod fleet;
mod fresh;
mod group;
mod groups;
mod history;
mod host;
mod keeper;
mod layers;
mod learned;
mod measured;
mod monitoring;
mod processes;
mod seal;
mod selector;
mod seqs;
mod series;
mod silence;
mod stored;
mod take;
mod tier;
mod told;
mod usual;

pub use agents::{Agent, AgentState, Configured};
pub use backtest::{Backtest, Trial};
pub use condition::{Condition, Standing};
pub use config::Config;
pub use error::FleetError;
pub use fleet::Fleet;
pub use fresh::RECENT_MAX;
pub use groups::{GROUPS_MAX, Group};
pub use history::{Chart, POINTS_MAX, Point, Question};
pub use keeper::Keeper;
pub use layers::{Origin, Origins, stock};
pub use monitoring::{Monitoring, Unfit};
pub use processes::{ProcessEvent, ProcessPlace, ProcessQuestion, ProcessRow, Reading as ProcessReading};
pub use selector::Selector;
pub use take::{Sender, Taken, Unfitting};
pub use tier::Tier;
