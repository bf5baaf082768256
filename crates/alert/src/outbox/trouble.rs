//! Channels that do not deliver: another one is told, once, and once more when it is over.

use event::Timestamp;
use finding::Level;
use rusqlite::params;
use signal::SignalId;

use super::{
    error::OutboxError,
    queue::{self, Settled, Trouble},
    record::Recorder,
    rows::{self, Kept, id_bytes, nanos},
};
use crate::{
    message::{AlertId, Occasion, Telling},
    route::Planned,
};

/// The kind of alerts of channels.
pub const CHANNEL_DOWN: &str = "channel_down";
/// So many of the alerts that were not delivered are named.
const NAMED_MAX: u32 = 10;

impl Recorder<'_> {
    /// Takes note of what came of a try: a channel that works, or one that does not.
    pub(crate) fn note(&self, channel: &str, settled: Settled, reason: &str) -> Result<(), OutboxError> {
        let trouble = queue::trouble(self.transaction, channel)?;
        if settled == Settled::Delivered {
            let Some(trouble) = trouble else { return Ok(()) };
            self.transaction
                .prepare_cached("DELETE FROM alert_channel WHERE name = ?1")?
                .execute([channel])?;
            return self.over(channel, &trouble);
        }
        let Trouble { since, alert } = trouble.unwrap_or(Trouble { since: self.now, alert: None });
        let lasts = rows::later(since, self.config.trouble_after) <= self.now;
        let told = match alert {
            None if lasts || settled == Settled::Dead => self.tell_another(channel, since, reason)?,
            alert => alert,
        };
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO alert_channel VALUES (?1, ?2, ?3)")?
            .execute(params![channel, nanos(since), told.map(id_bytes)])?;
        Ok(())
    }

    /// Who is told of a channel's trouble: its fallback, or the first other channel that is in none itself.
    fn another(&self, channel: &str) -> Result<Option<String>, OutboxError> {
        let others = self.routes.channels().map(|other| other.name.as_str());
        for other in self.routes.fallback(channel).into_iter().chain(others) {
            if other != channel && queue::trouble(self.transaction, other)?.is_none() {
                return Ok(Some(other.to_owned()));
            }
        }
        Ok(None)
    }

    fn tell_another(
        &self,
        channel: &str,
        since: Timestamp,
        reason: &str,
    ) -> Result<Option<AlertId>, OutboxError> {
        let Some(other) = self.another(channel)? else { return Ok(None) };
        let telling = self.of_trouble(channel, since, reason)?;
        let id = telling.alert;
        let mut alert = Kept { is_of_signal: false, ..Kept::new(telling, self.now) };
        rows::save(self.transaction, &mut alert)?;
        let reasons = [format!("'{channel}' does not deliver, so '{other}' is told")];
        let planned = Planned { channel: other, route: String::new(), due: self.now, group: None };
        rows::tell(self.transaction, &alert, &[planned], &reasons)?;
        Ok(Some(id))
    }

    fn of_trouble(&self, channel: &str, since: Timestamp, reason: &str) -> Result<Telling, OutboxError> {
        let voice = &self.config.voice;
        let waiting = queue::undelivered(self.transaction, channel, since, NAMED_MAX + 1)?;
        let shown = waiting.iter().take(NAMED_MAX as usize).map(|telling| telling.headline(voice));
        let mut names = shown.collect::<Vec<_>>().join("; ");
        if waiting.len() > NAMED_MAX as usize {
            names.push_str("; …");
        }
        let named = blake3::hash(format!("{channel} {}", nanos(since)).as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&named.as_bytes()[..16]);
        let words = voice.trouble(channel, since, reason, &names);
        Ok(Telling {
            alert: AlertId(SignalId(u128::from_be_bytes(id))),
            revision: 1,
            occasion: Occasion::Trouble,
            severity: Level::High,
            kind: CHANNEL_DOWN.to_owned(),
            words: words.bounded(),
            entities: vec![],
            organization: None,
            count: waiting.len() as u64,
            first: since,
            last: self.now,
            recorded: self.now,
            samples: vec![],
            signal: None,
            pages: None,
        })
    }

    fn over(&self, channel: &str, trouble: &Trouble) -> Result<(), OutboxError> {
        let Some(alert) = trouble.alert.map(|id| rows::find(self.transaction, id)).transpose()?.flatten()
        else {
            return Ok(());
        };
        let words = self.config.voice.trouble_is_over(channel, trouble.since, self.now);
        let telling = Telling { words, last: self.now, ..alert.telling.clone() };
        self.end(alert, telling)
    }
}
