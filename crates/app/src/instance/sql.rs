//! Questions in SQL, and rules that ask them.

use std::sync::Arc;

use inquiry::{
    Sources,
    rules::{Runner, Shelf},
};
use rulebook::RuleBook;
use search::Searcher;

use super::{alerts::Kept, build::Build, detection, error::StartError};

/// Where rows come from.
pub(super) fn sources(kept: &Kept, searcher: &Searcher, hosts: &api::HostsState) -> Sources {
    Sources {
        searcher: searcher.clone(),
        fleet: Arc::clone(&hosts.fleet),
        signals: Arc::clone(&kept.signals),
    }
}

/// What the routes of questions need.
pub(super) fn state(build: &Build<'_>, sources: &Sources) -> api::SqlState {
    api::SqlState {
        sources: sources.clone(),
        budget: build.settings.questions.sql.clone(),
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    }
}

/// Opens the rules in SQL, and runs them where something is to be looked for.
pub(super) fn rules(
    build: &Build<'_>,
    kept: &Kept,
    book: &Arc<RuleBook>,
    sources: &Sources,
) -> Result<Arc<Shelf>, StartError> {
    let settings = &build.settings.detection;
    let (dir, off) = (settings.rules.dir.clone(), settings.rules.off.clone());
    let shelf = Arc::new(Shelf::open(dir, off, build.health.component("sql_rules")));
    let runner = Arc::new(Runner {
        shelf: Arc::clone(&shelf),
        book: Arc::clone(book),
        sources: sources.clone(),
        database: Arc::clone(&kept.database),
        beside: detection::beside(&kept.outbox),
        budget: build.settings.questions.sql.clone(),
        clock: intake::system_clock,
    });
    runner.open().map_err(Box::new)?;
    if settings.is_on {
        build.front.spawn("sql-rules", runner.follow(build.front.stop()));
    }
    Ok(shelf)
}
