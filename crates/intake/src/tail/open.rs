//! Opening files whose folder others may write to: never blocked, never led astray.
//!
//! What a path holds may be swapped between a look and the open, so everything is asked of the open
//! file: that it is a regular one, and, where symbolic links led to it, that they may.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::File,
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{position::FileId, roots::Area};
use crate::platform::{self, About};

/// Links followed on the way to one file, as in the kernel.
const LINKS_MAX: usize = 40;
/// Links are left alone for so long: whoever unpacks or copies a tree as root makes them in its own name
/// and gives them to their owner afterwards.
pub(crate) const LINK_AGE: Duration = Duration::from_secs(1);

/// Which symbolic links below watched directories are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symlinks {
    /// To files that the owner of every link on the way could read, and to watched files. Links of
    /// root and of the user that this process runs as always are such.
    #[default]
    Owner,
    /// All.
    Any,
    /// None.
    Never,
}

/// Why a path is not read; its text says so to people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is gone, or another file took its place; the next look tells.
    #[error("it is gone")]
    Gone,
    /// A FIFO, a device, a socket.
    #[error("it is no regular file")]
    Special,
    /// Whose link it is may not have been settled yet.
    #[error("a symbolic link to it was made only now")]
    Young,
    #[error("the owner of the symbolic link {link:?} (user {owner}) cannot read its target {target:?}")]
    Link { link: PathBuf, owner: u32, target: PathBuf },
    #[error("symbolic links are not followed (LOG_SENTINEL_SYMLINKS)")]
    NoLinks,
    #[error("it cannot be opened: {0}")]
    Unreadable(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Gone,
            _ => Self::Unreadable(error),
        }
    }
}

/// Opens watched files.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) links: Symlinks,
    /// How old a link must be: [`LINK_AGE`].
    pub(crate) link_age: Duration,
    pub(crate) areas: Arc<[Area]>,
}

/// A symbolic link on the way to a file.
#[derive(Debug)]
struct Link {
    path: PathBuf,
    owner: u32,
    changed: SystemTime,
}

impl Gate {
    /// Opens a regular file for reading.
    pub(crate) fn open(&self, path: &Path) -> Result<(File, About), Refusal> {
        // A device may act on being opened, so it is looked at before; what counts is the look after.
        if !std::fs::metadata(path)?.is_file() {
            return Err(Refusal::Special);
        }
        let file = platform::open(path)?;
        let metadata = platform::about_open(&file)?;
        if !metadata.is_file() {
            return Err(Refusal::Special);
        }
        if self.links != Symlinks::Any {
            self.check_links(path, &metadata)?;
        }
        Ok((file, metadata))
    }

    /// Refuses a file that a link leads to which may not.
    fn check_links(&self, path: &Path, opened: &About) -> Result<(), Refusal> {
        let (target, links) = resolve(path)?;
        if FileId::of(&platform::about_itself(&target)?) != FileId::of(opened) {
            // Swapped meanwhile.
            return Err(Refusal::Gone);
        }
        // Where nobody is named as the owner of a link, none counts as somebody's own.
        if self.links == Symlinks::Never || !platform::LINKS_HAVE_OWNERS {
            let is_below = |link: &Path| self.areas.iter().any(|area| area.is_below(link));
            return if links.iter().any(|link| is_below(&link.path)) {
                Err(Refusal::NoLinks)
            } else {
                Ok(())
            };
        }
        if links.is_empty() || self.areas.iter().any(|area| area.holds(&target)) {
            return Ok(());
        }
        let own = platform::own_user();
        let now = SystemTime::now();
        for Link { path: link, owner, changed } in links {
            if owner != 0 && owner != own {
                if !platform::could_read(owner, opened, &target)? {
                    return Err(Refusal::Link { link, owner, target });
                }
            } else if now.duration_since(changed).is_ok_and(|age| age < self.link_age) {
                return Err(Refusal::Young);
            }
        }
        Ok(())
    }
}

/// Where a path leads, without links; and the links on the way.
fn resolve(path: &Path) -> io::Result<(PathBuf, Vec<Link>)> {
    let parts = |path: &Path| {
        let part = |component: Component<'_>| component.as_os_str().to_owned();
        path.components().map(part).collect::<Vec<OsString>>()
    };
    let mut rest: VecDeque<OsString> = parts(path).into();
    let (mut current, mut links) = (PathBuf::new(), Vec::new());
    while let Some(part) = rest.pop_front() {
        if part == "." {
            continue;
        }
        if part == ".." {
            current.pop();
            continue;
        }
        // An absolute part replaces everything before.
        let next = current.join(part);
        let metadata = platform::about_itself(&next)?;
        if !platform::is_link(&next, &metadata) {
            current = next;
            continue;
        }
        let target = std::fs::read_link(&next)?;
        let (seconds, nanoseconds) = platform::changed(&metadata);
        let changed = SystemTime::UNIX_EPOCH
            + Duration::from_secs(seconds.try_into().unwrap_or_default())
            + Duration::from_nanos(nanoseconds.try_into().unwrap_or_default());
        links.push(Link { path: next, owner: platform::owner(&metadata), changed });
        if links.len() > LINKS_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for part in parts(&target).into_iter().rev() {
            rest.push_front(part);
        }
    }
    Ok((current, links))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink},
    };

    use super::*;
    use crate::platform::could_read;

    const STRANGER: u32 = 54_321;

    fn gate(dir: &Path, links: Symlinks) -> Gate {
        Gate { links, link_age: Duration::ZERO, areas: vec![Area::dir(dir.join("logs"))].into() }
    }

    /// A watched directory, and beside it a secret, an open file and one in a closed directory.
    fn setting() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        for (name, mode) in [("logs", 0o755), ("closed", 0o700)] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        for (name, mode) in [
            ("secret", 0o600),
            ("open", 0o644),
            ("closed/open", 0o644),
            ("group", 0o640),
            ("logs/own", 0o600),
        ] {
            fs::write(dir.path().join(name), "text\n").unwrap();
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        dir
    }

    #[test]
    fn whether_somebody_could_read_a_file() {
        let dir = setting();
        for (name, expected) in [("secret", false), ("open", true), ("closed/open", false), ("group", false)]
        {
            let path = dir.path().canonicalize().unwrap().join(name);
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!(could_read(STRANGER, &metadata, &path).unwrap(), expected, "{name}");
            assert!(could_read(metadata.uid(), &metadata, &path).unwrap(), "{name}");
        }
    }

    #[test]
    fn links_are_resolved_one_by_one() {
        let dir = setting();
        let dir = dir.path().canonicalize().unwrap();
        symlink("../logs/./two", dir.join("logs/one")).unwrap();
        symlink(dir.join("closed"), dir.join("logs/two")).unwrap();
        let (target, links) = resolve(&dir.join("logs/one/open")).unwrap();
        assert_eq!(target, dir.join("closed/open"));
        let links: Vec<_> = links.into_iter().map(|link| link.path).collect();
        assert_eq!(links, [dir.join("logs/one"), dir.join("logs/two")]);
        symlink("loop", dir.join("logs/loop")).unwrap();
        assert!(resolve(&dir.join("logs/loop")).is_err());
    }

    #[test]
    fn a_link_of_somebody_else_leads_only_where_its_owner_could_go() {
        let dir = setting();
        let root = dir.path().canonicalize().unwrap();
        let link = |name: &str, target: &str, owner: Option<u32>| {
            let link = root.join("logs").join(name);
            symlink(root.join(target), &link).unwrap();
            owner.is_none_or(|owner| lchown(&link, Some(owner), None).is_ok())
        };
        assert!(link("own-link", "secret", None));
        assert!(gate(&root, Symlinks::Owner).open(&root.join("logs/own-link")).is_ok());
        assert!(gate(&root, Symlinks::Any).open(&root.join("logs/own-link")).is_ok());
        let never = gate(&root, Symlinks::Never).open(&root.join("logs/own-link"));
        assert!(matches!(never, Err(Refusal::NoLinks)), "{never:?}");
        let young = Gate { link_age: Duration::from_secs(3600), ..gate(&root, Symlinks::Owner) };
        let refused = young.open(&root.join("logs/own-link"));
        assert!(matches!(refused, Err(Refusal::Young)), "{refused:?}");
        // Only root can give a link away; could_read() is tested for everybody.
        if !link("to-secret", "secret", Some(STRANGER)) {
            return;
        }
        for (name, target, expected) in [
            ("to-open", "open", true),
            ("to-closed", "closed/open", false),
            ("to-watched", "logs/own", true),
            ("over-own-link", "logs/own-link", false),
        ] {
            assert!(link(name, target, Some(STRANGER)));
            let opened = gate(&root, Symlinks::Owner).open(&root.join("logs").join(name));
            assert_eq!(opened.is_ok(), expected, "{name}: {opened:?}");
        }
        let refused = gate(&root, Symlinks::Owner).open(&root.join("logs/to-secret"));
        assert!(matches!(refused, Err(Refusal::Link { owner: STRANGER, .. })), "{refused:?}");
        assert!(gate(&root, Symlinks::Any).open(&root.join("logs/to-secret")).is_ok());
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_blocks_nothing() {
        let dir = setting();
        let fifo = dir.path().join("logs/fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        for path in [&fifo, Path::new("/dev/null"), dir.path()] {
            let refused = gate(dir.path(), Symlinks::Owner).open(path);
            assert!(matches!(refused, Err(Refusal::Special)), "{path:?} {refused:?}");
        }
        let gone = gate(dir.path(), Symlinks::Owner).open(&dir.path().join("none"));
        assert!(matches!(gone, Err(Refusal::Gone)));
    }
}
