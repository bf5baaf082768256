//! Routes: who is told of which alert, when, and together with what.

mod channels;
mod condition;
mod fields;
mod hours;
mod made;
mod problem;
mod routes;
mod yaml;

pub use hours::WEEKDAYS;
pub(crate) use made::with_secrets;
pub use made::{MadeSilence, made_channel};
pub use problem::RouteProblem;
pub use routes::{Decision, Planned, Routes};
