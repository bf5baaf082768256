//! What every keeper of state needs of the disk: files that only their owner reads, files that are
//! replaced as a whole, the lock of a data folder, and how much room is left.
//!
//! It must never know what is in a file (`sealed` guards bytes without knowing what they say), and never removes anything but its own unfinished files.

mod lock;
pub mod sealed;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

pub use lock::{DataLock, InUse, LockedFile};

/// Ends the names of files that [`replace`] has not finished; the process and a number stand before it.
const UNFINISHED: &str = "unfinished";

/// Makes a folder, and those above it that are missing, which only their owner may enter (mode 0700).
/// One that is there is left as it is.
///
/// # Errors
/// Those of the file system.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Options whose new files only their owner may read and write (mode 0600). Nothing else is set.
pub fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty file to write to, which only its owner may read; one that is there is emptied.
///
/// # Errors
/// Those of the file system.
pub fn create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(true).open(path)
}

/// Replaces a file as a whole: afterwards, also after a crash, it holds what it held before or all of
/// `bytes`, and when this returns it durably holds `bytes`. Calls beside each other, in this process
/// or another, do not meet: one of them is last.
///
/// # Errors
/// Those of the file system; nothing has changed then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = unfinished_beside(path);
    let write = || {
        let mut file = options().write(true).create_new(true).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    if let Err(error) = write() {
        // Half a file only takes the room that may be lacking. One that will not go is cleared by
        // `remove_unfinished`.
        drop(fs::remove_file(&unfinished));
        return Err(error);
    }
    sync_parent(path)
}

/// A name in the same folder that nobody else uses.
fn unfinished_beside(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{}-{number}.{UNFINISHED}", std::process::id()))
}

/// Removes what calls of [`replace`] left in a folder when the process was killed; for whoever owns
/// the folder, before it writes there.
///
/// # Errors
/// When the folder cannot be listed or a file in it not be removed.
pub fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Makes durable which names a folder holds.
///
/// # Errors
/// Those of the file system.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    // Only Unix can, and needs to, open a folder for this.
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Makes durable that `path` is there, or is gone.
///
/// # Errors
/// Those of the file system.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => sync_dir(dir),
        _ => sync_dir(Path::new(".")),
    }
}

/// Bytes that an unprivileged process may still write to the file system on which `path` lies.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(path)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Bytes of the whole file system on which `path` lies.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub fn total_bytes(path: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(path)?;
    Ok(system.f_blocks.saturating_mul(system.f_frsize))
}

/// Takes from everybody but the owner what an earlier version left them of a folder and all below it:
/// folders become 0700 and files 0600. Links are not followed. Gives how many were changed.
///
/// # Errors
/// When something cannot be listed or changed.
#[cfg(unix)]
pub fn make_private(dir: &Path) -> io::Result<u64> {
    use std::os::unix::fs::PermissionsExt;

    let mut changed = 0;
    let mut close = |path: &Path, mode: u32, wanted: u32| -> io::Result<()> {
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(wanted))?;
            changed += 1;
        }
        Ok(())
    };
    close(dir, fs::metadata(dir)?.permissions().mode(), 0o700)?;
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata()?);
            let mode = metadata.permissions().mode();
            if metadata.is_dir() {
                close(&path, mode, 0o700)?;
                folders.push(path);
            } else if metadata.is_file() {
                close(&path, mode, 0o600)?;
            }
        }
    }
    Ok(changed)
}

/// Elsewhere a folder's access list decides, and what is made in it inherits that.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the form that Unix needs")]
pub fn make_private(_: &Path) -> io::Result<u64> {
    Ok(0)
}

/// No space left, by whichever name.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// No file descriptor left, for this process or for the machine.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    // EMFILE and ENFILE have no kind of their own.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        create_dir_all(&folder).unwrap();
        create(&folder.join("made")).unwrap();
        replace(&folder.join("replaced"), b"x").unwrap();
        assert_eq!((mode(&dir.path().join("a")), mode(&folder)), (0o700, 0o700));
        assert_eq!((mode(&folder.join("made")), mode(&folder.join("replaced"))), (0o600, 0o600));
    }

    #[test]
    fn what_an_earlier_version_left_open_is_closed_and_links_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (data, outside) = (dir.path().join("data"), dir.path().join("outside"));
        fs::create_dir_all(data.join("index")).unwrap();
        for path in [&outside, &data.join("index/segment")] {
            fs::write(path, b"x").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        for path in [&data, &data.join("index")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::os::unix::fs::symlink(&outside, data.join("link")).unwrap();
        assert_eq!(make_private(&data).unwrap(), 3);
        assert_eq!(
            (mode(&data), mode(&data.join("index")), mode(&data.join("index/segment"))),
            (0o700, 0o700, 0o600)
        );
        assert_eq!(mode(&outside), 0o644);
        assert_eq!(make_private(&data).unwrap(), 0);
    }

    #[test]
    fn replacing_at_once_leaves_one_whole_content_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::thread::scope(|scope| {
            for letter in b'a'..b'e' {
                let path = &path;
                scope.spawn(move || (0..50).for_each(|_| replace(path, &[letter; 10_000]).unwrap()));
            }
        });
        let content = fs::read(&path).unwrap();
        assert!(content.len() == 10_000 && content.iter().all(|byte| *byte == content[0]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_replacement_changes_nothing_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), b"x").unwrap();
        assert!(replace(&path, b"y").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::read(path.join("inside")).unwrap(), b"x");
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(unfinished_beside(&dir.path().join("file")), b"half").unwrap();
        fs::write(dir.path().join("file"), b"whole").unwrap();
        remove_unfinished(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn room_is_told() {
        let (free, total) =
            (free_bytes(&std::env::temp_dir()).unwrap(), total_bytes(&std::env::temp_dir()).unwrap());
        assert!(0 < free && free <= total);
    }
}
