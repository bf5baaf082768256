//! A second look at a signal by a language model: a short assessment, and which of the signal's own next steps come first.
//!
//! Secrets and names of people, machines and addresses are masked before anything leaves; the prompt (`prompt.md`) and the
//! form of the answer (`answer.schema.json`) stand beside the code. What comes back is a text that is marked as written by
//! AI, and an order of steps that the program wrote itself: whatever a line of a log tells the model to do, it has no way to
//! state another severity, another state or another command. It never stands on the way of an alert, changes no signal and
//! runs nothing; [`Analyst::assess`] asks within a budget, a time and a breaker, or not at all.

mod analyst;
mod answer;
mod budget;
mod config;
mod error;
mod pseudonyms;
mod question;

pub use analyst::{Analyst, Assessment};
pub use answer::{ASSESSMENT_CHARS_MAX, STEPS_MAX};
pub use config::Config;
pub use error::AnalystError;
pub use pseudonyms::Pseudonyms;
