//! The state of a stream: its templates, what is usual in it, its sessions, and what is on its way beside it.
//!
//! All of it is one state behind one lock: what a batch teaches is there as a whole or not at all, and a
//! snapshot is of one place in the stream.

mod file;
mod learning;
mod upkeep;

use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use event::{Event, Template, Variable};
use session::Entities;
use template::Miner;

#[cfg(test)]
pub(crate) use file::MAGIC;
pub(crate) use learning::{Learned, Learning};
pub(crate) use upkeep::{Outcome, Pending, Upkeep, Work};

use crate::{
    Config,
    lineage::Lineage,
    locks::{lock, read, write},
    starter::Starter,
    window::{Facts, Prior, Row, Seen, Window},
    words::WordIndex,
};

/// Events analysed or learned under one lock.
pub(crate) const CHUNK: usize = 512;

/// What is known of the stream.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) miner: Miner,
    pub(crate) window: Window,
    pub(crate) entities: Entities,
    /// Events at which the next attempt is made after a failed training.
    pub(crate) retry_at: u64,
    pub(crate) lineage: Lineage,
    pub(crate) upkeep: Upkeep,
    pub(crate) learning: Learning,
}

impl State {
    /// Of a stream that has shown nothing yet.
    pub(crate) fn new(config: &Config) -> Self {
        let mut window = Window::new(config.seed);
        window.mask = config.parts.mask();
        Self {
            miner: Miner::new(config.template.clone()),
            window,
            entities: entities(config),
            retry_at: 0,
            lineage: Lineage::default(),
            upkeep: Upkeep::new(config.seed),
            learning: Learning::default(),
        }
    }

    /// Takes in what starters tell; the stream may know much already.
    pub(crate) fn hear(&mut self, starters: &[Starter]) {
        let mut prior = Prior::default();
        for starter in starters {
            self.miner.adopt(&starter.miner);
            prior.join(starter.prior.clone());
        }
        self.window.prior = Arc::new(prior);
    }
}

/// No sessions yet.
pub(crate) fn entities(config: &Config) -> Entities {
    Entities::new(config.sessions_max, config.session_keys.clone(), config.seed)
}

/// The state of the stream behind its lock, and its templates by their words.
#[derive(Debug)]
pub(crate) struct Stream {
    state: RwLock<State>,
    words: Mutex<WordIndex>,
}

impl Stream {
    pub(crate) fn new(state: State) -> Self {
        Self { state: RwLock::new(state), words: Mutex::default() }
    }

    /// To look at the state. Who holds it takes it not again.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        read(&self.state)
    }

    /// To change the state.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        write(&self.state)
    }

    /// The templates by their words.
    pub(crate) fn words(&self) -> MutexGuard<'_, WordIndex> {
        lock(&self.words)
    }
}

/// Finds an event's template and features, then learns it.
pub(crate) fn learn_one(
    miner: &mut Miner,
    window: &mut Window,
    event: &Event<'_>,
    variables: &mut Vec<Variable>,
) -> (u64, Arc<Template>, Row, Facts) {
    let from = variables.len();
    let mined = miner.mine(&event.message, variables);
    let found = variables.get(from..).unwrap_or_default();
    let seen = Seen::new(event, Some(mined.template.id), found);
    let keys = seen.keys();
    if !window.knows(keys) {
        if !mined.is_new {
            let merged = miner.forebears(mined.template.id);
            window.inherit(keys, merged.into_iter().filter(|id| *id != mined.template.id));
        }
        window.begin(&seen, keys);
    }
    let (row, facts) = window.assess(&seen, keys);
    window.learn(&seen, keys, row);
    (mined.shape, mined.template, row, facts)
}

/// As [`learn_one`], for an event that was learned before.
pub(crate) fn look_one(
    miner: &mut Miner,
    window: &mut Window,
    event: &Event<'_>,
    variables: &mut Vec<Variable>,
) -> (u64, Arc<Template>, Row, Facts) {
    let from = variables.len();
    let mined = miner.find(&event.message, variables).unwrap_or_else(|| {
        variables.truncate(from);
        miner.mine(&event.message, variables)
    });
    let found = variables.get(from..).unwrap_or_default();
    let seen = Seen::new(event, Some(mined.template.id), found);
    let (row, facts) = window.assess_single(&seen, seen.keys());
    (mined.shape, mined.template, row, facts)
}
