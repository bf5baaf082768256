//! What looks at events, one by one.

use disk::sealed::SealedError;
use event::{Analyzed, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Activity, Finding, table::Occupancy};

/// How late it is, told about every minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// The latest time of any event or clock.
    pub now: Timestamp,
    /// Until when everything was seen: earlier than now while a source is read whose events are old, so that what is
    /// over does not depend on how far others are.
    pub seen: Timestamp,
}

/// An event, and what it says was done.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The event with its template and verdict.
    pub analyzed: &'a Analyzed<'a>,
    /// A hash of what wrote it: the file, else the service, and the host.
    pub source: u64,
    /// What was done.
    pub activity: &'a Activity<'a>,
    /// Failures of the same connection that only this event shows to be such.
    pub before: Option<&'a Activity<'a>>,
    /// How late it is: the latest time of any event so far, this one included.
    pub now: Timestamp,
}

impl Seen<'_> {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        self.analyzed.event.timestamp
    }
}

/// What finds something in the stream.
///
/// Events come in the order of the journal, which is not always that in which they happened. What a
/// detector finds depends on them and on the ticks alone, and it goes on from a snapshot as if it had
/// never stopped.
pub trait Detector: Send {
    /// Its name: the rule of its findings, and of its part in a snapshot.
    fn name(&self) -> &'static str;

    /// Looks at one event.
    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>);

    /// Told about every minute how late it is in event time, so that silence can be found while it lasts.
    fn tick(&mut self, _time: Time, _findings: &mut Vec<Finding>) {}

    /// Told that nobody listened until now, so that what was missed meanwhile is not taken for silence.
    fn resume(&mut self, _now: Timestamp) {}

    /// What it remembers, as [`state`] gives it.
    ///
    /// # Errors
    /// When it cannot be written down.
    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        Ok(Vec::new())
    }

    /// Goes on from what a snapshot holds; what is more than its bounds allow is left out.
    ///
    /// # Errors
    /// When the bytes are none of its own; it is then as it was.
    fn restore(&mut self, _snapshot: &[u8]) -> Result<(), StateError> {
        Ok(())
    }

    /// How full its tables are.
    fn occupancy(&self) -> Occupancy {
        Occupancy::default()
    }
}

/// What a detector remembers could not be written down or read back.
#[derive(Debug, thiserror::Error)]
#[error("what a detector remembers cannot be written down or read back")]
pub struct StateError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<serde_json::Error> for StateError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.into())
    }
}

impl From<SealedError> for StateError {
    fn from(error: SealedError) -> Self {
        Self(error.into())
    }
}

/// What a detector remembers, as bytes.
///
/// # Errors
/// When the state holds what has no form in JSON.
pub fn state(state: &impl Serialize) -> Result<Vec<u8>, StateError> {
    Ok(serde_json::to_vec(state)?)
}

/// What a detector remembered, of bytes that [`state`] gave.
///
/// # Errors
/// When they are of another shape.
pub fn remembered<S: DeserializeOwned>(bytes: &[u8]) -> Result<S, StateError> {
    Ok(serde_json::from_slice(bytes)?)
}
