//! Whose ids the events of which part of a journal have.
//!
//! A journal that goes on from a copy of itself (a backup restored, a folder cloned) would give out ids
//! that other events have already. It takes a new id from one position on instead: what stands before
//! keeps its ids, so that what is sent again is still recognised. The positions are kept as a note:
//!
//! ```text
//! key "identity"   value: version u8 = 1 │ (segment u32, record u32, journal id u128) a renewal, little-endian
//! ```

use event::{EventId, JournalId, Position};

use crate::{AppendError, Batch, Journal, Note, format::array, state::lock};

/// Key of the note.
pub(crate) const NOTE: &[u8] = b"identity";
const VERSION: u8 = 1;
const ENTRY: usize = 24;
/// Renewals that are remembered; older ones only matter while records from before them are there.
const RENEWALS_MAX: usize = 256;

/// The ids of a journal: its own, and those that it took later, each from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    first: JournalId,
    renewals: Vec<(Position, JournalId)>,
}

impl Identity {
    pub(crate) fn new(first: JournalId, note: Option<&[u8]>) -> Self {
        let entries = note.and_then(|note| note.strip_prefix(&[VERSION])).unwrap_or_default();
        let renewals = entries.chunks_exact(ENTRY).map(|entry| {
            let position = Position {
                segment: u32::from_le_bytes(array(entry, 0)),
                record: u32::from_le_bytes(array(entry, 4)),
            };
            (position, JournalId(u128::from_le_bytes(array(entry, 8))))
        });
        Self { first, renewals: renewals.collect() }
    }

    fn note(&self) -> Note {
        let mut value = vec![VERSION];
        for (from, id) in &self.renewals {
            value.extend_from_slice(&from.segment.to_le_bytes());
            value.extend_from_slice(&from.record.to_le_bytes());
            value.extend_from_slice(&id.0.to_le_bytes());
        }
        Note { key: NOTE.to_vec(), value: Some(value) }
    }

    /// Which id events at this position have.
    pub fn at(&self, position: Position) -> JournalId {
        let renewal = self.renewals.iter().rev().find(|(from, _)| *from <= position);
        renewal.map_or(self.first, |(_, id)| *id)
    }

    /// The id of the event at this position.
    pub fn event(&self, position: Position) -> EventId {
        EventId { journal: self.at(position), position }
    }

    /// Each id with the position behind the last event that may have it, oldest first.
    pub fn parts(&self) -> impl Iterator<Item = (JournalId, Position)> + '_ {
        let last = Position { segment: u32::MAX, record: u32::MAX };
        let ids = std::iter::once(self.first).chain(self.renewals.iter().map(|(_, id)| *id));
        ids.zip(self.renewals.iter().map(|(from, _)| *from).chain([last]))
    }
}

impl Journal {
    /// Whose ids its events have.
    pub fn identity(&self) -> Identity {
        let state = lock(&self.shared().state);
        Identity::new(self.id(), state.notes.get(NOTE))
    }

    /// Gives events from this position on another journal's id; durable when it returns. To be called
    /// by whoever hands ids on, with a position of which nothing was handed on yet.
    ///
    /// # Errors
    /// When the note could not be written: then nothing has changed.
    pub async fn renew(&self, from: Position, id: JournalId) -> Result<(), AppendError> {
        let mut identity = self.identity();
        // Behind the place where the new id begins there is nothing that an earlier renewal could name.
        identity.renewals.retain(|(position, _)| *position < from);
        identity.renewals.push((from, id));
        let surplus = identity.renewals.len().saturating_sub(RENEWALS_MAX);
        identity.renewals.drain(..surplus);
        let mut batch = Batch::new();
        batch.note(identity.note());
        self.append(batch).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_before_a_renewal_keeps_its_id() {
        let at = |segment, record| Position { segment, record };
        let mut identity = Identity::new(JournalId(1), None);
        assert_eq!(identity.at(at(9, 9)), JournalId(1));
        identity.renewals = vec![(at(1, 5), JournalId(2)), (at(3, 0), JournalId(3))];
        let identity = Identity::new(JournalId(1), identity.note().value.as_deref());
        let ids = [at(0, 0), at(1, 4), at(1, 5), at(2, 7), at(3, 0), at(9, 9)].map(|at| identity.at(at).0);
        assert_eq!(ids, [1, 1, 2, 2, 3, 3]);
        let parts: Vec<_> = identity.parts().map(|(id, to)| (id.0, to)).collect();
        assert_eq!(parts, [(1, at(1, 5)), (2, at(3, 0)), (3, at(u32::MAX, u32::MAX))]);
    }

    #[test]
    fn a_note_of_a_later_version_or_half_of_one_is_not_guessed_at() {
        assert_eq!(Identity::new(JournalId(1), Some(&[2, 0, 0])).at(Position::default()), JournalId(1));
        assert_eq!(Identity::new(JournalId(1), Some(&[VERSION, 1])).at(Position::default()), JournalId(1));
    }
}
