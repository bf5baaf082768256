//! The outbox: alerts, and what is on its way.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use event::Timestamp;
use rusqlite::{Transaction, params};
use signal::{Act, Change, Deed, Signal, StoreError};
use state::{Database, Migrations, OpenError};
use tokio::sync::watch;

use super::{
    config::Config,
    error::OutboxError,
    list::{self, Alert, AlertFilter, ChannelStatus, DeliveryFilter, Explanation, Sent},
    made::{self, Made},
    queue::{self, Batch, Claim, Settled},
    record::{InWords, Recorder},
    rows::{self, nanos},
    timers,
};
use crate::{
    channel::{ChannelKind, Receipt, SendError},
    message::AlertId,
    route::{Decision, Routes},
    voice::Voice,
};

const MIGRATIONS: Migrations =
    Migrations { owner: "alert", steps: &[include_str!("tables.sql"), include_str!("made.sql")] };

/// The alerts of a data folder, in its `state.db`, and their way to people. Share it by Arc.
///
/// Every call reads or writes the disk: callers run it off the reactor. What a call that changes something returned for
/// survives a crash.
pub struct Outbox {
    pub(super) database: Arc<Database>,
    standing: RwLock<Standing>,
    /// Whether channels may have gone since that was looked at.
    is_rerouted: AtomicBool,
    words: InWords,
    config: Config,
    woken: watch::Sender<u64>,
    reloaded: watch::Sender<u64>,
}

/// What holds at present.
struct Standing {
    /// What environment and file set up.
    base: Routes,
    /// What was made beside it.
    made: Made,
    /// Both together.
    routes: Arc<Routes>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Opens the alerts in this database. `words` puts signals into words.
    ///
    /// # Errors
    /// When their tables cannot be prepared, or a newer program made them.
    pub fn open(
        database: Arc<Database>,
        routes: Routes,
        words: InWords,
        config: Config,
    ) -> Result<Self, OpenError> {
        database.migrate(&MIGRATIONS)?;
        let made = database.read(made::read).unwrap_or_else(|error: OutboxError| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "channels and silences that were made cannot be read"
            );
            Made::default()
        });
        let both = routes.with(&made.channels, &made.silences);
        let standing = RwLock::new(Standing { base: routes, made, routes: both });
        let (woken, reloaded) = (watch::Sender::new(0), watch::Sender::new(0));
        let is_rerouted = AtomicBool::new(true);
        Ok(Self { database, standing, is_rerouted, words, config, woken, reloaded })
    }

    /// The routes that hold at present.
    pub fn routes(&self) -> Arc<Routes> {
        Arc::clone(&self.standing.read().unwrap_or_else(PoisonError::into_inner).routes)
    }

    /// Has other routes hold from now on. Channels are opened anew.
    pub fn reload(&self, routes: Routes) {
        self.stand(|standing| standing.base = routes);
    }

    /// Has what was made hold, in place of what was made before.
    pub(crate) fn take_made(&self, made: Made) {
        self.stand(|standing| standing.made = made);
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut standing);
        standing.routes = standing.base.with(&standing.made.channels, &standing.made.silences);
        drop(standing);
        self.is_rerouted.store(true, Ordering::Release);
        self.reloaded.send_modify(|times| *times += 1);
    }

    /// Says that something may be due. Without it channels look by themselves within a second.
    pub fn wake(&self) {
        self.woken.send_modify(|times| *times += 1);
    }

    /// Whether a channel of this name was made and holds: environment and file have none of that name.
    pub fn is_made(&self, name: &str) -> bool {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        standing.base.channel(name).is_none() && standing.made.channels.iter().any(|made| made.name == name)
    }

    /// The silences of the file.
    pub fn silences_of_file(&self) -> Vec<serde_json::Value> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).base.silences_told()
    }

    /// In which language and zone people are told.
    pub fn voice(&self) -> &Voice {
        &self.config.voice
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn woken(&self) -> watch::Receiver<u64> {
        self.woken.subscribe()
    }

    pub(crate) fn reloaded(&self) -> watch::Receiver<u64> {
        self.reloaded.subscribe()
    }

    /// Records what follows from changes of signals, within their own transaction. Channels look at once when it is
    /// written.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record(
        &self,
        transaction: &Transaction<'_>,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        let routes = self.routes();
        let recorder = self.recorder(transaction, &routes, now);
        changes.iter().try_for_each(|change| recorder.take(change))?;
        // Whoever looks now waits for the writer of this transaction, and sees what it wrote.
        self.wake();
        Ok(())
    }

    pub(super) fn recorder<'a>(
        &'a self,
        transaction: &'a Transaction<'a>,
        routes: &'a Routes,
        now: Timestamp,
    ) -> Recorder<'a> {
        Recorder { transaction, routes, words: &self.words, config: &self.config, now }
    }

    /// Lets happen what is due by itself: repeating, escalating, telling what was held back; and forgets what is
    /// older than alerts are kept. Gives whether there may be more to do at once.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn tick(&self, now: Timestamp) -> Result<bool, OutboxError> {
        let is_rerouted = self.is_rerouted.swap(false, Ordering::AcqRel);
        let routes = self.routes();
        let ticked = self.database.write(|transaction| {
            if is_rerouted {
                timers::bury_orphans(transaction, &routes, now)?;
            }
            let due = timers::run(&self.recorder(transaction, &routes, now))?;
            self.forget(transaction, now)?;
            Ok::<_, OutboxError>(due)
        });
        if ticked.is_err() && is_rerouted {
            self.is_rerouted.store(true, Ordering::Release);
        }
        let due = ticked?;
        if due > 0 {
            self.wake();
        }
        Ok(due == timers::AT_ONCE as usize)
    }

    fn forget(&self, transaction: &Transaction<'_>, now: Timestamp) -> Result<(), OutboxError> {
        let mut statement = transaction.prepare_cached(
            "DELETE FROM alert WHERE number IN (
                 SELECT number FROM (SELECT number, raised FROM alert ORDER BY number LIMIT ?1) AS oldest
                 WHERE (raised < ?2 OR number <= (SELECT max(number) FROM alert) - ?3) AND NOT EXISTS (
                     SELECT 1 FROM alert_delivery WHERE alert = oldest.number AND state < 2))",
        )?;
        let since = now.saturating_sub(self.config.keep);
        let most = i64::try_from(self.config.alerts_max).unwrap_or(i64::MAX);
        statement.execute(params![timers::AT_ONCE, nanos(since), most])?;
        Ok(())
    }

    /// What goes out next over a channel. Whoever takes it says what came of it by [`Outbox::settle`]; who does not,
    /// because of a crash, is given the same again.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn claim(&self, channel: &str, now: Timestamp) -> Result<Claim, OutboxError> {
        let routes = self.routes();
        let Some(rate) = routes.channel(channel).map(|channel| channel.rate) else {
            return Ok(Claim::Nothing);
        };
        let mut claim = self
            .database
            .write(|transaction| queue::claim(transaction, channel, rate, &self.config.voice, now))?;
        if let Claim::Send(batch) = &mut claim
            && !routes.channel(channel).is_some_and(|channel| matches!(channel.kind, ChannelKind::Email(_)))
        {
            // Whoever carries no pages is not given any.
            batch.message.alerts.iter_mut().for_each(|telling| telling.pages = None);
        }
        Ok(claim)
    }

    /// Writes down what came of sending.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn settle(
        &self,
        batch: &Batch,
        outcome: &Result<Receipt, SendError>,
        now: Timestamp,
    ) -> Result<Settled, OutboxError> {
        let routes = self.routes();
        let settled = self.database.write(|transaction| {
            let settled = queue::settle(transaction, &self.config, batch, outcome, now)?;
            let reason = outcome.as_ref().err().map_or("", |error| error.reason.as_str());
            self.recorder(transaction, &routes, now).note(&batch.message.channel, settled, reason)?;
            Ok::<_, OutboxError>(settled)
        })?;
        self.wake();
        Ok(settled)
    }

    /// Notes that somebody has an alert, and its signal with it, in one transaction. Gives the alert as it is then;
    /// doing it twice changes nothing.
    ///
    /// # Errors
    /// When there is no such alert, or the database cannot be written.
    pub fn acknowledge(
        &self,
        signals: &signal::Store,
        id: AlertId,
        by: &str,
        note: Option<String>,
        now: Timestamp,
    ) -> Result<Alert, OutboxError> {
        let act = Act { deed: Deed::Acknowledge, by: by.to_owned(), note };
        let acted = signals.act(id.0, &act, now, |transaction, changes| {
            self.record(transaction, changes, now)?;
            self.acknowledge_alone(transaction, id, by, now)?;
            Ok(())
        });
        match acted {
            Ok(_) => {}
            // The alert of a channel's trouble has none, and signals may be kept for less long.
            Err(StoreError::Unknown { .. }) => {
                self.database.write(|transaction| self.acknowledge_alone(transaction, id, by, now))?
            }
            Err(error) => return Err(error.into()),
        }
        self.alert(id)
    }

    fn acknowledge_alone(
        &self,
        transaction: &Transaction<'_>,
        id: AlertId,
        by: &str,
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        let alert = rows::find(transaction, id)?.ok_or(OutboxError::Unknown { id })?;
        let routes = self.routes();
        self.recorder(transaction, &routes, now).acknowledge(alert, Some(by))
    }

    /// An alert.
    ///
    /// # Errors
    /// When there is no such alert, or the database cannot be read.
    pub fn alert(&self, id: AlertId) -> Result<Alert, OutboxError> {
        self.database.read(|transaction| {
            let kept = rows::find(transaction, id)?.ok_or(OutboxError::Unknown { id })?;
            list::alert(transaction, &kept)
        })
    }

    /// Alerts, the newest first, at most [`crate::LISTED_MAX`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, OutboxError> {
        self.database.read(|transaction| list::alerts(transaction, filter))
    }

    /// Deliveries, the newest first, at most [`crate::LISTED_MAX`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Sent>, OutboxError> {
        self.database.read(|transaction| list::deliveries(transaction, filter))
    }

    /// How each channel does, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn channels(&self) -> Result<Vec<ChannelStatus>, OutboxError> {
        let routes = self.routes();
        self.database.read(|transaction| {
            routes.channels().map(|channel| list::channel(transaction, &channel.name)).collect()
        })
    }

    /// Who would be told of a signal if it were raised now, and why: routes, silences, and what is open.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn preview(&self, signal: &Signal, now: Timestamp) -> Result<Decision, OutboxError> {
        let routes = self.routes();
        self.database.read(|transaction| self.recorder(transaction, &routes, now).preview(signal))
    }

    /// Why an alert went where it went.
    ///
    /// # Errors
    /// When there is no such alert, or the database cannot be read.
    pub fn explain(&self, id: AlertId) -> Result<Explanation, OutboxError> {
        self.database.read(|transaction| {
            let kept = rows::find(transaction, id)?.ok_or(OutboxError::Unknown { id })?;
            list::explain(transaction, &kept)
        })
    }
}
