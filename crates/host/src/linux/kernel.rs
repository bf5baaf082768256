//! Where the kernel says things, and reading it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::roots::Roots;

/// No file of the kernel is read further.
const FILE_BYTES_MAX: u64 = 4 << 20;

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
