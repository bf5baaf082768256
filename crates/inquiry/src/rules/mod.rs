//! Rules in SQL: questions that are asked again and again, whose new rows are told as signals
//! ([0116](../../../../docs/decisions/0116-rules-in-sql.md)).

mod found;
mod kept;
mod last;
mod outcome;
mod rule;
mod runner;
mod shelf;
mod trial;

pub use last::{Ended, Last};
pub use outcome::{Outcome, trials};
pub use rule::Rule;
pub use runner::Runner;
pub use shelf::{Entry, Shelf, State};
pub use trial::Trial;
