//! The durable outbox: what is recorded with a signal's change goes out once over each channel that a route names,
//! whatever happens to the program or the channel meanwhile.

mod config;
mod error;
mod list;
mod made;
mod making;
#[cfg(test)]
mod plans;
mod published;
mod queue;
mod record;
mod rows;
mod store;
mod timers;
mod trouble;

pub use config::Config;
pub use error::OutboxError;
pub use list::{
    Alert, AlertFilter, ChannelStatus, Delivery, DeliveryFilter, DeliveryState, Explanation, LISTED_MAX,
    Sent, Told,
};
pub use made::{Hidden, MadeChannel, Silenced};
pub use published::{Published, REPORT};
pub use queue::{Batch, Claim, Settled};
pub use record::InWords;
pub use store::Outbox;
pub use trouble::CHANNEL_DOWN;
