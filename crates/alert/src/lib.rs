//! Alerts: signals that people are told of, for certain and not twice.
//!
//! `Routes::read` takes the file of routes; an [`Outbox`] records what follows from changes of signals, in their own
//! transaction; a [`Sender`] runs a task for each channel. In short:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use alert::{Config, Outbox, Routes, Sender, Words};
//! # async fn example(
//! #     database: Arc<state::Database>, signals: signal::Store, observed: Vec<signal::Observed>, stop: telemetry::task::Stop,
//! #     now: event::Timestamp, clock: alert::Clock,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let routes = Routes::everything(vec![]);
//! let reader = signal::narrative::Reader::default();
//! let words = move |signal: &signal::Signal| Words::from(signal::narrative::of(signal, &reader));
//! let outbox = Arc::new(Outbox::open(database, routes, Box::new(words), Config::default())?);
//! signals.observe(observed, None, now, |transaction, changes| Ok(outbox.record(transaction, changes, now)?))?;
//! Sender::new(Arc::clone(&outbox), clock).run(stop).await;
//! # Ok(())
//! # }
//! ```
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
mod voice;
mod words;

pub use message::{AlertId, Message, Occasion, Pages, Telling, Words, key};
pub use outbox::{
    Alert, AlertFilter, Batch, CHANNEL_DOWN, ChannelStatus, Claim, Config, Delivery, DeliveryFilter,
    DeliveryState, Explanation, Hidden, InWords, LISTED_MAX, MadeChannel, Outbox, OutboxError, Published,
    REPORT, Sent, Settled, Silenced, Told,
};
pub use route::{Decision, MadeSilence, Planned, RouteProblem, Routes, WEEKDAYS, made_channel};
pub use secret::{Secret, SecretError};
pub use sender::{Clock, Sender};
pub use template::sample;
pub use trial::TestError;
pub use voice::Voice;
