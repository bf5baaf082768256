//! What a service that runs by itself remembers, in a file. (A collector that scores in its own process keeps it
//! with its index.)

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use metrics::counter;
use telemetry::{
    health::Component,
    metric,
    task::{Stop, Ticks},
};
use tracing::warn;

use crate::journals::Journals;

/// How often it is saved. What came after the last time is forgotten by a crash: the collectors go
/// on where they are, and rates and first sightings of that time are missing.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// Goes on from what was saved in this file, where there is one that can be read; `memory` tells when it cannot.
///
/// # Errors
/// When the file is there and the disk does not give it.
pub fn resume(journals: &Journals, path: &Path, memory: &Component) -> io::Result<()> {
    let snapshot = match fs::read(path) {
        Ok(snapshot) => snapshot,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if let Err(error) = journals.restore(&snapshot) {
        memory.degraded(format!(
            "scoring begins anew, because it cannot read what it remembered of earlier events ({error}); scores are \
             poorer for a while. Restore the file anomaly.window from a backup to have it back"
        ));
    }
    Ok(())
}

/// Saves it in this file from time to time, and at the stop.
pub async fn keep(journals: Arc<Journals>, path: PathBuf, stop: Stop) {
    let mut ticks = Ticks::every(SAVE_EVERY, stop);
    // It is due at once, when there is nothing to save yet.
    ticks.next().await;
    let mut saved = Vec::new();
    loop {
        let goes_on = ticks.next().await;
        saved = save(Arc::clone(&journals), path.clone(), saved).await;
        if !goes_on {
            return;
        }
    }
}

/// Saves unless it is what was saved last; gives what is saved now. What could not be saved is tried again the
/// next time.
async fn save(journals: Arc<Journals>, path: PathBuf, saved: Vec<u8>) -> Vec<u8> {
    let work = telemetry::task::blocking("saving the window", move || {
        let snapshot = journals.snapshot();
        if snapshot == saved {
            return saved;
        }
        if let Err(error) = disk::replace(&path, &snapshot) {
            counter!(metric::FAILED_WINDOW_SAVES).increment(1);
            warn!(
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
