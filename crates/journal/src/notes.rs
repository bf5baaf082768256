//! The live notes, in memory.

use std::collections::BTreeMap;

use crate::Note;

/// No more than this is kept in keys and values, whatever their number.
const NOTES_BYTES_MAX: usize = 16 << 20;

/// Keys, values and their age.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    by_key: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    /// Age to key: the first is the oldest.
    by_age: BTreeMap<u64, Vec<u8>>,
    next_age: u64,
    bytes: usize,
    max: usize,
}

impl Notes {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    pub(crate) fn apply(&mut self, note: Note) {
        if let Some((age, value)) = self.by_key.remove(&note.key) {
            self.bytes -= note.key.len() + value.len();
            self.by_age.remove(&age);
        }
        if let Some(value) = note.value {
            self.bytes += note.key.len() + value.len();
            self.by_age.insert(self.next_age, note.key.clone());
            self.by_key.insert(note.key, (self.next_age, value));
            self.next_age += 1;
        }
        while self.by_key.len() > self.max || self.bytes > NOTES_BYTES_MAX {
            let Some((_, key)) = self.by_age.pop_first() else { break };
            if let Some((_, value)) = self.by_key.remove(&key) {
                self.bytes -= key.len() + value.len();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { max: self.max, ..Self::default() };
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.by_key.get(key).map(|(_, value)| value.as_slice())
    }

    pub(crate) fn with_prefix<'a>(
        &'a self,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.by_key
            .range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, (_, value))| (key.as_slice(), value.as_slice()))
    }

    /// All, oldest first, so that applying them again keeps their order.
    pub(crate) fn by_age(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.by_age.values().filter_map(|key| Some((key.as_slice(), self.get(key)?)))
    }

    /// About the bytes a snapshot takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + 8 * self.by_key.len()
    }
}
