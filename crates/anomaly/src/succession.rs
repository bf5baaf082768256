//! Which models served, and how each that does not serve stands: the file `history` beside the models.
//!
//! Sealed as `disk::sealed` describes, magic `LSHISTRY`; the body:
//!
//! ```text
//! u64   events of the stream up to which no model takes over by itself
//! u32   count, then the versions that served, oldest first (u32 length, bytes)
//! u32   count, then for each model that is to be told apart: version, u8 standing, why
//! ```
//! One that does not load is set aside and counts as empty: nothing but these remarks is lost.

use std::{fs, path::Path};

use disk::sealed::{Reader, SealedError, Writer};

use crate::{
    error::ModelError,
    files::{earlier, put_aside, replace},
};

const MAGIC: &[u8; 8] = b"LSHISTRY";
const VERSION: u32 = 1;
const SERVED_MAX: usize = 32;
const MARKS_MAX: usize = 256;

/// How a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Standing {
    /// It serves.
    Serving = 0,
    /// Kept.
    Kept = 1,
    /// Trained by itself and not good enough to take over by itself.
    Candidate = 2,
    /// It served and was taken back.
    RolledBack = 3,
    /// Brought from elsewhere.
    Imported = 4,
}

impl Standing {
    /// In lower case, with a hyphen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Kept => "kept",
            Self::Candidate => "candidate",
            Self::RolledBack => "rolled-back",
            Self::Imported => "imported",
        }
    }
}

/// Which models served, which takes over when, and what is to be told of others.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Succession {
    pub(crate) held_until: u64,
    pub(crate) served: Vec<String>,
    marks: Vec<(String, u8, String)>,
}

impl Succession {
    /// Reads what there is. One that does not load is set aside, and it says why.
    pub(crate) fn open(dir: &Path) -> (Self, Option<String>) {
        let path = dir.join("history");
        let error = match fs::read(&path).map(|bytes| Self::load(&bytes)) {
            Ok(Ok(succession)) => return (succession, earlier(&path)),
            Ok(Err(error)) => error,
            Err(_) => return (Self::default(), earlier(&path)),
        };
        (Self::default(), Some(put_aside(&path, &error)))
    }

    /// Reads what there is at this moment, without a word where it does not load.
    pub(crate) fn glance(dir: &Path) -> Self {
        let read = fs::read(dir.join("history")).ok();
        read.and_then(|bytes| Self::load(&bytes).ok()).unwrap_or_default()
    }

    pub(crate) fn store(&self, dir: &Path) -> Result<(), ModelError> {
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.u64(self.held_until);
        out.u32(self.served.len() as u32);
        self.served.iter().for_each(|version| out.bytes(version.as_bytes()));
        out.u32(self.marks.len() as u32);
        for (version, standing, why) in &self.marks {
            out.bytes(version.as_bytes());
            out.u8(*standing);
            out.bytes(why.as_bytes());
        }
        replace(&dir.join("history"), &out.seal())
    }

    fn load(bytes: &[u8]) -> Result<Self, SealedError> {
        let mut input = Reader::sealed(bytes, MAGIC, VERSION, "the history of models")?;
        let held_until = input.u64()?;
        let count = input.count(4, SERVED_MAX)?;
        let served = (0..count).map(|_| read_version(&mut input)).collect::<Result<_, _>>()?;
        let count = input.count(9, MARKS_MAX)?;
        let mut marks = Vec::with_capacity(count);
        for _ in 0..count {
            let (version, standing) = (read_version(&mut input)?, input.u8()?);
            let why = String::from_utf8_lossy(input.bytes()?).into_owned();
            marks.push((version, standing, why));
        }
        input.end()?;
        Ok(Self { held_until, served, marks })
    }

    /// Notes that a version serves from now on.
    pub(crate) fn serves(&mut self, version: &str) {
        self.unmark(version);
        if self.served.last().is_none_or(|last| last != version) {
            self.served.push(version.to_owned());
        }
        let surplus = self.served.len().saturating_sub(SERVED_MAX);
        self.served.drain(..surplus);
    }

    /// The versions that served before this one, latest first.
    pub(crate) fn before<'s>(&'s self, version: &'s str) -> impl Iterator<Item = &'s String> {
        self.served.iter().rev().skip_while(move |served| *served != version).filter(move |v| *v != version)
    }

    pub(crate) fn mark(&mut self, version: &str, standing: Standing, why: &str) {
        self.unmark(version);
        self.marks.push((version.to_owned(), standing as u8, why.to_owned()));
        let surplus = self.marks.len().saturating_sub(MARKS_MAX);
        self.marks.drain(..surplus);
    }

    fn unmark(&mut self, version: &str) {
        self.marks.retain(|(marked, ..)| marked != version);
    }

    /// How a version that does not serve stands, and why.
    pub(crate) fn standing(&self, version: &str) -> (Standing, &str) {
        let found = self.marks.iter().find(|(marked, ..)| marked == version);
        match found {
            Some((_, 2, why)) => (Standing::Candidate, why),
            Some((_, 3, why)) => (Standing::RolledBack, why),
            Some((_, 4, why)) => (Standing::Imported, why),
            _ => (Standing::Kept, ""),
        }
    }
}

/// The number of a version name such as `00000007-3fa4c1d2`; None for any other name.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let (number, checksum) = name.split_once('-')?;
    let plain = number.len() == 8 && checksum.len() == 8 && checksum.bytes().all(|b| b.is_ascii_hexdigit());
    if plain && number.bytes().all(|b| b.is_ascii_digit()) { number.parse().ok() } else { None }
}

fn read_version(input: &mut Reader<'_>) -> Result<String, SealedError> {
    let version = String::from_utf8_lossy(input.bytes()?).into_owned();
    if number_of(&version).is_some() { Ok(version) } else { Err(input.damaged()) }
}
