//! A session as it is learned and judged: the keys of its events in order.

use event::TemplateId;

/// What an event is to a session: most often the id of its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub u64);

impl EventKey {
    /// Stands for all events beyond [`Config::events_max`].
    pub const OTHER: Self = Self(u64::MAX);

    /// The key of an event with this name.
    pub fn of(name: &str) -> Self {
        TemplateId::of(name).into()
    }
}

impl From<TemplateId> for EventKey {
    fn from(id: TemplateId) -> Self {
        Self(id.0)
    }
}

/// A session: its events in order, and its times where they are known.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// The keys of the events.
    pub events: &'a [EventKey],
    /// From the first event to the last, in seconds; 0 where it is not known.
    pub duration_s: f32,
    /// The longest time between two events, in seconds; 0 where it is not known.
    pub gap_s: f32,
}

impl<'a> From<&'a [EventKey]> for Session<'a> {
    fn from(events: &'a [EventKey]) -> Self {
        Self { events, duration_s: 0.0, gap_s: 0.0 }
    }
}
