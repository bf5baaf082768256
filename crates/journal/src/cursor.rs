//! Named, durable read positions.

use std::sync::Arc;

use event::Position;

use crate::{
    ReadError,
    state::{Shared, lock},
};

/// A named, durable read position. Segments are kept while a cursor needs them.
#[derive(Debug)]
pub struct Cursor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) name: String,
}

impl Cursor {
    /// The first record not yet committed.
    pub fn position(&self) -> Position {
        let state = lock(&self.shared.state);
        state.cursors.get(&self.name).map_or_else(|| state.start(), |cursor| cursor.position)
    }

    /// Moves forward, durably; segments that no cursor needs any more go. An earlier position changes
    /// nothing.
    ///
    /// # Errors
    /// When `position` lies beyond the journal's end, or the cursor's file cannot be written: then the
    /// cursor stays where it was and the commit may be tried again.
    pub fn commit(&mut self, position: Position) -> Result<(), ReadError> {
        // Else two that commit at once might write the same slot, or the later one the earlier position.
        let files = lock(&self.shared.cursor_files);
        let (mut cursor, end) = {
            let state = lock(&self.shared.state);
            let Some(cursor) = state.cursors.get(&self.name) else { return Ok(()) };
            (cursor.clone(), state.end)
        };
        if position > end {
            return Err(ReadError::Beyond { position, end });
        }
        if position < cursor.position || (position == cursor.position && cursor.exists) {
            return Ok(());
        }
        cursor.write(&self.shared.disk, self.shared.key.id, position).map_err(|source| ReadError::Io {
            action: "write",
            path: cursor.path.clone(),
            source,
        })?;
        lock(&self.shared.state).cursors.insert(self.name.clone(), cursor);
        drop(files);
        self.shared.trim();
        self.shared.wake.notify_all();
        Ok(())
    }
}
