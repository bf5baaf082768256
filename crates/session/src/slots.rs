//! A bounded table by 64-bit key that forgets what was not used for long.

use disk::sealed::{Reader, SealedError, Writer};
use hashbrown::HashMap;

/// Entries looked at to find one to forget.
const LOOKED_AT: usize = 16;

#[derive(Debug, Clone)]
struct Slot<T> {
    key: u64,
    used: u64,
    value: T,
}

/// Dense values found by key. When full, the least recently used of a few neighbours goes.
#[derive(Debug, Clone)]
pub struct Slots<T> {
    places: HashMap<u64, u32, foldhash::fast::FixedState>,
    slots: Vec<Slot<T>>,
    clock: u64,
    hand: usize,
    max: usize,
}

impl<T: Default + Clone> Slots<T> {
    /// An empty one for at most so many.
    pub fn new(max: usize) -> Self {
        Self { places: HashMap::default(), slots: Vec::new(), clock: 0, hand: 0, max: max.max(1) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at this key.
    pub fn get(&self, key: u64) -> Option<&T> {
        let place = self.places.get(&key)?;
        self.slots.get(*place as usize).map(|slot| &slot.value)
    }

    /// The value at this key, a default one when there was none.
    pub fn entry(&mut self, key: u64) -> &mut T {
        self.clock += 1;
        let place = match self.places.get(&key) {
            Some(place) => *place as usize,
            None => self.insert(key),
        };
        let slot = &mut self.slots[place];
        slot.used = self.clock;
        &mut slot.value
    }

    fn insert(&mut self, key: u64) -> usize {
        let place = if self.slots.len() < self.max {
            self.slots.push(Slot { key, used: 0, value: T::default() });
            self.slots.len() - 1
        } else {
            let length = self.slots.len();
            let place = (0..LOOKED_AT)
                .map(|step| (self.hand + step) % length)
                .min_by_key(|place| self.slots[*place].used)
                .unwrap_or_default();
            self.hand = (self.hand + LOOKED_AT) % length;
            self.places.remove(&self.slots[place].key);
            self.slots[place] = Slot { key, used: 0, value: T::default() };
            place
        };
        self.places.insert(key, place as u32);
        place
    }

    /// Changes all values, whatever their keys.
    pub fn each(&mut self, mut change: impl FnMut(&mut T)) {
        self.slots.iter_mut().for_each(|slot| change(&mut slot.value));
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.slots.iter().map(|slot| (slot.key, &slot.value))
    }

    /// As a part of sealed bytes; `one` writes a value.
    pub fn write(&self, out: &mut Writer, one: impl Fn(&T, &mut Writer)) {
        out.u64(self.clock);
        out.u32(self.hand as u32);
        out.u32(self.slots.len() as u32);
        for slot in &self.slots {
            out.u64(slot.key);
            out.u64(slot.used);
            one(&slot.value, out);
        }
    }

    /// What [`Slots::write`] wrote.
    ///
    /// # Errors
    /// When the bytes are not what it writes.
    pub fn read(
        input: &mut Reader<'_>,
        max: usize,
        one: impl Fn(&mut Reader<'_>) -> Result<T, SealedError>,
    ) -> Result<Self, SealedError> {
        let mut read = Self::new(max);
        read.clock = input.u64()?.min(u64::MAX / 2);
        let hand = input.u32()? as usize;
        let count = input.count(16, max)?;
        for place in 0..count {
            let (key, used) = (input.u64()?, input.u64()?);
            read.slots.push(Slot { key, used, value: one(input)? });
            if read.places.insert(key, place as u32).is_some() {
                return Err(input.damaged());
            }
        }
        read.hand = hand % count.max(1);
        Ok(read)
    }
}
