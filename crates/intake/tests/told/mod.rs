//! A journal, and what came into it since it was last asked.

use std::path::Path;

use event::{Event, Position};
use journal::Journal;

pub(crate) struct Told {
    pub(crate) journal: Journal,
    read: Position,
}

impl Told {
    /// Of a journal below a folder, from its beginning on.
    pub(crate) fn open(dir: &Path) -> Self {
        let config =
            journal::Config { segment_bytes: 1 << 20, budget_bytes: 16 << 20, ..journal::Config::new(dir) };
        Self { journal: Journal::open(config).unwrap(), read: Position::default() }
    }

    pub(crate) fn events(&mut self) -> Vec<Event<'static>> {
        let records = self.journal.read(self.read, 16 << 20).unwrap();
        self.read = records.end();
        records.iter().map(|(_, record)| event::codec::decode(record).unwrap().into_owned()).collect()
    }

    pub(crate) fn messages(&mut self) -> Vec<String> {
        self.events().into_iter().map(|event| event.message.into_owned()).collect()
    }
}
