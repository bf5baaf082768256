//! A disk that fails on demand.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

#[derive(Debug)]
pub(crate) struct Faults {
    /// Bytes that may still be written.
    pub(crate) free_bytes: AtomicU64,
    pub(crate) fail_sync: AtomicBool,
    pub(crate) syncs: AtomicU64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { free_bytes: u64::MAX.into(), fail_sync: false.into(), syncs: 0.into() }
    }
}

impl Faults {
    pub(crate) fn before_write(&self, _: &Path, bytes: usize) -> io::Result<usize> {
        let free = self.free_bytes.load(SeqCst);
        let allowed = (bytes as u64).min(free);
        if allowed == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.free_bytes.store(free - allowed, SeqCst);
        Ok(allowed as usize)
    }

    pub(crate) fn before_sync(&self, _: &Path) -> io::Result<()> {
        self.syncs.fetch_add(1, SeqCst);
        if self.fail_sync.load(SeqCst) { Err(io::Error::other("the disk is broken")) } else { Ok(()) }
    }
}
