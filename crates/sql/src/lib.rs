//! Questions in SQL, of people and of rules, over tables that are made for the question. [`Question::check`] says what a text asks for, or what
//! is wrong with it at which line and column; [`Run`] takes the rows of the tables that it reads and answers within a [`Budget`].
//!
//! Whatever the text says, it reads nothing but the tables that it is given: no file, no other database, no setting, no extension. It
//! cannot run on: steps, time, memory and rows have an end, and functions whose work one step does not show are replaced by ones that are
//! linear ([0108](../../../docs/decisions/0108-sql-in-a-sandbox.md)). It knows neither where rows come from nor what they mean.

mod ago;
mod budget;
mod explain;
mod failure;
mod narrow;
mod pattern;
mod question;
mod run;
mod sandbox;
mod table;
mod words;

pub use ago::{Moment, length};
pub use budget::Budget;
pub use explain::Plan;
pub use failure::{Failure, Place, Refusal};
pub use narrow::{Comparison, Condition, Literal};
pub use question::Question;
pub use run::{Answer, Run};
pub use table::{Column, Kind, Table, Value};
