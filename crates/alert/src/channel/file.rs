//! Files of lines, rotated by size. A line is written down (fsync) before it counts as delivered, and one that is
//! there already is not written again: no alert is in them twice.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{
    line::{self, Format},
    send::{Channel, Receipt, SendError},
};
use crate::message::Message;

/// How far back a line is looked for that may be there already.
const LOOK_BACK_BYTES: u64 = 256 * 1024;

/// A file of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileConfig {
    /// Where it is.
    pub path: PathBuf,
    /// The form of its lines.
    pub format: Format,
    /// A file that is as large is put aside as `path.1`, the one before as `path.2`, and so on.
    pub bytes_max: u64,
    /// So many that were put aside are kept.
    pub keep: u32,
}

impl FileConfig {
    /// A file with the bounds that hold where nothing is said: 10 MB, 5 kept.
    pub fn new(path: impl Into<PathBuf>, format: Format) -> Self {
        Self { path: path.into(), format, bytes_max: 10_000_000, keep: 5 }
    }

    fn aside(&self, number: u32) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }

    /// Writes those of the lines down whose key is not there yet.
    fn append(&self, lines: &[(String, String)]) -> io::Result<usize> {
        let before = tail(&self.aside(1))? + &tail(&self.path)?;
        // Of half a line, as a crash may leave it, the key does not count.
        let whole: Vec<&str> = before.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
        let is_new = |key: &str| !whole.iter().any(|line| line.contains(key));
        let new: Vec<&str> =
            lines.iter().filter(|(key, _)| is_new(key)).map(|(_, line)| line.as_str()).collect();
        let mut file = open(&self.path)?;
        let mut size = file.metadata()?.len();
        if size >= self.bytes_max && !new.is_empty() {
            self.rotate()?;
            file = open(&self.path)?;
            size = 0;
        }
        let torn = size > 0 && !ends_line(&mut file, size)?;
        let mut text = if torn && !new.is_empty() { "\n".to_owned() } else { String::new() };
        text.extend(new.iter().copied());
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(new.len())
    }

    fn rotate(&self) -> io::Result<()> {
        if self.keep == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            match fs::rename(self.aside(number), self.aside(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.aside(1))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The last of a file, from where lines may begin in the middle; empty where there is none.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LOOK_BACK_BYTES)))?;
    let mut bytes = vec![];
    file.take(LOOK_BACK_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn ends_line(file: &mut File, size: u64) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::Start(size - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Appends to one file.
pub(crate) struct ToFile(pub(crate) FileConfig);

#[async_trait::async_trait]
impl Channel for ToFile {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let config = self.0.clone();
        let line = |telling| (message.key_of(telling), line::one(message, telling, config.format) + "\n");
        let lines: Vec<(String, String)> = message.alerts.iter().map(line).collect();
        let path = config.path.display().to_string();
        match telemetry::task::blocking("writing an alert", move || config.append(&lines)).await {
            Ok(Ok(new)) => Ok(Receipt::new(&format!("{new} lines written"))),
            Ok(Err(error)) => Err(SendError::passing(format!("cannot write {path}: {error}"))),
            Err(error) => Err(SendError::passing(telemetry::task::ending(&error))),
        }
    }
}
