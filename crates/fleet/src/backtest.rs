//! What thresholds would have told of what is kept: a dry run.
//!
//! Of the time for which every ten seconds are kept each bucket is as the samples were; of what is older, minutes are
//! taken: by their mean for what must last, by their extreme for what is told at once. So a peak of seconds that lies
//! further back may be missed. What a condition makes of it is what it makes of samples that come in.

use std::collections::BTreeSet;

use event::Timestamp;
use rusqlite::Transaction;
use sample::{Cpu, CpuShares, Disk, Memory, Metrics, Network, ServiceState};
use serde::Serialize;

use crate::{
    Condition, Fleet, FleetError, Monitoring, Tier,
    chunk::Bucket,
    condition::Turn,
    fixed, history,
    host::Host,
    learned,
    measured::{self, Measured},
    series,
    stored::time,
    usual,
};

/// Times that are named of each threshold; of more it says how many.
const NAMED_MAX: usize = 20;
const MINUTE: i64 = 60_000_000_000;

/// What the thresholds of an agent would have told within a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// The agent.
    pub agent_name: String,
    /// The beginning.
    pub from: Timestamp,
    /// The end, exclusive.
    pub to: Timestamp,
    /// Each threshold that something was measured for.
    pub thresholds: Vec<Trial>,
}

/// What one threshold would have told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The kind of signal.
    pub kind: &'static str,
    /// The kind, and what of the host it is about.
    pub rule: String,
    /// From where on it is raised; of a learned one at the end of the time.
    pub threshold: f64,
    /// How often it would have been raised.
    pub raised: u64,
    /// How often it would have cleared.
    pub cleared: u64,
    /// When it would have been raised, the first times.
    pub raised_at: Vec<Timestamp>,
    /// Samples, of minutes those that they hold.
    pub samples: u64,
    /// The greatest that was measured; of a service 1 when it was down.
    pub highest: f64,
}

impl Fleet {
    /// What the thresholds of an agent, as they are set now, would have told from `from` to `to`, exclusive. Nothing is
    /// told, and nothing is remembered.
    ///
    /// # Errors
    /// When there is no such agent, or the database cannot be read.
    pub fn backtest(
        &self,
        name: &str,
        organization: Option<&str>,
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Backtest, FleetError> {
        self.database.read(|transaction| {
            let (agent, sealed) = history::agent(transaction, name, organization)?;
            let unknown = || FleetError::Unknown { name: name.to_owned() };
            let host = Host::load_without_series(transaction, name)?.ok_or_else(unknown)?;
            let names = series::load(transaction, agent)?;
            let monitoring = host.monitoring(&self.held_groups());
            let again = i64::try_from(self.config.raise_again_after.as_nanos()).unwrap_or(i64::MAX);
            let trying = Trying { transaction, tiers: &self.config.tiers, agent, sealed, now, again };
            let period = (from.as_nanos(), to.as_nanos());
            let mut read_only = BTreeSet::new();
            for (series, id) in &names {
                if let Some(path) =
                    series.strip_prefix("disk.").and_then(|rest| rest.strip_suffix(".read_only"))
                    && trying.readings(*id, period)?.last().is_some_and(|last| last.bucket.max > 0)
                {
                    read_only.insert(path.to_owned());
                }
            }
            let metrics = assembled(names.keys(), &read_only);
            let mut thresholds = Vec::new();
            for one in measured::measured(&metrics, &monitoring) {
                if let Some(id) = names.get(&one.series)
                    && let Some(trial) = trying.one(one, *id, period, &monitoring)?
                {
                    thresholds.push(trial);
                }
            }
            Ok(Backtest { agent_name: name.to_owned(), from, to, thresholds })
        })
    }
}

/// A stretch of time in which something was measured.
struct Reading {
    begins: i64,
    width: i64,
    bucket: Bucket,
}

struct Trying<'t> {
    transaction: &'t Transaction<'t>,
    tiers: &'t [Tier],
    agent: i64,
    sealed: i64,
    now: Timestamp,
    again: i64,
}

impl Trying<'_> {
    /// What was measured, the oldest first: as finely as it is kept for so long, and at most by the minute.
    fn readings(&self, series: i64, (from, to): (i64, i64)) -> Result<Vec<Reading>, FleetError> {
        let mut readings = Vec::new();
        let mut until = to;
        for tier in self.tiers.iter().filter(|tier| tier.width() <= MINUTE) {
            // Whole minutes, so that the next tier begins where this one ends.
            let floor = tier.floor(self.now.as_nanos()).div_euclid(MINUTE) * MINUTE + MINUTE;
            let begins = from.max(floor);
            if begins < until {
                let agent = (self.agent, self.sealed);
                let found = history::buckets(self.transaction, *tier, (begins, until), agent, series)?;
                let width = tier.width();
                // The bucket in which the beginning is was measured before it.
                let found = found.into_iter().filter(|(at, _)| *at >= begins);
                readings.extend(found.map(|(begins, bucket)| Reading { begins, width, bucket }));
                until = begins;
            }
        }
        readings.sort_by_key(|reading| reading.begins);
        Ok(readings)
    }

    /// None where nothing was measured.
    fn one(
        &self,
        fixed_limit: Measured,
        series: i64,
        period: (i64, i64),
        monitoring: &Monitoring,
    ) -> Result<Option<Trial>, FleetError> {
        let readings = self.readings(series, period)?;
        let Some(first) = readings.first() else { return Ok(None) };
        let decimals = fixed::decimals(fixed_limit.unit());
        let is_learned = monitoring.is_learned(fixed_limit.section);
        let (mut one, mut hour) = (fixed_limit.clone(), None);
        let mut condition = Condition::new(&one, time(first.begins));
        let mut trial = Trial {
            kind: one.kind.as_str(),
            rule: one.rule.clone(),
            threshold: one.raise,
            raised: 0,
            cleared: 0,
            raised_at: Vec::new(),
            samples: 0,
            highest: f64::MIN,
        };
        for reading in &readings {
            let now = usual::hour(reading.begins);
            if is_learned && hour.replace(now) != Some(now) {
                let ids = (self.agent, series);
                let found = learned::usual(self.transaction, self.tiers, ids, one.unit(), now)?;
                one = found.map_or_else(|| fixed_limit.clone(), |usual| fixed_limit.clone().by(usual));
            }
            let (value, highest) = value(&one, &reading.bucket, decimals);
            one.value = value;
            trial.samples += reading.bucket.count;
            trial.highest = trial.highest.max(highest);
            // As many as count; those behind them change nothing.
            let count =
                i64::try_from(reading.bucket.count).unwrap_or(i64::MAX).clamp(1, i64::from(one.samples));
            for number in 0..count {
                let at = time(reading.begins + number * (reading.width / count));
                match condition.take(&one, at, self.again) {
                    Turn::Told(run) if !run.is_update => {
                        trial.raised += 1;
                        if trial.raised_at.len() < NAMED_MAX {
                            trial.raised_at.push(at);
                        }
                    }
                    Turn::Cleared => trial.cleared += 1,
                    Turn::Told(_) | Turn::Nothing => {}
                }
            }
        }
        trial.threshold = one.raise;
        Ok(Some(trial))
    }
}

/// What a bucket is held against a threshold with, and the greatest in it.
fn value(one: &Measured, bucket: &Bucket, decimals: u8) -> (f64, f64) {
    if one.service.is_some() {
        let is_down = f64::from(u8::from(bucket.min == 0));
        return (is_down, is_down);
    }
    let highest = fixed::give(bucket.max, decimals);
    let mean = fixed::mean(bucket.sum, bucket.count, decimals);
    (if one.samples == 1 { highest } else { mean }, highest)
}

/// Metrics in which everything stands that there is a series of and a threshold for, so that the same code says what is
/// held against what.
fn assembled<'n>(names: impl Iterator<Item = &'n String>, read_only: &BTreeSet<String>) -> Metrics {
    let mut metrics = Metrics::default();
    let mut cpu = Cpu::default();
    for name in names {
        let Some((group, rest)) = name.split_once('.') else { continue };
        let last = rest.rsplit_once('.');
        match (group, last) {
            ("cpu", None) if rest == "percent" => {
                cpu.shares = CpuShares { percent: Some(0.0), ..CpuShares::default() };
            }
            ("cpu", Some(("cores", _))) => cpu.cores.push(0.0),
            ("cpu", Some(("load", "5"))) => cpu.load = Some([0.0; 3]),
            ("ram", None) if rest == "percent" => {
                metrics.ram = Some(Memory { percent: Some(0.0), ..Memory::default() });
            }
            ("disk", Some((path, which))) => {
                let disk = metrics.disk.entry(path.to_owned()).or_insert_with(Disk::default);
                disk.read_only = Some(f64::from(u8::from(read_only.contains(path))));
                match which {
                    "percent" => disk.percent = Some(0.0),
                    "inodes_percent" => disk.inodes_percent = Some(0.0),
                    _ => {}
                }
            }
            ("network", Some((interface, which))) => {
                let network = metrics.network.entry(interface.to_owned()).or_insert_with(Network::default);
                match which {
                    "in_kb_s" => network.in_kb_s = Some(0.0),
                    "out_kb_s" => network.out_kb_s = Some(0.0),
                    _ => {}
                }
            }
            ("services", _) => {
                metrics.services.insert(rest.to_owned(), ServiceState::Running);
            }
            _ => {}
        }
    }
    metrics.cpu = Some(cpu);
    metrics
}
