//! The file operations the journal needs, in one place so that tests can make them fail.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

pub(crate) use ::disk::{is_full, is_out_of_descriptors};

#[cfg(test)]
pub(crate) use crate::tests::faults::Faults;

/// A reserve takes at most this share of the disk.
#[cfg(unix)]
const RESERVE_SHARE: u64 = 20;

/// The disk, or in tests one with faults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: Option<std::sync::Arc<Faults>>,
}

impl Disk {
    /// Opens a file for writing from `offset` on; makes it when it is not there.
    pub(crate) fn open(&self, path: &Path, offset: u64) -> io::Result<DiskFile> {
        let mut file = ::disk::options().write(true).create(true).truncate(false).open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(DiskFile { file, path: path.to_owned(), disk: self.clone() })
    }

    /// Writes a whole file: it is there completely or as it was before.
    pub(crate) fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = path.with_extension("new");
        let written = self.open(&temporary, 0).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(bytes)?;
            file.sync()
        });
        let renamed = written.and_then(|()| fs::rename(&temporary, path));
        if renamed.is_err() {
            // Best effort: a leftover is overwritten next time.
            drop(fs::remove_file(&temporary));
        }
        renamed?;
        self.sync_dir(path)
    }

    /// Makes durable that `path` exists or is gone.
    pub(crate) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let Some(dir) = path.parent() else { return Ok(()) };
        self.before_sync(dir)?;
        // Only Unix can and needs to open a directory for this.
        if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
    }

    /// Bytes that are free on the disk that holds `dir`; None when that cannot be told.
    pub(crate) fn free_bytes(&self, dir: &Path) -> Option<u64> {
        #[cfg(test)]
        if let Some(faults) = &self.faults {
            return Some(faults.free_space.load(std::sync::atomic::Ordering::SeqCst));
        }
        free_bytes(dir)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the form that tests fill in")]
    fn before_write(&self, _: &Path, bytes: usize) -> io::Result<usize> {
        Ok(bytes)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the form that tests fill in")]
    fn before_sync(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn before_write(&self, path: &Path, bytes: usize) -> io::Result<usize> {
        self.faults.as_ref().map_or(Ok(bytes), |faults| faults.before_write(path, bytes))
    }

    #[cfg(test)]
    fn before_sync(&self, path: &Path) -> io::Result<()> {
        self.faults.as_ref().map_or(Ok(()), |faults| faults.before_sync(path))
    }
}

/// A file open for writing.
#[derive(Debug)]
pub(crate) struct DiskFile {
    file: File,
    path: PathBuf,
    disk: Disk,
}

impl DiskFile {
    pub(crate) fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let allowed = self.disk.before_write(&self.path, bytes.len())?;
            match self.file.write(&bytes[..allowed]) {
                Ok(0) => return Err(io::ErrorKind::StorageFull.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes all content durable (fdatasync).
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.disk.before_sync(&self.path)?;
        self.file.sync_data()
    }

    /// Cuts the file and continues there.
    pub(crate) fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.seek(bytes)
    }

    /// Whether no name leads to the file any more, so that nobody will read it again.
    pub(crate) fn is_deleted(&self) -> bool {
        is_deleted(&self.file)
    }

    /// Whether its path still leads to this file.
    pub(crate) fn is_in_place(&self) -> bool {
        is_same(&self.file, &self.path)
    }

    pub(crate) fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map(drop)
    }
}

#[cfg(unix)]
fn is_deleted(file: &File) -> bool {
    // Asked of the open file itself, so that it costs no look-up.
    file.metadata().is_ok_and(|file| std::os::unix::fs::MetadataExt::nlink(&file) == 0)
}

#[cfg(not(unix))]
fn is_deleted(_: &File) -> bool {
    // An open file cannot be deleted there.
    false
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
        (_, Err(error)) => error.kind() != io::ErrorKind::NotFound,
        (Err(_), _) => true,
    }
}

#[cfg(not(unix))]
fn is_same(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    ::disk::free_bytes(dir).ok()
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// What of a wanted reserve fits the disk: a small one must not be all reserve.
#[cfg(unix)]
pub(crate) fn fitting_reserve(dir: &Path, wanted: u64) -> u64 {
    ::disk::total_bytes(dir).map_or(wanted, |total| wanted.min(total / RESERVE_SHARE))
}

#[cfg(not(unix))]
pub(crate) fn fitting_reserve(_: &Path, wanted: u64) -> u64 {
    wanted
}
