//! The audit record of a process: opened beside the journal, told what the program does by itself, closed last.
//!
//! What callers decide is refused while the record cannot be written. What the program does by itself is recorded as
//! soon as that is possible, so that a full disk keeps it neither from taking logs in nor from deleting old ones.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use access::{Access, Kind, Use};
use anomaly::{Change, Changed};
use api::{Decision, Decisions, Ending};
use audit::{Action, Actor, ActorKind, Audit, OpenError, Outcome, RecordError};
use event::Timestamp;
use index::upkeep;
use metrics::{counter, gauge};
use telemetry::{
    health::{Component, Health},
    metric,
    task::{Tasks, Ticks, blocking},
};

use super::{changed, witness::Witnesses};
use crate::{Settings, settings::AuditSettings, wording::describe};

/// How often the record is looked after.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Records of what the program did by itself that wait at most; then the oldest are given up.
const WAITING_MAX: usize = 4096;

/// The audit record of a process. Clones share it.
#[derive(Clone)]
pub(super) struct Record(Arc<Shared>);

struct Shared {
    settings: AuditSettings,
    effective: changed::Effectives,
    /// Where the settings of the last run are kept.
    settings_file: PathBuf,
    opened: Arc<OnceLock<Audit>>,
    /// Whether another try may open it.
    may_open: AtomicBool,
    witnesses: Witnesses,
    /// What the program did by itself, until it is recorded.
    later: Mutex<VecDeque<audit::Record>>,
    watched: OnceLock<Watched>,
    health: Component,
}

/// What tells of things that are to be recorded.
struct Watched {
    who: Arc<Access>,
    service: Option<Arc<anomaly::Service>>,
}

fn now() -> Timestamp {
    intake::system_clock()
}

impl Record {
    /// Opens it. One that cannot be opened keeps nothing from starting: it is said, and what must be recorded is
    /// refused.
    pub(super) fn open(settings: &Settings, health: &Health) -> Self {
        let host = settings.intake.door.host.as_deref().unwrap_or_default();
        let record = Self(Arc::new(Shared {
            effective: settings.told.clone(),
            settings_file: settings.data.join("settings"),
            opened: Arc::default(),
            may_open: AtomicBool::new(settings.audit.record.is_some()),
            witnesses: Witnesses::start(&settings.audit, host, health),
            later: Mutex::default(),
            watched: OnceLock::new(),
            health: health.component("audit"),
            settings: settings.audit.clone(),
        }));
        record.0.open();
        record
    }

    /// For those who decide.
    pub(super) fn decisions(&self) -> Decisions {
        match self.0.settings.record {
            Some(_) => Decisions::on(Arc::clone(&self.0.opened)),
            None => Decisions::default(),
        }
    }

    /// Is told what a sweep of old events deleted.
    pub(super) fn told_of_deletions(&self) -> upkeep::Told {
        let shared = Arc::clone(&self.0);
        Arc::new(move |events, before| {
            let record = audit::Record::new(now(), Actor::system(), Action::IndexExpired, "");
            let record = record.with("before", before.to_string());
            shared.add(match events {
                Some(events) => record.with("events", events),
                None => record.outcome(Outcome::Failed),
            });
        })
    }

    /// Looks after it until the stop of `tasks`.
    pub(super) fn watch(&self, tasks: &Tasks, who: Arc<Access>, service: Option<Arc<anomaly::Service>>) {
        if self.0.settings.record.is_none() {
            return;
        }
        // Once for each process.
        drop(self.0.watched.set(Watched { who, service }));
        let (shared, mut ticks) = (Arc::clone(&self.0), Ticks::every(LOOK_EVERY, tasks.stop()));
        tasks.spawn("audit", async move {
            while ticks.next().await {
                let shared = Arc::clone(&shared);
                let interval = shared.settings.uses_interval;
                // One that panicked was named, and the next tick tries again.
                drop(blocking("audit", move || shared.look(interval)).await);
            }
        });
    }

    /// Records what is left, signs it and hands it to those who keep checkpoints; gives the names of those that did
    /// not end in time.
    pub(super) async fn close(&self, left: Duration) -> Vec<String> {
        let shared = Arc::clone(&self.0);
        let work = blocking("audit", move || {
            shared.look(Duration::ZERO);
            if let Some(Err(error)) = shared.opened.get().map(|audit| audit.close(now())) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the end of the audit record is not signed; the next start does so"
                );
            }
        });
        drop(tokio::time::timeout(left, work).await);
        self.0.witnesses.finish(left).await
    }
}

impl Shared {
    /// Tries to open it, where that may help.
    fn open(&self) {
        let Some(config) = self.settings.record.clone().filter(|_| self.may_open.load(Relaxed)) else {
            return;
        };
        match Audit::open(config, self.witnesses.hand(), now()) {
            Ok(audit) => {
                let told = changed::record(&audit, &self.effective, &self.settings_file, now());
                if let Err(error) = told {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "which settings have changed is not on record; the next start tells it"
                    );
                }
                // This is the only place that sets it, one call at a time.
                drop(self.opened.set(audit));
                self.may_open.store(false, Relaxed);
                self.health.ok();
            }
            Err(error) => {
                let may_help =
                    matches!(error, OpenError::InUse(_) | OpenError::Read(_) | OpenError::Write { .. });
                self.may_open.store(may_help, Relaxed);
                self.refusing(&describe(&error));
            }
        }
    }

    fn refusing(&self, why: &str) {
        gauge!(metric::AUDIT_UNWRITABLE).set(1.0);
        self.health.degraded(format!("what must be recorded is refused, logs are taken in: {why}"));
    }

    /// Records what waits and what has come since, signs what is due, and says how it is.
    fn look(&self, uses_interval: Duration) {
        self.open();
        let Some(audit) = self.opened.get() else { return };
        let kept = self.keep(audit, uses_interval).and_then(|()| audit.checkpoint_if_due(now()).map(drop));
        if let Err(error) = &kept {
            tracing::debug!(error = error as &dyn std::error::Error, "the audit record was not written");
        }
        self.tell(audit);
    }

    fn keep(&self, audit: &Audit, uses_interval: Duration) -> Result<(), RecordError> {
        self.write(audit)?;
        // What these hold waits there as long as nothing can be written.
        let Some(watched) = self.watched.get() else { return Ok(()) };
        for one in watched.who.take_uses(now(), uses_interval) {
            self.add(used(&one));
        }
        for change in watched.service.iter().flat_map(|service| service.take_changes()) {
            self.add(changed_by_itself(&change));
        }
        self.write(audit)
    }

    fn write(&self, audit: &Audit) -> Result<(), RecordError> {
        let waiting: Vec<_> = self.later().drain(..).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        // What waited must not look like a clock that was set back.
        let stamped =
            |record: &audit::Record| record.clone().with("happened", record.time().to_string()).at(now());
        let stamped: Vec<_> = waiting.iter().map(stamped).collect();
        // Nobody waits for the disk who has something to add.
        audit.record_all(&stamped).map(drop).inspect_err(|_| {
            let mut later = self.later();
            for record in waiting.into_iter().rev() {
                later.push_front(record);
            }
        })
    }

    fn add(&self, record: audit::Record) {
        if self.settings.record.is_none() {
            return;
        }
        let mut later = self.later();
        if later.len() >= WAITING_MAX {
            later.pop_front();
            counter!(metric::AUDIT_GIVEN_UP).increment(1);
        }
        later.push_back(record);
    }

    fn tell(&self, audit: &Audit) {
        let status = audit.status();
        counter!(metric::AUDIT_RECORDS).absolute(status.records);
        counter!(metric::AUDIT_CHECKPOINTS).absolute(status.checkpoints);
        counter!(metric::AUDIT_FAILURES).absolute(status.failures);
        gauge!(metric::AUDIT_UNSIGNED).set(status.unsigned as f64);
        gauge!(metric::AUDIT_WAITING).set(self.later().len() as f64);
        if let Some(last) = status.last_checkpoint {
            let age = now().as_nanos().saturating_sub(last.as_nanos()).max(0);
            gauge!(metric::AUDIT_CHECKPOINT_AGE).set(age as f64 / 1e9);
        }
        match &status.problem {
            Some(problem) => self.refusing(&problem.to_string()),
            None => {
                gauge!(metric::AUDIT_UNWRITABLE).set(0.0);
                self.health.ok();
            }
        }
    }

    fn later(&self) -> MutexGuard<'_, VecDeque<audit::Record>> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record of a data folder that no process uses, for a command: opened when there is something to record.
pub(crate) struct FolderRecord(Option<audit::Config>);

impl FolderRecord {
    /// As the settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self(settings.audit.record.clone())
    }

    /// Does what is decided, on record, and signs that.
    ///
    /// # Errors
    /// Those of the work, and that it could not be recorded.
    pub(crate) fn carry_out<T, E>(
        &self,
        decision: Decision,
        work: impl FnOnce() -> Result<T, E>,
        said: impl FnOnce(&T, Decision) -> Decision,
    ) -> Result<T, E>
    where
        E: Ending + From<OpenError>,
    {
        let Some(config) = self.0.clone() else { return work() };
        let audit = Audit::open(config, None, now())?;
        let outcome = Decisions::on(Arc::new(OnceLock::from(audit.clone()))).carry_out(decision, work, said);
        if let Err(error) = audit.close(now()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the end of the audit record is not signed; the next start does so"
            );
        }
        outcome
    }
}

fn used(one: &Use) -> audit::Record {
    let addresses: Vec<String> = one.addresses.iter().map(ToString::to_string).collect();
    let record = match &one.caller {
        Some(caller) => {
            let kind = if caller.kind == Kind::Session { ActorKind::Session } else { ActorKind::Key };
            let record =
                audit::Record::new(now(), Actor::new(kind, &*caller.id), Action::KeyUsed, &*caller.id);
            let record = match &*caller.name {
                "" => record,
                name => record.with("by", name),
            };
            match &caller.organization {
                Some(organization) => record.with("of", &**organization),
                None => record,
            }
        }
        None => audit::Record::new(now(), Actor::new(ActorKind::Open, ""), Action::KeyRefused, "")
            .outcome(Outcome::Refused),
    };
    record
        .with("requests", one.requests)
        .with("from", one.from.to_string())
        .with("to", one.to.to_string())
        .with("addresses", addresses)
}

fn changed_by_itself(change: &Change) -> audit::Record {
    let (action, why) = match &change.what {
        Changed::TookOver => (Action::ModelActivated, "trained beside the stream"),
        Changed::Kept(why) => (Action::ModelTrained, why.as_str()),
        Changed::Found => (Action::ModelActivated, "found in the models' folder"),
    };
    let record = audit::Record::new(now(), Actor::system(), action, change.version.as_str());
    record.with("why", why.chars().take(500).collect::<String>())
}
