//! Where the kernel says things, and reading it.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// No file of the kernel is read further.
const FILE_BYTES_MAX: u64 = 4 << 20;

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

/// Reads files of the kernel into one buffer.
#[derive(Debug)]
pub(crate) struct Kernel {
    roots: Roots,
    buffer: Vec<u8>,
}

impl Kernel {
    /// Below these folders.
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, buffer: Vec::new() }
    }

    /// The folders.
    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    /// What a file below `/proc` says.
    pub(crate) fn proc(&mut self, name: &str) -> io::Result<&[u8]> {
        let path = self.roots.proc.join(name);
        self.file(&path)
    }

    /// What a file that differs between namespaces says: of the first process where the host's `/proc` is mounted
    /// elsewhere, of this one otherwise.
    pub(crate) fn of_namespace(&mut self, name: &str) -> io::Result<&[u8]> {
        let whose = if self.roots.proc == Path::new("/proc") { "self" } else { "1" };
        self.proc(&format!("{whose}/{name}"))
    }

    /// What any file says.
    pub(crate) fn file(&mut self, path: &Path) -> io::Result<&[u8]> {
        self.buffer.clear();
        File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut self.buffer)?;
        Ok(&self.buffer)
    }
}
