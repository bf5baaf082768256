//! Where the files are, and their lines.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{ReadError, line::LINE_BYTES_MAX};

/// The newest checkpoint once more, beside the files, so that it shows when their end is cut off.
pub(crate) const HEAD: &str = "head";
/// The private key, unless it is kept elsewhere.
pub(crate) const PRIVATE_KEY: &str = "key";
/// The public key.
pub(crate) const PUBLIC_KEY: &str = "key.pub";

const ENDING: &str = ".ndjson";
const DIGITS: usize = 10;
const BUFFER_BYTES: usize = 256 << 10;

pub(crate) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:010}{ENDING}"))
}

/// The files of a record in the order of their names; none when there is no such folder.
pub(crate) fn list(dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = io_error("list", dir);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(&failed)?,
    };
    let mut paths = vec![];
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
        if number
            .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
        {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> ReadError {
    let path = path.to_owned();
    move |source| ReadError::Io { action, path: path.clone(), source }
}

/// A line as it stands in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    /// Without its newline.
    pub(crate) bytes: &'a [u8],
    /// Where it begins in its file.
    pub(crate) offset: u64,
    /// From 1.
    pub(crate) number: u64,
    /// Its newline is there.
    pub(crate) is_complete: bool,
}

/// The lines of a file, in bounded memory: what is longer than a line can be comes in pieces.
#[derive(Debug)]
pub(crate) struct Lines {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    number: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let buffer = vec![0; BUFFER_BYTES];
        Ok(Self { file, path: path.to_owned(), buffer, start: 0, end: 0, offset: 0, number: 0 })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Raw<'_>>, ReadError> {
        let mut searched = 0;
        let (length, is_complete) = loop {
            let held = &self.buffer[self.start..self.end];
            if let Some(length) = memchr::memchr(b'\n', &held[searched..]) {
                break (searched + length, true);
            }
            searched = held.len();
            if searched >= LINE_BYTES_MAX {
                break (LINE_BYTES_MAX, false);
            }
            if self.fill()? == 0 {
                if searched == 0 {
                    return Ok(None);
                }
                break (searched, false);
            }
        };
        let bytes = &self.buffer[self.start..self.start + length];
        let taken = length + usize::from(is_complete);
        let offset = self.offset;
        self.start += taken;
        self.offset += taken as u64;
        self.number += 1;
        Ok(Some(Raw { bytes, offset, number: self.number, is_complete }))
    }

    fn fill(&mut self) -> Result<usize, ReadError> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        loop {
            match self.file.read(&mut self.buffer[self.end..]) {
                Ok(bytes) => {
                    self.end += bytes;
                    return Ok(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io_error("read", &self.path)(error)),
            }
        }
    }
}
