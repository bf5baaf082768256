//! BLAKE3 of the files that processes run: each file once, and no more bytes a scan than allowed, so that a start of many large programs
//! costs no core for seconds. What was not reached waits for the next scan.

use std::{collections::HashMap, os::fd::BorrowedFd, sync::Arc};

use rustix::{
    fs::{Mode, OFlags, Stat, fstat, openat},
    io::{Errno, read},
};

use crate::executable::{HashLimits, Hashed};

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
    limits: HashLimits,
    kept: HashMap<Key, Kept>,
    scan: u64,
    left: u64,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Kept {
    hash: Arc<str>,
    used: u64,
}

impl Executables {
    /// Knows none yet.
    #[must_use]
    pub fn new(limits: HashLimits) -> Self {
        Self { limits, kept: HashMap::new(), scan: 0, left: limits.scan_bytes, buffer: Vec::new() }
    }

    /// Hashes that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Nothing was hashed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// A scan begins: it may read as much as the one before, and what that one did not need is forgotten.
    pub(crate) fn begin(&mut self) {
        let before = self.scan;
        self.kept.retain(|_, kept| kept.used >= before);
        self.scan += 1;
        self.left = self.limits.scan_bytes;
    }

    /// The hash of `exe` below a process's folder, whose file has this `stat`.
    pub(crate) fn hash(&mut self, folder: BorrowedFd<'_>, stat: &Stat) -> Hashed {
        let key = Key::of(stat);
        if let Some(kept) = self.kept.get_mut(&key) {
            kept.used = self.scan;
            return Hashed::Known(kept.hash.clone());
        }
        let size = u64::try_from(key.size).unwrap_or_default();
        if size > self.limits.file_bytes {
            return Hashed::TooLarge;
        }
        if self.left == 0 {
            return Hashed::Later;
        }
        self.left = self.left.saturating_sub(size.max(1));
        match self.read(folder, key) {
            Ok(Some(hash)) => {
                if self.kept.len() < self.limits.kept {
                    self.kept.insert(key, Kept { hash: hash.clone(), used: self.scan });
                }
                Hashed::Known(hash)
            }
            // Another file by now: the next scan sees it as it is.
            Ok(None) => Hashed::Later,
            Err(errno) => Hashed::Failed(errno.into()),
        }
    }

    fn read(&mut self, folder: BorrowedFd<'_>, key: Key) -> Result<Option<Arc<str>>, Errno> {
        let file = openat(folder, "exe", OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())?;
        if Key::of(&fstat(&file)?) != key {
            return Ok(None);
        }
        self.buffer.resize(128 << 10, 0);
        let mut hasher = blake3::Hasher::new();
        loop {
            match read(&file, self.buffer.as_mut_slice()) {
                Ok(0) => break,
                Ok(length) => {
                    hasher.update(self.buffer.get(..length).unwrap_or_default());
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        let unchanged = Key::of(&fstat(&file)?) == key;
        Ok(unchanged.then(|| hasher.finalize().to_hex().as_str().into()))
    }
}
