//! How far a file has been read, and how it is told apart from another one under the same inode.
//!
//! Each batch of lines carries the positions behind them as journal notes, so that lines and
//! positions become durable together and no crash can repeat or skip a line.
//!
//! ```text
//! key    tail/ DEVICE - INODE, in hexadecimal digits
//! value  JSON {"path","offset","head":{"length","hash"},"last":{"length","hash"},"skipping",
//!              "first","encoding","before","former":[…]}
//! ```
//! `head` covers the first bytes of what was read, at most 1 KiB, and `last` those before `offset`,
//! at most 256. A file is the one that was read only if both are still there. `first` is the hash of
//! its first line, by which copies of it are found; 0 when unknown, as in notes from before it was
//! kept. `encoding` is absent unless it is `utf-16-le` or `utf-16-be`. `former` has up to 4 positions
//! of the same form, where the file stood when it was truncated; absent when that is longer ago. `before` is what
//! the parser keeps of the lines so far ([`parse::Before`]).

use std::{fs::File, io, path::PathBuf};

use journal::{Journal, Note};
use serde::{Deserialize, Serialize};

use super::{bytes::read_at, text::Encoding};
use crate::platform::{self, About};

const PREFIX: &[u8] = b"tail/";
const HEAD_BYTES: u64 = 1024;
pub(crate) const LAST_BYTES: usize = 256;
/// Most of a first line that counts.
const FIRST_BYTES: usize = 256;

/// Device and inode, or what stands for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &About) -> Self {
        let (device, inode) = platform::id(metadata);
        Self { device, inode }
    }

    fn note_key(self) -> Vec<u8> {
        let text = format!("{:x}-{:x}", self.device, self.inode);
        [PREFIX, text.as_bytes()].concat()
    }

    fn of_note(key: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(key.strip_prefix(PREFIX)?).ok()?;
        let (device, inode) = text.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some(Self { device: number(device)?, inode: number(inode)? })
    }
}

/// Some bytes, by length and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Print {
    pub(crate) length: u32,
    hash: u64,
}

impl Print {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes);
        let mut short = [0; 8];
        short.copy_from_slice(&hash.as_bytes()[..8]);
        Self { length: bytes.len() as u32, hash: u64::from_be_bytes(short) }
    }

    pub(crate) fn matches(self, bytes: &[u8]) -> bool {
        self.length as usize == bytes.len() && (bytes.is_empty() || Self::of(bytes) == self)
    }

    fn is_at(self, file: &File, offset: u64) -> io::Result<bool> {
        let mut bytes = vec![0; self.length as usize];
        let length = read_at(file, &mut bytes, offset)?;
        Ok(self.matches(&bytes[..length]))
    }
}

/// How far a file has been read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Its last known path.
    pub(crate) path: PathBuf,
    /// Bytes read.
    pub(crate) offset: u64,
    pub(crate) head: Print,
    pub(crate) last: Print,
    /// Within the rest of a line that was cut.
    #[serde(default)]
    pub(crate) skipping: bool,
    /// Hash of the first line; 0 when unknown.
    #[serde(default)]
    pub(crate) first: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) encoding: Encoding,
    /// What its lines say of those behind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) before: parse::Before,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The hash of the first line of a file that begins with `start`, once it is there.
pub(crate) fn first_line(start: &[u8]) -> Option<u64> {
    let start = &start[..start.len().min(FIRST_BYTES)];
    let end = start.iter().position(|byte| *byte == b'\n').map(|newline| newline + 1);
    let end = end.or((start.len() == FIRST_BYTES).then_some(FIRST_BYTES))?;
    Some(Print::of(&start[..end]).hash)
}

impl Position {
    /// Whether `file` begins with what was read.
    pub(crate) fn is_in(&self, file: &File) -> io::Result<bool> {
        let before = self.offset.saturating_sub(u64::from(self.last.length));
        Ok(self.head.is_at(file, 0)? && self.last.is_at(file, before)?)
    }

    /// The position `consumed` bytes on.
    pub(crate) fn advanced(&self, file: &File, consumed: &[u8], skipping: bool) -> io::Result<Self> {
        let last = Print::of(&consumed[consumed.len().saturating_sub(LAST_BYTES)..]);
        let offset = self.offset + consumed.len() as u64;
        Self { offset, last, skipping, ..self.clone() }.with_head(file)
    }

    /// The position at another place of the same file.
    pub(crate) fn at(&self, file: &File, offset: u64) -> io::Result<Self> {
        let mut bytes = vec![0; offset.min(LAST_BYTES as u64) as usize];
        let begin = offset - bytes.len() as u64;
        let length = read_at(file, &mut bytes, begin)?;
        let last = Print::of(&bytes[..length]);
        Self { offset, last, skipping: false, ..self.clone() }.with_head(file)
    }

    fn with_head(mut self, file: &File) -> io::Result<Self> {
        let whole = self.offset.min(HEAD_BYTES);
        if u64::from(self.head.length) < whole || self.first == 0 {
            let mut bytes = vec![0; whole as usize];
            let length = read_at(file, &mut bytes, 0)?;
            bytes.truncate(length);
            self.head = Print::of(&bytes);
            self.first = first_line(&bytes).unwrap_or_default();
        } else if u64::from(self.head.length) > whole {
            self.head = Print::default();
            return self.with_head(file);
        }
        Ok(self)
    }
}

/// What the journal remembers of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted {
    #[serde(flatten)]
    pub(crate) position: Position,
    /// Where it stood before it was truncated, latest first, while its copies may not be decided about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former: Vec<Position>,
}

impl Noted {
    pub(crate) fn note(&self, id: FileId) -> Note {
        // Numbers, and paths that serialise unless they are no UTF-8: then only the positions count.
        let value = serde_json::to_vec(self).or_else(|_| {
            let lossy = |position: &Position| Position {
                path: position.path.to_string_lossy().into_owned().into(),
                ..position.clone()
            };
            let former = self.former.iter().map(lossy).collect();
            serde_json::to_vec(&Self { position: lossy(&self.position), former })
        });
        Note { key: id.note_key(), value: value.ok() }
    }
}

/// Forgets a position.
pub(crate) fn forget(id: FileId) -> Note {
    Note { key: id.note_key(), value: None }
}

/// Whether the journal remembers a position.
pub(crate) fn is_noted(journal: &Journal, id: FileId) -> bool {
    journal.note(&id.note_key()).is_some()
}

/// All positions that the journal remembers.
pub(crate) fn all(journal: &Journal) -> Vec<(FileId, Noted)> {
    let notes = journal.notes(PREFIX);
    let parse = |(key, value): (Vec<u8>, Vec<u8>)| {
        Some((FileId::of_note(&key)?, serde_json::from_slice(&value).ok()?))
    };
    notes.into_iter().filter_map(parse).collect()
}
