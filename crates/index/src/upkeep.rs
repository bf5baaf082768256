//! What an index has to do from time to time: letting go of what is too old, beginning new units of storage.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::Timestamp;
use telemetry::task::{Stop, Ticks};
use tracing::{error, info};

use crate::Index;

/// How often expired events are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);
/// How often it is looked whether a unit of storage has reached a bound.
const ROLL_OVER_EVERY: Duration = Duration::from_secs(30);

/// Is told how many events were deleted, and that they were older than this; None when that failed.
pub type Told = Arc<dyn Fn(Option<u64>, Timestamp) + Send + Sync>;

/// Deletes, until a stop, what is older than this by a clock.
pub async fn expire(
    index: Arc<dyn Index>,
    retention: Duration,
    now: fn() -> Timestamp,
    (told, stop): (Told, Stop),
) {
    let mut ticks = Ticks::every(EXPIRE_EVERY, stop);
    while ticks.next().await {
        expire_once(index.as_ref(), now().saturating_sub(retention), &told).await;
    }
}

/// Begins new units of storage until a stop, where the server does not do so by itself, and deletes what is
/// older than this.
pub async fn roll_over(
    index: Arc<dyn Index>,
    retention: Option<Duration>,
    now: fn() -> Timestamp,
    (told, stop): (Told, Stop),
) {
    let mut ticks = Ticks::every(ROLL_OVER_EVERY, stop);
    let mut expired_at: Option<Instant> = None;
    while ticks.next().await {
        let rolled = index.roll_over().await.unwrap_or_else(|error| {
            error!(error = &error as &dyn std::error::Error, "could not begin a new index");
            false
        });
        let due = rolled || expired_at.is_none_or(|at| at.elapsed() >= EXPIRE_EVERY);
        if let Some(retention) = retention.filter(|_| due) {
            expire_once(index.as_ref(), now().saturating_sub(retention), &told).await;
            expired_at = Some(Instant::now());
        }
    }
}

async fn expire_once(index: &dyn Index, before: Timestamp, told: &Told) {
    match index.expire(before).await {
        Ok(0) => {}
        Ok(events) => {
            info!(events, "deleted what was older than LOG_SENTINEL_RETENTION");
            told(Some(events), before);
        }
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "could not delete old events");
            told(None, before);
        }
    }
}
