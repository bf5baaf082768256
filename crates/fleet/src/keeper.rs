//! What runs beside taking samples: signals are made of what was found, silent agents looked for, samples put into
//! chunks, old partitions dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::Timestamp;
use finding::{Finding, FindingKind};
use rusqlite::OptionalExtension;
use signal::{Act, Beside, Deed, Filter, Observed, State, Store};
use telemetry::{health::Component, metric, task::Stop};

use crate::{
    Fleet, FleetError,
    told::{self, Told, What},
};

/// Who resolves what is over.
const BY: &str = "Log Sentinel";
/// Findings that are told in one transaction.
const TOLD_AT_ONCE: u32 = 200;
/// How often silent agents are looked for; when it took much longer, the machine slept.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const SLEPT: Duration = Duration::from_secs(60);
const SEAL_EVERY: Duration = Duration::from_secs(30);
const EXPIRE_EVERY: Duration = Duration::from_secs(600);
/// How long a stop may take to be seen.
const WAIT: Duration = Duration::from_millis(250);
/// Signals that one finding can be part of; more are none of ours.
const SIGNALS_MAX: usize = 10;

/// Keeps a fleet. Give it a thread of its own.
pub struct Keeper {
    /// The fleet.
    pub fleet: Arc<Fleet>,
    /// Where signals are kept.
    pub signals: Arc<Store>,
    /// What is written in the transaction of a signal's change.
    pub beside: Beside,
    /// The clock.
    pub clock: fn() -> Timestamp,
    /// Where it says that it cannot.
    pub health: Component,
}

impl Keeper {
    /// Keeps until told to stop.
    pub fn run(&self, stop: &Stop) {
        let began = Instant::now();
        let (mut look, mut seal, mut expire) = (began, began + SEAL_EVERY, began);
        let mut has_failed = false;
        while !stop.is_cancelled() {
            if self.fleet.wait(WAIT) || has_failed {
                has_failed = !self.told(self.tell(), "tell what was found on hosts");
            }
            let now = Instant::now();
            if now >= look {
                if now.duration_since(look) > SLEPT {
                    self.fleet.listens_since((self.clock)());
                }
                look = now + LOOK_EVERY;
                self.told(self.look(), "look for silent agents");
            }
            if now >= seal {
                seal = now + SEAL_EVERY;
                let at_least = self.fleet.config().seal_samples;
                self.told(self.fleet.seal(at_least, (self.clock)()).map(drop), "put samples away");
            }
            if now >= expire {
                expire = now + EXPIRE_EVERY;
                self.told(self.fleet.expire((self.clock)()).map(drop), "drop old samples");
                self.told(self.forget_processes(), "forget old changes of processes");
            }
        }
    }

    /// Says whether it could be done.
    fn told(&self, result: Result<(), FleetError>, what: &str) -> bool {
        match &result {
            Ok(()) => self.health.ok(),
            Err(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "could not {what}; trying again");
                self.health.degraded(format!("could not {what}; look at the disk of the data folder"));
            }
        }
        result.is_ok()
    }

    fn look(&self) -> Result<(), FleetError> {
        if self.fleet.silent((self.clock)())? > 0 {
            self.fleet.wake();
        }
        let (agents, waiting, series) = self.fleet.counts()?;
        metrics::gauge!(metric::HOSTS).set(agents as f64);
        metrics::gauge!(metric::HOST_SAMPLES_WAITING).set(waiting as f64);
        metrics::gauge!(metric::HOST_SERIES).set(series as f64);
        Ok(())
    }

    fn forget_processes(&self) -> Result<(), FleetError> {
        let lost = self.fleet.forget_processes((self.clock)())?;
        metrics::counter!(metric::PROCESS_CHANGES, "outcome" => "forgotten").increment(lost);
        Ok(())
    }

    /// Makes signals of all that was found. After a crash some of it is told again, which changes nothing.
    ///
    /// # Errors
    /// When a database cannot be read or written; the rest is told next time.
    pub fn tell(&self) -> Result<(), FleetError> {
        loop {
            let waiting = self.fleet.database.read(|transaction| told::waiting(transaction, TOLD_AT_ONCE))?;
            let Some((last, _)) = waiting.last() else { return Ok(()) };
            let last = *last;
            for (_, Told { organization, what }) in waiting {
                match what {
                    What::Found(finding) => self.found(*finding, organization)?,
                    What::Over { host, kind, rule } => self.over(&host, kind, rule, organization)?,
                }
            }
            self.fleet.database.write(|transaction| told::forget(transaction, last))?;
        }
    }

    fn found(&self, finding: Finding, organization: Option<String>) -> Result<(), FleetError> {
        let beside = &self.beside;
        let observed = Observed { finding, organization, evidence: Vec::new() };
        self.signals.observe(vec![observed], None, (self.clock)(), |transaction, changes| {
            beside(transaction, changes)
        })?;
        Ok(())
    }

    fn over(
        &self,
        host: &str,
        kind: FindingKind,
        rule: String,
        organization: Option<String>,
    ) -> Result<(), FleetError> {
        let beside = &self.beside;
        for hidden in [false, true] {
            let filter = Filter {
                kinds: vec![kind],
                rule: Some(rule.clone()),
                entity: Some(format!("host:{host}")),
                organization: organization.clone(),
                hidden,
                limit: SIGNALS_MAX,
                ..Filter::default()
            };
            let open = self.signals.list(&filter)?.signals;
            for signal in open.into_iter().filter(|signal| signal.state != State::Resolved) {
                let act = Act { deed: Deed::Resolve, by: BY.to_owned(), note: None };
                self.signals.act(signal.id, &act, (self.clock)(), |transaction, changes| {
                    beside(transaction, changes)
                })?;
            }
        }
        Ok(())
    }
}

impl Fleet {
    /// Agents, samples that wait, series.
    fn counts(&self) -> Result<(i64, i64, i64), FleetError> {
        self.database.read(|transaction| {
            let counted = transaction
                .prepare_cached(
                    "SELECT (SELECT count(*) FROM fleet_agent), (SELECT count(*) FROM fleet_fresh),
                            (SELECT count(*) FROM fleet_series)",
                )?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            Ok(counted.unwrap_or_default())
        })
    }
}
