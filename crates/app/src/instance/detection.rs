//! What is looked for in the stream, and what becomes of what is found.

use std::sync::Arc;

use detect::Engine;
use journal::Journal;
use pipeline::{DETECTION_CURSOR, Detector, EngineConfig, EngineReader, Progress, SignalKeeper};

use super::{build::Build, error::StartError, rules::RuleBook};

/// The file of signals and all else that is kept in tables.
const STATE: &str = "state.db";

/// Opens where signals are kept.
pub(super) fn signals(build: &Build<'_>) -> Result<Arc<signal::Store>, StartError> {
    let database = state::Database::open(build.settings.data.join(STATE)).map_err(Box::new)?;
    let config = build.settings.detection.signals.clone();
    Ok(Arc::new(signal::Store::open(Arc::new(database), config).map_err(Box::new)?))
}

/// What the routes of signals need.
pub(super) fn state(
    build: &Build<'_>,
    store: &Arc<signal::Store>,
    settled: api::Settled,
) -> api::SignalsState {
    let (sender, newest) = tokio::sync::watch::channel(0);
    store.wake(move |number| {
        sender.send_replace(number);
    });
    api::SignalsState {
        store: Arc::clone(store),
        beside: beside(),
        newest,
        settled,
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    }
}

/// Waits until everything that the journal has now was looked at; never, where nothing is.
pub(super) fn settled(build: &Build<'_>, journal: &Journal, progress: Progress) -> api::Settled {
    let (journal, is_on) = (journal.clone(), build.settings.detection.is_on);
    Arc::new(move |within| {
        let (progress, end) = (progress.clone(), journal.end());
        Box::pin(async move { is_on && progress.settled(end, within).await })
    })
}

/// What is written in the transaction of a change of signals.
fn beside() -> signal::Beside {
    Arc::new(|_, _| Ok(()))
}

/// Opens detectors and rules, and runs what stands beside them. None where nothing is to be looked for.
pub(super) fn detector(
    build: &Build<'_>,
    journal: &Journal,
    store: &Arc<signal::Store>,
    progress: Progress,
) -> Result<Option<Box<dyn Detector>>, StartError> {
    let settings = &build.settings.detection;
    if !settings.is_on {
        // Else the journal would be kept for a reader that never comes.
        journal.forget_cursor(DETECTION_CURSOR)?;
        return Ok(None);
    }
    let rules_health = build.health.component("rules");
    let (book, rules, changed) = RuleBook::open(settings.rules_dir.clone(), settings.is_strict, rules_health);
    build.front.spawn("rules", book.follow(build.front.stop()));
    let (keeper, keeping) = SignalKeeper::new(
        Arc::clone(store),
        beside(),
        journal.id(),
        intake::system_clock,
        build.health.component("signals"),
    );
    build.back.thread("signals", move |_| keeping.run()).map_err(StartError::Thread)?;
    let engine = Engine::with_rules(settings.engine.clone(), rules);
    let config =
        EngineConfig { file: settings.file.clone(), rules: changed, clock: intake::system_clock, progress };
    Ok(Some(Box::new(EngineReader::open(engine, config, Box::new(keeper), journal)?)))
}
