//! What may be asked of an index, and its answers.

use event::{Analyzed, Document, EventId, JournalId, Position, TemplateId, Timestamp};
use query::Query;
use serde::Serialize;

use crate::{Order, SortKey};

/// Which events a request is about.
#[derive(Debug, Clone)]
pub struct Selection {
    /// What they must match.
    pub query: Query,
    /// Earliest `@timestamp`, inclusive.
    pub from: Option<Timestamp>,
    /// Latest `@timestamp`, exclusive.
    pub to: Option<Timestamp>,
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self { query: Query::All, from: None, to: None }
    }

    /// Whether an event is selected.
    pub fn matches(&self, analyzed: &Analyzed<'_>) -> bool {
        let Analyzed { id, event, template, verdict, .. } = analyzed;
        self.from.is_none_or(|from| event.timestamp >= from)
            && self.to.is_none_or(|to| event.timestamp < to)
            && self.query.matches(*id, event, template.as_deref(), verdict)
    }
}

/// A search. Hits are ordered by `@timestamp`, then by id, both falling or both rising.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// Which events.
    pub selection: Selection,
    /// Which hits come first.
    pub order: Order,
    /// How many hits at most; 0 asks for the total alone.
    pub limit: usize,
    /// Only hits behind this one, in that order.
    pub after: Option<SortKey>,
    /// Hits end early when their documents have so many bytes as JSON; one comes in any case.
    pub bytes_max: usize,
    /// Whether the total is wanted. Further pages of an answer need none.
    pub counted: bool,
}

impl SearchRequest {
    /// The newest hits and the total, with no bound but their number.
    pub fn new(selection: Selection, limit: usize) -> Self {
        Self {
            selection,
            order: Order::NewestFirst,
            limit,
            after: None,
            bytes_max: usize::MAX,
            counted: true,
        }
    }
}

/// A hit.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its place in the order.
    pub key: SortKey,
    /// The nested ECS document.
    pub document: Document,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult {
    /// Number of matching events, exact, whatever `limit` and `after` were; 0 when it was not wanted.
    pub total: u64,
    /// At most `limit` of them, within `bytes_max`.
    pub hits: Vec<Hit>,
    /// Where to go on, when there is more behind the last of these hits; None without hits.
    pub next: Option<SortKey>,
    /// The journal position that the answer covers: everything before it was looked at.
    pub covered: Position,
}

/// Events of a journal in its order, for who follows it.
#[derive(Debug, Clone)]
pub struct FollowRequest {
    /// What they must match.
    pub query: Query,
    /// Which journal.
    pub journal: JournalId,
    /// Where to begin.
    pub from: Position,
    /// As in [`SearchRequest`].
    pub bytes_max: usize,
}

impl FollowRequest {
    /// Whether an event is of the journal and at or behind where to begin.
    pub(crate) fn reaches(&self, id: EventId) -> bool {
        id.journal == self.journal && id.position >= self.from
    }
}

/// Some of the events from a position on: as many as fit, or none of many that do not match.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// Those that match, in the order of the journal.
    pub hits: Vec<Hit>,
    /// Everything before it was looked at: where to go on. It is the position asked for when the
    /// index has nothing from there on.
    pub end: Position,
}

/// The most frequent values of a field.
#[derive(Debug, Clone)]
pub struct FieldValuesRequest {
    /// Which events.
    pub selection: Selection,
    /// Dotted path.
    pub field: String,
    /// How many values.
    pub limit: usize,
}

/// Values with counts, falling by count, then rising by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValues {
    /// Value as text (numbers and booleans as JSON, enumerations in lower case), and the number of
    /// events that have it, alone or in a list.
    pub values: Vec<(String, u64)>,
    /// Matching events that have the field.
    pub total: u64,
    /// Number of distinct values met.
    pub distinct: u64,
    /// As in [`SearchResult`].
    pub covered: Position,
}

/// A field that occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldInfo {
    /// Dotted path.
    pub name: String,
    /// `keyword`, `text`, `long`, `double`, `boolean`, `date` or `ip`: by
    /// [`FieldKind::of`](event::FieldKind::of), whatever the values are.
    pub kind: String,
    /// Events in which it has a value: neither null nor an empty list.
    pub count: u64,
}

/// The most frequent templates.
#[derive(Debug, Clone)]
pub struct PatternsRequest {
    /// Which events.
    pub selection: Selection,
    /// How many templates.
    pub limit: usize,
}

/// One template and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Its id.
    pub id: TemplateId,
    /// Its text.
    pub text: String,
    /// Matching events.
    pub count: u64,
    /// Of the earliest of them.
    pub first: Timestamp,
    /// Of the latest of them.
    pub last: Timestamp,
    /// Of the most severe of them.
    pub severity: event::Severity,
    /// The highest anomaly score among them.
    pub score_max: f32,
    /// How many of them are anomalies.
    pub anomalies: u64,
}

/// Templates, falling by count, then rising by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    /// At most `limit`.
    pub patterns: Vec<Pattern>,
    /// Number of distinct templates met.
    pub distinct: u64,
    /// Matching events.
    pub total: u64,
    /// As in [`SearchResult`].
    pub covered: Position,
}

/// A part of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalRange {
    /// Which journal.
    pub journal: JournalId,
    /// Its first event.
    pub start: Position,
    /// Behind its last event.
    pub end: Position,
}

/// A file of an index that is lost, and where its events came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostFile {
    /// Its number.
    pub number: u64,
    /// Events it held.
    pub events: u64,
    /// Where they stood, in rising order.
    pub ranges: Vec<JournalRange>,
}

/// What of an index is known to be destroyed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// Files or parts of files.
    pub places: u64,
    /// Events in them, as far as that is known.
    pub events: u64,
    /// What happened to each, in words; the first of them where there are many.
    pub reasons: Vec<String>,
}

/// Figures for metrics and health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexStats {
    /// Searchable events.
    pub events: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Files or other units of storage.
    pub segments: u64,
    /// Events searchable but not yet durable here (the journal has them).
    pub open_events: u64,
    /// Files that are missing or were set aside because they were damaged, and blocks of files left out.
    pub damaged: u64,
}
