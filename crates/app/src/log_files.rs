//! The events of log files, read without a collector, in the order of their times: several files are gone through
//! beside each other, each as its lines stand.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use event::{Event, Timestamp};
use parse::Before;

use crate::{
    chunks::Chunks,
    unpacked::{Missing, unpacked},
};

/// Events of log files.
pub(crate) struct LogFiles {
    files: Vec<LogFile>,
}

struct LogFile {
    path: PathBuf,
    name: String,
    /// When it was last written.
    near: Timestamp,
    text: Chunks<io::BufReader<Box<dyn io::Read + Send>>>,
    missing: Missing,
    before: Before,
    /// Read, and not given yet.
    events: VecDeque<Event<'static>>,
}

/// A file could not be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl LogFiles {
    /// Opens files, plain or packed.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn open(paths: &[PathBuf], door: &intake::Config) -> Result<Self, Unreadable> {
        let open = |path: &PathBuf| {
            LogFile::open(path, door).map_err(|source| Unreadable { path: path.clone(), source })
        };
        Ok(Self { files: paths.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// The next event. It counts as received when it happened.
    ///
    /// # Errors
    /// When a file cannot be read on.
    pub(crate) fn next(&mut self, door: &intake::Config) -> Result<Option<Event<'static>>, Unreadable> {
        for file in &mut self.files {
            file.fill(door).map_err(|source| Unreadable { path: file.path.clone(), source })?;
        }
        let waiting = self.files.iter_mut().filter(|file| !file.events.is_empty());
        let earliest = waiting.min_by_key(|file| file.events.front().map(|event| event.timestamp));
        Ok(earliest.and_then(|file| file.events.pop_front()))
    }

    /// Files of which a part is missing, for they are damaged there, and why.
    pub(crate) fn damaged(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_path(), file.missing.get()?.as_str())))
    }
}

impl LogFile {
    fn open(path: &Path, door: &intake::Config) -> io::Result<Self> {
        let file = File::open(path)?;
        let written = file.metadata().ok().and_then(|about| super::commands::modified(&about));
        let unpacked = unpacked(file)?;
        Ok(Self {
            path: path.to_owned(),
            name: std::path::absolute(path)?.to_string_lossy().into_owned(),
            near: written.unwrap_or_else(intake::system_clock),
            text: Chunks::new(unpacked.reader, door.joining.clone()),
            missing: unpacked.missing,
            before: Before::default(),
            events: VecDeque::new(),
        })
    }

    /// Reads on where nothing waits, until something does or the file ends.
    fn fill(&mut self, door: &intake::Config) -> io::Result<()> {
        while self.events.is_empty() {
            let part = self.text.next()?;
            if part.is_empty() {
                return Ok(());
            }
            let context = parse::Context {
                near: self.near,
                file: Some(&self.name),
                before: Some(&self.before),
                joining: door.joining.as_ref(),
                formats: Some(&door.formats),
                ..parse::Context::new(self.near, &door.zone, door.line_bytes_max)
            };
            let events = &mut self.events;
            let before = parse::body(parse::Format::Lines, &part, &context, |read| {
                events.extend(read.ok().map(|event| {
                    let mut event = event.into_owned();
                    event.observed_timestamp = event.timestamp;
                    event
                }));
            });
            self.before = before;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_gone_through_beside_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let lines = |minutes: &[u32]| -> String {
            minutes
                .iter()
                .map(|minute| format!("2026-11-02T00:{minute:02}:00Z INFO minute {minute}\n"))
                .collect()
        };
        let paths = [
            file("a.log", lines(&[1, 4, 5])),
            file("empty.log", String::new()),
            file("b.log", lines(&[2, 3, 6])),
        ];
        let door = intake::Config::default();
        let mut files = LogFiles::open(&paths, &door).unwrap();
        let mut messages = vec![];
        while let Some(event) = files.next(&door).unwrap() {
            assert_eq!(event.timestamp, event.observed_timestamp);
            messages.push(event.timestamp.to_string());
        }
        let expected: Vec<_> = (1..=6).map(|minute| format!("2026-11-02T00:0{minute}:00Z")).collect();
        assert_eq!(messages, expected);
        assert_eq!(files.damaged().count(), 0);
        let missing = LogFiles::open(&[dir.path().join("none.log")], &door).err().unwrap();
        assert!(missing.path.ends_with("none.log"));
    }
}
