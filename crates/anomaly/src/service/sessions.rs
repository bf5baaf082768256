//! Sessions: what is learned of them beside the stream, and which were strange.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::Builder,
};

use event::{Event, EventId, JournalId, Position};
use session::{Context, Entities, Lessons, Message, Models};

use super::Service;
use crate::{
    StrangeSession, TrainError,
    stream::{CHUNK, Learned, State, entities},
};

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
        self.stream.read().entities.strange()
    }

    /// What was learned of sessions.
    pub(super) fn session_models(&self) -> Arc<Models> {
        Arc::clone(&self.stream.read().learning.models)
    }

    /// Lets what was learned beside the stream judge, and learns what there is to learn.
    pub(super) fn keep_up_sessions(&self) {
        let done = self.stream.write().learning.pending.take_if(|thread| thread.is_finished());
        if let Some(thread) = done {
            self.serve_sessions(thread.join().unwrap_or_default());
        }
        {
            let state = self.stream.read();
            if state.learning.pending.is_some() || !state.entities.is_due() {
                return;
            }
        }
        let (lessons, given_up) = {
            let State { miner, entities, learning, .. } = &mut *self.stream.write();
            (entities.lessons(miner), Arc::clone(&learning.given_up))
        };
        if self.config.waits_for_training {
            return self.serve_sessions(train(&lessons, &mut || Ok(())).unwrap_or_default());
        }
        let work = move || {
            let mut go_on = || if given_up.load(Relaxed) { Err(TrainError::Cancelled) } else { Ok(()) };
            train(&lessons, &mut go_on).unwrap_or_default()
        };
        match Builder::new().name("learn-sessions".to_owned()).spawn(work) {
            Ok(thread) => self.stream.write().learning.pending = Some(thread),
            Err(_) => {
                let State { entities, learning, .. } = &mut *self.stream.write();
                entities.relearn(&learning.models);
            }
        }
    }

    fn serve_sessions(&self, learned: Learned) {
        let State { entities, learning, .. } = &mut *self.stream.write();
        entities.serve(&learned);
        learning.models = Arc::new(learning.models.with(&learned));
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
            let state = self.stream.read();
            for (event, record) in chunk.iter().zip(first..) {
                variables.clear();
                let Some(mined) = state.miner.find(&event.message, &mut variables) else { continue };
                let id = EventId { journal: JournalId(0), position: Position { segment: 0, record } };
                let context = Context { models: &models, miner: &state.miner };
                let message = Message { template: &mined.template, variables: &variables };
                found.observe(id, event, message, context);
            }
        }
        let lessons = {
            let state = self.stream.read();
            found.end_all_silent(Context { models: &models, miner: &state.miner });
            found.lessons(&state.miner)
        };
        let learned = train(&lessons, go_on)?;
        Ok((!learned.is_empty()).then_some(Taught { found, learned }))
    }

    /// Lets sessions learned so judge.
    pub(super) fn adopt_sessions(&self, taught: Taught) {
        self.stream.write().entities.adopt(taught.found);
        self.serve_sessions(taught.learned);
    }
}
