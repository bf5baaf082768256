//! What needs to know the format, or a disk that fails.

mod failing;
mod format;
mod opening;
mod tampering;

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use event::Timestamp;

use crate::{Action, Actor, ActorKind, Audit, Config, Record};

/// So many seconds after a day of the past.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::saturating_from_nanos(1_700_000_000_000_000_000).saturating_add(seconds * 1_000_000_000)
}

pub(crate) fn record(second: i64) -> Record {
    let actor = Actor::new(ActorKind::Key, format!("k{second}")).at("192.0.2.7");
    Record::new(at(second), actor, Action::ModelTrained, format!("model \"{second}\" \u{1b}[2J\u{202e}é"))
        .with("events", second)
}

/// Small files and a checkpoint every five records.
pub(crate) fn small(dir: &Path) -> Config {
    Config { file_bytes: 3000, checkpoint_records: 5, ..Config::new(dir) }
}

/// A record with so many records, closed.
pub(crate) fn made(dir: &Path, records: i64) {
    let audit = Audit::open(small(dir), None, at(0)).unwrap();
    for second in 1..=records {
        audit.record(&record(second)).unwrap();
    }
    audit.close(at(records)).unwrap();
}

/// A disk that fails on demand.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Bytes that may still be written.
    pub(crate) free_bytes: AtomicU64,
    pub(crate) fail_sync: AtomicBool,
    pub(crate) fail_write: AtomicBool,
}

impl Default for Faults {
    fn default() -> Self {
        Self { free_bytes: u64::MAX.into(), fail_sync: false.into(), fail_write: false.into() }
    }
}

impl Faults {
    /// Writes what there is room for, when that is not all.
    pub(crate) fn before_write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let free = self.free_bytes.load(SeqCst);
        if (bytes.len() as u64) > free {
            file.write_all(&bytes[..free as usize])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.fail_write.load(SeqCst) {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(())
    }

    pub(crate) fn before_sync(&self) -> io::Result<()> {
        if self.fail_sync.load(SeqCst) { Err(io::Error::other("the disk is broken")) } else { Ok(()) }
    }
}
