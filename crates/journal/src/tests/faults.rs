//! A disk that fails on demand, and one that waits.

use std::{
    io,
    path::Path,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

#[derive(Debug)]
pub(crate) struct Faults {
    /// Bytes that may still be written.
    pub(crate) free_bytes: AtomicU64,
    /// Bytes that the disk says are free.
    pub(crate) free_space: AtomicU64,
    /// The most that one write takes.
    pub(crate) write_max: AtomicU64,
    pub(crate) fail_write: AtomicBool,
    pub(crate) fail_sync: AtomicBool,
    pub(crate) syncs: AtomicU64,
    /// While a test holds it, fsyncs wait.
    gate: Mutex<()>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            free_bytes: u64::MAX.into(),
            free_space: u64::MAX.into(),
            write_max: u64::MAX.into(),
            fail_write: false.into(),
            fail_sync: false.into(),
            syncs: 0.into(),
            gate: Mutex::default(),
        }
    }
}

impl Faults {
    /// Fsyncs wait until the guard is dropped.
    pub(crate) fn hold_syncs(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap()
    }

    pub(crate) fn before_write(&self, _: &Path, bytes: usize) -> io::Result<usize> {
        if self.fail_write.load(SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        let free = self.free_bytes.load(SeqCst);
        let allowed = (bytes as u64).min(free).min(self.write_max.load(SeqCst));
        if allowed == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.free_bytes.store(free - allowed, SeqCst);
        Ok(allowed as usize)
    }

    pub(crate) fn before_sync(&self, _: &Path) -> io::Result<()> {
        self.syncs.fetch_add(1, SeqCst);
        drop(self.gate.lock());
        if self.fail_sync.load(SeqCst) { Err(io::Error::other("the disk is broken")) } else { Ok(()) }
    }
}
