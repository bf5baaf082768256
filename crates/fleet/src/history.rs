//! What was measured, over time.

use std::collections::BTreeMap;

use event::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sample::Unit;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Fleet, FleetError, Tier,
    chunk::{self, Bucket},
    fixed, fresh, seal, series,
    stored::time,
};

/// Points of one answer.
pub const POINTS_MAX: usize = 5_000;

/// What is asked of one metric of one agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The series, such as `cpu.percent`.
    pub metric: String,
    /// The beginning, inclusive.
    pub from: Timestamp,
    /// The end, exclusive.
    pub to: Timestamp,
    /// At most so many points, and never more than [`POINTS_MAX`].
    pub points: usize,
}

/// What was measured within a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Its beginning.
    pub t: Timestamp,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean of all samples.
    pub mean: f64,
    /// Samples.
    pub count: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// The agent.
    pub agent_name: String,
    /// The series.
    pub metric: String,
    /// In what it is measured.
    pub unit: &'static str,
    /// Seconds of each point.
    pub step_s: u64,
    /// Points in which something was measured, the oldest first.
    pub points: Vec<Point>,
}

impl Fleet {
    /// One metric of an agent over time, from the tier that has as many points as are asked for and reaches back so far.
    ///
    /// # Errors
    /// When there is no such agent, or the database cannot be read.
    pub fn chart(
        &self,
        name: &str,
        organization: Option<&str>,
        question: &Question,
        now: Timestamp,
    ) -> Result<Chart, FleetError> {
        let (from, to) = (question.from.as_nanos(), question.to.as_nanos());
        let (tier, step) = self.tier_for(from, to, question.points.clamp(1, POINTS_MAX), now.as_nanos());
        let unit = sample::unit(&question.metric).map_or(Unit::Unknown, |(unit, _)| unit);
        let folded = self.database.read(|transaction| {
            let (agent, sealed) = agent(transaction, name, organization)?;
            let series: Option<i64> = transaction
                .prepare_cached("SELECT id FROM fleet_series WHERE agent = ?1 AND name = ?2")?
                .query_row(params![agent, question.metric], |row| row.get(0))
                .optional()?;
            let Some(series) = series else { return Ok(BTreeMap::new()) };
            let is_one = question.points <= 1;
            let folding = Folding { tier, step, from, to, is_one, points: BTreeMap::new() };
            folding.folded(transaction, (agent, sealed), series)
        })?;
        let decimals = fixed::decimals(unit);
        let points = folded.into_iter().map(|(t, bucket)| Point {
            t: time(t),
            min: fixed::give(bucket.min, decimals),
            max: fixed::give(bucket.max, decimals),
            mean: fixed::mean(bucket.sum, bucket.count, decimals),
            count: bucket.count,
        });
        Ok(Chart {
            agent_name: name.to_owned(),
            metric: question.metric.clone(),
            unit: unit.as_str(),
            step_s: (step / 1_000_000_000).cast_unsigned(),
            points: points.collect(),
        })
    }

    /// The tier to be asked, and the nanoseconds of a point: a multiple of the tier's width.
    fn tier_for(&self, from: i64, to: i64, points: usize, now: i64) -> (Tier, i64) {
        let step = ((to - from).max(1) as u64).div_ceil(points as u64).cast_signed();
        let tiers = &self.config.tiers;
        let fine = tiers.iter().rposition(|tier| tier.width() <= step).unwrap_or(0);
        let far =
            tiers.iter().position(|tier| tier.floor(now) <= from).unwrap_or(tiers.len().saturating_sub(1));
        let tier = tiers.get(fine.max(far)).copied().unwrap_or(Tier::ALL[0]);
        let width = tier.width();
        let mut widths = step.cast_unsigned().div_ceil(width.cast_unsigned()).max(1).cast_signed();
        // Points begin at multiples of their length, so that they stay where they are as time goes on: that can be one
        // more than asked for.
        let count = |step: i64| to.saturating_sub(1).div_euclid(step) - from.div_euclid(step) + 1;
        while points > 1 && count(width.saturating_mul(widths)) > points as i64 {
            widths += 1;
        }
        (tier, width.saturating_mul(widths))
    }

    /// The names of an agent's series, sorted.
    ///
    /// # Errors
    /// When there is no such agent, or the database cannot be read.
    pub fn series(&self, name: &str, organization: Option<&str>) -> Result<Vec<String>, FleetError> {
        self.database.read(|transaction| {
            let (agent, _) = agent(transaction, name, organization)?;
            let mut names: Vec<String> = series::load(transaction, agent)?.into_keys().collect();
            names.sort_unstable();
            Ok(names)
        })
    }

    /// The newest samples of an agent as they came, the newest first: at most `limit`, and never more than
    /// [`crate::RECENT_MAX`] and what waits.
    ///
    /// # Errors
    /// When there is no such agent, or the database cannot be read.
    pub fn newest(
        &self,
        name: &str,
        organization: Option<&str>,
        (from, to): (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Vec<Value>, FleetError> {
        self.database.read(|transaction| {
            let (agent, _) = agent(transaction, name, organization)?;
            fresh::newest(transaction, agent, (from.as_nanos(), to.as_nanos()), limit)
        })
    }
}

/// Number of an agent, and the last of its samples that is in chunks.
pub(crate) fn agent(
    transaction: &Transaction<'_>,
    name: &str,
    organization: Option<&str>,
) -> Result<(i64, i64), FleetError> {
    let found = transaction
        .prepare_cached(
            "SELECT id, sealed FROM fleet_agent WHERE name = ?1 AND (?2 IS NULL OR organization = ?2)",
        )?
        .query_row(params![name, organization], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.ok_or_else(|| FleetError::Unknown { name: name.to_owned() })
}

/// The buckets of a series in a tier, by their beginnings: those of `(from, to)`, in nanoseconds.
pub(crate) fn buckets(
    transaction: &Transaction<'_>,
    tier: Tier,
    (from, to): (i64, i64),
    agent: (i64, i64),
    series: i64,
) -> Result<BTreeMap<i64, Bucket>, FleetError> {
    let step = tier.width();
    let folding = Folding { tier, step, from, to, is_one: false, points: BTreeMap::new() };
    folding.folded(transaction, agent, series)
}

/// Buckets on their way to be points.
struct Folding {
    tier: Tier,
    step: i64,
    from: i64,
    to: i64,
    is_one: bool,
    points: BTreeMap<i64, Bucket>,
}

impl Folding {
    fn folded(
        mut self,
        transaction: &Transaction<'_>,
        agent: (i64, i64),
        series: i64,
    ) -> Result<BTreeMap<i64, Bucket>, FleetError> {
        self.chunks(transaction, series)?;
        self.waiting(transaction, agent, series)?;
        Ok(self.points)
    }

    fn take(&mut self, bucket: &Bucket) {
        let begins = bucket.number.cast_signed().saturating_mul(self.tier.width());
        // The bucket in which the beginning is counts as a whole.
        if begins.saturating_add(self.tier.width()) <= self.from || begins >= self.to {
            return;
        }
        let point = begins.div_euclid(self.step) * self.step;
        // One point is asked for: all there is.
        let point = if self.is_one { self.from } else { point };
        self.points.entry(point).and_modify(|held| held.merge(bucket)).or_insert(*bucket);
    }

    fn chunks(&mut self, transaction: &Transaction<'_>, series: i64) -> Result<(), FleetError> {
        let tier = self.tier;
        let first = tier.bucket(self.from) / tier.buckets;
        let last = tier.bucket(self.to.saturating_sub(1)) / tier.buckets;
        let wanted = tier.partition(first)..=tier.partition(last);
        for partition in seal::partitions(transaction, tier)?.range(wanted) {
            let begins = partition * tier.chunks;
            let (from, to) = (first.max(begins), last.min(begins + tier.chunks - 1));
            let table = tier.table(*partition);
            let mut statement = transaction
                .prepare_cached(&format!("SELECT id, data FROM {table} WHERE id BETWEEN ?1 AND ?2"))?;
            let rows = statement.query_map([tier.row(series, from), tier.row(series, to)], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })?;
            for row in rows {
                let (id, data) = row?;
                let number = begins + (id - tier.row(series, begins)).cast_unsigned();
                let buckets = chunk::unpack(number * tier.buckets, &data)
                    .ok_or_else(|| FleetError::Damaged { what: format!("series {series} in {table}") })?;
                buckets.iter().for_each(|bucket| self.take(bucket));
            }
        }
        Ok(())
    }

    fn waiting(
        &mut self,
        transaction: &Transaction<'_>,
        (agent, sealed): (i64, i64),
        series: i64,
    ) -> Result<(), FleetError> {
        let mut statement = transaction.prepare_cached(
            "SELECT at, numbers FROM fleet_fresh WHERE agent = ?1 AND at >= ?2 AND at < ?3 AND id > ?4",
        )?;
        let from = self.tier.bucket(self.from).cast_signed().saturating_mul(self.tier.width());
        let mut rows = statement.query(params![agent, from, self.to, sealed])?;
        while let Some(row) = rows.next()? {
            let numbers = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if let Some(number) = series::pick(numbers, series) {
                self.take(&Bucket::one(self.tier.bucket(row.get(0)?), number));
            }
        }
        Ok(())
    }
}
