//! What the collector was told, held against what procmond tells.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use event::Timestamp;
use process::{Change, ChangeKind, Process, Report, Source, difference};

use super::frames::{Frames, Item};

/// Bytes of frames of one report: as JSON about three times as much.
const REPORT_BYTES: usize = 768 << 10;
/// When changes were given up, a list of all is asked for, but not more often than this.
const LIST_AGAIN: Duration = Duration::from_secs(60);

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    boot_id: String,
    told_by_kernel: bool,
    known: HashMap<u32, Process>,
    /// What the list that is being told has so far; None between lists.
    listed: Option<HashSet<u32>>,
    /// The collector has a whole list.
    is_whole: bool,
    /// Processes of the list have come; what was given up before matters no more.
    has_begun: bool,
    /// The list that is being told lacks some.
    has_gap: bool,
    asked_at: Option<Instant>,
}

impl Told {
    /// The collector may lack what it was told: the next list goes to it whole.
    pub(super) fn begin_anew(&mut self) {
        self.is_whole = false;
    }

    /// A report of what waits, and the last frame in it.
    pub(super) fn take(&mut self, frames: &Frames) -> (Report, Option<(Arc<str>, u64)>) {
        let mut report = Report { source: Source::Procmond, ..Report::default() };
        let mut ask = false;
        let mut is_first = true;
        let last = frames.drain(REPORT_BYTES, |item| {
            // A report is of one list and of one run of the machine.
            if matches!(item, Item::Greeting { .. }) && !is_first {
                return Err(item);
            }
            is_first = false;
            self.item(item, &mut report, &mut ask);
            Ok(())
        });
        report.boot_id.clone_from(&self.boot_id);
        report.told_by_kernel = self.told_by_kernel;
        if ask && self.asked_at.is_none_or(|at| at.elapsed() > LIST_AGAIN) {
            self.asked_at = Some(Instant::now());
            frames.hang_up();
        }
        (report, last)
    }

    fn item(&mut self, item: Item, report: &mut Report, ask: &mut bool) {
        match item {
            Item::Greeting { boot_id, told_by_kernel } => {
                if boot_id != self.boot_id {
                    *self = Self { boot_id, ..Self::default() };
                }
                self.told_by_kernel = told_by_kernel;
                self.listed = Some(HashSet::new());
                (self.has_begun, self.has_gap) = (false, false);
                report.begins = !self.is_whole;
            }
            Item::Change(change) => self.change(*change, report),
            Item::Gap { changes, given_up } => {
                if given_up {
                    report.lost += changes;
                    self.has_gap = true;
                    *ask |= self.has_begun;
                } else {
                    report.unseen += changes;
                }
            }
            Item::Complete { at } => self.complete(at, report),
        }
    }

    fn change(&mut self, mut change: Change, report: &mut Report) {
        change.before = None;
        let pid = change.process.pid;
        if change.kind == ChangeKind::Ended {
            self.known.remove(&pid);
            report.changes.push(change);
            return;
        }
        if change.kind == ChangeKind::Present && !std::mem::replace(&mut self.has_begun, true) {
            self.has_gap = false;
        }
        if let Some(listed) = &mut self.listed {
            listed.insert(pid);
        }
        let before = self.known.insert(pid, change.process.clone());
        let is_told = change.kind == ChangeKind::Present
            && self.is_whole
            && before.is_some_and(|before| {
                before.identity() == change.process.identity()
                    && difference(&before, &change.process).is_none()
            });
        if !is_told {
            report.changes.push(change);
        }
    }

    /// A list is complete: what it does not have has ended, unless a part of it got lost.
    fn complete(&mut self, at: Timestamp, report: &mut Report) {
        let listed = self.listed.take().unwrap_or_default();
        if std::mem::take(&mut self.has_gap) {
            return;
        }
        if !std::mem::replace(&mut self.is_whole, true) {
            report.complete = true;
            self.known.retain(|pid, _| listed.contains(pid));
            return;
        }
        let gone: Vec<u32> = self.known.keys().filter(|pid| !listed.contains(pid)).copied().collect();
        for pid in gone {
            if let Some(process) = self.known.remove(&pid) {
                report.changes.push(Change { kind: ChangeKind::Ended, at, process, before: None });
            }
        }
    }
}
