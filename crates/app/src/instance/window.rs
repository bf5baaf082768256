//! What an anomaly service of its own remembers of the stream, in a file of its own.

use std::{fs, io, path::Path, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{build::Build, error::StartError};

/// How often it is saved. What came after the last time is forgotten by a crash: the collectors go
/// on where they are, and rates and first sightings of that time are missing.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// Restores what was saved last, and saves it from time to time and at the end.
pub(super) fn start(build: &Build<'_>, service: api::AnomalyGrpc) -> Result<(), StartError> {
    let dir = &build.settings.data;
    let failed = |path: &Path, source| StartError::Data { path: path.to_owned(), source };
    let path = dir.join("anomaly.window");
    match fs::read(&path) {
        Ok(snapshot) => {
            if let Err(error) = service.restore(&snapshot) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "scoring begins anew, because it cannot read what it remembered of earlier events; scores are \
                     poorer for a while. Restore the file anomaly.window from a backup to have it back"
                );
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed(&path, source)),
    }
    let stop = build.back.stop();
    build.back.spawn("anomaly-window", async move {
        let mut ticks = interval(SAVE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        let mut saved = vec![];
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            saved = save(&service, &path, saved).await;
        }
        save(&service, &path, saved).await;
    });
    Ok(())
}

/// Saves the window unless it is what was saved last; gives what is saved now. What could not be saved is tried
/// again the next time.
async fn save(service: &api::AnomalyGrpc, path: &Path, saved: Vec<u8>) -> Vec<u8> {
    let (service, path) = (service.clone(), path.to_owned());
    let work = tokio::task::spawn_blocking(move || {
        let snapshot = service.snapshot();
        if snapshot == saved {
            return saved;
        }
        if let Err(error) = disk::replace(&path, &snapshot) {
            metrics::counter!(telemetry::metric::FAILED_WINDOW_SAVES).increment(1);
            tracing::warn!(
                %error,
                path = %path.display(),
                "what scoring remembers could not be saved, and is saved at the next try; look at the disk"
            );
            return saved;
        }
        snapshot
    });
    work.await.unwrap_or_default()
}
