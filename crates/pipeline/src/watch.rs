//! Looks at journal and index from time to time: sets their gauges, and says what is damaged and what waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use index::{Index, Losses};
use journal::Journal;
use metrics::{counter, gauge};
use telemetry::{
    health::{Component, Health},
    ledger, metric,
    task::{Stop, Ticks},
};

use crate::backlog::Backlog;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks until a stop.
pub async fn watch(journal: Journal, index: Arc<dyn Index>, health: Health, stop: Stop) {
    let (lost, damage) = (health.component("journal_files"), health.component("index_files"));
    let (mut backlog, written) = (Backlog::default(), index.written());
    let mut ticks = Ticks::every(LOOK_EVERY, stop);
    while ticks.next().await {
        set_gauges(&journal, index.as_ref(), &lost, &damage);
        let ledger = ledger::snapshot();
        let stand = (*written.borrow(), journal.end());
        if let Some(told) = backlog.look(Instant::now(), stand, ledger.queued(), ledger.stored) {
            told.log();
        }
    }
}

/// Says what of the journal was destroyed: it stays said until the next start.
fn report_journal(status: &journal::Status, lost: &Component) {
    let reasons = status.damage();
    if !reasons.is_empty() {
        lost.degraded(reasons.join("; "));
    }
}

fn report_index(losses: &Losses, missing: u64, damage: &Component) {
    let mut reasons = losses.reasons.clone();
    if missing > 0 {
        reasons.push(format!(
            "{missing} files were deleted while the service runs; it still answers from them, the next start cannot. \
             Put the index folder back, or restore a backup"
        ));
    }
    match reasons.is_empty() {
        true => damage.ok(),
        false => {
            damage.degraded(format!("{} places are lost: {}", losses.places + missing, reasons.join("; ")))
        }
    }
}

fn set_gauges(journal: &Journal, index: &dyn Index, lost: &Component, damage: &Component) {
    let status = journal.status();
    gauge!(metric::JOURNAL_BYTES).set(status.bytes as f64);
    gauge!(metric::JOURNAL_BUDGET_BYTES).set(status.budget_bytes as f64);
    counter!(metric::JOURNAL_TRUNCATED_BYTES).absolute(status.truncated_bytes);
    report_journal(&status, lost);
    let stats = index.stats();
    let losses = index.losses(None, None);
    report_index(&losses, index.missing_files(), damage);
    gauge!(metric::INDEX_LOST_EVENTS).set(losses.events as f64);
    if let Some(free) = status.free_bytes {
        gauge!(metric::DISK_FREE_BYTES).set(free as f64);
    }
    gauge!(metric::INDEX_DAMAGED_FILES).set(stats.damaged as f64);
    gauge!(metric::INDEX_EVENTS).set(stats.events as f64);
    gauge!(metric::INDEX_BYTES).set(stats.bytes as f64);
    gauge!(metric::INDEX_SEGMENTS).set(stats.segments as f64);
}
