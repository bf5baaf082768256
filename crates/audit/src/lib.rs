//! The record of what was decided and by whom: append-only, chained, signed. It must never take a secret in, forget a
//! record that it acknowledged, or go on behind one that was altered.
//!
//! # Files
//! ```text
//! audit/0000000000.ndjson …   lines, each a JSON object; a new file past a size
//! audit/head                  the newest checkpoint once more
//! audit/key, audit/key.pub    the private key (mode 0600), unless it is kept elsewhere, and the public one
//! audit/lock                  locked while a process writes
//! ```
//! Every line begins with its number, which counts lines of every kind from 1, and its time, and ends with its hash:
//! ```text
//! {"seq":1,"time":"…","audit":{"version":1,"installation":"…","file":0,"previous":"…","key":"…"},"hash":"…"}
//! {"seq":2,"time":"…","actor":{"kind":"key","id":"…","address":"…"},"action":"model.trained","target":"…","outcome":"done","details":{…},"hash":"…"}
//! {"seq":3,"time":"…","checkpoint":"log-sentinel-audit-checkpoint/1 …","hash":"…"}
//! ```
//! A hash is BLAKE3 over the hash before (32 bytes) and all bytes of the line up to `,"hash":`. The first line of an
//! installation hangs on a hash of the installation's random id (BLAKE3 `derive_key`, context `log-sentinel audit 1
//! genesis`). The first line of every file repeats whose record it is, with which key it is signed and on what hash it
//! hangs, so that files can be verified beside each other. A checkpoint signs the number and the hash of the line before
//! it; see [`Checkpoint`] for its text. What steers a terminal is written as `\u` escapes, so that lines can be shown as
//! they are.
//!
//! # Writing
//! Whoever comes first while the disk is busy writes for all who come after: one write, one fdatasync, then all are
//! answered. A full disk: the file is cut back, the records are refused, the next try may succeed. A failed fsync, any
//! other failed write, or a file that somebody altered meanwhile: nothing is recorded until a restart.
//!
//! # Opening
//! The newest files, back to one with a checkpoint, are verified. An incomplete last line was never acknowledged and is
//! cut off; anything else that is not as it was written is refused. Then a line says that the record was opened, and a
//! checkpoint covers everything.
//!
//! # What verification shows
//! See [`verify()`] and [`Kind`]. Records behind the last checkpoint are chained only: whoever may write to the folder can
//! replace them. Between two checkpoints lie at most as many records as the first says. Without checkpoints kept
//! elsewhere, the end can be cut together with `head`, and whoever has the key can write everything anew.

mod action;
mod audit;
mod cef;
mod checkpoint;
mod config;
mod entry;
mod error;
mod file;
mod files;
mod finding;
mod header;
mod hex;
mod key;
mod line;
mod open;
mod record;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use action::Action;
pub use audit::{Audit, Status, Witness};
pub use cef::cef;
pub use checkpoint::Checkpoint;
pub use config::Config;
pub use entry::{Entry, EntryActor, each};
pub use error::{KeyError, OpenError, ReadError, RecordError};
pub use finding::{Finding, Kind};
pub use key::PublicKey;
pub use record::{
    ADDRESS_BYTES_MAX, Actor, ActorKind, DETAILS_BYTES_MAX, ID_BYTES_MAX, Outcome, Record, TARGET_BYTES_MAX,
};
pub use verify::{Report, Source, verify};
