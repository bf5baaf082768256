//! What is appended to one file, past its rotation. What is only counted is read so; logs that are sent are read by the
//! collector's own reader of files.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

/// Read at a time, and at most in one go; the rest is read the next time.
const READ_BYTES: usize = 256 << 10;
const READS_MAX: usize = 32;
/// A longer line is passed over.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A file that is followed by its name.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    open: Option<Open>,
    /// Whether a file that is found is read from its beginning: the one that is there at first is not.
    reads_new: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    id: (u64, u64),
    at: u64,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

impl Follower {
    /// From the present end of the file on.
    pub(crate) fn at_end(path: PathBuf) -> Self {
        let mut follower = Self { path, open: None, reads_new: false };
        // One that cannot be opened yet is told when it is read.
        drop(follower.look());
        follower.reads_new = true;
        follower
    }

    /// Hands over whole lines that were written since the last time.
    pub(crate) fn read(&mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        if let Some(open) = &mut self.open {
            open.read(take)?;
        }
        let before = self.open.as_ref().map(|open| open.id);
        self.look()?;
        match &mut self.open {
            Some(open) if Some(open.id) != before => open.read(take),
            _ => Ok(()),
        }
    }

    /// Opens the file that has the name now, unless it is open.
    fn look(&mut self) -> io::Result<()> {
        let id = intake::identity(&self.path)?;
        if let Some(open) = &mut self.open
            && open.id == id
        {
            if open.file.metadata()?.len() < open.at {
                // Cut short and written anew.
                open.at = 0;
                open.begun.clear();
            }
            return Ok(());
        }
        let file = File::open(&self.path)?;
        let at = if self.reads_new { 0 } else { file.metadata()?.len() };
        self.open = Some(Open { file, id, at, begun: vec![] });
        Ok(())
    }
}

impl Open {
    fn read(&mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.at))?;
        for _ in 0..READS_MAX {
            let start = self.begun.len();
            let read = (&mut self.file).take(READ_BYTES as u64).read_to_end(&mut self.begun)?;
            self.at += read as u64;
            let new = self.begun.get(start..).unwrap_or_default();
            match new.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => {
                    let end = start + last + 1;
                    take(self.begun.get(..end).unwrap_or_default());
                    self.begun.drain(..end);
                }
                None if self.begun.len() > LINE_BYTES_MAX => self.begun.clear(),
                None => {}
            }
            if read < READ_BYTES {
                break;
            }
        }
        if self.begun.is_empty() {
            self.begun = vec![];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(follower: &mut Follower) -> String {
        let mut text = String::new();
        follower.read(&mut |lines| text.push_str(std::str::from_utf8(lines).unwrap())).unwrap();
        text
    }

    #[test]
    fn lines_are_followed_through_rotation_truncation_and_halves() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "old\n").unwrap();
        let mut follower = Follower::at_end(path.clone());
        let append = |text: &str| {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append("one\ntw");
        assert_eq!(read(&mut follower), "one\n");
        append("o\n");
        assert_eq!(read(&mut follower), "two\n");
        append("last\n");
        std::fs::rename(&path, dir.path().join("log.1")).unwrap();
        append("first of the next\n");
        assert_eq!(read(&mut follower), "last\nfirst of the next\n");
        std::fs::write(&path, "x\n").unwrap();
        assert_eq!(read(&mut follower), "");
        assert_eq!(read(&mut follower), "x\n");
    }

    #[test]
    fn a_file_that_appears_later_is_read_from_its_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut follower = Follower::at_end(path.clone());
        assert!(follower.read(&mut |_| {}).is_err());
        std::fs::write(&path, "a\n").unwrap();
        assert_eq!(read(&mut follower), "a\n");
    }
}
