//! Sees to it that no two events get one id, when the journal is a copy of one that went on elsewhere:
//! restored from a backup, or cloned.

use std::time::Duration;

use event::{JournalId, Position};
use index::Index;
use journal::Journal;
use telemetry::{health::Component, metric, task::Stop};
use tracing::{error, info, warn};

/// Where the index stands in this journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attached {
    pub(crate) position: Position,
    /// Where the journal ended at the start: what comes before it was received by an earlier process.
    pub(crate) inherited: Position,
    /// It has events of this journal that the journal has not.
    pub(crate) is_ahead: bool,
}

/// Attaches each part of the journal that has an id of its own, the newest last.
pub(crate) fn attach(journal: &Journal, index: &dyn Index, cursor: Position) -> Attached {
    let end = journal.end();
    let mut attached = Attached { position: Position::default(), inherited: end, is_ahead: false };
    for (id, to) in journal.identity().parts() {
        let reached = index.attach(id, cursor, end);
        // What an id has beyond its part belongs to another history.
        attached.position = attached.position.max(reached.min(to).min(end));
        attached.is_ahead = reached.min(to) > end;
    }
    attached
}

/// A journal and the index that its events go to.
pub(crate) struct Pair<'a> {
    pub(crate) journal: &'a Journal,
    pub(crate) index: &'a dyn Index,
    pub(crate) health: &'a Component,
    /// How long to wait before the index is asked again.
    pub(crate) retry: Duration,
}

impl Pair<'_> {
    /// Takes a new id if the index has events of this journal from beyond its end at the start, before
    /// anything is written; false when the program is to stop before that is known.
    pub(crate) async fn identify(&self, attached: &Attached, stop: &Stop) -> bool {
        let from = attached.inherited;
        let current = self.journal.identity().at(from);
        let mut is_ahead = attached.is_ahead;
        while !is_ahead {
            match stop.run_until_cancelled(self.index.reached(current)).await {
                None => return false,
                Some(Ok(reached)) => {
                    is_ahead = reached > from;
                    break;
                }
                Some(Err(failure)) => {
                    let failure = &failure as &dyn std::error::Error;
                    info!(
                        error = failure,
                        "the index does not say yet where this journal ends in it; trying again"
                    );
                    self.health
                        .degraded("the index does not say yet what it has; the journal keeps the events");
                    if stop.run_until_cancelled(tokio::time::sleep(self.retry)).await.is_none() {
                        return false;
                    }
                }
            }
        }
        self.health.ok();
        if is_ahead {
            warn!(
                journal = %current,
                "the index has events of this journal that the journal has not: it was restored from a backup, or its \
                 files were lost. Events from here on get ids of a new journal"
            );
            self.renew(from).await;
        }
        if self.journal.identity().parts().count() > 1 {
            // An index that has nothing of the newest part yet is told where that begins.
            let newest = self.journal.identity().at(from);
            self.index.attach(newest, attached.position, from);
            let nothing = event::Batch { end: attached.position, ..event::Batch::default() };
            if let Err(failure) = self.index.write(&nothing).await {
                warn!(
                    error = &failure as &dyn std::error::Error,
                    "the index could not be told where it stands"
                );
            }
        }
        true
    }

    /// Takes a new id from a place on if another collector goes on with a copy of this journal.
    pub(crate) async fn renew_if_collided(&self, from: Position) {
        let current = self.journal.identity().at(from);
        if self.index.collided() == Some(current) {
            self.renew(from).await;
        }
    }

    /// From a position on, events get ids of a new journal. What cannot be made so now goes on as it
    /// is: an index that meets the same id twice keeps both events.
    async fn renew(&self, from: Position) {
        let id = match JournalId::random() {
            Ok(id) => id,
            Err(failure) => return error!(error = %failure, "there is no new id for the journal"),
        };
        match self.journal.renew(from, id).await {
            Ok(()) => {
                metrics::counter!(metric::JOURNAL_RENEWED).increment(1);
                info!(%from, %id, "the journal has taken a new id");
            }
            Err(failure) => {
                error!(error = &failure as &dyn std::error::Error, "the journal's new id could not be kept");
            }
        }
    }
}
