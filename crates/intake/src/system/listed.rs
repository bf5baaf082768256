//! Files that are there, and how one is read: never blocked, and never led astray by links.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::Path,
};

use event::Timestamp;

use super::kind::Kind;
use crate::platform::{self, About};

/// Files that are watched at most.
const FILES_MAX: usize = 4_000;
/// Entries of one folder that are looked at.
const ENTRIES_MAX: usize = 1_000;
/// What is longer is not read.
const BYTES_MAX: u64 = 1 << 20;

/// How a file stood when it was looked at: another one is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    id: (u64, u64),
    bytes: u64,
    changed: (i64, i64),
    pub(super) modified: Timestamp,
    pub(super) owner: u32,
}

#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) stamp: Stamp,
}

/// The files that are there, by their paths on the machine that is watched.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) files: BTreeMap<String, Found>,
    /// Whether there are more.
    pub(super) is_cut: bool,
}

impl Listed {
    pub(super) fn add(&mut self, root: &Path, path: &str, kind: Kind) {
        let is_plain = path.starts_with('/') && !path.split('/').any(|part| part == "..");
        let Some(about) =
            platform::about(&below(root, path)).ok().filter(|about| about.is_file() && is_plain)
        else {
            return;
        };
        if self.files.len() >= FILES_MAX && !self.files.contains_key(path) {
            self.is_cut = true;
            return;
        }
        self.files.entry(path.to_owned()).or_insert(Found { kind, stamp: Stamp::of(&about) });
    }

    /// The files of a folder, but for what editors and packages leave there.
    pub(super) fn folder(&mut self, root: &Path, folder: &str, kind: &Kind) {
        for name in self.names(root, folder) {
            self.add(root, &format!("{folder}/{name}"), kind.clone());
        }
    }

    /// Names in a folder, but for what editors and packages leave there.
    pub(super) fn names(&mut self, root: &Path, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(below(root, folder)) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let is_file =
            |name: &String| !name.starts_with('.') && !name.ends_with('~') && !name.starts_with("tmp.");
        let mut names: Vec<_> = names.filter(is_file).take(ENTRIES_MAX + 1).collect();
        self.is_cut |= names.len() > ENTRIES_MAX;
        names.sort_unstable();
        names
    }
}

impl Stamp {
    fn of(about: &About) -> Self {
        let (seconds, nanoseconds) = platform::modified(about);
        let modified = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Self {
            id: platform::id(about),
            bytes: about.len(),
            changed: platform::changed(about),
            modified: Timestamp::saturating_from_nanos(modified),
            owner: platform::owner(about),
        }
    }
}

/// The text of a file; None where it is none that can be read as one, or is gone.
///
/// # Errors
/// When it may not be read.
pub(super) fn read(root: &Path, path: &str) -> io::Result<Option<(Stamp, String)>> {
    let file = match platform::open(&below(root, path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let about = platform::about_open(&file)?;
    if !about.is_file() || about.len() > BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some((Stamp::of(&about), String::from_utf8_lossy(&bytes).into_owned())))
}

pub(super) fn below(root: &Path, path: &str) -> std::path::PathBuf {
    root.join(path.trim_start_matches('/'))
}
