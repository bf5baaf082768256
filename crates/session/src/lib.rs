//! Which events of a stream belong together, and which of these sessions are strange as a whole.
//!
//! [`Entities`] takes the events of a stream into the sessions they belong to, without being told what ties
//! them: a request id, a block, a user. Sessions that have ended teach a [`Model`] what ordinary ones of their
//! kind are like; an event that brings something against its session comes with [`Evidence`] of it, and
//! [`StrangeSession`]s are listed.
//!
//! It must never read a clock, grow without bound, or learn from a session while it judges it.

mod entity;
mod model;
mod slots;

pub use entity::{
    Context, Counts, Entities, Evidence, KindModel, Lessons, Message, Models, STRANGE_MAX, SessionEnd,
    StrangeSession, TemplateCount,
};
pub use model::{
    Cleaning, Config, Difference, EventKey, Model, Parts, Reason, Relation, SESSIONS_MIN, Session, Verdict,
};
pub use slots::Slots;
