//! The live notes, in memory.

use std::collections::BTreeMap;

use crate::Note;

/// Keys and values take no more than this, and no more than this share of the budget, since every
/// segment begins with them.
const NOTES_BYTES_MAX: usize = 16 << 20;
const NOTES_SHARE: u64 = 16;

/// Keys, values and their age.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    by_key: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    families: BTreeMap<Vec<u8>, Family>,
    next_age: u64,
    bytes: usize,
    max: usize,
    bytes_max: usize,
}

/// Notes whose keys are equal up to the first '/'.
#[derive(Debug, Default)]
struct Family {
    /// Age to key: the first is the oldest.
    by_age: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
}

fn family(key: &[u8]) -> &[u8] {
    // A key without '/' belongs to the family of all such keys.
    memchr::memchr(b'/', key).map_or(&[], |end| &key[..=end])
}

impl Notes {
    pub(crate) fn new(max: usize, budget_bytes: u64) -> Self {
        let share = usize::try_from(budget_bytes / NOTES_SHARE).unwrap_or(usize::MAX);
        Self { max, bytes_max: share.min(NOTES_BYTES_MAX), ..Self::default() }
    }

    pub(crate) fn apply(&mut self, note: Note) {
        self.forget(&note.key);
        if let Some(value) = note.value {
            let bytes = note.key.len() + value.len();
            let family = self.families.entry(family(&note.key).to_vec()).or_default();
            family.by_age.insert(self.next_age, note.key.clone());
            family.bytes += bytes;
            self.bytes += bytes;
            self.by_key.insert(note.key, (self.next_age, value));
            self.next_age += 1;
        }
        loop {
            let families = self.families.values();
            let largest = if self.by_key.len() > self.max {
                families.max_by_key(|family| family.by_age.len())
            } else if self.bytes > self.bytes_max {
                families.max_by_key(|family| family.bytes)
            } else {
                break;
            };
            let Some((_, oldest)) = largest.and_then(|family| family.by_age.first_key_value()) else { break };
            let oldest = oldest.clone();
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, key: &[u8]) {
        let Some((age, value)) = self.by_key.remove(key) else { return };
        let bytes = key.len() + value.len();
        self.bytes -= bytes;
        let Some(of_key) = self.families.get_mut(family(key)) else { return };
        of_key.bytes -= bytes;
        of_key.by_age.remove(&age);
        if of_key.by_age.is_empty() {
            self.families.remove(family(key));
        }
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

    /// All, the oldest of each family first, so that applying them again keeps their order.
    pub(crate) fn by_age(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let keys = self.families.values().flat_map(|family| family.by_age.values());
        keys.filter_map(|key| Some((key.as_slice(), self.get(key)?)))
    }

    /// About the bytes a snapshot takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + 8 * self.by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(key: &str, value: &[u8]) -> Note {
        Note { key: key.into(), value: Some(value.to_vec()) }
    }

    fn keys(notes: &Notes) -> Vec<String> {
        let keys = notes.with_prefix(b"").map(|(key, _)| String::from_utf8_lossy(key).into_owned());
        keys.collect()
    }

    #[test]
    fn a_family_within_its_share_loses_nothing_to_another() {
        let mut notes = Notes::new(6, u64::MAX);
        for name in ["file/1", "file/2", "alone"] {
            notes.apply(note(name, b"v"));
        }
        (0..1000).for_each(|index| notes.apply(note(&format!("idem/{index}"), b"v")));
        assert_eq!(keys(&notes), ["alone", "file/1", "file/2", "idem/997", "idem/998", "idem/999"]);
        notes.apply(Note { key: b"idem/998".to_vec(), value: None });
        notes.apply(note("file/3", b"v"));
        notes.apply(note("file/1", b"newer"));
        notes.apply(note("file/4", b"v"));
        assert_eq!(keys(&notes), ["alone", "file/1", "file/3", "file/4", "idem/997", "idem/999"]);
    }

    #[test]
    fn bytes_are_bounded_by_family_too_and_a_snapshot_is_the_same() {
        let mut notes = Notes::new(1000, NOTES_SHARE * 1000);
        notes.apply(note("file/1", &[1; 300]));
        (0..100).for_each(|index| notes.apply(note(&format!("idem/{index:02}"), &[2; 193])));
        assert_eq!(keys(&notes), ["file/1", "idem/97", "idem/98", "idem/99"]);
        let mut again = Notes::new(1000, NOTES_SHARE * 1000);
        let snapshot = notes.by_age().map(|(key, value)| Note { key: key.into(), value: Some(value.into()) });
        snapshot.for_each(|note| again.apply(note));
        for notes in [&mut notes, &mut again] {
            notes.apply(note("idem/00", &[3; 193]));
            assert_eq!(keys(notes), ["file/1", "idem/00", "idem/98", "idem/99"]);
        }
        notes.apply(note("idem/large", &[4; 2000]));
        assert_eq!(keys(&notes), ["file/1"]);
    }
}
