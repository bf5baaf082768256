//! What a day or a week of signals comes to, for whoever answers for it: how many, about whom, what changed, how soon
//! somebody looked, what nobody looked at, which rules are noise, and what is not watched.
//!
//! A [`Tally`] takes signals one by one, with what was done with them, and comes to a [`Report`]: plain data, which is
//! the JSON. [`html`] and [`markdown`] tell it in two languages. It reads no store and no clock, makes no claim that
//! does not follow from what it took, and text of logs becomes no markup in what it writes.

mod coverage;
mod html;
mod markdown;
mod noise;
mod period;
mod report;
mod response;
mod schedule;
mod tally;
mod words;

pub use coverage::{Coverage, SILENT_MAX, SOURCES_MAX, Seen, Source, SourceType};
pub use html::html;
pub use markdown::markdown;
pub use noise::{NOISE_MIN, Noise, Proposed};
pub use period::{Period, Unit};
pub use report::{
    About, BySeverity, Counted, OfKind, OfOrganization, OverTime, Report, Signals, Unseen, UnseenSignal,
};
pub use response::{Quantiles, Response};
pub use schedule::{Every, Schedule};
pub use tally::{LISTED_MAX, Tally};
pub use words::{Voice, headline, summary};
