//! What has to be done from time to time: gauges, newer models, retention.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dead_letter::DeadLetterStream;
use index::{Index, Losses};
use journal::Journal;
use metrics::{counter, gauge};
use pipeline::backlog::Backlog;
use telemetry::{health::Component, ledger, metric, task::Tasks};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{error, info, warn};

/// How often gauges are set and the models' folder is looked at.
const GAUGES_EVERY: Duration = Duration::from_secs(2);
/// Reasons that are told in full.
const REASONS_MAX: usize = 8;
/// How often expired events are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);
/// How often an index of the cluster is looked at whether it has reached a bound.
const ROLLOVER_EVERY: Duration = Duration::from_secs(30);

/// Sets the gauges of journal and index, and says what damage was met.
pub(super) fn gauges(
    tasks: &Tasks,
    journal: &Journal,
    index: &Arc<dyn Index>,
    lost: Component,
    damage: Component,
) {
    let (journal, index, stop) = (journal.clone(), Arc::clone(index), tasks.stop());
    tasks.spawn("gauges", async move {
        let (mut ticks, mut backlog, written) = (ticks(GAUGES_EVERY), Backlog::default(), index.written());
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            set_gauges(&journal, index.as_ref(), &lost, &damage);
            let ledger = ledger::snapshot();
            let stand = (*written.borrow(), journal.end());
            if let Some(told) = backlog.look(Instant::now(), stand, ledger.queued(), ledger.stored) {
                told.log();
            }
        }
    });
}

/// Says when the thread that reads watched files stands still.
pub(super) fn watched_files(tasks: &Tasks, pulse: intake::tail::Pulse, health: Component) {
    let stop = tasks.stop();
    tasks.spawn("tail-health", async move {
        let mut ticks = ticks(GAUGES_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            pulse.report(&health);
        }
    });
}

/// Deletes what is older than this.
pub(super) fn retention(tasks: &Tasks, index: &Arc<dyn Index>, retention: Duration) {
    let (index, stop) = (Arc::clone(index), tasks.stop());
    tasks.spawn("retention", async move {
        let mut ticks = ticks(EXPIRE_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            expire(index.as_ref(), retention).await;
        }
    });
}

/// Begins new indexes in a cluster that does not do so by itself, and deletes what is older than this.
pub(super) fn rollover(tasks: &Tasks, index: &Arc<dyn Index>, retention: Option<Duration>) {
    let (index, stop) = (Arc::clone(index), tasks.stop());
    tasks.spawn("rollover", async move {
        let mut ticks = ticks(ROLLOVER_EVERY);
        let mut expired_at: Option<Instant> = None;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let rolled = index.roll_over().await.unwrap_or_else(|error| {
                error!(error = &error as &dyn std::error::Error, "could not begin a new index");
                false
            });
            let due = rolled || expired_at.is_none_or(|at| at.elapsed() >= EXPIRE_EVERY);
            if let Some(retention) = retention.filter(|_| due) {
                expire(index.as_ref(), retention).await;
                expired_at = Some(Instant::now());
            }
        }
    });
}

/// Says while there are dead letters.
pub(super) fn dead_letters(tasks: &Tasks, letters: Arc<DeadLetterStream>, health: Component) {
    let stop = tasks.stop();
    tasks.spawn("dead-letters", async move {
        let mut ticks = ticks(GAUGES_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match letters.len() {
                0 => health.ok(),
                count => health.degraded(format!(
                    "{count} events that the index refused wait: log-sentinel dlq list says why; mend the cause, then \
                     log-sentinel dlq replay or drop"
                )),
            }
        }
    });
}

/// Sets what is to be seen of scoring, and takes newer models from the models' folder.
pub(super) fn models(tasks: &Tasks, service: Arc<anomaly::Service>, health: Component) {
    let stop = tasks.stop();
    let mut told = Vec::new();
    tell_damage(&service, &health, &mut told);
    tasks.spawn("models", async move {
        let mut ticks = ticks(GAUGES_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            set_scoring(&service.stats());
            tell_damage(&service, &health, &mut told);
            reload(Arc::clone(&service)).await;
        }
    });
}

/// Says what of that which was learned cannot be read: in the log when it is found, in the health as long as it
/// is so.
fn tell_damage(service: &anomaly::Service, health: &Component, told: &mut Vec<anomaly::Problem>) {
    let problems = service.problems();
    if problems == *told {
        return;
    }
    for problem in problems.iter().filter(|problem| !told.contains(problem)) {
        error!(what = problem.what, "{}", problem.text);
    }
    gauge!(metric::DAMAGED_LEARNED_FILES).set(problems.len() as f64);
    match problems.as_slice() {
        [] => health.ok(),
        problems => {
            let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
            health.degraded(texts.join("; "));
        }
    }
    *told = problems;
}

fn set_scoring(stats: &anomaly::Stats) {
    gauge!(metric::TEMPLATES).set(stats.templates as f64);
    gauge!(metric::OPEN_SESSIONS).set(stats.open_sessions as f64);
    for (name, count) in [
        (metric::ENDED_SESSIONS, stats.ended_sessions),
        (metric::STRANGE_SESSIONS, stats.strange_sessions),
        (metric::EVICTED_SESSIONS, stats.evicted_sessions),
    ] {
        counter!(name).absolute(count);
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

async fn expire(index: &dyn Index, retention: Duration) {
    let age = i64::try_from(retention.as_nanos()).unwrap_or(i64::MAX);
    match index.expire(intake::system_clock().saturating_add(-age)).await {
        Ok(0) => {}
        Ok(events) => info!(events, "deleted what was older than LOG_SENTINEL_RETENTION"),
        Err(error) => error!(error = &error as &dyn std::error::Error, "could not delete old events"),
    }
}

/// Takes a model that another process put into the models' folder.
async fn reload(anomaly: Arc<anomaly::Service>) {
    match tokio::task::spawn_blocking(move || anomaly.reload()).await {
        Ok(Ok(true)) => info!("a newer anomaly model serves"),
        Ok(Ok(false)) | Err(_) => {}
        Ok(Err(error)) => {
            warn!(
                error = &error as &dyn std::error::Error,
                "a model was refused; the one before goes on serving"
            );
        }
    }
}

/// Says what of the journal was destroyed: it stays said until the next start.
fn report_journal(status: &journal::Status, lost: &Component) {
    let mut reasons: Vec<String> = status.problems.iter().take(REASONS_MAX).map(describe).collect();
    if status.damaged_records > 0 {
        reasons.push(format!(
            "{} events could not be read and are lost; journal/quarantine keeps their bytes where there was room",
            status.damaged_records
        ));
    }
    if !reasons.is_empty() {
        lost.degraded(reasons.join("; "));
    }
}

fn describe(problem: &journal::Problem) -> String {
    format!("{}: {}", problem.path.display(), problem.what)
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
