//! Taking samples.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

use event::Timestamp;
use finding::Occurrence;
use rusqlite::Transaction;
use sample::{Problem, Reading, Sample};
use serde::Serialize;
use telemetry::metric;

use crate::{
    Condition, Configured, Fleet, FleetError,
    condition::Turn,
    fixed, fresh,
    group::Groups,
    host::Host,
    learned,
    measured::{self, Measured},
    processes, series, silence,
    told::{self, Told, What},
    usual,
};

/// Things that did not fit which one answer names; of more it says how many.
const NAMED_MAX: usize = 100;

/// Who sends samples.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    /// Whose key it is.
    pub organization: Option<String>,
}

/// Something that did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfitting {
    /// The number of the sample in its request, from 1.
    pub line: usize,
    /// The field: its path with dots.
    pub field: String,
    /// Why it does not fit.
    pub reason: String,
}

/// What became of samples. All that was accepted is durable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// Samples that were kept.
    pub accepted: usize,
    /// Samples that had been kept before.
    pub duplicates: usize,
    /// Samples that were refused, the first hundred.
    pub rejected: Vec<Unfitting>,
    /// How many were refused.
    pub rejected_total: usize,
    /// What did not fit in samples that were kept, the first hundred.
    pub problems: Vec<Unfitting>,
    /// How much did not fit.
    pub problems_total: usize,
    /// What the agent of the last sample is to follow.
    pub config: Option<Configured>,
}

impl Taken {
    fn reject(&mut self, line: usize, field: &str, reason: String) {
        self.rejected_total += 1;
        if self.rejected.len() < NAMED_MAX {
            self.rejected.push(Unfitting { line, field: field.to_owned(), reason });
        }
    }

    fn problem(&mut self, line: usize, field: String, reason: String) {
        if self.problems.len() < NAMED_MAX {
            self.problems.push(Unfitting { line, field, reason });
        }
    }
}

impl Fleet {
    /// Keeps samples in the order in which they stand. Those that are kept are durable on return; the same (agent,
    /// sequence) again changes nothing, nor does a sample without sequence of a time that was kept lately.
    ///
    /// # Errors
    /// When the database cannot be written; then none is kept.
    pub fn take(
        &self,
        readings: Vec<Result<Reading, Problem>>,
        sender: &Sender,
        received: Timestamp,
    ) -> Result<Taken, FleetError> {
        let mut known = self.hosts();
        let groups = self.held_groups();
        let (taken, changed, has_told) = self.database.write(|transaction| {
            let mut taking = Taking {
                fleet: self,
                transaction,
                sender,
                received,
                known: &known,
                groups: &groups,
                changed: HashMap::new(),
                told: Vec::new(),
                taken: Taken::default(),
                last: None,
                process_changes: 0,
                process_changes_missing: 0,
                process_findings_left_out: 0,
                given_up: processes::GivenUp::default(),
            };
            for (line, reading) in (1..).zip(readings) {
                taking.reading(line, reading)?;
            }
            taking.end()
        })?;
        known.extend(changed);
        drop(known);
        if has_told {
            self.wake();
        }
        Ok(taken)
    }
}

struct Taking<'t> {
    fleet: &'t Fleet,
    transaction: &'t Transaction<'t>,
    sender: &'t Sender,
    received: Timestamp,
    known: &'t HashMap<String, Host>,
    groups: &'t Groups,
    changed: HashMap<String, Host>,
    told: Vec<Told>,
    taken: Taken,
    /// The agent of the last sample.
    last: Option<String>,
    process_changes: u64,
    process_changes_missing: u64,
    process_findings_left_out: u64,
    given_up: processes::GivenUp,
}

impl Taking<'_> {
    fn reading(&mut self, line: usize, reading: Result<Reading, Problem>) -> Result<(), FleetError> {
        let reading = match reading {
            Ok(reading) => reading,
            Err(problem) => {
                self.taken.reject(line, &problem.field, problem.reason);
                return Ok(());
            }
        };
        let name = reading.sample.agent_name.clone();
        let Some(mut host) = self.host(line, &name)? else { return Ok(()) };
        self.last = Some(name.clone());
        if let Some((field, reason)) = self.refused(&host, &reading.sample) {
            self.taken.reject(line, field, reason);
        } else {
            self.sample(line, &mut host, reading)?;
        }
        self.changed.insert(name, host);
        Ok(())
    }

    /// The host of this name, known or new; None where there is no room for a new one.
    fn host(&mut self, line: usize, name: &str) -> Result<Option<Host>, FleetError> {
        if let Entry::Occupied(entry) = self.changed.entry(name.to_owned()) {
            return Ok(Some(entry.remove()));
        }
        if let Some(host) = self.known.get(name) {
            return Ok(Some(host.clone()));
        }
        if let Some(host) = Host::load(self.transaction, name)? {
            return Ok(Some(host));
        }
        let agents: usize = self
            .transaction
            .prepare_cached("SELECT count(*) FROM fleet_agent")?
            .query_row([], |row| row.get::<_, i64>(0))?
            .try_into()
            .unwrap_or(usize::MAX);
        if agents >= self.fleet.config.agents_max {
            let reason = format!(
                "there are {agents} agents already, as many as LOG_SENTINEL_HOSTS_MAX allows; delete one that is \
                 gone, or raise it"
            );
            self.taken.reject(line, "agent_name", reason);
            return Ok(None);
        }
        Host::add(self.transaction, name, self.sender.organization.as_deref(), self.received).map(Some)
    }

    /// Why a sample cannot be kept.
    fn refused(&self, host: &Host, sample: &Sample) -> Option<(&'static str, String)> {
        let sender = self.sender.organization.as_deref();
        if sender.is_some() && sender != host.organization.as_deref() {
            return Some((
                "agent_name",
                "an agent of this name is of another organization; take another name".into(),
            ));
        }
        if let (Some(known), Some(given)) = (&host.agent_id, &sample.agent_id)
            && known != given
            && self.received.as_nanos() - host.last_seen.as_nanos()
                < host.silent_after(self.fleet.config.silent_after)
        {
            let reason = format!(
                "another agent sends under the name '{}': give one of the two another name (agent.name); if this one \
                 replaces it, it is taken once the other has been silent for a while",
                host.name
            );
            return Some(("agent_id", reason));
        }
        let at = sample.timestamp?.as_nanos();
        let ahead = i128::from(at) - i128::from(self.received.as_nanos());
        if ahead > i128::try_from(self.fleet.config.ahead_max.as_nanos()).unwrap_or(i128::MAX) {
            let seconds = ahead / 1_000_000_000;
            return Some((
                "timestamp",
                format!("is {seconds} seconds ahead of this server's clock; set the clock of the host"),
            ));
        }
        None
    }

    fn sample(&mut self, line: usize, host: &mut Host, reading: Reading) -> Result<(), FleetError> {
        let Reading { mut sample, problems, problems_total } = reading;
        let at = sample.timestamp.unwrap_or(self.received);
        if host.agent_id.is_some() && sample.agent_id.is_some() && host.agent_id != sample.agent_id {
            // Another agent took the name over and counts anew.
            host.seqs = Default::default();
        }
        host.last_seen = host.last_seen.max(self.received);
        let is_new = match sample.seq {
            Some(seq) => host.seqs.take(seq),
            None => sample.timestamp.is_none() || !fresh::has(self.transaction, host.id, at)?,
        };
        if !is_new {
            self.taken.duplicates += 1;
            return Ok(());
        }
        host.told_by(&sample, at);
        self.taken.problems_total += problems_total;
        for problem in problems {
            self.taken.problem(line, problem.field, problem.reason);
        }
        let floor = self.fleet.config.tiers.last().map_or(0, |tier| tier.floor(self.received.as_nanos()));
        if at.as_nanos() < floor {
            let reason = "is older than history is kept: the sample is only among the newest".to_owned();
            self.taken.problems_total += 1;
            self.taken.problem(line, "timestamp".to_owned(), reason);
        }
        if let Some(report) = sample.processes.take() {
            self.processes(line, host, report, at)?;
        }
        let numbers = self.numbers(line, host, &sample)?;
        fresh::add(self.transaction, host.id, at, &numbers, &sample)?;
        self.taken.accepted += 1;
        self.no_longer_silent(host)?;
        if at > host.newest {
            self.resources(host, &sample, at)?;
            if self.fleet.config.is_watching {
                self.watch(host, &sample, at)?;
            }
            host.newest = at;
        }
        Ok(())
    }

    /// Looks at what the busiest processes take.
    fn resources(&mut self, host: &Host, sample: &Sample, at: Timestamp) -> Result<(), FleetError> {
        if !self.fleet.config.is_judging_processes {
            return Ok(());
        }
        let found = processes::resources(
            self.transaction,
            (host.id, &host.name),
            (at, host.newest),
            &sample.metrics.top,
            self.fleet.config.processes_learn,
            &mut self.given_up,
        )?;
        for finding in found {
            self.tell(host, What::Found(Box::new(finding)));
        }
        Ok(())
    }

    /// Keeps what a sample tells of processes.
    fn processes(
        &mut self,
        line: usize,
        host: &Host,
        report: serde_json::Value,
        at: Timestamp,
    ) -> Result<(), FleetError> {
        match serde_json::from_value(report) {
            Ok(report) => {
                let recorded = processes::record(self.transaction, host.id, report, at)?;
                if self.fleet.config.is_judging_processes {
                    let (findings, left_out) = processes::judge(
                        self.transaction,
                        (host.id, &host.name),
                        &recorded,
                        &self.fleet.config,
                        &mut self.given_up,
                    )?;
                    self.process_findings_left_out += left_out;
                    for finding in findings {
                        self.tell(host, What::Found(Box::new(finding)));
                    }
                }
                self.process_changes += recorded.changes.len() as u64;
                self.process_changes_missing += recorded.missing;
            }
            Err(error) => {
                self.taken.problems_total += 1;
                self.taken.problem(
                    line,
                    "processes".to_owned(),
                    format!("is no report of processes: {error}"),
                );
            }
        }
        Ok(())
    }

    /// The numbers of a sample by series.
    fn numbers(&mut self, line: usize, host: &mut Host, sample: &Sample) -> Result<Vec<u8>, FleetError> {
        let (mut numbers, mut left_out) = (Vec::new(), 0);
        for one in sample.series() {
            let id = match host.series.get(&one.name) {
                Some(id) => *id,
                None if host.series.len() >= self.fleet.config.series_max => {
                    left_out += 1;
                    continue;
                }
                None => {
                    let id = series::add(self.transaction, host.id, &one.name)?;
                    Arc::make_mut(&mut host.series).insert(one.name.clone(), id);
                    id
                }
            };
            numbers.push((id, fixed::keep(one.value, fixed::decimals(one.unit))));
        }
        if left_out > 0 {
            let max = self.fleet.config.series_max;
            let reason = format!(
                "has {left_out} numbers beyond the {max} series that are kept of an agent \
                 (LOG_SENTINEL_HOSTS_SERIES_MAX); their history is not kept"
            );
            self.taken.problems_total += 1;
            self.taken.problem(line, "metrics".to_owned(), reason);
        }
        Ok(series::pack(numbers))
    }

    fn no_longer_silent(&mut self, host: &mut Host) -> Result<(), FleetError> {
        if host.conditions.remove(silence::SILENT).is_some() {
            host.save_condition(self.transaction, silence::SILENT)?;
            self.tell(host, silence::silence_is_over(&host.name));
        }
        Ok(())
    }

    fn tell(&mut self, host: &Host, what: What) {
        self.told.push(Told { organization: host.organization.clone(), what });
    }

    /// Holds a sample against thresholds.
    fn watch(&mut self, host: &mut Host, sample: &Sample, at: Timestamp) -> Result<(), FleetError> {
        let monitoring = host.monitoring(self.groups);
        let again = i64::try_from(self.fleet.config.raise_again_after.as_nanos()).unwrap_or(i64::MAX);
        let mut met = BTreeSet::new();
        for one in measured::measured(&sample.metrics, &monitoring) {
            let one = if monitoring.is_learned(one.section) { self.learned(host, one, at)? } else { one };
            met.insert(one.rule.clone());
            let before = host.conditions.get(&one.rule).cloned();
            let mut condition = before.clone().unwrap_or_else(|| Condition::new(&one, at));
            let turn = condition.take(&one, at, again);
            match turn {
                Turn::Nothing => {}
                Turn::Told(run) => {
                    let finding = measured::finding(&host.name, &one, run, &sample.metrics.top);
                    self.tell(host, What::Found(Box::new(finding)));
                }
                Turn::Cleared => {
                    let (host_name, kind, rule) = (host.name.clone(), one.kind, one.rule.clone());
                    self.tell(host, What::Over { host: host_name, kind, rule });
                }
            }
            if condition.is_forgettable() {
                host.conditions.remove(&one.rule);
            } else {
                host.conditions.insert(one.rule.clone(), condition.clone());
            }
            if before.map(|before| before.is_other_than(&condition)).unwrap_or(!condition.is_forgettable()) {
                host.save_condition(self.transaction, &one.rule)?;
            }
        }
        let gone: Vec<String> = host.conditions.keys().filter(|rule| !met.contains(*rule)).cloned().collect();
        for rule in gone {
            if host.conditions.get_mut(&rule).is_some_and(|condition| condition.take_none(at)) {
                host.save_condition(self.transaction, &rule)?;
            }
        }
        let run = Occurrence { first: at, last: at, count: 1, is_update: false, evidence: Vec::new() };
        for finding in measured::sign_ins(&host.name, &sample.metrics, &monitoring, &run) {
            self.tell(host, What::Found(Box::new(finding)));
        }
        Ok(())
    }

    /// The same against what is usual at this hour of the week, where enough weeks say what that is.
    fn learned(&self, host: &mut Host, one: Measured, at: Timestamp) -> Result<Measured, FleetError> {
        let hour = usual::hour(at.as_nanos());
        let found = match host.usual.get(&one.series) {
            Some((known, found)) if *known == hour => *found,
            _ => {
                let (unit, tiers) = (one.unit(), &self.fleet.config.tiers);
                let found = match host.series.get(&one.series) {
                    Some(series) => learned::usual(self.transaction, tiers, (host.id, *series), unit, hour)?,
                    None => None,
                };
                host.usual.insert(one.series.clone(), (hour, found));
                found
            }
        };
        Ok(match found {
            Some(usual) => one.by(usual),
            None => one,
        })
    }

    fn end(self) -> Result<(Taken, HashMap<String, Host>, bool), FleetError> {
        let mut taken = self.taken;
        for host in self.changed.values() {
            host.save(self.transaction)?;
        }
        told::keep(self.transaction, &self.told)?;
        let count = |outcome: &'static str, number: u64| {
            metrics::counter!(metric::PROCESS_CHANGES, "outcome" => outcome).increment(number);
        };
        count("kept", self.process_changes);
        count("missing", self.process_changes_missing);
        metrics::counter!(metric::PROCESS_FINDINGS_LEFT_OUT).increment(self.process_findings_left_out);
        self.given_up.told();
        taken.config =
            self.last.and_then(|name| self.changed.get(&name)).map(|host| Configured::of(host, self.groups));
        Ok((taken, self.changed, !self.told.is_empty()))
    }
}
