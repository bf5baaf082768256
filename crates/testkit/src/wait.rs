//! Waiting for a state, never for a duration.

use std::time::{Duration, Instant};

/// How long a state may take to come about before a test gives up. Generous: it costs nothing when
/// all is well.
pub const WAIT_MAX: Duration = Duration::from_secs(120);

/// Asks `probe` until it gives a value.
///
/// # Panics
/// When it gives none within [`WAIT_MAX`]; `what` says what was waited for.
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(start.elapsed() < WAIT_MAX, "waited {WAIT_MAX:?} in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
