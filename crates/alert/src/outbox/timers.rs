//! What happens to alerts when nobody does anything: they are told again, and to others.

use event::Timestamp;
use rusqlite::{Transaction, params};

use super::{
    error::OutboxError,
    record::{ESCALATE, RECHECK, REPEAT, Recorder},
    rows::{self, Kept, later, nanos},
};
use crate::{
    message::{Occasion, Telling},
    route::{Decision, Planned, Routes},
};

/// So many are looked at in one transaction; the next one goes on.
pub(crate) const AT_ONCE: u32 = 100;

struct Timer {
    number: i64,
    alert: i64,
    what: String,
    route: String,
}

/// Lets happen what is due; gives how many there were.
pub(crate) fn run(recorder: &Recorder<'_>) -> Result<usize, OutboxError> {
    let timers = due(recorder.transaction, recorder.now)?;
    for timer in &timers {
        recorder
            .transaction
            .prepare_cached("DELETE FROM alert_timer WHERE number = ?1")?
            .execute([timer.number])?;
        let Some(alert) = rows::at(recorder.transaction, timer.alert)? else { continue };
        if !alert.is_open || alert.acknowledged.is_some() {
            continue;
        }
        if let Some(until) = alert.snoozed_until.filter(|until| *until > recorder.now) {
            rows::set_timer(recorder.transaction, alert.number, &timer.what, &timer.route, until)?;
            continue;
        }
        match timer.what.as_str() {
            REPEAT => recorder.repeat(alert, &timer.route)?,
            ESCALATE => recorder.escalate(alert, &timer.route)?,
            RECHECK => recorder.recheck(alert)?,
            _ => {}
        }
    }
    Ok(timers.len())
}

fn due(transaction: &Transaction<'_>, now: Timestamp) -> Result<Vec<Timer>, OutboxError> {
    let mut statement = transaction.prepare_cached(
        "SELECT number, alert, what, route FROM alert_timer WHERE due <= ?1 ORDER BY due, number LIMIT ?2",
    )?;
    let timer = |row: &rusqlite::Row<'_>| {
        Ok(Timer { number: row.get(0)?, alert: row.get(1)?, what: row.get(2)?, route: row.get(3)? })
    };
    let timers = statement.query_map(params![nanos(now), AT_ONCE], timer)?;
    Ok(timers.collect::<Result<_, _>>()?)
}

impl Recorder<'_> {
    fn repeat(&self, mut alert: Kept, route: &str) -> Result<(), OutboxError> {
        let Some((route, every)) = self.routes.route(route).and_then(|route| Some((route, route.repeat?)))
        else {
            return Ok(());
        };
        self.again(&mut alert, Occasion::Repeated)?;
        let mut decision = Decision::default();
        route.plan(&alert.telling, self.now, &mut decision);
        decision.reasons.push("nobody has acknowledged it".to_owned());
        rows::tell(self.transaction, &alert, &decision.planned, &decision.reasons)?;
        let next = later(self.now, every);
        rows::set_timer(self.transaction, alert.number, REPEAT, &route.name, next)
    }

    fn escalate(&self, mut alert: Kept, route: &str) -> Result<(), OutboxError> {
        let Some((route, escalate)) =
            self.routes.route(route).and_then(|route| Some((route, route.escalate.as_ref()?)))
        else {
            return Ok(());
        };
        self.again(&mut alert, Occasion::Repeated)?;
        let to = escalate.to.iter().map(|channel| Planned {
            channel: channel.clone(),
            route: route.name.clone(),
            due: self.now,
            group: None,
        });
        let planned: Vec<Planned> = to.collect();
        let reason = format!(
            "route '{}' escalates it to '{}': nobody has acknowledged it",
            route.name,
            escalate.to.join("', '")
        );
        rows::tell(self.transaction, &alert, &planned, &[reason])
    }

    /// Whether what held an alert back still does.
    fn recheck(&self, mut alert: Kept) -> Result<(), OutboxError> {
        if self.inhibited_by(&alert.telling)?.is_some() {
            let next = later(self.now, self.config.recheck);
            return rows::set_timer(self.transaction, alert.number, RECHECK, "", next);
        }
        alert.is_held = false;
        self.again(&mut alert, Occasion::Raised)?;
        let Decision { planned, mut reasons } = self.routes.decide(&alert.telling, self.now);
        reasons.insert(0, "what held it back is over".to_owned());
        rows::tell(self.transaction, &alert, &planned, &reasons)?;
        self.watch(&alert, &planned)
    }

    /// Tells an alert as it is known now.
    fn again(&self, alert: &mut Kept, occasion: Occasion) -> Result<(), OutboxError> {
        let revision = alert.telling.revision.saturating_add(1);
        alert.telling = Telling { revision, occasion, recorded: self.now, ..alert.telling.clone() };
        rows::save(self.transaction, alert)
    }
}

/// Deliveries of channels that are no longer set up go to nobody, and their trouble is nobody's.
pub(crate) fn bury_orphans(
    transaction: &Transaction<'_>,
    routes: &Routes,
    now: Timestamp,
) -> Result<(), OutboxError> {
    let mut statement = transaction.prepare("SELECT DISTINCT channel FROM alert_delivery WHERE state < 2")?;
    let is_gone = |channel: &String| routes.channel(channel).is_none();
    let channels: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for channel in channels.iter().filter(|channel| is_gone(channel)) {
        transaction
            .prepare_cached(
                "UPDATE alert_delivery SET state = 3, at = ?2, said = 'the channel is no longer set up'
                 WHERE channel = ?1 AND state < 2",
            )?
            .execute(params![channel, nanos(now)])?;
    }
    let mut statement = transaction.prepare("SELECT name FROM alert_channel")?;
    let troubled: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for channel in troubled.iter().filter(|channel| is_gone(channel)) {
        transaction
            .prepare_cached(
                "UPDATE alert SET is_open = 0 WHERE id = (SELECT alert FROM alert_channel WHERE name = ?1)",
            )?
            .execute([channel])?;
        transaction.prepare_cached("DELETE FROM alert_channel WHERE name = ?1")?.execute([channel])?;
    }
    Ok(())
}
