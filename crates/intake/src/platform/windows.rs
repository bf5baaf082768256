//! Windows.

use std::{
    fs::{self, File},
    io,
    os::windows::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use winapi_util::{
    Handle,
    file::{Information, information},
};

/// Ticks of a file time in a second, and from its beginning in 1601 to 1970 (FILETIME of the Windows API).
const TICKS_S: u64 = 10_000_000;
const TICKS_TO_1970: u64 = 11_644_473_600 * TICKS_S;
/// FILE_ATTRIBUTE_DIRECTORY and FILE_ATTRIBUTE_DEVICE.
const DIRECTORY: u64 = 0x10;
const DEVICE: u64 = 0x40;
/// FILE_ATTRIBUTE_REPARSE_POINT: links have it, and other things too.
const REPARSE_POINT: u64 = 0x400;
/// FILE_READ_ATTRIBUTES; FILE_FLAG_BACKUP_SEMANTICS, with which folders are opened, and FILE_FLAG_OPEN_REPARSE_POINT.
const READ_ATTRIBUTES: u32 = 0x80;
const OPEN_ITSELF: u32 = 0x0200_0000 | 0x0020_0000;

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    attributes: u64,
    bytes: u64,
    id: (u64, u64),
    links: u64,
    made: Option<u64>,
    written: Option<u64>,
}

impl About {
    fn of(information: &Information) -> Self {
        Self {
            attributes: information.file_attributes(),
            bytes: information.file_size(),
            id: (information.volume_serial_number(), information.file_index()),
            links: information.number_of_links(),
            made: information.creation_time(),
            written: information.last_write_time(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn is_file(&self) -> bool {
        self.attributes & (DIRECTORY | DEVICE) == 0
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.attributes & DIRECTORY != 0
    }

    /// When it was made, in ticks.
    pub(crate) fn created(&self) -> io::Result<u64> {
        self.made.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

/// Whether it is told who made a symbolic link.
pub(crate) const LINKS_HAVE_OWNERS: bool = false;

/// Of what a path leads to.
pub(crate) fn about(path: &Path) -> io::Result<About> {
    Ok(About::of(&information(Handle::from_path_any(path)?)?))
}

/// Of a path itself, also where that is a link.
pub(crate) fn about_itself(path: &Path) -> io::Result<About> {
    about_open(&File::options().access_mode(READ_ATTRIBUTES).custom_flags(OPEN_ITSELF).open(path)?)
}

/// Whether a path is a symbolic link or a junction, of which this is known.
pub(crate) fn is_link(path: &Path, itself: &About) -> bool {
    itself.attributes & REPARSE_POINT != 0 && fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink())
}

/// Of what was found while walking.
pub(crate) fn about_found(entry: &walkdir::DirEntry) -> io::Result<About> {
    about(entry.path())
}

/// Of an open file.
pub(crate) fn about_open(file: &File) -> io::Result<About> {
    Ok(About::of(&information(file)?))
}

/// Serial number of the volume and index of the file on it.
pub(crate) fn id(about: &About) -> (u64, u64) {
    about.id
}

/// How many names lead to it.
pub(crate) fn links(about: &About) -> u64 {
    about.links
}

/// When its content changed: seconds since 1970, nanoseconds.
pub(crate) fn modified(about: &About) -> (i64, i64) {
    since_1970(about.written.unwrap_or_default())
}

/// When it was written or made: seconds since 1970, nanoseconds. That it was given another name is not told.
pub(crate) fn changed(about: &About) -> (i64, i64) {
    since_1970(about.made.max(about.written).unwrap_or_default())
}

fn since_1970(ticks: u64) -> (i64, i64) {
    let ticks = ticks.saturating_sub(TICKS_TO_1970);
    ((ticks / TICKS_S).cast_signed(), (ticks % TICKS_S * 100).cast_signed())
}

/// Users have no numbers here.
pub(crate) fn owner(_: &About) -> u32 {
    u32::MAX
}

/// See [`owner`].
pub(crate) fn own_user() -> u32 {
    u32::MAX
}

/// Opens a file to be read; others may go on writing it, rename it and delete it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Reads at an offset; how much.
pub(crate) fn read_once_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}

/// Where there is data from `offset` on: holes are read as zeros.
pub(crate) fn data_from(_: &File, offset: u64) -> Option<u64> {
    Some(offset)
}

/// How many files this process may have open; None without a limit.
pub(crate) fn descriptors_max() -> Option<u64> {
    None
}

/// Whether a user has the rights to read a file: not known, so no.
#[expect(clippy::unnecessary_wraps, reason = "the form that Unix needs")]
pub(crate) fn could_read(_: u32, _: &About, _: &Path) -> io::Result<bool> {
    Ok(false)
}
