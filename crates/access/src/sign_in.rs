//! Browsers that have signed in with a key. They are forgotten with the process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event::Timestamp;

use crate::{Secret, secret};

/// The sign-ins of a process.
#[derive(Debug)]
pub(crate) struct SignIns {
    max: usize,
    life: Duration,
    by_hash: Mutex<HashMap<blake3::Hash, SignIn>>,
}

/// One sign-in.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    /// The hash of the key that it was made with; asked again each time, so that a sign-in ends with its key.
    pub(crate) key: blake3::Hash,
    pub(crate) csrf_token: Secret,
    pub(crate) expires: Timestamp,
}

impl SignIns {
    pub(crate) fn new(max: usize, life: Duration) -> Self {
        Self { max: max.max(1), life, by_hash: Mutex::default() }
    }

    /// Begins one. Where there are as many as may be, the one of the same key that ends first gives way, else that of
    /// all.
    pub(crate) fn begin(
        &self,
        key: blake3::Hash,
        now: Timestamp,
    ) -> Result<(Secret, SignIn), getrandom::Error> {
        let secret = Secret::bare()?;
        let life = i64::try_from(self.life.as_nanos()).unwrap_or(i64::MAX);
        let begun = SignIn { key, csrf_token: Secret::bare()?, expires: now.saturating_add(life) };
        let mut table = self.lock();
        if table.len() >= self.max {
            table.retain(|_, sign_in| sign_in.expires > now);
        }
        if table.len() >= self.max {
            let first = table.iter().min_by_key(|(_, sign_in)| (sign_in.key != key, sign_in.expires));
            if let Some(hash) = first.map(|(hash, _)| *hash) {
                table.remove(&hash);
            }
        }
        table.insert(secret.digest(), begun.clone());
        Ok((secret, begun))
    }

    pub(crate) fn find(&self, hash: &blake3::Hash, now: Timestamp) -> Option<SignIn> {
        self.lock().get(hash).filter(|sign_in| sign_in.expires > now).cloned()
    }

    pub(crate) fn end(&self, hash: &blake3::Hash) {
        self.lock().remove(hash);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<blake3::Hash, SignIn>> {
        self.by_hash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignIn {
    /// Whether this is what the page was told. Takes the same time whatever differs.
    pub(crate) fn has_token(&self, given: &str) -> bool {
        self.csrf_token.digest() == secret::digest(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_end_and_are_so_many() {
        let at = |seconds: i64| Timestamp::from_nanos(seconds * 1_000_000_000).unwrap();
        let (mine, theirs) = (blake3::hash(b"mine"), blake3::hash(b"theirs"));
        let sign_ins = SignIns::new(2, Duration::from_secs(10));
        let begin = |key, now| sign_ins.begin(key, at(now)).unwrap().0.digest();
        let is_there = |hash, now| sign_ins.find(&hash, at(now)).is_some();
        let first = begin(theirs, 0);
        assert!(is_there(first, 9) && !is_there(first, 10));
        let second = begin(mine, 1);
        let third = begin(mine, 2);
        assert!(is_there(first, 3) && !is_there(second, 3) && is_there(third, 3));
        sign_ins.end(&third);
        assert!(!is_there(third, 3));
    }
}
