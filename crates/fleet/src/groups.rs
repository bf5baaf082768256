//! Thresholds of groups of hosts: read, set, removed.

use event::Timestamp;
use rusqlite::{Transaction, params};
use sample::Labels;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Fleet, FleetError, Monitoring, Selector, Unfit,
    agents::VERSIONS_KEPT,
    group::{Groups, Set},
    monitoring::{self, over},
    stored,
};

/// More groups cannot be set: each is looked at with each sample.
pub const GROUPS_MAX: usize = 256;

/// What was set for a group of hosts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The labels that its hosts carry.
    pub group: Selector,
    /// The version of what was set, from 1.
    pub version: u64,
    /// When that was.
    pub set_at: Timestamp,
    /// What was set; of all else what is less particular holds.
    pub monitoring: Map<String, Value>,
    /// Hosts that carry these labels.
    pub hosts: usize,
}

impl Group {
    fn of(set: &Set, carried: &[Labels]) -> Self {
        Self {
            group: set.selector.clone(),
            version: set.version,
            set_at: set.at,
            monitoring: set.monitoring.clone(),
            hosts: carried.iter().filter(|labels| set.selector.matches(labels)).count(),
        }
    }
}

impl Fleet {
    /// All groups for which something was set, the most particular first: what stands before holds over what stands
    /// behind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn groups(&self) -> Result<Vec<Group>, FleetError> {
        let groups = self.held_groups();
        let carried = self.database.read(carried)?;
        Ok(groups.all().map(|set| Group::of(set, &carried)).collect())
    }

    /// Sets thresholds for the hosts of a group, all or some; null takes one back. They hold from each host's next
    /// sample on.
    ///
    /// # Errors
    /// When the database cannot be written; inside, everything that does not fit: then nothing was changed.
    pub fn set_group(
        &self,
        selector: &Selector,
        said: &Map<String, Value>,
        at: Timestamp,
    ) -> Result<Result<Group, Vec<Unfit>>, FleetError> {
        let mut unfit = Monitoring::default().with(said).err().unwrap_or_default();
        if unfit.is_empty() {
            unfit = monitoring::unfit_for_group(said);
        }
        let hosts = self.hosts();
        let groups = self.held_groups();
        let held = groups.find(selector);
        if held.is_none() && groups.all().count() >= GROUPS_MAX {
            let reason = format!("there are {GROUPS_MAX} groups already; remove one that is not needed");
            unfit.push(Unfit { field: "group".to_owned(), reason });
        }
        if !unfit.is_empty() {
            return Ok(Err(unfit));
        }
        let nothing = Map::new();
        let whole = over(held.map_or(&nothing, |set| &set.monitoring), said);
        let (groups, carried) = self.database.write(|transaction| {
            if held.is_none_or(|set| set.monitoring != whole) {
                let (name, version) = (selector.to_string(), held.map_or(0, |set| set.version) + 1);
                transaction.execute(
                    "INSERT INTO fleet_group VALUES (?1, ?2, ?3, ?4)",
                    params![name, version.cast_signed(), stored::text(&whole)?, at.as_nanos()],
                )?;
                transaction.execute(
                    "DELETE FROM fleet_group WHERE selector = ?1 AND version <= ?2",
                    params![name, version.cast_signed() - VERSIONS_KEPT],
                )?;
            }
            Ok::<_, FleetError>((Groups::load(transaction)?, carried(transaction)?))
        })?;
        let set = groups.find(selector).map(|set| Group::of(set, &carried));
        self.hold_groups(groups);
        drop(hosts);
        set.map(Ok).ok_or_else(|| FleetError::UnknownGroup { group: selector.clone() })
    }

    /// Removes what was set for a group, with its versions.
    ///
    /// # Errors
    /// When nothing was set for it, or the database cannot be written.
    pub fn remove_group(&self, selector: &Selector) -> Result<(), FleetError> {
        let hosts = self.hosts();
        let groups = self.database.write(|transaction| {
            let removed =
                transaction.execute("DELETE FROM fleet_group WHERE selector = ?1", [selector.to_string()])?;
            if removed == 0 {
                return Err(FleetError::UnknownGroup { group: selector.clone() });
            }
            Groups::load(transaction)
        })?;
        self.hold_groups(groups);
        drop(hosts);
        Ok(())
    }
}

/// The labels of each host that has some.
fn carried(transaction: &Transaction<'_>) -> Result<Vec<Labels>, FleetError> {
    let mut statement =
        transaction.prepare_cached("SELECT name, labels FROM fleet_agent WHERE labels IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (name, labels) = row?;
        stored::json(&labels, || format!("agent '{name}'"))
    })
    .collect()
}
