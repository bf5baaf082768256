//! Alerts: signals that people are told of, for certain and not twice.
//!
//! What is sent is a [`Message`], and a [`channel::Channel`] hands it over. Text of logs stays text there, whatever
//! markup the other side knows, and secrets are in no error. It knows no detector, and nothing that it sends runs a
//! command.

pub mod channel;
mod compose;
mod markup;
mod message;
mod outbox;
mod route;
mod secret;
mod sender;
mod template;
mod trial;

pub use message::{AlertId, Message, Occasion, Telling, Words, key};
pub use outbox::{
    Alert, AlertFilter, Batch, CHANNEL_DOWN, Claim, Config, Delivery, DeliveryFilter, DeliveryState,
    Explanation, InWords, LISTED_MAX, Outbox, OutboxError, Sent, Settled, Told,
};
pub use route::{Decision, Planned, RouteProblem, Routes};
pub use secret::{Secret, SecretError};
pub use sender::{Clock, Sender};
pub use template::sample;
pub use trial::TestError;
