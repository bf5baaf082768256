//! What looks at events, one by one.

use event::{Analyzed, Timestamp};

use crate::{Activity, Finding};

/// An event, and what it says was done.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The event with its template and verdict.
    pub analyzed: &'a Analyzed<'a>,
    /// What was done.
    pub activity: Activity<'a>,
}

/// What finds something in the stream.
pub trait Detector: Send {
    /// Looks at one event.
    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>);

    /// Told now and then how late it is in event time, so that silence can be found while it lasts.
    fn tick(&mut self, _now: Timestamp, _findings: &mut Vec<Finding>) {}
}
