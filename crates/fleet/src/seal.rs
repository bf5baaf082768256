//! Putting samples that wait into the chunks of every tier, and dropping what is too old.

use std::collections::{BTreeMap, BTreeSet};

use event::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::{
    Fleet, FleetError, Tier,
    chunk::{self, Bucket, Packer},
    fresh::RECENT_MAX,
    series,
};

/// A sample that waits: row, time, numbers.
type Waiting = (i64, i64, Vec<u8>);

impl Fleet {
    /// Puts samples into chunks: of agents that have so many waiting at least. Gives how many samples were put away.
    ///
    /// # Errors
    /// When the database cannot be written; what was put away before stays so.
    pub fn seal(&self, at_least: u32, now: Timestamp) -> Result<u64, FleetError> {
        let due: Vec<i64> = self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT id FROM fleet_agent a WHERE ?1 <=
                    (SELECT count(*) FROM fleet_fresh f WHERE f.agent = a.id AND f.id > a.sealed)",
            )?;
            let rows = statement.query_map([at_least.max(1)], |row| row.get(0))?;
            Ok::<_, FleetError>(rows.collect::<Result<_, _>>()?)
        })?;
        let mut packer = Packer::new()
            .map_err(|_| FleetError::Damaged { what: "zstd, which does not begin".to_owned() })?;
        let mut sealed = 0;
        for agent in due {
            sealed += self.database.write(|transaction| {
                seal_agent(transaction, &mut packer, &self.config.tiers, agent, now.as_nanos())
            })?;
        }
        Ok(sealed)
    }

    /// Drops the partitions that are too old as a whole; gives how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn expire(&self, now: Timestamp) -> Result<usize, FleetError> {
        let old: Vec<(Tier, u64)> = self.database.read(|transaction| {
            let mut old = Vec::new();
            for tier in &self.config.tiers {
                let first = tier.partition(tier.bucket(tier.floor(now.as_nanos())) / tier.buckets);
                old.extend(
                    partitions(transaction, *tier)?
                        .into_iter()
                        .filter(|number| *number < first)
                        .map(|number| (*tier, number)),
                );
            }
            Ok::<_, FleetError>(old)
        })?;
        for (tier, number) in &old {
            self.database.write(|transaction| {
                transaction.execute_batch(&format!("DROP TABLE IF EXISTS {}", tier.table(*number)))?;
                transaction.execute(
                    "DELETE FROM fleet_partition WHERE tier = ?1 AND number = ?2",
                    params![tier.number, number.cast_signed()],
                )?;
                Ok::<_, FleetError>(())
            })?;
        }
        Ok(old.len())
    }
}

/// The partitions of a tier that there are.
pub(crate) fn partitions(transaction: &Transaction<'_>, tier: Tier) -> Result<BTreeSet<u64>, FleetError> {
    let mut statement = transaction.prepare_cached("SELECT number FROM fleet_partition WHERE tier = ?1")?;
    let rows = statement.query_map([tier.number], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn seal_agent(
    transaction: &Transaction<'_>,
    packer: &mut Packer,
    tiers: &[Tier],
    agent: i64,
    now: i64,
) -> Result<u64, FleetError> {
    let waiting: Vec<Waiting> = transaction
        .prepare_cached(
            "SELECT f.id, f.at, f.numbers FROM fleet_agent a JOIN fleet_fresh f ON f.agent = a.id
             WHERE a.id = ?1 AND f.id > a.sealed",
        )?
        .query_map([agent], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let Some(last) = waiting.iter().map(|(row, ..)| *row).max() else { return Ok(0) };
    let mut of_series: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    for (_, at, numbers) in &waiting {
        let damaged = || FleetError::Damaged { what: "a sample".to_owned() };
        for (series, number) in series::unpack(numbers).ok_or_else(damaged)? {
            of_series.entry(series).or_default().push((*at, number));
        }
    }
    for tier in tiers {
        let mut tables = BTreeSet::new();
        for (series, numbers) in &of_series {
            put_away(transaction, packer, (tier, &mut tables), *series, numbers, now)?;
        }
    }
    transaction.prepare_cached("UPDATE fleet_agent SET sealed = ?2 WHERE id = ?1")?.execute([agent, last])?;
    transaction
        .prepare_cached(
            "DELETE FROM fleet_fresh WHERE agent = ?1 AND id <= ?2 AND at <
                (SELECT at FROM fleet_fresh WHERE agent = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?3)",
        )?
        .execute(params![agent, last, RECENT_MAX - 1])?;
    Ok(waiting.len() as u64)
}

/// Puts numbers of one series into the chunks of one tier.
fn put_away(
    transaction: &Transaction<'_>,
    packer: &mut Packer,
    (tier, tables): (&Tier, &mut BTreeSet<u64>),
    series: i64,
    numbers: &[(i64, i64)],
    now: i64,
) -> Result<(), FleetError> {
    let floor = tier.floor(now);
    let mut chunks: BTreeMap<u64, Vec<Bucket>> = BTreeMap::new();
    for (at, number) in numbers.iter().filter(|(at, _)| *at >= floor) {
        let bucket = Bucket::one(tier.bucket(*at), *number);
        chunk::merge(chunks.entry(bucket.number / tier.buckets).or_default(), &[bucket]);
    }
    for (number, buckets) in chunks {
        let partition = tier.partition(number);
        let table = tier.table(partition);
        if tables.insert(partition) {
            transaction.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT"
            ))?;
            transaction.execute(
                "INSERT OR IGNORE INTO fleet_partition VALUES (?1, ?2)",
                params![tier.number, partition.cast_signed()],
            )?;
        }
        let row = tier.row(series, number);
        let held: Option<Vec<u8>> = transaction
            .prepare_cached(&format!("SELECT data FROM {table} WHERE id = ?1"))?
            .query_row([row], |row| row.get(0))
            .optional()?;
        let begins = number * tier.buckets;
        let mut all = match held {
            None => Vec::new(),
            Some(data) => chunk::unpack(begins, &data)
                .ok_or_else(|| FleetError::Damaged { what: format!("series {series} in {table}") })?,
        };
        chunk::merge(&mut all, &buckets);
        transaction
            .prepare_cached(&format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2)"))?
            .execute(params![row, packer.pack(begins, &all)])?;
    }
    Ok(())
}
