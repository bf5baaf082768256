//! Routes: who is told of which alert, when, and together with what.

mod channels;
mod condition;
mod fields;
mod hours;
mod problem;
mod routes;
mod yaml;

pub use problem::RouteProblem;
pub use routes::{Decision, Planned, Routes};
