//! What is looked for in the stream, and what becomes of what is found.

use std::sync::{Arc, mpsc::Receiver};

use detect::{Engine, rules::RuleSet};
use journal::Journal;
use pipeline::{DETECTION_CURSOR, Detector, EngineConfig, EngineReader, Progress, SignalKeeper};
use rulebook::RuleBook;

use super::{
    alerts::Kept,
    analyst,
    build::{Build, Scorer},
    error::StartError,
    opinions::{self, Opinions},
};

/// What the routes of signals need.
pub(super) fn state(
    build: &Build<'_>,
    kept: &Kept,
    scorer: &Scorer,
    settled: api::Settled,
) -> Result<api::SignalsState, StartError> {
    let newest = wake(kept);
    let learn = learn(build, kept, scorer, newest.clone())?;
    analyst::begin(build, kept, beside(&kept.outbox), newest.clone())?;
    Ok(api::SignalsState {
        learn,
        store: Arc::clone(&kept.signals),
        beside: beside(&kept.outbox),
        newest,
        settled,
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    })
}

/// Has the scores of this process follow what is said of signals; those of a separate service do not.
fn learn(
    build: &Build<'_>,
    kept: &Kept,
    scorer: &Scorer,
    newest: tokio::sync::watch::Receiver<u64>,
) -> Result<api::Learn, StartError> {
    let Scorer::Here(service) = scorer else { return Ok(Arc::new(|| ())) };
    let health = build.health.component("opinions");
    let opinions = Opinions::begin(Arc::clone(&kept.signals), Arc::clone(service), health);
    let opinions = Arc::new(opinions.map_err(|error| StartError::Opinions(Box::new(error)))?);
    build.front.spawn("opinions", opinions::follow(Arc::clone(&opinions), newest, build.front.stop()));
    Ok(Arc::new(move || opinions.tell_new()))
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

/// The rules that run, and those that are to.
pub(super) struct Opened {
    pub(super) book: Arc<RuleBook>,
    set: RuleSet,
    changed: Receiver<RuleSet>,
}

/// Opens the rules, and follows their files.
pub(super) fn rules(build: &Build<'_>) -> Opened {
    let config = build.settings.detection.rules.clone();
    let (book, set, changed) =
        RuleBook::open(config, build.health.component("rules"), intake::system_clock());
    build.front.spawn("rules", Arc::clone(&book).follow(build.front.stop()));
    Opened { book, set, changed }
}

/// What the routes of rules need.
pub(super) fn rules_state(
    build: &Build<'_>,
    book: &Arc<RuleBook>,
    shelf: Arc<inquiry::rules::Shelf>,
    searcher: &search::Searcher,
) -> api::RulesState {
    api::RulesState {
        book: Arc::clone(book),
        shelf,
        engine: build.settings.detection.engine.clone(),
        searcher: searcher.clone(),
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    }
}

/// Opens detectors, and runs what stands beside them. None where nothing is to be looked for.
pub(super) fn detector(
    build: &Build<'_>,
    journal: &Journal,
    kept: &Kept,
    rules: Opened,
    progress: Progress,
) -> Result<Option<Box<dyn Detector>>, StartError> {
    let settings = &build.settings.detection;
    if !settings.is_on {
        // Else the journal would be kept for a reader that never comes.
        journal.forget_cursor(DETECTION_CURSOR)?;
        return Ok(None);
    }
    let (keeper, keeping) = SignalKeeper::new(
        Arc::clone(&kept.signals),
        beside(&kept.outbox),
        journal.id(),
        intake::system_clock,
        build.health.component("signals"),
    );
    build.back.thread("signals", move |_| keeping.run()).map_err(StartError::Thread)?;
    let engine = Engine::with_rules(settings.engine.clone(), rules.set);
    let config = EngineConfig {
        file: settings.file.clone(),
        rules: rules.changed,
        clock: intake::system_clock,
        progress,
    };
    Ok(Some(Box::new(EngineReader::open(engine, config, Box::new(keeper), journal)?)))
}
