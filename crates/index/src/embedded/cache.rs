//! Decoded sections of blocks and tables of segments, up to a bound in bytes: the least recently
//! used go first, by a second chance.

use std::{
    any::Any,
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// What an entry holds: unit of storage, block or other number, kind.
pub(super) type Key = (u64, u32, u8);

#[derive(Debug)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    size_bytes: usize,
    used: bool,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Entry, FixedState>,
    order: VecDeque<Key>,
    size_bytes: usize,
}

/// The cache.
#[derive(Debug)]
pub(super) struct Cache {
    inner: Mutex<Inner>,
    max_bytes: usize,
}

impl Cache {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { inner: Mutex::default(), max_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entry, made by `make` when it is not there. `make` also says its size in bytes.
    pub(super) fn get<T: Any + Send + Sync, E>(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<(T, usize), E>,
    ) -> Result<Arc<T>, E> {
        if let Some(entry) = self.lock().entries.get_mut(&key)
            && let Ok(value) = Arc::clone(&entry.value).downcast::<T>()
        {
            entry.used = true;
            return Ok(value);
        }
        let (value, size) = make()?;
        let value = Arc::new(value);
        let size_bytes = size + 128;
        let mut inner = self.lock();
        let entry = Entry { value: value.clone(), size_bytes, used: false };
        match inner.entries.insert(key, entry) {
            Some(old) => inner.size_bytes -= old.size_bytes,
            None => inner.order.push_back(key),
        }
        inner.size_bytes += size_bytes;
        while inner.size_bytes > self.max_bytes
            && let Some(oldest) = inner.order.pop_front()
        {
            match inner.entries.get_mut(&oldest) {
                Some(entry) if entry.used => {
                    entry.used = false;
                    inner.order.push_back(oldest);
                }
                _ => {
                    if let Some(entry) = inner.entries.remove(&oldest) {
                        inner.size_bytes -= entry.size_bytes;
                    }
                }
            }
        }
        Ok(value)
    }

    #[cfg(test)]
    pub(super) fn size_bytes(&self) -> usize {
        self.lock().size_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bound_and_keeps_what_is_used() {
        let cache = Cache::new(10_000);
        for number in 0..1000 {
            let made = cache.get((number, 0, 0), || Ok::<_, ()>((number, 500))).unwrap();
            assert_eq!(*made, number);
            assert_eq!(*cache.get((0, 0, 0), || Ok::<_, ()>((0u64, 500))).unwrap(), 0);
            assert!(cache.size_bytes() <= 10_000);
        }
        cache.get((0, 0, 0), || Err::<(u64, usize), _>("was evicted")).unwrap();
    }
}
