//! Linux, macOS and their kin.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

/// What is known of a file.
pub(crate) type About = Metadata;

/// Whether it is told who made a symbolic link.
pub(crate) const LINKS_HAVE_OWNERS: bool = true;

/// Of what a path leads to.
pub(crate) fn about(path: &Path) -> io::Result<About> {
    fs::metadata(path)
}

/// Of a path itself, also where that is a link.
pub(crate) fn about_itself(path: &Path) -> io::Result<About> {
    fs::symlink_metadata(path)
}

/// Whether a path is a symbolic link, of which this is known.
pub(crate) fn is_link(_: &Path, itself: &About) -> bool {
    itself.is_symlink()
}

/// Of what was found while walking.
pub(crate) fn about_found(entry: &walkdir::DirEntry) -> io::Result<About> {
    Ok(entry.metadata()?)
}

/// Of an open file.
pub(crate) fn about_open(file: &File) -> io::Result<About> {
    file.metadata()
}

/// Device and inode.
pub(crate) fn id(about: &About) -> (u64, u64) {
    (about.dev(), about.ino())
}

/// How many names lead to it.
pub(crate) fn links(about: &About) -> u64 {
    about.nlink()
}

/// When its content changed: seconds since 1970, nanoseconds.
pub(crate) fn modified(about: &About) -> (i64, i64) {
    (about.mtime(), about.mtime_nsec())
}

/// When anything about it changed, also what it is called: seconds since 1970, nanoseconds.
pub(crate) fn changed(about: &About) -> (i64, i64) {
    (about.ctime(), about.ctime_nsec())
}

/// The number of its owner.
pub(crate) fn owner(about: &About) -> u32 {
    about.uid()
}

/// The user that this process runs as.
pub(crate) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens a file to be read: a FIFO or a device in its place is not waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Reads at an offset; how much.
pub(crate) fn read_once_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(buffer, offset)
}

/// Where there is data from `offset` on, as far as the file system tells; none when only a hole is left.
pub(crate) fn data_from(file: &File, offset: u64) -> Option<u64> {
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(offset)) {
        Ok(data) => Some(data.max(offset)),
        Err(rustix::io::Errno::NXIO) => None,
        // It does not tell.
        Err(_) => Some(offset),
    }
}

/// How many files this process may have open; None without a limit.
pub(crate) fn descriptors_max() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Whether a user has the rights to read a file: on it, and on every directory above it. Access
/// lists are not looked at.
pub(crate) fn could_read(user: u32, file: &About, path: &Path) -> io::Result<bool> {
    let groups = groups_of(user);
    let may = |metadata: &Metadata, right: u32| {
        let shift = if metadata.uid() == user {
            6
        } else if groups.contains(&metadata.gid()) {
            3
        } else {
            0
        };
        metadata.mode() >> shift & right != 0
    };
    if !may(file, 4) {
        return Ok(false);
    }
    for above in path.ancestors().skip(1) {
        if !may(&fs::metadata(above)?, 1) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A user's groups, as far as this machine's own files tell.
fn groups_of(user: u32) -> Vec<u32> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (mut names, mut groups) = (Vec::new(), Vec::new());
    for line in read("/etc/passwd").lines() {
        let columns: Vec<&str> = line.split(':').collect();
        if let [name, _, id, group, ..] = columns[..]
            && id.parse() == Ok(user)
        {
            names.push(name.to_owned());
            groups.extend(group.parse::<u32>());
        }
    }
    for line in read("/etc/group").lines() {
        let columns: Vec<&str> = line.split(':').collect();
        if let [_, _, id, members] = columns[..]
            && members.split(',').any(|member| names.iter().any(|name| name == member))
        {
            groups.extend(id.parse::<u32>());
        }
    }
    groups
}
