//! Request bodies: what their headers say, reading them within bounds, decompressing them. Every HTTP route
//! that takes a body, on whichever port, takes it through here.
//!
//! A body is refused as soon as it is too large, too slow, or finds no room among those held at the same time;
//! what is announced and does not come holds nothing. This crate knows no event, no store and no route.

mod budget;
mod content;
mod packing;
mod read;

pub use budget::{Budget, Held};
pub use content::{Encoding, encoding, format, plain, sniff, unpacking};
pub use packing::{Members, Packing, Rubbish};
pub use read::{Config, Decoded, Reader, Taken, decode, unpack};
