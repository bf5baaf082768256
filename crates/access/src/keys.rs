//! The keys and tokens of an installation, in memory and on disk.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use disk::sealed::SealedError;
use event::Timestamp;

use crate::{
    Key, KeyError, NewKey, Secret, State,
    book::{Book, Held},
    file, secret,
};

/// Uses are noted by the minute.
const USE_NANOS: i64 = 60_000_000_000;

/// Where and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysConfig {
    /// The state file. Its folder is made when there is something to write.
    pub path: PathBuf,
    /// Keys at most, those of agents included, and as many tokens. Setting `LOG_SENTINEL_KEYS_MAX`.
    pub max: usize,
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot read the keys in {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it holds is not what was written.
    #[error(
        "cannot use the keys in {path}; put back a copy of it, or remove it to begin with no keys at all"
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SealedError,
    },
}

/// The keys of an installation. A change is on disk when it is answered; uses follow later ([`Keys::flush`]).
#[derive(Debug)]
pub struct Keys {
    config: KeysConfig,
    /// Held while a change is written.
    changing: Mutex<()>,
    book: RwLock<Arc<Book>>,
    /// Whether uses wait to be written.
    used: AtomicBool,
}

impl Keys {
    /// Reads the state file; without one there are no keys.
    ///
    /// # Errors
    /// When it cannot be read or is not what was written.
    pub fn open(config: KeysConfig) -> Result<Self, OpenError> {
        let path = &config.path;
        let book = match std::fs::read(path) {
            Ok(bytes) => {
                file::decode(&bytes).map_err(|source| OpenError::Content { path: path.clone(), source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Book::default(),
            Err(source) => return Err(OpenError::Read { path: path.clone(), source }),
        };
        if let Some(dir) = path.parent().filter(|dir| dir.is_dir()) {
            // What a killed process left there takes room and nothing else.
            drop(disk::remove_unfinished(dir));
        }
        Ok(Self {
            config,
            changing: Mutex::default(),
            book: RwLock::new(Arc::new(book)),
            used: AtomicBool::new(false),
        })
    }

    /// Whether nobody may ask without a key. It stays so when the last key has gone.
    pub fn is_locked(&self) -> bool {
        self.book().locked
    }

    /// Makes a key. Its secret is given here and never again.
    ///
    /// # Errors
    /// When it cannot be so, there are too many, or the file cannot be written.
    pub fn create(&self, new: &NewKey, now: Timestamp) -> Result<(Key, Secret), KeyError> {
        new.check(now)?;
        let (id, secret) = (secret::random_id()?, Secret::key()?);
        let key = Key {
            id: id.into(),
            name: new.name.as_str().into(),
            scopes: new.scopes,
            organization: new.organization.as_deref().map(Into::into),
            created: now,
            expires: new.expires,
            revoked: None,
            last_used: None,
            is_agent: false,
        };
        let held = Held::new(key.clone(), &secret, None);
        self.change(|book| {
            self.make_room(book, now)?;
            book.keys.push(Arc::new(held));
            Ok(())
        })?;
        Ok((key, secret))
    }

    /// All keys, those of agents included, in the order in which they were made.
    pub fn list(&self) -> Vec<Key> {
        self.book().keys.iter().map(|held| held.shown()).collect()
    }

    /// Takes a key back, from the next request on. One that was taken back stays as it is.
    ///
    /// # Errors
    /// When no key has this id, or the file cannot be written.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<Key, KeyError> {
        self.change(|book| {
            let held = book.keys.iter_mut().find(|held| &*held.key.id == id);
            let held = held.ok_or(KeyError::NotFound("key", "id"))?;
            *held = held.revoked(now);
            Ok(held.shown())
        })
    }

    /// Writes down when keys were last used, where that has changed.
    ///
    /// # Errors
    /// When the file cannot be written; another call tries again.
    pub fn flush(&self) -> Result<(), KeyError> {
        if !self.used.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let outcome = self.change(|_| Ok(()));
        if outcome.is_err() {
            self.used.store(true, Ordering::Relaxed);
        }
        outcome
    }

    pub(crate) fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a key was used now.
    pub(crate) fn note_use(&self, held: &Held, now: Timestamp) {
        let minute = now.as_nanos() - now.as_nanos() % USE_NANOS;
        if held.last_used.swap(minute, Ordering::Relaxed) != minute {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.config.path
    }

    pub(crate) fn max(&self) -> usize {
        self.config.max
    }

    /// Makes a change, writes it, and lets it be seen: in this order, so that nothing is seen that a crash undoes.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Book) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let _changing: MutexGuard<'_, ()> = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut book = (*self.book()).clone();
        let outcome = change(&mut book)?;
        book.locked |= !book.keys.is_empty();
        let book = Book::new(book.locked, book.keys, book.tokens);
        let write = || {
            if let Some(dir) = self.path().parent() {
                disk::create_dir_all(dir)?;
            }
            disk::replace(self.path(), &file::encode(&book))
        };
        write().map_err(|source| KeyError::Write { path: self.path().to_owned(), source })?;
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
        Ok(outcome)
    }

    /// Lets go of the key that has been no good for longest, where there are as many as may be.
    pub(crate) fn make_room(&self, book: &mut Book, now: Timestamp) -> Result<(), KeyError> {
        if book.keys.len() < self.max() {
            return Ok(());
        }
        let gone = book.keys.iter().position(|held| held.key.state(now) != State::Active);
        let at = gone.ok_or(KeyError::Full(self.max(), "keys"))?;
        book.keys.remove(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scope, Scopes};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000).unwrap()
    }

    fn open(dir: &tempfile::TempDir, max: usize) -> Keys {
        Keys::open(KeysConfig { path: dir.path().join("access/keys"), max }).unwrap()
    }

    fn reading(name: &str) -> NewKey {
        NewKey { name: name.to_owned(), scopes: Scopes::from_iter([Scope::Read]), ..NewKey::default() }
    }

    #[test]
    fn keys_survive_a_restart_and_their_secrets_are_not_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(&dir, 10);
        assert!(!keys.is_locked());
        let (key, secret) = keys.create(&reading("grafana"), at(100)).unwrap();
        keys.note_use(keys.book().find(&secret.digest()).unwrap(), at(130));
        keys.flush().unwrap();
        let bytes = std::fs::read(dir.path().join("access/keys")).unwrap();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!holds(&secret.reveal().as_bytes()[..20]) && holds(b"grafana"));

        let keys = open(&dir, 10);
        assert!(keys.is_locked());
        assert_eq!(keys.list(), [Key { last_used: Some(at(120)), ..key.clone() }]);
        let revoked = keys.revoke(&key.id, at(200)).unwrap();
        assert_eq!(revoked.state(at(200)), State::Revoked);
        assert_eq!(keys.revoke(&key.id, at(300)).unwrap(), revoked, "once is enough");
        assert!(open(&dir, 10).is_locked(), "no key is left, and none is needed for nothing");
        assert!(matches!(keys.revoke("nobody", at(1)), Err(KeyError::NotFound(..))));
    }

    #[test]
    fn what_a_key_cannot_be_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(&dir, 10);
        let organization = Some("ACME".to_owned());
        for (new, expected) in [
            (NewKey::default(), "scopes: names one"),
            (NewKey { name: "x".repeat(129), ..reading("") }, "name: has 129 bytes"),
            (NewKey { name: "a\nb".to_owned(), ..reading("") }, "control"),
            (NewKey { organization: Some(" ".to_owned()), ..reading("") }, "organization: must not be empty"),
            (NewKey { organization, scopes: Scopes::ALL, ..reading("") }, "belongs to all organizations"),
            (NewKey { expires: Some(at(5)), ..reading("") }, "in the future"),
        ] {
            let error = keys.create(&new, at(5)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(!dir.path().join("access").exists());
    }

    #[test]
    fn there_are_so_many_and_those_no_good_give_way() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(&dir, 2);
        let (first, _) = keys.create(&reading("1"), at(1)).unwrap();
        keys.create(&reading("2"), at(1)).unwrap();
        assert!(matches!(keys.create(&reading("3"), at(1)), Err(KeyError::Full(2, _))));
        keys.revoke(&first.id, at(2)).unwrap();
        keys.create(&reading("3"), at(3)).unwrap();
        let names: Vec<_> = keys.list().iter().map(|key| key.name.to_string()).collect();
        assert_eq!(names, ["2", "3"]);
    }

    #[test]
    fn what_cannot_be_written_has_not_happened() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(&dir, 2);
        std::fs::write(dir.path().join("access"), b"in the way").unwrap();
        assert!(matches!(keys.create(&reading("1"), at(1)), Err(KeyError::Write { .. })));
        assert!(keys.list().is_empty() && !keys.is_locked());
    }

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        std::fs::write(&path, b"LSACCESS and then something").unwrap();
        let error = Keys::open(KeysConfig { path: path.clone(), max: 1 }).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
