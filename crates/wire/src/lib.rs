//! What goes over the wire between the collector and a separate anomaly service: the types of
//! `proto/log_sentinel/v1`, and their conversions to and from events and verdicts.
//!
//! Log records are generated as `bytes`: [`record`] writes them from events and reads them as events
//! that borrow from the message. It must never fail on what an event holds, and never panic on bytes.

pub mod record;
mod verdict;

/// The generated types, clients and servers. `just proto` writes them anew.
#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod v1 {
    include!("../generated/log_sentinel.v1.rs");
}

/// The file descriptor set of `proto/log_sentinel/v1`, with comments: what server reflection answers.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("../generated/log_sentinel.binpb");

/// A position of a journal as `ScoreRequest.positions` has it.
pub fn pack(position: event::Position) -> u64 {
    u64::from(position.segment) << 32 | u64::from(position.record)
}

/// The position that [`pack`] packed.
pub fn unpack(packed: u64) -> event::Position {
    event::Position { segment: (packed >> 32) as u32, record: packed as u32 }
}
