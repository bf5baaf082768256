//! Thresholds that were set for groups of hosts, as they hold.

use event::Timestamp;
use rusqlite::Transaction;
use sample::Labels;
use serde_json::{Map, Value};

use crate::{FleetError, Selector, stored};

/// What was set for one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Set {
    pub(crate) selector: Selector,
    /// Its version, from 1.
    pub(crate) version: u64,
    pub(crate) monitoring: Map<String, Value>,
    pub(crate) at: Timestamp,
}

/// All groups, in the order in which they are laid over each other: who names more labels stands behind who names fewer,
/// and of as many the first of the alphabet is the last.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Set>);

impl Groups {
    pub(crate) fn load(transaction: &Transaction<'_>) -> Result<Self, FleetError> {
        let mut statement = transaction.prepare_cached(
            "SELECT selector, max(version), monitoring, at FROM fleet_group GROUP BY selector",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })?;
        let mut groups = Vec::new();
        for row in rows {
            let (selector, version, monitoring, at) = row?;
            let what = || format!("group '{selector}'");
            groups.push(Set {
                version: version.cast_unsigned(),
                monitoring: stored::json(&monitoring, what)?,
                at: stored::time(at),
                selector: selector.parse().map_err(|_| FleetError::Damaged { what: what() })?,
            });
        }
        groups.sort_by_cached_key(|set| (set.selector.pairs(), std::cmp::Reverse(set.selector.to_string())));
        Ok(Self(groups))
    }

    /// Those that hold for a host with these labels.
    pub(crate) fn of(&self, labels: &Labels) -> impl Iterator<Item = &Set> {
        self.0.iter().filter(|set| set.selector.matches(labels))
    }

    /// All of them, the most particular first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Set> {
        self.0.iter().rev()
    }

    pub(crate) fn find(&self, selector: &Selector) -> Option<&Set> {
        self.0.iter().find(|set| set.selector == *selector)
    }
}
