//! Changes of signals become alerts and deliveries.

use std::collections::BTreeMap;

use event::Timestamp;
use finding::Level;
use rusqlite::{Transaction, params};
use signal::{Change, Happening, Signal, State};

use super::{
    config::Config,
    error::OutboxError,
    rows::{self, Acknowledged, DEAD, Kept, later, timestamp},
};
use crate::{
    channel::ChannelKind,
    message::{AlertId, Occasion, Telling, Words, seconds},
    route::{Decision, Planned, Routes},
};

/// Open alerts of a host that are looked at for whether they silence another one.
const OPEN_MAX: u32 = 200;

/// Alerts that may silence others, the newest first.
pub(crate) const OPEN: &str = "FROM alert WHERE is_open AND NOT is_held ORDER BY number DESC LIMIT ?1";
/// Those of a machine.
pub(crate) const OPEN_OF_HOST: &str =
    "FROM alert WHERE host = ?1 AND is_open AND NOT is_held ORDER BY number DESC LIMIT ?2";

pub(crate) const REPEAT: &str = "repeat";
pub(crate) const ESCALATE: &str = "escalate";
pub(crate) const RECHECK: &str = "recheck";

/// Puts a signal into words.
pub type InWords = Box<dyn Fn(&Signal) -> Words + Send + Sync>;

/// What recording needs.
pub(crate) struct Recorder<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) routes: &'a Routes,
    pub(crate) words: &'a InWords,
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
}

impl Recorder<'_> {
    pub(crate) fn take(&self, change: &Change) -> Result<(), OutboxError> {
        let alert = rows::find(self.transaction, AlertId(change.signal.id))?;
        match (change.what, alert) {
            (Happening::New | Happening::Shown, _) if change.signal.state == State::Resolved => Ok(()),
            (Happening::New | Happening::Shown | Happening::Reopened, alert) => {
                self.raise(&change.signal, Occasion::Raised, alert)
            }
            (Happening::Escalated, Some(alert)) if alert.is_open => {
                self.raise(&change.signal, Occasion::Escalated, Some(alert))
            }
            (Happening::Escalated, alert) => self.raise(&change.signal, Occasion::Raised, alert),
            (Happening::Grew, Some(alert)) => self.update(&change.signal, alert),
            (Happening::Acknowledged, Some(alert)) => self.acknowledge(alert, change.by.as_deref()),
            (Happening::Noted, Some(alert)) if change.by.as_deref() == Some(signal::ASSISTANT) => {
                self.assess(alert, change.note.as_deref().unwrap_or_default())
            }
            (Happening::Resolved, Some(alert)) => self.resolve(&change.signal, alert),
            (Happening::Snoozed, Some(mut alert)) => {
                alert.snoozed_until = change.signal.standing.snoozed_until;
                rows::save(self.transaction, &mut alert)
            }
            (Happening::Hidden, Some(alert)) => {
                rows::stop_timers(self.transaction, alert.number)?;
                rows::withdraw(
                    self.transaction,
                    alert.number,
                    None,
                    "withdrawn: its signal is hidden",
                    self.now,
                )
            }
            _ => Ok(()),
        }
    }

    fn raise(&self, signal: &Signal, occasion: Occasion, before: Option<Kept>) -> Result<(), OutboxError> {
        if signal.standing.hidden {
            return Ok(());
        }
        let revision = before.as_ref().map_or(1, |alert| alert.telling.revision.saturating_add(1));
        let telling = Telling::of(signal, (self.words)(signal), occasion, revision, self.now);
        let is_alert = telling.severity >= Level::Medium || self.routes.wants(&telling, self.now);
        if !is_alert && before.is_none() {
            return Ok(());
        }
        let acknowledged = before.as_ref().and_then(|alert| alert.acknowledged.clone());
        let mut alert = Kept {
            raised: before.as_ref().map_or(self.now, |alert| alert.raised),
            acknowledged: acknowledged.filter(|_| signal.state == State::Acknowledged),
            snoozed_until: signal.standing.snoozed_until,
            ..Kept::new(telling, self.now)
        };
        let decision = self.decide(signal, &mut alert)?;
        rows::save(self.transaction, &mut alert)?;
        let awake = alert.snoozed_until.filter(|until| *until > self.now);
        let look_again = awake.or(alert.is_held.then_some(later(self.now, self.config.recheck)));
        if let Some(due) = look_again {
            rows::set_timer(self.transaction, alert.number, RECHECK, "", due)?;
        }
        rows::tell(self.transaction, &alert, &decision.planned, &decision.reasons)?;
        self.watch(&alert, &decision.planned)
    }

    /// What would become of a signal that is raised now; nothing is written.
    pub(crate) fn preview(&self, signal: &Signal) -> Result<Decision, OutboxError> {
        let telling = Telling::of(signal, (self.words)(signal), Occasion::Raised, 1, self.now);
        let snoozed_until = signal.standing.snoozed_until;
        let is_alert = telling.severity >= Level::Medium || self.routes.wants(&telling, self.now);
        match is_alert && !signal.standing.hidden {
            true => self.decide(signal, &mut Kept { snoozed_until, ..Kept::new(telling, self.now) }),
            false => {
                let reason = "no alert: it is hidden, or below medium and no route asks for it".to_owned();
                Ok(Decision { planned: vec![], reasons: vec![reason] })
            }
        }
    }

    /// Who is told of an alert that is raised, and whether another one holds it back.
    fn decide(&self, signal: &Signal, alert: &mut Kept) -> Result<Decision, OutboxError> {
        let only = |reason: String| Decision { planned: vec![], reasons: vec![reason] };
        let old = later(signal.last, self.config.old_after);
        if signal.received > old {
            return Ok(only(format!("nobody is told: it was old when it came ({})", seconds(signal.last))));
        }
        if let Some(until) = alert.snoozed_until.filter(|until| *until > self.now) {
            return Ok(only(format!("nobody is told until {until}: its signal is snoozed")));
        }
        if let Some(by) = self.inhibited_by(&alert.telling)? {
            alert.is_held = true;
            return Ok(only(format!("nobody is told while alert {by} is open, which explains it")));
        }
        Ok(self.routes.decide(&alert.telling, self.now))
    }

    /// The open alert that silences another one.
    pub(crate) fn inhibited_by(&self, telling: &Telling) -> Result<Option<AlertId>, OutboxError> {
        let inhibitions = self.routes.inhibitions(telling, self.now);
        if inhibitions.is_empty() {
            return Ok(None);
        }
        // Where all of them ask for it, only what is about the same machine can explain it; else the newest of all are
        // looked at.
        let is_of_host = inhibitions.iter().all(|inhibition| inhibition.is_of_host());
        let columns = rows::COLUMNS;
        let open = match telling.host().filter(|_| is_of_host) {
            Some(host) => rows::all(
                self.transaction,
                &format!("SELECT {columns} {OPEN_OF_HOST}"),
                params![host, OPEN_MAX],
            )?,
            None => rows::all(self.transaction, &format!("SELECT {columns} {OPEN}"), [OPEN_MAX])?,
        };
        let holds = |open: &Kept| {
            inhibitions.iter().any(|inhibition| inhibition.holds(&open.telling, telling, self.now))
        };
        Ok(open.iter().find(|open| holds(open)).map(|open| open.telling.alert))
    }

    /// Has the alert repeated and escalated as its routes say.
    pub(crate) fn watch(&self, alert: &Kept, planned: &[Planned]) -> Result<(), OutboxError> {
        for planned in planned {
            let Some(route) = self.routes.route(&planned.route) else { continue };
            if let Some(repeat) = route.repeat {
                let due = later(planned.due, repeat);
                rows::set_timer(self.transaction, alert.number, REPEAT, &route.name, due)?;
            }
            if let Some(escalate) = &route.escalate {
                let due = later(planned.due, escalate.after);
                rows::set_timer(self.transaction, alert.number, ESCALATE, &route.name, due)?;
            }
        }
        Ok(())
    }

    /// More of it came, of which nobody is told anew.
    fn update(&self, signal: &Signal, mut alert: Kept) -> Result<(), OutboxError> {
        let Telling { revision, occasion, recorded, words, .. } = alert.telling;
        alert.telling = Telling::of(signal, words, occasion, revision, recorded);
        rows::save(self.transaction, &mut alert)
    }

    pub(crate) fn acknowledge(&self, mut alert: Kept, by: Option<&str>) -> Result<(), OutboxError> {
        if alert.acknowledged.is_some() {
            return Ok(());
        }
        alert.acknowledged = Some(Acknowledged { at: self.now, by: by.unwrap_or("unknown").to_owned() });
        rows::save(self.transaction, &mut alert)?;
        rows::stop_timers(self.transaction, alert.number)
    }

    /// Another Log Sentinel that was told that it is there is told what a language model says of it.
    fn assess(&self, mut alert: Kept, said: &str) -> Result<(), OutboxError> {
        if !alert.is_open {
            return Ok(());
        }
        let takes = |planned: &Planned| {
            let channel = self.routes.channel(&planned.channel);
            channel.is_some_and(|channel| matches!(channel.kind, ChannelKind::Sentinel(_)))
        };
        let mut planned = self.those_who_were_told(&alert)?;
        planned.retain(takes);
        if planned.is_empty() {
            return Ok(());
        }
        alert.telling.revision = alert.telling.revision.saturating_add(1);
        rows::save(self.transaction, &mut alert)?;
        let words =
            Words { title: alert.telling.words.title.clone(), what: said.to_owned(), ..Words::default() };
        alert.telling = Telling {
            occasion: Occasion::Assessed,
            words: words.bounded(),
            recorded: self.now,
            ..alert.telling
        };
        rows::tell(self.transaction, &alert, &planned, &["what a language model says of it".to_owned()])
    }

    /// Those who were told that it is there are told that it is over.
    fn resolve(&self, signal: &Signal, alert: Kept) -> Result<(), OutboxError> {
        let telling = Telling::of(signal, (self.words)(signal), Occasion::Resolved, 0, self.now);
        self.end(alert, telling)
    }

    pub(crate) fn end(&self, mut alert: Kept, telling: Telling) -> Result<(), OutboxError> {
        if !alert.is_open {
            return Ok(());
        }
        let revision = alert.telling.revision.saturating_add(1);
        alert.telling = Telling { revision, occasion: Occasion::Resolved, recorded: self.now, ..telling };
        (alert.is_open, alert.is_held) = (false, false);
        rows::save(self.transaction, &mut alert)?;
        rows::stop_timers(self.transaction, alert.number)?;
        let planned = self.those_who_were_told(&alert)?;
        let told = |planned: &Planned| format!("'{}' was told that it is there", planned.channel);
        let mut reasons: Vec<String> = planned.iter().map(told).collect();
        if reasons.is_empty() {
            reasons.push("nobody was told that it is there".to_owned());
        }
        rows::tell(self.transaction, &alert, &planned, &reasons)
    }

    /// Where a raise went, or is on its way since the alert was over last: the same way, and not before it.
    fn those_who_were_told(&self, alert: &Kept) -> Result<Vec<Planned>, OutboxError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT channel, route, due, grouped, key IS NULL FROM alert_delivery
             WHERE alert = ?1 AND state != ?2 AND occasion != 'resolved' AND revision > (
                 SELECT coalesce(max(revision), 0) FROM alert_delivery WHERE alert = ?1 AND occasion = 'resolved')
             ORDER BY number",
        )?;
        let mut rows = statement.query(params![alert.number, DEAD])?;
        let mut planned = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let channel: String = row.get(0)?;
            let due = timestamp(row.get(2)?);
            // What is being tried is a message of its own by now.
            let waits: bool = row.get(4)?;
            let (due, group) = if waits { (due.max(self.now), row.get(3)?) } else { (self.now, None) };
            planned.insert(channel.clone(), Planned { channel, route: row.get(1)?, due, group });
        }
        Ok(planned.into_values().collect())
    }
}
