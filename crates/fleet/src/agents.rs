//! The agents that are known, and how they are configured.

use event::Timestamp;
use rusqlite::{Transaction, params};
use sample::Labels;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Condition, Fleet, FleetError, Monitoring, Standing, Unfit, fresh,
    group::Groups,
    history,
    host::{self, Host},
    layers::Origins,
    monitoring::over,
    processes, seal, silence,
    stored::{self, time},
    told::{self, Told, What},
};

/// Configurations of an agent or a group that are kept.
pub(crate) const VERSIONS_KEPT: i64 = 20;

/// Whether an agent is heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentState {
    /// It is.
    Online,
    /// Not for a while.
    Silent,
    /// It was announced and has not sent anything yet.
    Never,
}

/// What is known of an agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// Whether it is heard of.
    pub state: AgentState,
    /// When it was last heard of, by the server's clock.
    pub last_seen: Option<Timestamp>,
    /// When it was first heard of.
    pub first_seen: Option<Timestamp>,
    /// The version of the agent.
    pub version: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// Seconds from one sample to the next.
    pub interval: Option<f64>,
    /// `always`, or `sometimes` for what comes and goes.
    pub expected: &'static str,
    /// What groups of hosts are told by.
    pub labels: Labels,
    /// The metrics of its newest sample.
    pub metrics: Value,
    /// The version of the configuration that was set here; 0 where none was.
    pub config_version: u64,
    /// The version that it says it follows.
    pub config_taken: Option<u64>,
    /// Why it does not follow a newer one.
    pub config_problem: Option<String>,
    /// What is watched there, and from where on it is told.
    pub monitoring: Monitoring,
    /// Where each threshold comes from.
    pub threshold_origins: Origins,
    /// What is above its threshold, or was and is no longer measured.
    pub conditions: Vec<Condition>,
}

/// A configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Configured {
    /// Its version: 0 where nothing was set here, and what the agent's own file says holds.
    pub version: u64,
    /// The whole of it.
    pub monitoring: Monitoring,
}

impl Configured {
    pub(crate) fn of(host: &Host, groups: &Groups) -> Self {
        Self { version: host.config.0, monitoring: host.monitoring(groups) }
    }
}

impl Fleet {
    /// The agents that are known, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn agents(&self, organization: Option<&str>, now: Timestamp) -> Result<Vec<Agent>, FleetError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT name, first_seen FROM fleet_agent WHERE ?1 IS NULL OR organization = ?1 ORDER BY name",
            )?;
            let names = statement
                .query_map([organization], |row| Ok((row.get::<_, String>(0)?, time(row.get(1)?))))?
                .collect::<Result<Vec<_>, _>>()?;
            let mut agents = Vec::with_capacity(names.len());
            for (name, first_seen) in names {
                if let Some(host) = Host::load_without_series(transaction, &name)? {
                    agents.push(self.agent(transaction, host, first_seen, now)?);
                }
            }
            Ok(agents)
        })
    }

    /// Whether an agent of its own tells of this host: it says its id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_agent(&self, name: &str) -> Result<bool, FleetError> {
        self.database.read(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT 1 FROM fleet_agent WHERE name = ?1 AND agent_id IS NOT NULL")?;
            Ok(statement.exists([name])?)
        })
    }

    fn agent(
        &self,
        transaction: &Transaction<'_>,
        host: Host,
        first_seen: Timestamp,
        now: Timestamp,
    ) -> Result<Agent, FleetError> {
        let mut newest = fresh::newest(transaction, host.id, (0, i64::MAX), 1)?;
        let metrics = newest.pop().and_then(|mut sample| sample.get_mut("metrics").map(Value::take));
        let has_sent = metrics.is_some();
        let age = now.as_nanos() - host.last_seen.as_nanos();
        let state = match has_sent {
            false => AgentState::Never,
            true if age > host.silent_after(self.config.silent_after) => AgentState::Silent,
            true => AgentState::Online,
        };
        let groups = self.held_groups();
        let layers = host.layers(&groups);
        let (monitoring, threshold_origins) = (layers.monitoring(), layers.origins());
        let standing = host.conditions.into_values().filter(|one| one.standing != Standing::Ok);
        Ok(Agent {
            name: host.name,
            state,
            last_seen: has_sent.then_some(host.last_seen),
            first_seen: has_sent.then_some(first_seen),
            version: host.version,
            os: host.os,
            interval: host.interval,
            expected: if host.is_sometimes { "sometimes" } else { "always" },
            labels: host.labels,
            metrics: metrics.unwrap_or_else(|| Value::Object(Map::new())),
            config_version: host.config.0,
            config_taken: host.config_taken,
            config_problem: host.config_problem,
            monitoring,
            threshold_origins,
            conditions: standing.collect(),
        })
    }

    /// Sets what is to be watched on a host, the whole or a part of it; the agent hears of it with its next answer. An
    /// agent that is only announced must be added by `is_announced`.
    ///
    /// # Errors
    /// When there is no such agent, or the database cannot be written; inside, everything that does not fit: then
    /// nothing was changed.
    pub fn configure(
        &self,
        name: &str,
        organization: Option<&str>,
        is_announced: bool,
        said: &Map<String, Value>,
        at: Timestamp,
    ) -> Result<Result<Configured, Vec<Unfit>>, FleetError> {
        let mut known = self.hosts();
        let groups = self.held_groups();
        let (configured, host) = self.database.write(|transaction| {
            let unknown = || FleetError::Unknown { name: name.to_owned() };
            let mut host = match Host::load(transaction, name)? {
                Some(host) => Some(host),
                None if is_announced => Some(Host::add(transaction, name, organization, at)?),
                None => None,
            }
            .filter(|host| organization.is_none() || host.organization.as_deref() == organization)
            .ok_or_else(unknown)?;
            if let Err(unfit) = Monitoring::default().with(said) {
                return Ok::<_, FleetError>((Err(unfit), host));
            }
            let whole = over(&host.config.1, said);
            if whole != host.config.1 || host.config.0 == 0 {
                host.config = (host.config.0 + 1, whole);
                transaction.execute(
                    "INSERT INTO fleet_config VALUES (?1, ?2, ?3, ?4)",
                    params![
                        host.id,
                        host.config.0.cast_signed(),
                        stored::text(&host.config.1)?,
                        at.as_nanos()
                    ],
                )?;
                transaction.execute(
                    "DELETE FROM fleet_config WHERE agent = ?1 AND version <= ?2",
                    params![host.id, host.config.0.cast_signed() - VERSIONS_KEPT],
                )?;
            }
            Ok((Ok(Configured::of(&host, &groups)), host))
        })?;
        known.insert(name.to_owned(), host);
        Ok(configured)
    }

    /// Removes an agent with all that was measured on it; what was told of it is over.
    ///
    /// # Errors
    /// When there is no such agent, or the database cannot be written.
    pub fn remove(&self, name: &str, organization: Option<&str>) -> Result<(), FleetError> {
        let mut known = self.hosts();
        self.database.write(|transaction| {
            let (agent, _) = history::agent(transaction, name, organization)?;
            let conditions = host::conditions(transaction, agent, name)?;
            let owner: Option<String> = transaction.query_row(
                "SELECT organization FROM fleet_agent WHERE id = ?1",
                [agent],
                |row| row.get(0),
            )?;
            let over = conditions.into_values().filter(|one| one.standing != Standing::Ok).map(|one| Told {
                organization: owner.clone(),
                what: What::Over { host: name.to_owned(), kind: one.kind, rule: one.rule },
            });
            told::keep(transaction, &over.collect::<Vec<_>>())?;
            for tier in &self.config.tiers {
                for partition in seal::partitions(transaction, *tier)? {
                    transaction.execute(
                        &format!(
                            "DELETE FROM {} WHERE id IN (SELECT s.id * ?2 + n.value FROM fleet_series s,
                                json_each(?3) n WHERE s.agent = ?1)",
                            tier.table(partition)
                        ),
                        params![agent, tier.chunks.cast_signed(), numbers_below(tier.chunks)],
                    )?;
                }
            }
            for table in ["fresh", "series", "config", "condition"].into_iter().chain(processes::TABLES) {
                transaction.execute(&format!("DELETE FROM fleet_{table} WHERE agent = ?1"), [agent])?;
            }
            transaction.execute("DELETE FROM fleet_agent WHERE id = ?1", [agent])?;
            Ok::<_, FleetError>(())
        })?;
        known.remove(name);
        drop(known);
        self.wake();
        Ok(())
    }

    /// Looks which agents have been silent for too long: from their last word, or from when the server could hear them.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn silent(&self, now: Timestamp) -> Result<usize, FleetError> {
        if !self.config.is_watching {
            return Ok(0);
        }
        let mut known = self.hosts();
        let least = i64::try_from(self.config.silent_after.as_nanos()).unwrap_or(i64::MAX);
        let heard_before = now.as_nanos().saturating_sub(least);
        let found = self.database.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT name FROM fleet_agent WHERE last_seen <= ?1 AND sometimes = 0 AND newest > 0",
            )?;
            let names =
                statement.query_map([heard_before], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let mut found = 0;
            for name in names {
                let Some(mut host) = Host::load_without_series(transaction, &name)? else { continue };
                if let Some(what) =
                    silence::silence(&mut host, self.listening_since(), self.config.silent_after, now)
                {
                    host.save_condition(transaction, silence::SILENT)?;
                    told::keep(transaction, &[Told { organization: host.organization, what }])?;
                    // It is read again with its series.
                    known.remove(&name);
                    found += 1;
                }
            }
            Ok::<_, FleetError>(found)
        })?;
        Ok(found)
    }
}

fn numbers_below(end: u64) -> String {
    let numbers: Vec<String> = (0..end).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}
