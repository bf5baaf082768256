//! Where the kernel says things.

use std::path::{Path, PathBuf};

/// The folders in which the kernel says things. In a container those of the host may be mounted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// `/run`.
    pub run: PathBuf,
    /// `/etc`.
    pub etc: PathBuf,
    /// `/var/lib`.
    pub lib: PathBuf,
    /// Where the files of the machine are: `/`.
    pub files: PathBuf,
}

impl Roots {
    /// Those of the machine whose files stand below `root`, as an agent in a container has them mounted. What is not
    /// there is that of the container.
    pub fn below(root: &Path) -> Self {
        let at = |own: PathBuf, name: &str| Some(root.join(name)).filter(|path| path.is_dir()).unwrap_or(own);
        let own = Self::default();
        Self {
            // Whose `/etc` is not there, its file systems are not either.
            files: if root.join("etc").is_dir() { root.to_owned() } else { own.files },
            proc: at(own.proc, "proc"),
            sys: at(own.sys, "sys"),
            run: at(own.run, "run"),
            etc: at(own.etc, "etc"),
            lib: at(own.lib, "var/lib"),
        }
    }
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
            run: "/run".into(),
            etc: "/etc".into(),
            lib: "/var/lib".into(),
            files: "/".into(),
        }
    }
}
