//! Keys that were met before.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use crate::table::Occupancy;

/// So many keys share a line of the processor's cache.
const LINE: usize = 8;
/// In a full line a new key goes here: what stands before it is moved by keys that are met again alone.
const NEW: usize = LINE - LINE / 4;
const NONE: u64 = 0;

/// Which of many keys were met before. A key has one line that it may stand in, so that noting it takes one look at
/// memory. Met again, it goes to the head of its line; a new key drives the last one out of a full line and stands where
/// the last quarter begins, so that new keys alone drive out no more than that (a set-associative cache, with the
/// segments of Karedla, Love and Wherry, 1994).
///
/// Keys are hashes: of two alike the second counts as met.
#[derive(Debug, Clone)]
pub(crate) struct Met {
    /// Each line has the key that was last met again at its head, and what is free at its end.
    lines: Box<[[u64; LINE]]>,
    keys: usize,
    evicted: u64,
}

impl Met {
    /// For about so many keys.
    pub(crate) fn new(capacity: usize) -> Self {
        let lines = capacity.div_ceil(LINE).next_power_of_two();
        Self { lines: vec![[NONE; LINE]; lines].into(), keys: 0, evicted: 0 }
    }

    /// Notes a key, and says whether it was there.
    pub(crate) fn note(&mut self, key: u64) -> bool {
        let key = key.max(1);
        let line = self.line(key);
        match line.iter().position(|met| *met == key) {
            Some(at) => {
                line[..=at].rotate_right(1);
                true
            }
            None => {
                self.add(key);
                false
            }
        }
    }

    fn line(&mut self, key: u64) -> &mut [u64; LINE] {
        let mask = self.lines.len() - 1;
        &mut self.lines[arithmetic::mix(key) as usize & mask]
    }

    fn add(&mut self, key: u64) {
        let line = self.line(key);
        match line.iter_mut().find(|met| **met == NONE) {
            Some(free) => {
                *free = key;
                self.keys += 1;
            }
            None => {
                line[NEW..].rotate_right(1);
                line[NEW] = key;
                self.evicted += 1;
            }
        }
    }

    /// Goes on with what was kept, within its own bound.
    pub(crate) fn take_up(&mut self, kept: Kept) {
        let Kept { evicted, keys, once, often } = kept;
        self.evicted = evicted;
        let earlier = often.into_iter().rev().chain(once.into_iter().rev()).map(|(key, ())| key);
        for key in keys.into_iter().chain(earlier) {
            self.add(key.max(1));
        }
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().flatten().copied().filter(|key| *key != NONE)
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy {
            keys: self.keys,
            keys_max: self.lines.len() * LINE,
            evicted: self.evicted,
            bytes_max: size_of_val(&*self.lines),
        }
    }
}

/// What was met before a stop.
#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    evicted: u64,
    #[serde(default)]
    keys: Vec<u64>,
    /// How earlier versions kept them: each with nothing, the newest last; those met twice apart.
    #[serde(default)]
    once: Vec<(u64, ())>,
    #[serde(default)]
    often: Vec<(u64, ())>,
}

impl Serialize for Met {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Met", 2)?;
        fields.serialize_field("evicted", &self.evicted)?;
        fields.serialize_field("keys", &self.iter().collect::<Vec<_>>())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flood_of_new_keys_drives_out_few_that_were_met_twice() {
        let mut met = Met::new(1_024);
        for _ in 0..2 {
            for key in 0..400 {
                met.note(key);
            }
        }
        for key in 1_000..100_000 {
            assert!(!met.note(key), "{key}");
        }
        let known = (0..400).filter(|key| met.note(*key)).count();
        assert!(known > 380, "{known}");
        let occupancy = met.occupancy();
        assert_eq!((occupancy.keys, occupancy.keys_max), (1_024, 1_024));
        assert!(occupancy.evicted >= 98_000, "{}", occupancy.evicted);
    }

    #[test]
    fn what_earlier_versions_kept_is_known() {
        let kept = r#"{"evicted":3,"once":[[7,null],[8,null]],"often":[[9,null]]}"#;
        let mut met = Met::new(64);
        met.take_up(serde_json::from_str(kept).unwrap());
        assert_eq!([7, 8, 9, 10].map(|key| met.note(key)), [true, true, true, false]);
        assert_eq!(met.occupancy().evicted, 3);
    }

    proptest! {
        #[test]
        fn it_goes_on_from_what_was_kept_as_if_it_had_never_stopped(
            capacity in 1usize..100,
            before in proptest::collection::vec(0u64..200, 0..300),
            after in proptest::collection::vec(0u64..200, 0..300),
        ) {
            let mut met = Met::new(capacity);
            for key in before {
                met.note(key);
            }
            let mut back = Met::new(capacity);
            back.take_up(serde_json::from_slice(&serde_json::to_vec(&met).unwrap()).unwrap());
            for key in after {
                prop_assert_eq!(met.note(key), back.note(key));
            }
            prop_assert_eq!(met.occupancy(), back.occupancy());
        }
    }
}
