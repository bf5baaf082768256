//! BLAKE3 of the files that processes run: each file once, and no more bytes a scan than allowed, so that a start of many large programs
//! costs no core for seconds. What was not reached waits for the next scan.

use std::{os::fd::BorrowedFd, sync::Arc};

use rustix::{
    fs::{Mode, OFlags, Stat, fstat, openat},
    io::{Errno, read},
};

use crate::executable::{HashLimits, Hashed, Known};

/// What makes two files the same for us: a change of the content changes `mtime` or, where that was set back, `ctime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Key {
    #[expect(
        clippy::cast_possible_wrap,
        clippy::unnecessary_cast,
        reason = "the types of these fields differ between platforms"
    )]
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

/// The hashes that are known.
#[derive(Debug)]
pub struct Executables {
    known: Known<Key>,
    buffer: Vec<u8>,
}

impl Executables {
    /// Knows none yet.
    #[must_use]
    pub fn new(limits: HashLimits) -> Self {
        Self { known: Known::new(limits), buffer: Vec::new() }
    }

    /// Hashes that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Nothing was hashed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A scan begins. See [`Known::begin`].
    pub(crate) fn begin(&mut self) {
        self.known.begin();
    }

    /// The hash of `exe` below a process's folder, whose file has this `stat`.
    pub(crate) fn hash(&mut self, folder: BorrowedFd<'_>, stat: &Stat) -> Hashed {
        let key = Key::of(stat);
        let Self { known, buffer } = self;
        let bytes = u64::try_from(key.size).unwrap_or_default();
        known.hash(key, bytes, |key| read_whole(folder, key, buffer).map_err(Into::into))
    }
}

/// None where the file is another than `key` says before or after it was read.
fn read_whole(folder: BorrowedFd<'_>, key: &Key, buffer: &mut Vec<u8>) -> Result<Option<Arc<str>>, Errno> {
    let file = openat(folder, "exe", OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())?;
    if Key::of(&fstat(&file)?) != *key {
        return Ok(None);
    }
    buffer.resize(128 << 10, 0);
    let mut hasher = blake3::Hasher::new();
    loop {
        match read(&file, buffer.as_mut_slice()) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(buffer.get(..length).unwrap_or_default());
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    let unchanged = Key::of(&fstat(&file)?) == *key;
    Ok(unchanged.then(|| hasher.finalize().to_hex().as_str().into()))
}
