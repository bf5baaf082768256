//! Tables whose keys are hashes already.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashMap;

/// From a 64-bit hash to something.
pub(crate) type Table<V> = HashMap<u64, V, Hashed>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Hashed;

impl BuildHasher for Hashed {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity(0)
    }
}

pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
