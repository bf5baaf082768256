//! Starters: what a new installation is told of a kind of log before it has seen any of it.
//!
//! A starter is learned from one log and tells nothing of where that log was written: names are replaced before
//! anything is learned (`anonymous`), values, hosts, rates and times of day are left out (`window::prior`), and
//! a template is told only when three events had it. It carries templates, what the window knows of
//! them, and the feature rows that a model is grown from in some milliseconds, for the share of flags
//! the service is set to, and together with those of other starters. The rows are those that each half of the log
//! has for a window that was told of the other half: so the model knows how often what is ordinary elsewhere
//! is new all the same.
//!
//! A file is sealed as `disk::sealed` describes, magic `LSSTARTR`; the body:
//!
//! ```text
//! name (u32 length, UTF-8), u64 events, u64 earliest and u64 latest time, nanoseconds
//! templates (u32 length, bytes of their own)
//! u32 layout of the window, u32 sources (u64 key, source), u32 groups (u64 template, u64 source, group)
//! u32 rows, 16 bytes each
//! ```

mod anonymous;

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::Path,
    sync::Arc,
};

use disk::sealed::{Reader, SealedError, Writer};
use event::{Event, TemplateId};
use template::Miner;

use crate::{
    error::{ModelError, TrainError},
    files::replace,
    model::{Card, Origin},
    window::{FEATURES, Feature, LAYOUT, Novelty, Prior, Row, STEPS, Seen, Window},
};
use anonymous::Home;

const MAGIC: &[u8; 8] = b"LSSTARTR";
const VERSION: u32 = 1;
const WHAT: &str = "the starter";
/// Larger files are no starters.
pub const STARTER_BYTES_MAX: usize = 8 << 20;
/// Starters that one service takes.
pub const STARTERS_MAX: usize = 16;
const NAME_MAX: usize = 64;
const ROWS_MAX: usize = 16_384;
const EXTENSION: &str = "starter";
/// Events that a template told of has at least.
const EVENTS_TOLD: u64 = 3;
/// Surprise of a rate from which an event is left out of the rows.
const BURST: f32 = 5.0;
/// Ways in which the miner hears a message: more than make a word a variable.
const TURNS: u64 = 8;

/// See the module.
#[derive(Debug)]
pub(crate) struct Starter {
    pub(crate) name: String,
    pub(crate) events: u64,
    from: i64,
    to: i64,
    pub(crate) miner: Miner,
    pub(crate) prior: Prior,
    pub(crate) rows: Vec<Row>,
}

/// Makes a starter, the same bytes each time, of the events of one log in their order. Its name is of
/// lower-case letters, digits and hyphens.
///
/// # Errors
/// With fewer than a hundred events, or with another name.
pub fn build_starter(name: &str, events: &[Event<'_>]) -> Result<Vec<u8>, TrainError> {
    const EVENTS_MIN: usize = 100;
    if events.len() < EVENTS_MIN || !is_name(name) {
        return Err(TrainError::NothingUsable);
    }
    let home = Home::of(events);
    let mut miner = Miner::new(template::Config::default());
    let mut variables = Vec::new();
    let mut heard = HashSet::new();
    for event in events {
        variables.clear();
        if heard.insert(miner.mine(&home.elsewhere(event, 0).message, &mut variables).template.id) {
            for turn in 1..TURNS {
                variables.clear();
                miner.mine(&home.elsewhere(event, turn).message, &mut variables);
            }
        }
    }
    let elsewhere: Vec<Event<'_>> =
        (0..).zip(events).map(|(turn, event)| home.elsewhere(event, turn)).collect();
    let whole = Learned::of(&elsewhere, &mut miner, Prior::default());
    let halves = elsewhere.split_at(elsewhere.len() / 2);
    let (mut rows, mut novelty) = (Vec::new(), Novelty::default());
    for (told, judged) in [(halves.1, halves.0), (halves.0, halves.1)] {
        let prior = Learned::of(told, &mut miner, Prior::default()).prior(&Novelty::default());
        let judged = Learned::of(judged, &mut miner, prior);
        rows.extend(judged.window.rows().iter().filter(|row| !is_burst(row)));
        judged.window.add_novelty(&judged.sources, &mut novelty);
    }
    rows.truncate(ROWS_MAX);
    let starter = Starter {
        name: name.to_owned(),
        events: events.len() as u64,
        from: whole.window.from.min(whole.window.to),
        to: whole.window.to,
        prior: whole.prior(&novelty),
        miner: miner.distilled(|id| whole.tells(id)),
        rows,
    };
    Ok(starter.to_bytes())
}

/// Whether an event stands in a burst. Attacks hide there, and how much is much is learned at each place anew.
fn is_burst(row: &Row) -> bool {
    let spikes = [Feature::TemplateSpike, Feature::SourceSpike];
    spikes.iter().any(|spike| f32::from(row[*spike as usize]) >= BURST * STEPS)
}

/// What is known after some events.
struct Learned {
    window: Window,
    /// Events of each template.
    counts: BTreeMap<u64, u64>,
    /// By source: events that were the first of their template, and all.
    sources: BTreeMap<String, (u32, u32)>,
}

impl Learned {
    fn of(events: &[Event<'_>], miner: &mut Miner, prior: Prior) -> Self {
        let mut window = Window::new(0);
        window.prior = Arc::new(prior);
        let mut learned = Self { window, counts: BTreeMap::new(), sources: BTreeMap::new() };
        let mut variables = Vec::new();
        for event in events {
            variables.clear();
            let template = miner.mine(&event.message, &mut variables).template.id;
            let seen = Seen::new(event, Some(template), &variables);
            let keys = seen.keys();
            learned.window.begin(&seen, keys);
            let known = learned.window.knows(keys);
            let source = event.source.as_deref().unwrap_or_default().to_owned();
            let (new, all) = learned.sources.entry(source).or_default();
            (*new, *all) = (*new + u32::from(!known), *all + 1);
            let (row, _) = learned.window.assess(&seen, keys);
            learned.window.learn(&seen, keys, row);
            *learned.counts.entry(template.0).or_default() += 1;
        }
        learned
    }

    fn tells(&self, id: TemplateId) -> bool {
        self.counts.get(&id.0).is_some_and(|count| *count >= EVENTS_TOLD)
    }

    /// What it tells; of sources that `novelty` names, how often they say something new as it says.
    fn prior(&self, novelty: &Novelty) -> Prior {
        let ids = self.counts.keys().map(|id| TemplateId(*id)).filter(|id| self.tells(*id));
        self.window.as_prior(ids, self.sources.keys().map(String::as_str), novelty)
    }
}

/// Lower-case letters, digits and hyphens: it becomes the name of a file.
fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl Starter {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.bytes(self.name.as_bytes());
        out.u64(self.events);
        out.u64(self.from as u64);
        out.u64(self.to as u64);
        out.bytes(&self.miner.save());
        out.u32(LAYOUT);
        self.prior.write(&mut out);
        out.u32(self.rows.len() as u32);
        self.rows.iter().for_each(|row| out.raw(row));
        out.seal()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > STARTER_BYTES_MAX {
            return Err(SealedError::Damaged { what: WHAT }.into());
        }
        let mut input = Reader::sealed(bytes, MAGIC, VERSION, WHAT)?;
        let name = input.text(NAME_MAX)?;
        let (events, from, to) = (input.u64()?, input.u64()? as i64, input.u64()? as i64);
        let miner =
            Miner::load(input.bytes()?, template::Config::default()).map_err(ModelError::Templates)?;
        let layout = input.u32()?;
        if layout != LAYOUT {
            return Err(SealedError::Version { what: WHAT, found: layout, known: LAYOUT }.into());
        }
        let prior = Prior::read(&mut input)?;
        let count = input.count(FEATURES, ROWS_MAX)?;
        let (rows, _) = input.take(count * FEATURES)?.as_chunks::<FEATURES>();
        let rows = rows.to_vec();
        if !is_name(&name) || rows.is_empty() {
            return Err(input.damaged().into());
        }
        input.end()?;
        Ok(Self { name, events, from, to, miner, prior, rows })
    }

    /// Those taken in earlier, in the order of their names; what does not load is named.
    pub(crate) fn open_all(dir: &Path) -> io::Result<(Vec<Self>, Vec<String>)> {
        let (mut starters, mut refused) = (Vec::new(), Vec::new());
        let entries = match fs::read_dir(folder(dir)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((starters, refused)),
            Err(error) => return Err(error),
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        paths.sort();
        for path in paths.into_iter().take(STARTERS_MAX) {
            let too_large =
                fs::metadata(&path).is_ok_and(|metadata| metadata.len() > STARTER_BYTES_MAX as u64);
            let read = if too_large { Ok(Vec::new()) } else { fs::read(&path) };
            match read.map(|bytes| Self::from_bytes(&bytes)) {
                Ok(Ok(starter)) => starters.push(starter),
                Ok(Err(error)) => refused.push(format!("{}: {error}", path.display())),
                Err(error) => refused.push(format!("{}: {error}", path.display())),
            }
        }
        Ok((starters, refused))
    }

    /// Keeps the file beside the models.
    pub(crate) fn store(&self, dir: &Path, bytes: &[u8]) -> Result<(), ModelError> {
        let folder = folder(dir);
        disk::create_dir_all(&folder).map_err(|source| ModelError::Io {
            action: "make",
            path: folder.clone(),
            source,
        })?;
        replace(&folder.join(format!("{}.{EXTENSION}", self.name)), bytes)
    }

    /// Rows and card of a model for all of them.
    pub(crate) fn training(starters: &[Self], false_positive_rate: f64, seed: u64) -> (Vec<Row>, Card) {
        let rows = starters.iter().flat_map(|starter| starter.rows.iter().copied()).collect();
        let to = starters.iter().map(|starter| starter.to).max().unwrap_or_default();
        let card = Card {
            events: starters.iter().map(|starter| starter.events).sum(),
            templates: starters.iter().map(|starter| starter.miner.len() as u64).sum(),
            seen: 0,
            rows: 0,
            trained_at: to,
            from: starters.iter().map(|starter| starter.from).min().unwrap_or_default(),
            to,
            false_positive_rate: false_positive_rate.clamp(1e-6, 0.5),
            seed,
            origin: Some(Origin::Starter),
        };
        (rows, card)
    }
}

fn folder(dir: &Path) -> std::path::PathBuf {
    dir.join("starters")
}
