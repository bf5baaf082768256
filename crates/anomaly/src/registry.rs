//! The models on disk.
//!
//! ```text
//! models/00000007-3fa4c1d2/model.bin   the model, sealed; the directory is named by number and checksum
//! models/00000007-3fa4c1d2/card.json   the card in it, for people; refused with the model when it says otherwise
//! models/current                       the version that serves, where one was chosen
//! models/history                       which served before, and how others stand: `history`
//! models/feedback                      no part of any model: `feedback`
//! ```
//! `model.bin` is sealed as `bytes` describes, magic `LSMODEL` and a zero; the body: card (u32 length,
//! JSON), f32 threshold, forest (u32 length, bytes), 16 x 256 f32 rarities of feature values, then
//! the calibrations of the forest's score and of the sum, each f32 slope, u32 knots, and two f32 a knot.
//!
//! A directory appears whole or not at all: it is written under another name, fsynced and renamed.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    error::ModelError,
    history::{History, Standing},
    model::{Card, Model},
};

/// Larger files are no models of ours.
const FILE_MAX: u64 = 64 << 20;
/// Larger cards are damaged.
const CARD_MAX: u64 = 64 << 10;
const UNFINISHED: &str = ".unfinished-";

/// A folder of models.
#[derive(Debug)]
pub(crate) struct Registry {
    dir: PathBuf,
    models_max: usize,
    /// Held for moments only: scoring asks it.
    history: Mutex<History>,
    /// Held while the history is written.
    remarking: Mutex<()>,
    /// Held while a model is given its number.
    storing: Mutex<()>,
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ModelError {
    let path = path.to_owned();
    move |source| ModelError::Io { action, path, source }
}

impl Registry {
    /// Makes the folder where there is none, and clears away what was never finished.
    pub(crate) fn open(dir: PathBuf, models_max: usize) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED)
                && fs::remove_dir_all(entry.path()).is_err()
            {
                // A left-over that will not go does no harm: its name is never read.
                continue;
            }
        }
        let history = Mutex::new(History::open(&dir));
        let (remarking, storing) = (Mutex::default(), Mutex::default());
        Ok(Self { dir, models_max: models_max.max(1), history, remarking, storing })
    }

    /// The versions kept, oldest first, whether or not they load.
    pub(crate) fn versions(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut versions: Vec<String> = names.filter(|name| number_of(name).is_some()).collect();
        versions.sort_unstable();
        versions
    }

    /// The version chosen to serve.
    pub(crate) fn current(&self) -> Option<String> {
        let text = fs::read_to_string(self.dir.join("current")).ok()?;
        let version = text.trim();
        number_of(version).map(|_| version.to_owned())
    }

    pub(crate) fn load(&self, version: &str) -> Result<Model, ModelError> {
        if number_of(version).is_none() {
            return Err(ModelError::Unknown { version: version.to_owned() });
        }
        let path = self.dir.join(version).join("model.bin");
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ModelError::Unknown { version: version.to_owned() });
            }
            Err(error) => return Err(failed("read", &path)(error)),
        };
        if size > FILE_MAX {
            return Err(ModelError::Damaged { what: "the model" });
        }
        let bytes = fs::read(&path).map_err(failed("read", &path))?;
        let model = Model::from_bytes(&bytes)?;
        self.check_card(version, &model)?;
        Ok(model)
    }

    /// A card that stands beside the model says what the model's own says.
    fn check_card(&self, version: &str, model: &Model) -> Result<(), ModelError> {
        let path = self.dir.join(version).join("card.json");
        let text = match File::open(&path) {
            Ok(file) => {
                let mut text = Vec::new();
                file.take(CARD_MAX).read_to_end(&mut text).map_err(failed("read", &path))?;
                text
            }
            // It is a copy: nothing is lost without it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        match serde_json::from_slice::<Card>(&text) {
            Ok(card) if card == model.card => Ok(()),
            _ => Err(ModelError::Damaged { what: "the model's card.json" }),
        }
    }

    /// The file of a model, whole.
    pub(crate) fn export(&self, version: &str) -> Result<Vec<u8>, ModelError> {
        self.load(version)?;
        let path = self.dir.join(version).join("model.bin");
        fs::read(&path).map_err(failed("read", &path))
    }

    /// Stores a model under a new version. One that is to serve is chosen; any other that is already
    /// kept keeps its version.
    pub(crate) fn store(&self, model: &Model, standing: Standing, why: &str) -> Result<String, ModelError> {
        let _storing = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = model.to_bytes();
        let checksum = &blake3::hash(&bytes).to_hex()[..8];
        let versions = self.versions();
        if standing != Standing::Serving {
            let same = |version: &&String| {
                version.ends_with(checksum)
                    && fs::read(self.dir.join(version).join("model.bin")).is_ok_and(|kept| kept == bytes)
            };
            if let Some(kept) = versions.iter().find(same) {
                return Ok(kept.clone());
            }
        }
        let next = versions.last().and_then(|last| number_of(last)).unwrap_or(0) + 1;
        let version = format!("{next:08}-{checksum}");
        let unfinished = self.dir.join(format!("{UNFINISHED}{version}"));
        let stored = self.dir.join(&version);
        let write = || -> Result<(), ModelError> {
            fs::create_dir_all(&unfinished).map_err(failed("make", &unfinished))?;
            write_synced(&unfinished.join("model.bin"), &bytes)?;
            let card = serde_json::to_vec_pretty(&model.card).unwrap_or_default();
            write_synced(&unfinished.join("card.json"), &card)?;
            sync_dir(&unfinished)?;
            if standing != Standing::Serving {
                // Before it appears, or another process would take it for one that is to serve.
                self.remark(|history| history.mark(&version, standing, why))?;
            }
            fs::rename(&unfinished, &stored).map_err(failed("put in place", &stored))?;
            sync_dir(&self.dir)?;
            if standing == Standing::Serving { self.choose(&version) } else { Ok(()) }
        };
        if let Err(error) = write() {
            // A model that was not chosen must not look like one that somebody else put there.
            if fs::remove_dir_all(&unfinished).or_else(|_| fs::remove_dir_all(&stored)).is_err() {
                // Cleared away at the next start.
            }
            return Err(error);
        }
        Ok(version)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the history, on disk first.
    pub(crate) fn remark(&self, change: impl FnOnce(&mut History)) -> Result<(), ModelError> {
        let _remarking = self.remarking.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.history().clone();
        let mut changed = before.clone();
        change(&mut changed);
        if changed != before {
            changed.store(&self.dir)?;
            *self.history() = changed;
        }
        Ok(())
    }

    /// While this is held no training ends: it cannot store its model.
    #[cfg(test)]
    pub(crate) fn hold_open(&self) -> MutexGuard<'_, ()> {
        self.storing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the history.
    pub(crate) fn past<T>(&self, ask: impl FnOnce(&History) -> T) -> T {
        ask(&self.history())
    }

    /// Whether a version that appeared is there to serve, going by the disk: another process may have
    /// put it there.
    pub(crate) fn is_candidate(&self, version: &str) -> bool {
        History::open(&self.dir).standing(version).0 != Standing::Kept
    }

    /// Notes which version serves.
    pub(crate) fn choose(&self, version: &str) -> Result<(), ModelError> {
        self.remark(|history| history.serves(version))?;
        replace(&self.dir.join("current"), version.as_bytes())
    }

    /// Removes the oldest versions beyond the number kept, never the one that serves nor the one that
    /// served before it.
    pub(crate) fn expire(&self, serving: &str) {
        let before = self.past(|history| history.before(serving).next().cloned());
        let versions = self.versions();
        let surplus = versions.len().saturating_sub(self.models_max);
        let spared = |version: &&String| *version != serving && Some(*version) != before.as_ref();
        for version in versions.iter().filter(spared).take(surplus) {
            if fs::remove_dir_all(self.dir.join(version)).is_err() {
                // It stays until the next model comes.
                continue;
            }
        }
    }
}

/// The number of a version name such as `00000007-3fa4c1d2`; None for any other name.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let (number, checksum) = name.split_once('-')?;
    let plain = number.len() == 8 && checksum.len() == 8 && checksum.bytes().all(|b| b.is_ascii_hexdigit());
    if plain && number.bytes().all(|b| b.is_ascii_digit()) { number.parse().ok() } else { None }
}

/// Replaces a file of the folder as a whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!("{UNFINISHED}{name}"));
    write_synced(&unfinished, bytes)?;
    fs::rename(&unfinished, path).map_err(failed("put in place", path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(failed("write", path))
}

fn sync_dir(path: &Path) -> Result<(), ModelError> {
    // A directory can only be opened as a file on Unix; elsewhere a rename is durable by itself.
    if cfg!(unix) {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(failed("sync", path))?;
    }
    Ok(())
}
