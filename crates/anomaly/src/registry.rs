//! The models on disk.
//!
//! ```text
//! models/00000007-3fa4c1d2/model.bin   the model, sealed; the directory is named by number and checksum
//! models/00000007-3fa4c1d2/card.json   the card in it, for people; refused with the model when it says otherwise
//! models/00000007-3fa4c1d2/learned.bin templates and history that it judges by: `kept`. Replaced as a whole
//! models/learned                       the same of what was taught while there was no model
//! models/current                       the version that serves, where one was chosen
//! models/history                       which served before, and how others stand: `succession`
//! models/feedback                      no part of any model: `feedback`
//! ```
//! `model.bin` is sealed as `disk::sealed` describes, magic `LSMODEL` and a zero; the body: card (u32 length,
//! JSON), f32 threshold, forest (u32 length, bytes), 16 x 256 f32 rarities of feature values, then
//! the calibrations of the forest's score and of the sum, each f32 slope, u32 knots, and two f32 a knot.
//!
//! A directory appears whole or not at all: it is written under another name, fsynced and renamed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use disk::sealed::SealedError;

use crate::{
    error::ModelError,
    files::{failed, replace, set_aside, sync_dir, write_synced},
    kept,
    model::{Card, Model},
    succession::{Standing, Succession, number_of},
};

/// Larger files are no models of ours.
const FILE_MAX: u64 = 64 << 20;
/// Larger states are none of ours.
const LEARNED_MAX: u64 = 256 << 20;
/// Larger cards are damaged.
const CARD_MAX: u64 = 64 << 10;
const UNFINISHED: &str = ".unfinished-";
const LEARNED: &str = "learned.bin";
/// Where what was taught lies while there is no model.
const TAUGHT: &str = "learned";

/// A folder of models.
#[derive(Debug)]
pub(crate) struct Registry {
    dir: PathBuf,
    models_max: usize,
    /// Held for moments only: scoring asks it.
    succession: Mutex<Succession>,
    /// Why it was set aside.
    problem: Option<String>,
    /// Held while it is written.
    remarking: Mutex<()>,
    /// Held while a model is given its number.
    storing: Mutex<()>,
}

impl Registry {
    /// Makes the folder where there is none, and clears away what was never finished.
    pub(crate) fn open(dir: PathBuf, models_max: usize) -> io::Result<Self> {
        disk::create_dir_all(&dir)?;
        disk::remove_unfinished(&dir)?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                // A left-over that will not go does no harm: its name is never read.
                drop(fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path())));
            }
        }
        let (succession, problem) = Succession::open(&dir);
        let succession = Mutex::new(succession);
        let (remarking, storing) = (Mutex::default(), Mutex::default());
        Ok(Self { dir, models_max: models_max.max(1), succession, problem, remarking, storing })
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
        self.read(version).map(|(model, _)| model)
    }

    /// A model and its file, read once.
    fn read(&self, version: &str) -> Result<(Model, Vec<u8>), ModelError> {
        let unknown = || ModelError::Unknown { version: version.to_owned() };
        number_of(version).ok_or_else(unknown)?;
        let bytes = self.bytes(version, "model.bin", FILE_MAX, "the model")?.ok_or_else(unknown)?;
        let model = Model::from_bytes(&bytes)?;
        self.check_card(version, &model)?;
        Ok((model, bytes))
    }

    /// A file of a version; None when there is none, as when another request has just removed the version.
    fn bytes(
        &self,
        version: &str,
        name: &str,
        bytes_max: u64,
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, ModelError> {
        let path = self.dir.join(version).join(name);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes)) {
            Ok(_) if bytes.len() as u64 > bytes_max => Err(SealedError::Damaged { what }.into()),
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// The state of the service that a model was kept with; None where it was kept without. Of no version
    /// (""), what was taught while there was no model.
    pub(crate) fn learned(&self, version: &str) -> Result<Option<Vec<u8>>, ModelError> {
        let name = if version.is_empty() { TAUGHT } else { LEARNED };
        let packed = self.bytes(version, name, LEARNED_MAX, "what the model was trained with")?;
        Ok(packed.map(|packed| kept::unpack(&packed)).transpose()?)
    }

    /// Keeps such a state, durable when this returns.
    pub(crate) fn keep_learned(&self, version: &str, state: &[u8]) -> Result<(), ModelError> {
        let name = if version.is_empty() { TAUGHT } else { LEARNED };
        replace(&self.dir.join(version).join(name), &kept::pack(state)?)
    }

    /// Sets such a state aside that cannot be read; says as what.
    pub(crate) fn set_learned_aside(&self, version: &str) -> io::Result<PathBuf> {
        let name = if version.is_empty() { TAUGHT } else { LEARNED };
        set_aside(&self.dir.join(version).join(name))
    }

    /// What was taught while there was no model is part of the first one.
    pub(crate) fn forget_taught(&self) {
        // Left over, it does no harm: a model's own comes first.
        drop(fs::remove_file(self.dir.join(TAUGHT)));
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
            _ => Err(SealedError::Damaged { what: "the model's card.json" }.into()),
        }
    }

    /// A model as it is carried elsewhere. `state` stands in for the one it was kept with.
    pub(crate) fn export(&self, version: &str, state: Option<&[u8]>) -> Result<Vec<u8>, ModelError> {
        let (_, model) = self.read(version)?;
        let learned = match state {
            Some(state) => Some(kept::pack(state)?),
            None => self.bytes(version, LEARNED, LEARNED_MAX, "what the model was trained with")?,
        };
        Ok(kept::carry(&model, learned.as_deref()))
    }

    /// Stores a model under a new version, with the state it is kept with. One that is to serve is chosen; any
    /// other that is already kept keeps its version.
    pub(crate) fn store(
        &self,
        model: &Model,
        state: Option<&[u8]>,
        (standing, why): (Standing, &str),
    ) -> Result<String, ModelError> {
        let learned = state.map(kept::pack).transpose()?;
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
            disk::create_dir_all(&unfinished).map_err(failed("make", &unfinished))?;
            write_synced(&unfinished.join("model.bin"), &bytes)?;
            let card = serde_json::to_vec_pretty(&model.card).unwrap_or_default();
            write_synced(&unfinished.join("card.json"), &card)?;
            if let Some(learned) = &learned {
                write_synced(&unfinished.join(LEARNED), learned)?;
            }
            sync_dir(&unfinished)?;
            if standing != Standing::Serving {
                // Before it appears, or another process would take it for one that is to serve.
                self.remark(|succession| succession.mark(&version, standing, why))?;
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

    /// Why what was noted of models earlier is not there.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    fn succession(&self) -> MutexGuard<'_, Succession> {
        self.succession.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of which models served, on disk first.
    pub(crate) fn remark(&self, change: impl FnOnce(&mut Succession)) -> Result<(), ModelError> {
        let _remarking = self.remarking.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.succession().clone();
        let mut changed = before.clone();
        change(&mut changed);
        if changed != before {
            changed.store(&self.dir)?;
            *self.succession() = changed;
        }
        Ok(())
    }

    /// While this is held no training ends: it cannot store its model.
    #[cfg(test)]
    pub(crate) fn hold_open(&self) -> MutexGuard<'_, ()> {
        self.storing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks which models served, and how others stand.
    pub(crate) fn past<T>(&self, ask: impl FnOnce(&Succession) -> T) -> T {
        ask(&self.succession())
    }

    /// Whether a version that appeared is there to serve, going by the disk: another process may have
    /// put it there.
    pub(crate) fn is_candidate(&self, version: &str) -> bool {
        Succession::glance(&self.dir).standing(version).0 != Standing::Kept
    }

    /// Notes which version serves.
    pub(crate) fn choose(&self, version: &str) -> Result<(), ModelError> {
        self.remark(|succession| succession.serves(version))?;
        replace(&self.dir.join("current"), version.as_bytes())
    }

    /// Removes the oldest versions beyond the number kept, never the one that serves nor the one that
    /// served before it.
    pub(crate) fn expire(&self, serving: &str) {
        let before = self.past(|succession| succession.before(serving).next().cloned());
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
