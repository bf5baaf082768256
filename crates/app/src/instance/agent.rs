//! An agent: what it reads goes through its journal to detectors and rules, and what they find leaves by the outbox. It
//! scores, keeps and serves nothing. A language model is asked here where that is switched on, and what it says leaves with the signals.

use journal::Journal;
use pipeline::{Lookout, Progress};

use super::{alerts, analyst, build::Build, collector, detection, error::StartError};

/// Opens and starts it.
pub(super) fn start(build: &Build<'_>) -> Result<Journal, StartError> {
    let settings = build.settings;
    let journal = collector::open_journal(settings)?;
    let kept = alerts::kept(build)?;
    let newest = detection::wake(&kept);
    analyst::begin(build, &kept, detection::beside(&kept.outbox), newest)?;
    let detector = detection::detector(build, &journal, &kept, detection::rules(build), Progress::default())?;
    if let Some(detector) = detector {
        let lookout = Lookout::new(detector, journal.clone(), build.health.component("detection"));
        let runtime = tokio::runtime::Handle::current();
        let run = move |stop| runtime.block_on(lookout.run(stop));
        build.back.thread("detection", run).map_err(StartError::Thread)?;
    }
    alerts::send(build, &kept.outbox);
    let door = intake::Config { formats: build.formats.clone(), ..settings.intake.door.clone() };
    let door = intake::Door::new(journal.clone(), door, intake::system_clock);
    collector::read_files(build, door)?;
    Ok(journal)
}
