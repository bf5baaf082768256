//! Finished texts that are sent once, such as a report that was due: by the outbox, like alerts.

use event::Timestamp;
use finding::Level;
use signal::SignalId;

use super::{
    error::OutboxError,
    record::Recorder,
    rows::{self, Kept},
    store::Outbox,
};
use crate::{
    channel::ChannelKind,
    message::{AlertId, Occasion, Pages, Telling, Words},
    route::Planned,
};

/// The kind of what stands for a report among alerts.
pub const REPORT: &str = "report";
/// A page of more bytes is left out, and its words are sent alone.
const PAGE_BYTES_MAX: usize = 4 << 20;

/// Something to read that is sent once.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// What it is known by: the same name is sent once, whatever happens.
    pub name: String,
    /// In short.
    pub words: Words,
    /// As a whole, for channels that carry pages.
    pub pages: Pages,
    /// The time that it is about.
    pub period: (Timestamp, Timestamp),
    /// Over which channels; where none is named, over all that send mail.
    pub channels: Vec<String>,
}

impl Outbox {
    /// Whether something of this name was published.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_published(&self, name: &str) -> Result<bool, OutboxError> {
        self.database.read(|transaction| Ok(rows::find(transaction, id_of(name))?.is_some()))
    }

    /// Records something to be sent, in one transaction; what was recorded under the same name before is not sent
    /// again. Gives the channels that it goes to: none where it was published before or nothing sends it.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn publish(&self, published: Published, now: Timestamp) -> Result<Vec<String>, OutboxError> {
        let routes = self.routes();
        let is_wanted = |name: &str, kind: &ChannelKind| match published.channels.as_slice() {
            [] => matches!(kind, ChannelKind::Email(_)),
            named => named.iter().any(|named| named == name),
        };
        let channels = routes.channels().filter(|channel| is_wanted(&channel.name, &channel.kind));
        let channels: Vec<String> = channels.map(|channel| channel.name.clone()).collect();
        if channels.is_empty() {
            return Ok(channels);
        }
        let is_new = self
            .database
            .write(|transaction| self.recorder(transaction, &routes, now).publish(&published, &channels))?;
        self.wake();
        Ok(if is_new { channels } else { Vec::new() })
    }
}

impl Recorder<'_> {
    fn publish(&self, published: &Published, channels: &[String]) -> Result<bool, OutboxError> {
        let id = id_of(&published.name);
        if rows::find(self.transaction, id)?.is_some() {
            return Ok(false);
        }
        let (first, last) = published.period;
        let is_bounded = published.pages.html.len().max(published.pages.plain.len()) <= PAGE_BYTES_MAX;
        let telling = Telling {
            alert: id,
            revision: 1,
            occasion: Occasion::Report,
            severity: Level::Informational,
            kind: REPORT.to_owned(),
            words: published.words.clone().bounded(),
            entities: vec![],
            organization: None,
            count: 0,
            first,
            last,
            recorded: self.now,
            samples: vec![],
            signal: None,
            pages: None,
        };
        let mut alert = Kept { is_of_signal: false, is_open: false, ..Kept::new(telling, self.now) };
        rows::save(self.transaction, &mut alert)?;
        // Its pages stand with what is sent; lists need them not.
        alert.telling.pages = is_bounded.then(|| published.pages.clone());
        let planned: Vec<Planned> = channels
            .iter()
            .map(|channel| Planned {
                channel: channel.clone(),
                route: String::new(),
                due: self.now,
                group: None,
            })
            .collect();
        rows::tell(self.transaction, &alert, &planned, &["a report that was due".to_owned()])?;
        Ok(true)
    }
}

fn id_of(name: &str) -> AlertId {
    let named = blake3::hash(format!("published {name}").as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&named.as_bytes()[..16]);
    AlertId(SignalId(u128::from_be_bytes(id)))
}
