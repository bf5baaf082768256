//! A table of bounded size: of what was met once the oldest leaves first, then of what was met often.

use std::{collections::HashMap, hash::Hash};

use foldhash::fast::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

const NONE: u32 = u32::MAX;
/// Keys met once may take this part of a full table: a flood of new ones drives out no key that was met twice.
const ONCE_PART: usize = 4;

/// Values by key, at most so many. When it is full, a new key takes the place of the one that was
/// touched least recently: first of those met only once, as long as they are a quarter of the table
/// (segmented LRU: Karedla, Love and Wherry, 1994).
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    places: HashMap<K, u32, RandomState>,
    slots: Vec<Slot<K, V>>,
    /// In what order the slots were touched. Apart from them: so the links of a whole table stay in the cache of a core.
    links: Vec<Link>,
    free: Vec<u32>,
    once: List,
    often: List,
    capacity: usize,
    evicted: u64,
}

#[derive(Debug, Clone)]
struct Slot<K, V> {
    key: K,
    value: V,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    is_often: bool,
    older: u32,
    newer: u32,
}

#[derive(Debug, Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
    len: usize,
}

/// How full tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// Keys that are held.
    pub keys: usize,
    /// Keys that may be held.
    pub keys_max: usize,
    /// Keys that have lost their place to others: above 0 the bound was hit.
    pub evicted: u64,
    /// Bytes that so many keys take at most.
    pub bytes_max: usize,
}

impl std::iter::Sum for Occupancy {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            keys: sum.keys + one.keys,
            keys_max: sum.keys_max + one.keys_max,
            evicted: sum.evicted + one.evicted,
            bytes_max: sum.bytes_max + one.bytes_max,
        })
    }
}

impl List {
    const EMPTY: Self = Self { oldest: NONE, newest: NONE, len: 0 };
}

impl<K: Hash + Eq + Clone, V: Default> Table<K, V> {
    /// An empty table of at most `capacity` keys, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::default(),
            slots: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            once: List::EMPTY,
            often: List::EMPTY,
            capacity: capacity.clamp(1, NONE as usize - 1),
            evicted: 0,
        }
    }

    /// How many keys it holds.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many it may hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How full it is, where a key and its value hold at most so many bytes elsewhere.
    pub fn occupancy(&self, elsewhere_bytes: usize) -> Occupancy {
        // A hash map is at most 7/8 full and holds a byte of its own for each place.
        let of_key = size_of::<Slot<K, V>>()
            + size_of::<Link>()
            + (size_of::<(K, u32)>() + 1) * 8 / 7
            + elsewhere_bytes;
        Occupancy {
            keys: self.len(),
            keys_max: self.capacity,
            evicted: self.evicted,
            bytes_max: self.capacity * of_key,
        }
    }

    /// The value of a key, without touching it.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.places.get(key).and_then(|place| self.slots.get(*place as usize)).map(|slot| &slot.value)
    }

    /// The value of a key, without touching it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = *self.places.get(key)?;
        self.slots.get_mut(place as usize).map(|slot| &mut slot.value)
    }

    /// The value of a key, which is touched, and made by default where it was not there.
    pub fn touch(&mut self, key: &K) -> &mut V {
        let place = match self.places.get(key) {
            Some(place) => {
                let place = *place;
                self.renew(place);
                place
            }
            None => self.insert(key.clone(), V::default(), false),
        };
        &mut self.slots[place as usize].value
    }

    /// Makes the key of a place the newest of those met often, which it mostly is where events come in bursts.
    fn renew(&mut self, place: u32) {
        if place != self.often.newest {
            self.unlink(place);
            self.link(place, true);
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.places.remove(key)?;
        self.unlink(place);
        self.free.push(place);
        Some(std::mem::take(&mut self.slots[place as usize].value))
    }

    /// Keys and values, those touched least recently first; first those met once.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.walk(self.once).chain(self.walk(self.often))
    }

    /// Visits every value, those touched least recently first; first those met once.
    pub fn each(&mut self, mut visit: impl FnMut(&K, &mut V)) {
        for list in [self.once, self.often] {
            let mut place = list.oldest;
            while let Some(slot) = self.slots.get_mut(place as usize) {
                place = self.links[place as usize].newer;
                visit(&slot.key, &mut slot.value);
            }
        }
    }

    /// Keeps only what the condition holds for.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        let mut leaving = Vec::new();
        self.each(|key, value| {
            if !keep(key, value) {
                leaving.push(key.clone());
            }
        });
        for key in leaving {
            self.remove(&key);
        }
    }

    /// Goes on with what was kept, within its own bound.
    pub fn take_up(&mut self, kept: Self) {
        *self = kept.bounded(self.capacity);
    }

    /// The same with another bound; what is too much leaves.
    pub fn bounded(mut self, capacity: usize) -> Self {
        self.capacity = capacity.clamp(1, NONE as usize - 1);
        while self.len() > self.capacity {
            self.evict();
        }
        self
    }

    fn walk(&self, list: List) -> impl Iterator<Item = (&K, &V)> {
        let mut place = list.oldest;
        std::iter::from_fn(move || {
            let slot = self.slots.get(place as usize)?;
            place = self.links[place as usize].newer;
            Some((&slot.key, &slot.value))
        })
    }

    fn insert(&mut self, key: K, value: V, is_often: bool) -> u32 {
        if self.len() >= self.capacity {
            self.evict();
        }
        let slot = Slot { key: key.clone(), value };
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                self.links.push(Link { is_often, older: NONE, newer: NONE });
                (self.slots.len() - 1) as u32
            }
        };
        self.places.insert(key, place);
        self.link(place, is_often);
        place
    }

    fn evict(&mut self) {
        let is_once_full = self.once.len * ONCE_PART >= self.capacity;
        let place = if self.once.len > 0 && (is_once_full || self.often.len == 0) {
            self.once.oldest
        } else {
            self.often.oldest
        };
        if let Some(slot) = self.slots.get(place as usize) {
            let key = slot.key.clone();
            self.remove(&key);
            self.evicted += 1;
        }
    }

    fn list(&mut self, is_often: bool) -> &mut List {
        if is_often { &mut self.often } else { &mut self.once }
    }

    fn link(&mut self, place: u32, is_often: bool) {
        let list = self.list(is_often);
        let newest = std::mem::replace(&mut list.newest, place);
        list.len += 1;
        if newest == NONE {
            list.oldest = place;
        } else {
            self.links[newest as usize].newer = place;
        }
        self.links[place as usize] = Link { is_often, older: newest, newer: NONE };
    }

    fn unlink(&mut self, place: u32) {
        let Link { is_often, older, newer } = self.links[place as usize];
        if older != NONE {
            self.links[older as usize].newer = newer;
        }
        if newer != NONE {
            self.links[newer as usize].older = older;
        }
        let list = self.list(is_often);
        list.len -= 1;
        if older == NONE {
            list.oldest = newer;
        }
        if newer == NONE {
            list.newest = older;
        }
    }
}

impl<K: Hash + Eq + Clone + Serialize, V: Default + Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Table", 3)?;
        fields.serialize_field("evicted", &self.evicted)?;
        fields.serialize_field("once", &self.walk(self.once).collect::<Vec<_>>())?;
        fields.serialize_field("often", &self.walk(self.often).collect::<Vec<_>>())?;
        fields.end()
    }
}

#[derive(Deserialize)]
#[serde(bound = "K: Deserialize<'de>, V: Deserialize<'de>")]
struct Saved<K, V> {
    evicted: u64,
    once: Vec<(K, V)>,
    often: Vec<(K, V)>,
}

/// Without a bound of its own: that is given by [`Table::bounded`].
impl<'de, K, V> Deserialize<'de> for Table<K, V>
where
    K: Hash + Eq + Clone + Deserialize<'de>,
    V: Default + Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        let mut table = Self::new(usize::MAX);
        for (list, is_often) in [(saved.once, false), (saved.often, true)] {
            for (key, value) in list {
                if !table.places.contains_key(&key) {
                    table.insert(key, value, is_often);
                }
            }
        }
        table.evicted = saved.evicted;
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flood_of_new_keys_drives_out_none_that_was_met_twice() {
        let mut table: Table<u32, u32> = Table::new(100);
        for key in 0..50 {
            table.touch(&key);
            *table.touch(&key) = key;
        }
        for key in 1_000..50_000 {
            table.touch(&key);
        }
        assert_eq!(table.len(), 100);
        assert!((0..50).all(|key| table.get(&key) == Some(&key)));
        assert_eq!(table.occupancy(0).evicted, 49_000 + 50 - 100);
    }

    #[test]
    fn what_was_touched_least_recently_leaves_first() {
        let mut table: Table<u32, ()> = Table::new(2);
        for key in [1, 2, 1, 2, 3] {
            table.touch(&key);
        }
        assert!(table.get(&1).is_none() && table.get(&2).is_some() && table.get(&3).is_some());
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_comes_back_as_it_was(
            capacity in 1usize..20,
            steps in proptest::collection::vec((any::<bool>(), 0u8..40), 0..200),
            more in proptest::collection::vec(0u8..40, 0..50),
        ) {
            let mut table: Table<u8, u32> = Table::new(capacity);
            for (is_in, key) in steps {
                if is_in {
                    *table.touch(&key) += 1;
                } else {
                    table.remove(&key);
                }
                prop_assert!(table.len() <= capacity);
                prop_assert_eq!(table.iter().count(), table.len());
            }
            let bytes = serde_json::to_vec(&table).unwrap();
            let mut back = serde_json::from_slice::<Table<u8, u32>>(&bytes).unwrap().bounded(capacity);
            for key in more {
                *table.touch(&key) += 1;
                *back.touch(&key) += 1;
                prop_assert!(table.iter().eq(back.iter()));
            }
            prop_assert_eq!(table.occupancy(0), back.occupancy(0));
        }
    }
}
