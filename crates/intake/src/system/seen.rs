//! What stood in the files when they were last looked at: names of users and groups, and hashes of everything else.

use std::collections::BTreeMap;

use journal::{Journal, Note};
use serde::{Deserialize, Serialize};

use super::items::Item;

/// Under which it is noted.
const NOTE: &[u8] = b"system/seen";
/// The first did not know what starts by itself.
const VERSION: u32 = 2;

/// Files by path, and of each the hashes of its items by what they are told apart by.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    files: BTreeMap<String, BTreeMap<String, u64>>,
    lacks_starts: bool,
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    files: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Seen {
    /// As the journal has it; None where it has none that can be read.
    pub(super) fn noted(journal: &Journal) -> Option<Self> {
        let written: Written = serde_json::from_slice(&journal.note(NOTE)?).ok()?;
        (1..=VERSION)
            .contains(&written.version)
            .then_some(Self { files: written.files, lacks_starts: written.version < VERSION })
    }

    pub(super) fn note(&self) -> Note {
        let written = Written { version: VERSION, files: self.files.clone() };
        // Maps of texts and numbers always have a form in JSON.
        Note { key: NOTE.to_vec(), value: serde_json::to_vec(&written).ok() }
    }

    /// Whether it is of when what starts by itself was not watched.
    pub(super) fn lacks_starts(&self) -> bool {
        self.lacks_starts
    }

    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// None where the file was not there.
    pub(super) fn items(&self, path: &str) -> Option<&BTreeMap<String, u64>> {
        self.files.get(path)
    }

    pub(super) fn put(&mut self, path: &str, items: &BTreeMap<String, Item>) {
        let hashes = items.iter().map(|(key, item)| (key.clone(), item.hash)).collect();
        self.files.insert(path.to_owned(), hashes);
    }

    /// Has a file be as it was.
    pub(super) fn take_over(&mut self, path: &str, before: &Self) {
        self.files
            .extend(before.files.get_key_value(path).map(|(path, items)| (path.clone(), items.clone())));
    }
}
