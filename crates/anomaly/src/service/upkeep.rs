//! What the service does by itself: watching for drift, training beside the stream, letting a model
//! take over.
//!
//! Every model is trained on a thread of its own. The first one takes over as soon as it is trained. Any
//! further one is compared with the serving one on recent rows, and takes over at a place in the
//! stream that is known when the training begins. A stream that gets there before the training
//! has ended goes on without it, and the model takes over when it is ready; only a replay that is set up
//! to (`Config::waits_for_training`) waits, so that it gets the same verdicts each time.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::Builder,
};

use event::Analyzed;

use super::{Scratch, Service};
use crate::{
    Changed, Origin, Parts, Standing, TrainError, compare,
    library::{Serving, has_own},
    locks::lock,
    model::{Card, Model},
    registry::Registry,
    stream::{Outcome, Pending, State, Upkeep, Work},
    window::{Row, Window},
};

/// A first model is followed by others at these numbers of events, then at each doubling.
const RETRAIN_AT: [u64; 2] = [10_000, 50_000];
/// Event time after which a model is followed by another one at the latest, if events came.
const RETRAIN_NANOS: i64 = 7 * 86_400 * 1_000_000_000;
/// After a failed training, events until the next attempt.
const RETRY_AFTER: u64 = 1_000;
/// After a candidate was not good enough, events until the next one: this, or half of all, so that a
/// long replay does not train all the time.
const NEXT_CANDIDATE: u64 = 65_536;
/// After a model took over because of drift, events until the next one.
const NEXT_AFTER_DRIFT: u64 = 16_384;
/// A model takes over so many events, or so much event time, after its training began.
const TAKES_OVER_EVENTS: u64 = 16_384;
const TAKES_OVER_NANOS: i64 = 600 * 1_000_000_000;
/// Fewer recent rows say nothing: the window's sample stands in.
const RECENT_MIN: usize = 256;

/// Trains a candidate, compares it with the model that serves, on recent rows, and stores it.
fn candidate(
    registry: &Registry,
    (rows, card, parts): (&[Row], Card, Parts),
    state: &[u8],
    serving: Option<(&Model, &[Row])>,
) -> Result<Outcome, TrainError> {
    let model = Model::train(rows, card, parts)?;
    let objection = serving.and_then(|(old, recent)| compare::objection(old, &model, recent));
    let objection = objection.unwrap_or_default();
    let why = if objection.is_empty() { "about to take over" } else { objection.as_str() };
    let version = registry.store(&model, Some(state), (Standing::Candidate, why))?;
    Ok(Outcome { version, objection, model: Some(Arc::new(model)) })
}

impl Service {
    /// The rows of recent events.
    pub(super) fn recent_rows(&self) -> Vec<Row> {
        let state = self.stream.read();
        let recent = state.upkeep.monitor.rows();
        if recent.len() >= RECENT_MIN { recent.to_vec() } else { state.window.rows().to_vec() }
    }

    /// Takes in what was judged, and looks for drift.
    pub(super) fn watch(&self, serving: Option<&Serving>, judged: &[Analyzed<'_>], scratch: &Scratch) {
        let mut state = self.stream.write();
        let Upkeep { monitor, examples, .. } = &mut state.upkeep;
        monitor.serve(serving.map_or("", |serving| &serving.version));
        let threshold = self.threshold(serving);
        for (at, (row, one)) in scratch.rows.iter().zip(judged).enumerate() {
            if let (Some(facts), true) = (scratch.facts.get(at), serving.is_some()) {
                examples.keep(&one.event, row, facts, one.verdict.is_anomaly);
            }
            if scratch.bad.contains(&at) {
                continue;
            }
            let score = scratch.scores.get(at).copied().unwrap_or_default();
            let passed = serving.is_some() && event::Verdict::quantize(score) >= threshold;
            if monitor.keep(*row, one.event.timestamp.as_nanos(), passed)
                && let Some(serving) = serving
            {
                // A starter was trained elsewhere: that the world is another one here is no news.
                if serving.model.card.origin != Some(Origin::Starter) {
                    monitor.look(&serving.model);
                }
                let drifting = f64::from(u8::from(monitor.drifting()));
                metrics::gauge!(telemetry::metric::MODEL_DRIFTING).set(drifting);
            }
        }
    }

    /// Lets a model take over that was trained, and trains one that is due.
    pub(super) fn keep_up(&self) {
        let serving = self.library.serving();
        let (seen, latest, drifting, due) = {
            let State { window, retry_at, upkeep, .. } = &*self.stream.read();
            let drifting = upkeep.monitor.drifting();
            let card = serving.as_ref().map(|serving| &serving.model.card);
            let due =
                upkeep.pending.is_none() && window.seen >= *retry_at && self.is_due(window, card, drifting);
            (window.seen, window.to, drifting, due)
        };
        // While somebody trains, a model is on its way.
        if due && let Ok(_training) = self.library.training.try_lock() {
            self.train_beside(serving.as_ref(), drifting);
        }
        let waits = self.config.waits_for_training;
        let comes =
            |pending: &mut Pending| pending.is_reached(seen, latest) && (waits || pending.is_trained());
        let pending = self.stream.write().upkeep.pending.take_if(comes);
        if let Some(pending) = pending {
            self.take_over(pending, serving.as_ref(), seen);
        }
    }

    fn is_due(&self, window: &Window, card: Option<&Card>, drifting: bool) -> bool {
        let first = (self.config.events_min as u64).max(1);
        let Some(card) = card else { return window.seen >= first };
        // Fewer events than the model stands for: the stream began anew, or is being read again.
        if window.seen < first || window.seen <= card.seen {
            return false;
        }
        if card.origin == Some(Origin::Starter) {
            return true;
        }
        let held_until = self.library.registry.past(|succession| succession.held_until);
        if window.seen < held_until && held_until - window.seen <= self.hold() {
            return false;
        }
        let next = RETRAIN_AT.into_iter().find(|at| *at > card.seen).unwrap_or(card.seen.saturating_mul(2));
        let aged = window.to.saturating_sub(card.to) >= RETRAIN_NANOS && window.seen >= card.seen + first;
        window.seen >= next || aged || drifting
    }

    fn train_beside(&self, serving: Option<&Serving>, drifting: bool) {
        let recent = serving.map(|_| self.recent_rows()).unwrap_or_default();
        let origin = if drifting { Origin::Drift } else { Origin::Stream };
        let (rows, card) = {
            let state = self.stream.read();
            let templates = state.miner.len() as u64;
            let card = self.card(&state.window, state.window.seen, templates, origin);
            let rows = if drifting { recent.clone() } else { state.window.rows().to_vec() };
            (rows, card)
        };
        let (seen, nanos) = match serving {
            Some(_) => (card.seen + TAKES_OVER_EVENTS, card.to.saturating_add(TAKES_OVER_NANOS)),
            None => (card.seen, card.to),
        };
        let base = serving.map(|serving| serving.version.clone()).unwrap_or_default();
        let (registry, old) =
            (Arc::clone(&self.library.registry), serving.map(|serving| Arc::clone(&serving.model)));
        let (parts, state) = (self.config.parts, self.state_to_keep());
        let work = move || {
            let old = old.as_ref().map(|old| (&**old, &*recent));
            candidate(&registry, (&rows, card, parts), &state, old)
        };
        match Builder::new().name("retrain".to_owned()).spawn(work) {
            Ok(thread) => {
                self.stream.write().upkeep.pending =
                    Some(Pending { seen, nanos, base, work: Work::Running(thread) });
            }
            Err(_) => self.failed(RETRY_AFTER),
        }
    }

    fn failed(&self, retry_after: u64) {
        self.library.failed_trainings.fetch_add(1, Relaxed);
        metrics::counter!(telemetry::metric::FAILED_TRAININGS).increment(1);
        let mut state = self.stream.write();
        state.retry_at = state.window.seen + retry_after;
    }

    /// Lets a candidate serve, or keeps it as one.
    fn take_over(&self, mut pending: Pending, serving: Option<&Serving>, seen: u64) {
        let Outcome { version, mut objection, model } = pending.finish();
        if version.is_empty() {
            return self.failed(RETRY_AFTER);
        }
        if serving.map_or("", |serving| &serving.version) != pending.base {
            objection = match pending.base.as_str() {
                "" => "another model came to serve while this one was trained".to_owned(),
                base => format!("another model came to serve than {base}, which it was compared with"),
            };
        }
        lock(&self.library.noticed).1 = self.library.registry.versions().pop();
        if !objection.is_empty() {
            self.changes.add(&version, Changed::Kept(objection.clone()));
            let next = if has_own(serving) { NEXT_CANDIDATE } else { self.config.events_min as u64 };
            self.stream.write().retry_at = seen + next.max(seen / 2);
            // Without the remark it is a kept model like others, which does no harm.
            drop(
                self.library
                    .registry
                    .remark(|succession| succession.mark(&version, Standing::Candidate, &objection)),
            );
            self.library.registry.expire(serving.map_or(&pending.base, |serving| &serving.version));
            return;
        }
        let loaded = model.map_or_else(|| self.library.registry.load(&version).map(Arc::new), Ok);
        let chosen = loaded.and_then(|model| self.library.registry.choose(&version).map(|()| model));
        match chosen {
            Ok(model) => {
                if model.card.origin == Some(Origin::Drift) {
                    self.stream.write().retry_at = seen + NEXT_AFTER_DRIFT;
                }
                self.serve(version.clone(), model);
                self.changes.add(&version, Changed::TookOver);
                self.library.registry.forget_taught();
                self.library.registry.expire(&version);
            }
            Err(_) => self.failed(RETRY_AFTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use event::{Event, EventId, JournalId, Position, Timestamp, VerdictState};

    use super::*;
    use crate::Config;

    const EVENTS_MIN: u64 = 300;

    fn event(n: u64) -> Event<'static> {
        let nanos = 1_700_000_000_000_000_000 + i128::from(n) * 500_000_000;
        let message = format!("served {} bytes to 10.0.0.{}", n * 7919 % 50_000, n % 7);
        Event::new(message, Timestamp::saturating_from_nanos(nanos))
    }

    /// Scores so many events; says the state and the model's version for the last.
    fn analyze(service: &Service, from: u64, count: u64) -> (VerdictState, String) {
        let id = EventId { journal: JournalId(1), position: Position::default() };
        let events = (from..from + count).map(|n| (id, event(n))).collect();
        let batch = service.analyze(events, Position::default());
        assert_eq!(batch.events.len() as u64, count);
        (batch.events.last().unwrap().verdict.state, service.model().version)
    }

    /// Feeds events one by one until something has come about.
    fn until(service: &Service, mut from: u64, what: impl Fn(&Service) -> bool) -> u64 {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !what(service) {
            assert!(Instant::now() < deadline, "it never came about: {:?}", service.models());
            analyze(service, from, 1);
            from += 1;
            std::thread::yield_now();
        }
        from
    }

    #[test]
    fn scoring_goes_on_while_a_training_is_held_open() {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let config = Config {
                events_min: EVENTS_MIN as usize,
                waits_for_training: false,
                ..Config::new(dir.path())
            };
            Service::open(config).unwrap()
        };
        let service = open();
        let held = service.library.registry.hold_open();
        let (state, version) = analyze(&service, 0, 5_000);
        assert_eq!((state, version.as_str()), (VerdictState::WarmingUp, ""));
        assert!(service.stream.read().upkeep.pending.is_some());
        let snapshot = service.snapshot();
        assert_eq!(service.predict(&event(9)).state, VerdictState::WarmingUp);
        drop(held);
        let seen = until(&service, 5_000, |service| !service.model().version.is_empty());
        let (state, first) = analyze(&service, seen, 1);
        assert_eq!((state, service.models().len()), (VerdictState::Scored, 1));

        // The next one is due, and past its place.
        let held = service.library.registry.hold_open();
        let (state, version) = analyze(&service, seen + 1, 10_000 + 2 * TAKES_OVER_EVENTS);
        assert_eq!((state, &version), (VerdictState::Scored, &first));
        assert!(service.stream.read().upkeep.pending.as_ref().is_some_and(|pending| !pending.is_trained()));
        service.snapshot();
        drop(held);
        until(&service, 60_000, |service| service.stream.read().upkeep.pending.is_none());
        assert_eq!(service.models().len(), 2);
        assert_eq!(service.model().standing, Standing::Serving);
        assert!(service.models().iter().all(|model| model.why != "about to take over"));

        // What was being trained when the snapshot was taken is trained again.
        let other = tempfile::tempdir().unwrap();
        let again = Service::open(Config { dir: other.path().to_owned(), ..service.config.clone() }).unwrap();
        again.restore(&snapshot).unwrap();
        until(&again, 5_000, |service| !service.model().version.is_empty());
        assert_eq!(again.model().standing, Standing::Serving);
    }

    #[test]
    fn a_first_model_gives_way_to_one_that_came_while_it_was_trained() {
        let dir = tempfile::tempdir().unwrap();
        let config =
            Config { events_min: EVENTS_MIN as usize, waits_for_training: false, ..Config::new(dir.path()) };
        let service = Service::open(config).unwrap();
        let imported = {
            let other = tempfile::tempdir().unwrap();
            let other = Service::open(Config { events_min: 100, ..Config::new(other.path()) }).unwrap();
            let version = other.train(&(0..400).map(event).collect::<Vec<_>>()).unwrap().model;
            service.import(&other.export(&version).unwrap()).unwrap().version
        };
        let held = service.library.registry.hold_open();
        analyze(&service, 0, 600);
        service.activate(&imported).unwrap();
        drop(held);
        until(&service, 600, |service| service.stream.read().upkeep.pending.is_none());
        assert_eq!(service.model().version, imported);
        let own = service.models().into_iter().find(|model| !model.active).unwrap();
        assert_eq!(own.standing, Standing::Candidate);
        assert!(own.why.contains("another model came to serve"), "{}", own.why);
    }
}
