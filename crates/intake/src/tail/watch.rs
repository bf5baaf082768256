//! What the operating system reports of the watched directories, gathered until it is looked at.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Paths remembered between two looks; more of them mean a scan.
const PATHS_MAX: usize = 10_000;

/// What has changed since the last look.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) paths: HashSet<PathBuf>,
    /// Something was missed, or directories changed: look at everything.
    pub(crate) rescan: bool,
    /// The watcher failed with this.
    pub(crate) failure: Option<String>,
}

#[derive(Debug, Default)]
struct Gathered {
    changes: Mutex<Changes>,
    changed: Condvar,
}

/// The one watcher; without it, when the operating system has none to give, there is polling.
#[derive(Debug)]
pub(crate) struct Watch {
    gathered: Arc<Gathered>,
    watcher: Option<RecommendedWatcher>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let gathered = Arc::<Gathered>::default();
        let sink = gathered.clone();
        let watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| sink.add(event));
        let mut watch = Self { gathered, watcher: None };
        match watcher {
            Ok(watcher) => watch.watcher = Some(watcher),
            Err(error) => watch.poll_instead(&error.to_string()),
        }
        watch
    }

    /// Starts watching a directory; a failure ends watching altogether.
    pub(crate) fn add(&mut self, dir: &Path, recursive: bool) {
        let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        if let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.watch(dir, mode)
        {
            self.poll_instead(&format!("{}: {error}", dir.display()));
        }
    }

    /// Gives up the watcher: from now on the scans alone find what is new.
    pub(crate) fn poll_instead(&mut self, reason: &str) {
        self.watcher = None;
        tracing::warn!("files are polled, because the operating system does not report changes ({reason})");
    }

    /// Waits for changes, for so long at most.
    pub(crate) fn wait(&self, timeout: Duration) -> Changes {
        let changes = self.gathered.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing =
            |changes: &mut Changes| changes.paths.is_empty() && !changes.rescan && changes.failure.is_none();
        let waited = self.gathered.changed.wait_timeout_while(changes, timeout, nothing);
        let (mut changes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut changes)
    }
}

impl Gathered {
    fn add(&self, event: notify::Result<notify::Event>) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Err(error) => changes.failure = Some(error.to_string()),
            Ok(event) if event.need_rescan() => changes.rescan = true,
            // Our own reading is no change.
            Ok(event) if event.kind.is_access() => return,
            Ok(event) => {
                changes.paths.extend(event.paths);
                if changes.paths.len() > PATHS_MAX {
                    changes.paths = HashSet::new();
                    changes.rescan = true;
                }
            }
        }
        drop(changes);
        self.changed.notify_one();
    }
}
