//! Whether the thread that reads watched files gets on.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use telemetry::{
    health::Component,
    task::{Stop, Ticks},
};

/// A step takes less than this, unless a disk or a network file system hangs.
const STEP_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the reading thread is at. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    beat: Arc<Mutex<Option<Beat>>>,
}

#[derive(Debug)]
struct Beat {
    at: Instant,
    step: &'static str,
    path: Option<PathBuf>,
}

impl Pulse {
    pub(super) fn beat(&self, step: &'static str, path: Option<&Path>) {
        let beat = Beat { at: Instant::now(), step, path: path.map(Path::to_owned) };
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(beat);
    }

    pub(super) fn end(&self) {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Reports as degraded, until a stop, while the thread has been at one step for longer than 30 s.
    pub async fn watch(self, health: Component, stop: Stop) {
        let mut ticks = Ticks::every(LOOK_EVERY, stop);
        while ticks.next().await {
            match self.stands_since(Instant::now()) {
                Some(reason) => health.degraded(reason),
                None => health.ok(),
            }
        }
    }

    fn stands_since(&self, now: Instant) -> Option<String> {
        let beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        let beat = beat.as_ref().filter(|beat| now.saturating_duration_since(beat.at) > STEP_MAX)?;
        let path = beat.path.as_ref().map(|path| format!(" {path:?}")).unwrap_or_default();
        let seconds = now.saturating_duration_since(beat.at).as_secs();
        Some(format!(
            "no watched file is read: {}{path} has taken {seconds} s; look whether the disk answers",
            beat.step
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_stands_still_is_told_with_what_it_stands_at() {
        let pulse = Pulse::default();
        let later = || Instant::now() + STEP_MAX + Duration::from_secs(1);
        assert_eq!(pulse.stands_since(later()), None, "not begun");
        pulse.beat("reading", Some(Path::new("/l/a\nb.log")));
        assert_eq!(pulse.stands_since(Instant::now()), None);
        let reason = pulse.stands_since(later()).unwrap();
        assert!(reason.contains(r#"reading "/l/a\nb.log" has taken"#), "{reason}");
        pulse.end();
        assert_eq!(pulse.stands_since(later()), None, "ended");
    }
}
