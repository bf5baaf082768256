//! One kind of session: how long its sessions are silent, and those that have ended.

use super::{
    closed::{self, Closed, Reservoir},
    idle::Idle,
    models::Lessons,
    repeats::Repeats,
};
use crate::model::EventKey;

/// Sessions from which a kind is learned.
pub(super) const FIRST: usize = 100;
/// Event time after which it is learned anew, if sessions came.
const AGAIN_NANOS: i64 = 7 * 86_400 * 1_000_000_000;

#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) id: u64,
    /// What the key is called.
    pub(super) label: String,
    /// Whether the key need not prove itself.
    pub(super) is_certain: bool,
    idle: Idle,
    /// Nanoseconds after which a silent session has ended.
    pub(super) limit: i64,
    pub(super) closed: Reservoir,
    /// Event time of its latest event.
    pub(super) used: i64,
    /// Sessions that had come, and event time, when it was learned last.
    pub(super) trained: u64,
    pub(super) trained_at: i64,
    /// Whether templates of its model have become one.
    pub(super) is_stale: bool,
    pub(super) repeats: Repeats,
}

impl Kind {
    pub(super) fn new(id: u64, label: String, is_certain: bool, clock: i64) -> Self {
        Self::of((id, label, is_certain), Idle::default(), Reservoir::default(), clock)
    }

    /// With what was saved of it.
    pub(super) fn of(
        (id, label, is_certain): (u64, String, bool),
        idle: Idle,
        closed: Reservoir,
        used: i64,
    ) -> Self {
        let limit = idle.limit();
        let repeats = Repeats::default();
        Self {
            id,
            label,
            is_certain,
            idle,
            limit,
            closed,
            used,
            trained: 0,
            trained_at: 0,
            is_stale: false,
            repeats,
        }
    }

    pub(super) fn idle(&self) -> &Idle {
        &self.idle
    }

    pub(super) fn learn_gap(&mut self, gap: i64) {
        self.idle.learn(gap);
        self.limit = self.idle.limit();
    }

    /// Nanoseconds past which nothing more is to be expected of a session.
    pub(super) fn usual(&self) -> i64 {
        self.idle.usual()
    }

    /// Sessions that came since it was learned.
    pub(super) fn since(&self) -> u64 {
        self.closed.came.saturating_sub(self.trained)
    }

    /// Whether it is to be learned: at first, when twice as many have come, later, and when templates have
    /// become one.
    pub(super) fn is_due(&self, clock: i64) -> bool {
        let (kept, came) = (self.closed.kept.len(), self.closed.came);
        if kept < FIRST {
            return false;
        }
        let aged =
            clock.saturating_sub(self.trained_at) >= AGAIN_NANOS && came >= self.trained + FIRST as u64;
        self.is_stale && came > self.trained || came >= 2 * self.trained || aged
    }

    pub(super) fn lessons(&mut self, clock: i64, current: impl Fn(EventKey) -> EventKey) -> Lessons {
        (self.trained, self.trained_at) = (self.closed.came, clock);
        let session = |closed: &Closed| {
            (closed::all(&closed.events, &closed.more, &current), [closed.duration_s, closed.gap_s])
        };
        Lessons {
            id: self.id,
            label: self.label.clone(),
            came: self.closed.came,
            sessions: self.closed.kept.iter().map(session).collect(),
        }
    }
}
