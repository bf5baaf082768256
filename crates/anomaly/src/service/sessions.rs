//! Sessions: what is learned of them beside the stream, and which were strange.
//!
//! What was learned is state of the stream, saved with its place as templates and window are, since it
//! speaks of this stream's own templates and keys; the models of events do not carry it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{Builder, JoinHandle},
};

use disk::sealed::{Reader, SealedError, Writer};
use event::{Event, EventId, JournalId, Position};
use session::{Context, Entities, KindModel, Lessons, Models};

use super::{CHUNK, Service, State, lock, read, write};
use crate::{Config, StrangeSession, TrainError};

/// What was learned of sessions, and what is being learned.
#[derive(Debug, Default)]
pub(super) struct Learning {
    models: Arc<Models>,
    pending: Option<JoinHandle<Learned>>,
    /// Tells what is being learned that nobody waits for it any more.
    given_up: Arc<AtomicBool>,
}

impl Learning {
    /// A training under way is left out: it begins anew then.
    pub(super) fn write(&self, out: &mut Writer) {
        self.models.write(out);
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let models = Arc::new(Models::read(input)?);
        Ok(Self { models, pending: None, given_up: Arc::default() })
    }

    pub(super) fn models(&self) -> &Models {
        &self.models
    }
}

impl Drop for Learning {
    fn drop(&mut self) {
        self.given_up.store(true, Relaxed);
        // A panic in it was reported where it happened.
        drop(self.pending.take().map(JoinHandle::join));
    }
}

/// No sessions yet.
pub(super) fn entities(config: &Config) -> Entities {
    Entities::new(config.sessions_max, config.session_keys.clone(), config.seed)
}

/// What was learned of kinds of sessions.
type Learned = Vec<Arc<KindModel>>;

/// Sessions found among events that are no part of the stream, and what was learned of them.
pub(super) struct Taught {
    found: Entities,
    learned: Learned,
}

/// Learns one kind after the other, asking before each whether to go on.
fn train(
    lessons: &[Lessons],
    go_on: &mut dyn FnMut() -> Result<(), TrainError>,
) -> Result<Learned, TrainError> {
    lessons.iter().map(|lessons| go_on().map(|()| Arc::new(lessons.train()))).collect()
}

impl Service {
    /// The sessions found strange lately, the latest first, at most [`crate::STRANGE_MAX`].
    pub fn strange_sessions(&self) -> Vec<StrangeSession> {
        read(&self.state).entities.strange()
    }

    /// What was learned of sessions.
    pub(super) fn session_models(&self) -> Arc<Models> {
        Arc::clone(&lock(&self.sessions).models)
    }

    /// Lets what was learned beside the stream judge, and learns what there is to learn.
    pub(super) fn keep_up_sessions(&self) {
        let done = lock(&self.sessions).pending.take_if(|thread| thread.is_finished());
        if let Some(thread) = done {
            self.serve_sessions(thread.join().unwrap_or_default());
        }
        if lock(&self.sessions).pending.is_some() || !read(&self.state).entities.is_due() {
            return;
        }
        let lessons = {
            let State { miner, entities, .. } = &mut *write(&self.state);
            entities.lessons(miner)
        };
        if self.config.waits_for_training {
            return self.serve_sessions(train(&lessons, &mut || Ok(())).unwrap_or_default());
        }
        let given_up = Arc::clone(&lock(&self.sessions).given_up);
        let work = move || {
            let mut go_on = || if given_up.load(Relaxed) { Err(TrainError::Cancelled) } else { Ok(()) };
            train(&lessons, &mut go_on).unwrap_or_default()
        };
        match Builder::new().name("learn-sessions".to_owned()).spawn(work) {
            Ok(thread) => lock(&self.sessions).pending = Some(thread),
            Err(_) => write(&self.state).entities.relearn(&self.session_models()),
        }
    }

    fn serve_sessions(&self, learned: Learned) {
        write(&self.state).entities.serve(&learned);
        let mut sessions = lock(&self.sessions);
        sessions.models = Arc::new(sessions.models.with(&learned));
    }

    /// Learns the sessions among events that are no part of the stream, where the stream itself has not
    /// yet shown what its sessions are like. Nothing changes before [`Service::adopt_sessions`].
    ///
    /// # Errors
    /// That of `go_on`, which is asked from time to time.
    pub(super) fn learn_sessions(
        &self,
        events: &[Event<'_>],
        go_on: &mut dyn FnMut() -> Result<(), TrainError>,
    ) -> Result<Option<Taught>, TrainError> {
        if !self.session_models().is_empty() {
            return Ok(None);
        }
        let mut found = entities(&self.config);
        let models = Models::default();
        let mut variables = Vec::new();
        for (chunk, first) in events.chunks(CHUNK).zip((0_u32..).step_by(CHUNK)) {
            go_on()?;
            let state = read(&self.state);
            for (event, record) in chunk.iter().zip(first..) {
                variables.clear();
                let Some(mined) = state.miner.find(&event.message, &mut variables) else { continue };
                let id = EventId { journal: JournalId(0), position: Position { segment: 0, record } };
                let context = Context { models: &models, miner: &state.miner };
                found.observe(id, event, (&mined.template, &variables), context);
            }
        }
        let lessons = {
            let state = read(&self.state);
            found.end_all_silent(Context { models: &models, miner: &state.miner });
            found.lessons(&state.miner)
        };
        let learned = train(&lessons, go_on)?;
        Ok((!learned.is_empty()).then_some(Taught { found, learned }))
    }

    /// Lets sessions learned so judge.
    pub(super) fn adopt_sessions(&self, taught: Taught) {
        write(&self.state).entities.adopt(taught.found);
        self.serve_sessions(taught.learned);
    }
}
