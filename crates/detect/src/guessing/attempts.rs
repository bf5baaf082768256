//! How many attempts lines tell of, where several lines tell of one.

use event::Event;
use serde::{Deserialize, Serialize};

use crate::{
    Kind, Origin, Seen,
    table::{Occupancy, Table},
    window::{LATENESS, nanos},
};

/// A connection is another one when nothing came of it for so long: numbers of processes come again.
const PAUSE_NANOS: i64 = nanos(LATENESS);
/// Spellings of one attempt that are told apart.
const FORMS_MAX: usize = 8;

/// What one process says of one address; all processes of a service that has no process for each connection.
type Connection = (u64, u64, Origin);

/// Attempts of connections: an sshd says of one attempt that the user is invalid, that the password is, and
/// that the connection was closed. Each spelling counts for itself, and the most of any spelling are the
/// attempts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attempts {
    connections: Table<Connection, Forms>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Forms {
    /// Spelling and how often it was met.
    counts: Vec<(u64, u32)>,
    latest: i64,
}

impl Attempts {
    pub(super) fn new(connections_max: usize) -> Self {
        Self { connections: Table::new(connections_max) }
    }

    pub(super) fn take_up(&mut self, kept: Self) {
        self.connections.take_up(kept.connections);
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        self.connections.occupancy(FORMS_MAX * size_of::<(u64, u32)>())
    }

    /// How many attempts more an event tells of: 0 where it only says again what was said.
    pub(super) fn more(&mut self, seen: &Seen<'_>, service: &str, origin: Origin, is_ssh: bool) -> u32 {
        let event = &seen.analyzed.event;
        let pid = event.field("process.pid").filter(|_| is_ssh);
        let (pid, form) = match pid {
            Some(pid) => (hash(&pid.to_json().to_string()), form(&event.message)),
            None => (0, u64::from(seen.activity.kind == Kind::PamFailedAuth)),
        };
        let connection = (hash(event.host.as_deref().unwrap_or_default()) ^ hash(service), pid, origin);
        let at = seen.at().as_nanos();
        let forms = self.connections.touch(&connection);
        if at.abs_diff(forms.latest) > PAUSE_NANOS.unsigned_abs() {
            forms.counts.clear();
        }
        forms.latest = forms.latest.max(at);
        let before = forms.most();
        match forms.counts.iter().position(|(known, _)| *known == form) {
            Some(place) => forms.counts[place].1 = forms.counts[place].1.saturating_add(seen.activity.times),
            None if forms.counts.len() < FORMS_MAX => forms.counts.push((form, seen.activity.times)),
            None => {}
        }
        forms.most() - before
    }
}

impl Forms {
    fn most(&self) -> u32 {
        self.counts.iter().map(|(_, count)| *count).max().unwrap_or(0)
    }
}

/// A hash of the first word that says what happened.
fn form(message: &str) -> u64 {
    let inner = message.strip_prefix("message repeated ").and_then(|rest| rest.split_once("[ "));
    let text = inner.map_or(message, |(_, inner)| inner);
    let text = ["error: ", "fatal: ", "info: "]
        .iter()
        .fold(text, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    hash(text.split([' ', ':', ';']).next().unwrap_or_default())
}

pub(super) fn hash(text: &str) -> u64 {
    arithmetic::hash(text.as_bytes())
}

/// The name of the service that says so: the program, without the part of it.
pub(super) fn service_of<'e>(event: &'e Event<'_>) -> &'e str {
    let name = event.source.as_deref().unwrap_or_default();
    name.split(['/', '[']).next().unwrap_or_default()
}
