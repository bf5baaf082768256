//! All keys and tokens as of one moment, with what they are recognised by.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use event::Timestamp;

use crate::{Key, Secret, Token};

/// A key, what it is recognised by, and when it was used.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) key: Key,
    pub(crate) digest: blake3::Hash,
    /// Of the certificate that came with it.
    pub(crate) certificate: Option<blake3::Hash>,
    /// Nanoseconds since 1970.
    pub(crate) last_used: AtomicI64,
}

/// A token and what it is recognised by.
#[derive(Debug, Clone)]
pub(crate) struct HeldToken {
    pub(crate) token: Token,
    pub(crate) digest: blake3::Hash,
}

/// All keys and tokens as of one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    pub(crate) locked: bool,
    pub(crate) keys: Vec<Arc<Held>>,
    pub(crate) tokens: Vec<HeldToken>,
    /// By hash of the key and of the certificate. What leads to a place are bits of hashes under a seed of this
    /// process: the time it takes says nothing of a key.
    places: HashMap<blake3::Hash, usize>,
}

impl Book {
    pub(crate) fn new(locked: bool, keys: Vec<Arc<Held>>, tokens: Vec<HeldToken>) -> Self {
        let places = keys.iter().enumerate().flat_map(|(at, held)| {
            [Some(held.digest), held.certificate].into_iter().flatten().map(move |hash| (hash, at))
        });
        Self { locked, places: places.collect(), keys, tokens }
    }

    /// The key that has this hash or whose certificate has it. The last comparison takes the same time whatever
    /// differs.
    pub(crate) fn find(&self, hash: &blake3::Hash) -> Option<&Arc<Held>> {
        self.keys.get(*self.places.get(hash)?)
    }
}

impl Held {
    /// Stands for a key that was never used.
    pub(crate) const NEVER: i64 = -1;

    pub(crate) fn last_used(&self) -> Option<Timestamp> {
        Timestamp::from_nanos(self.last_used.load(Ordering::Relaxed))
    }

    pub(crate) fn new(key: Key, secret: &Secret, certificate: Option<blake3::Hash>) -> Self {
        Self { key, digest: secret.digest(), certificate, last_used: AtomicI64::new(Self::NEVER) }
    }

    pub(crate) fn shown(&self) -> Key {
        Key { last_used: self.last_used(), ..self.key.clone() }
    }

    pub(crate) fn revoked(&self, now: Timestamp) -> Arc<Self> {
        let key = Key { revoked: self.key.revoked.or(Some(now)), ..self.key.clone() };
        let last_used = AtomicI64::new(self.last_used.load(Ordering::Relaxed));
        Arc::new(Self { key, digest: self.digest, certificate: self.certificate, last_used })
    }
}
