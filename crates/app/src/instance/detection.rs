//! What is looked for in the stream, and what becomes of what is found.

use std::sync::Arc;

use detect::Engine;
use journal::Journal;
use pipeline::{DETECTION_CURSOR, Detector, EngineConfig, EngineReader, Progress, SignalKeeper};

use super::{alerts::Kept, build::Build, error::StartError, rules::RuleBook};

/// What the routes of signals need.
pub(super) fn state(build: &Build<'_>, kept: &Kept, settled: api::Settled) -> api::SignalsState {
    let newest = wake(kept);
    api::SignalsState {
        store: Arc::clone(&kept.signals),
        beside: beside(&kept.outbox),
        newest,
        settled,
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    }
}

/// Has what a change of signals brings sent at once; gives the number of the newest change.
pub(super) fn wake(kept: &Kept) -> tokio::sync::watch::Receiver<u64> {
    let (sender, newest) = tokio::sync::watch::channel(0);
    let outbox = Arc::clone(&kept.outbox);
    kept.signals.wake(move |number| {
        sender.send_replace(number);
        // What was recorded beside the change is written now.
        outbox.wake();
    });
    newest
}

/// Waits until everything that the journal has now was looked at; never, where nothing is.
pub(super) fn settled(build: &Build<'_>, journal: &Journal, progress: Progress) -> api::Settled {
    let (journal, is_on) = (journal.clone(), build.settings.detection.is_on);
    Arc::new(move |within| {
        let (progress, end) = (progress.clone(), journal.end());
        Box::pin(async move { is_on && progress.settled(end, within).await })
    })
}

/// What is written in the transaction of a change of signals: who is to be told.
pub(super) fn beside(outbox: &Arc<alert::Outbox>) -> signal::Beside {
    let outbox = Arc::clone(outbox);
    Arc::new(move |transaction, changes| Ok(outbox.record(transaction, changes, intake::system_clock())?))
}

/// Opens detectors and rules, and runs what stands beside them. None where nothing is to be looked for.
pub(super) fn detector(
    build: &Build<'_>,
    journal: &Journal,
    kept: &Kept,
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
        Arc::clone(&kept.signals),
        beside(&kept.outbox),
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
