//! A host as it is remembered between its samples.

use std::{collections::BTreeMap, sync::Arc};

use event::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sample::{Expected, Labels, Sample};
use serde_json::{Map, Value};

use crate::{
    Condition, FleetError, Monitoring,
    group::Groups,
    layers::{Layers, Origin},
    seqs::Seqs,
    series,
    stored::{self, text, time},
    usual,
};

/// What is known of a host.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) organization: Option<String>,
    /// When it was last heard of, by the server's clock.
    pub(crate) last_seen: Timestamp,
    /// The newest sample's time, by its own clock.
    pub(crate) newest: Timestamp,
    pub(crate) agent_id: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) os: Option<String>,
    pub(crate) interval: Option<f64>,
    pub(crate) is_sometimes: bool,
    /// What groups of hosts are told by.
    pub(crate) labels: Labels,
    pub(crate) config_taken: Option<u64>,
    pub(crate) config_problem: Option<String>,
    /// What its own file says is to be watched.
    pub(crate) own: Map<String, Value>,
    pub(crate) seqs: Seqs,
    /// The version of what was set here, and what.
    pub(crate) config: (u64, Map<String, Value>),
    pub(crate) series: Arc<series::Names>,
    pub(crate) conditions: BTreeMap<String, Condition>,
    /// What was looked up of what is usual; not kept.
    pub(crate) usual: usual::Known,
}

impl Host {
    /// A host that was never heard of.
    pub(crate) fn add(
        transaction: &Transaction<'_>,
        name: &str,
        organization: Option<&str>,
        at: Timestamp,
    ) -> Result<Self, FleetError> {
        transaction
            .prepare_cached(
                "INSERT INTO fleet_agent (name, organization, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3)",
            )?
            .execute(params![name, organization, at.as_nanos()])?;
        let id = transaction.last_insert_rowid();
        Ok(Self {
            id,
            name: name.to_owned(),
            organization: organization.map(str::to_owned),
            last_seen: at,
            newest: Timestamp::MIN,
            agent_id: None,
            version: None,
            os: None,
            interval: None,
            is_sometimes: false,
            labels: Labels::new(),
            config_taken: None,
            config_problem: None,
            own: Map::new(),
            seqs: Seqs::default(),
            config: (0, Map::new()),
            series: Arc::default(),
            conditions: BTreeMap::new(),
            usual: usual::Known::new(),
        })
    }

    /// The host of this name, as it was last saved.
    pub(crate) fn load(transaction: &Transaction<'_>, name: &str) -> Result<Option<Self>, FleetError> {
        let Some(mut host) = Self::load_without_series(transaction, name)? else { return Ok(None) };
        host.series = Arc::new(series::load(transaction, host.id)?);
        Ok(Some(host))
    }

    /// The same without the names of its series.
    pub(crate) fn load_without_series(
        transaction: &Transaction<'_>,
        name: &str,
    ) -> Result<Option<Self>, FleetError> {
        let row = transaction
            .prepare_cached(
                "SELECT id, organization, last_seen, newest, agent_id, version, os, interval_s, sometimes,
                        config_version, config_problem, monitoring, seqs, labels FROM fleet_agent WHERE name = ?1",
            )?
            .query_row([name], |row| {
                let host = Self {
                    id: row.get(0)?,
                    name: name.to_owned(),
                    organization: row.get(1)?,
                    last_seen: time(row.get(2)?),
                    newest: time(row.get(3)?),
                    agent_id: row.get(4)?,
                    version: row.get(5)?,
                    os: row.get(6)?,
                    interval: row.get(7)?,
                    is_sometimes: row.get(8)?,
                    labels: Labels::new(),
                    config_taken: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
                    config_problem: row.get(10)?,
                    own: Map::new(),
                    seqs: Seqs::default(),
                    config: (0, Map::new()),
                    series: Arc::default(),
                    conditions: BTreeMap::new(),
                    usual: usual::Known::new(),
                };
                Ok((host, row.get::<_, Option<String>>(11)?, row.get::<_, String>(12)?, row.get::<_, Option<String>>(13)?))
            })
            .optional()?;
        let Some((mut host, own, seqs, labels)) = row else { return Ok(None) };
        host.own = own.map(|own| json(&own, name)).transpose()?.unwrap_or_default();
        host.seqs = json(&seqs, name)?;
        host.labels = labels.map(|labels| json(&labels, name)).transpose()?.unwrap_or_default();
        host.config = config(transaction, host.id, name)?;
        host.conditions = conditions(transaction, host.id, name)?;
        Ok(Some(host))
    }

    /// Saves what changes with samples.
    pub(crate) fn save(&self, transaction: &Transaction<'_>) -> Result<(), FleetError> {
        let own = (!self.own.is_empty()).then(|| text(&self.own)).transpose()?;
        let labels = (!self.labels.is_empty()).then(|| text(&self.labels)).transpose()?;
        transaction
            .prepare_cached(
                "UPDATE fleet_agent SET last_seen = ?2, newest = ?3, agent_id = ?4, version = ?5, os = ?6,
                    interval_s = ?7, sometimes = ?8, config_version = ?9, config_problem = ?10, monitoring = ?11,
                    seqs = ?12, labels = ?13 WHERE id = ?1",
            )?
            .execute(params![
                self.id,
                self.last_seen.as_nanos(),
                self.newest.as_nanos(),
                self.agent_id,
                self.version,
                self.os,
                self.interval,
                self.is_sometimes,
                self.config_taken.map(u64::cast_signed),
                self.config_problem,
                own,
                text(&self.seqs)?,
                labels,
            ])?;
        Ok(())
    }

    /// Saves how one thing stands, or that there is nothing to remember of it.
    pub(crate) fn save_condition(&self, transaction: &Transaction<'_>, rule: &str) -> Result<(), FleetError> {
        match self.conditions.get(rule) {
            Some(condition) => transaction
                .prepare_cached("INSERT OR REPLACE INTO fleet_condition VALUES (?1, ?2, ?3)")?
                .execute(params![self.id, rule, text(condition)?])?,
            None => transaction
                .prepare_cached("DELETE FROM fleet_condition WHERE agent = ?1 AND rule = ?2")?
                .execute(params![self.id, rule])?,
        };
        Ok(())
    }

    /// Takes over what a sample of this moment says of its agent.
    pub(crate) fn told_by(&mut self, sample: &Sample, at: Timestamp) {
        let or = |said: &Option<String>, known: &Option<String>| said.clone().or_else(|| known.clone());
        self.agent_id = or(&sample.agent_id, &self.agent_id);
        self.version = or(&sample.version, &self.version);
        self.os = or(&sample.os, &self.os);
        self.interval = sample.interval.or(self.interval);
        if let Some(expected) = sample.expected {
            self.is_sometimes = expected == Expected::Sometimes;
        }
        if sample.config_version.is_some() {
            self.config_taken = sample.config_version;
            self.config_problem = sample.config_problem.clone();
        }
        // A straggler does not put the host back into the group that it has left, nor its file back to what it was.
        if at >= self.newest {
            if let Some(labels) = &sample.labels {
                self.labels = labels.clone();
            }
            if let Some(own) = &sample.monitoring {
                self.own = own.clone();
            }
        }
    }

    /// What is said of it: by its groups, by its own file, and what was set here for it.
    pub(crate) fn layers<'h>(&'h self, groups: &'h Groups) -> Layers<'h> {
        let groups = groups.of(&self.labels);
        let groups = groups.map(|set| (Origin::Group { group: set.selector.clone() }, &set.monitoring));
        Layers(groups.chain([(Origin::File, &self.own), (Origin::Host, &self.config.1)]).collect())
    }

    /// What holds.
    pub(crate) fn monitoring(&self, groups: &Groups) -> Monitoring {
        self.layers(groups).monitoring()
    }

    /// Nanoseconds without a word after which it is silent.
    pub(crate) fn silent_after(&self, least: std::time::Duration) -> i64 {
        let least = i64::try_from(least.as_nanos()).unwrap_or(i64::MAX);
        let three = self.interval.map_or(0, |seconds| (seconds * 3e9) as i64);
        least.max(three)
    }
}

fn config(
    transaction: &Transaction<'_>,
    agent: i64,
    name: &str,
) -> Result<(u64, Map<String, Value>), FleetError> {
    let found = transaction
        .prepare_cached(
            "SELECT version, monitoring FROM fleet_config WHERE agent = ?1 ORDER BY version DESC LIMIT 1",
        )?
        .query_row([agent], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(match found {
        None => (0, Map::new()),
        Some((version, monitoring)) => (version.cast_unsigned(), json(&monitoring, name)?),
    })
}

/// How everything stands that is remembered of a host.
pub(crate) fn conditions(
    transaction: &Transaction<'_>,
    agent: i64,
    name: &str,
) -> Result<BTreeMap<String, Condition>, FleetError> {
    let mut statement =
        transaction.prepare_cached("SELECT rule, condition FROM fleet_condition WHERE agent = ?1")?;
    let rows = statement.query_map([agent], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (rule, condition) = row?;
        Ok((rule, json(&condition, name)?))
    })
    .collect()
}

fn json<T: serde::de::DeserializeOwned>(text: &str, name: &str) -> Result<T, FleetError> {
    stored::json(text, || format!("agent '{name}'"))
}
