//! Incidents: which signals are one story.

use std::collections::BTreeMap;

use event::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params, types::Value};

use super::{
    Store,
    place::Place,
    row::{self, id_bytes, id_of},
};
use crate::{
    Signal, SignalId, StoreError,
    incident::{self, INCIDENT_SIGNALS_MAX, Incident},
};

/// Signals that are looked at for each link, those last seen first.
const LINKED_MAX: u32 = 32;
/// Incidents that a page has at most.
const PAGE_MAX: usize = 100;

/// Which incidents are asked for. What is none lets everything through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Those of this organization.
    pub organization: Option<String>,
    /// Those that were still seen at this time, or later.
    pub from: Option<Timestamp>,
    /// Those that had begun before this time.
    pub to: Option<Timestamp>,
    /// At most so many, and never more than 100.
    pub limit: usize,
    /// Where the page before ended, as its [`IncidentPage::next`] says.
    pub cursor: Option<String>,
}

impl Default for IncidentFilter {
    /// The twenty last seen.
    fn default() -> Self {
        Self { organization: None, from: None, to: None, limit: 20, cursor: None }
    }
}

/// A page of incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentPage {
    /// How many the filter lets through, on all pages.
    pub total: u64,
    /// Those of this page, those last seen first.
    pub incidents: Vec<Incident>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// Signals of one story.
pub(super) const OF_INCIDENT: &str = row::select!("FROM signal WHERE incident = ?1 LIMIT ?2");
/// Signals with one link, seen in a time.
pub(super) const LINKED: &str = "SELECT signal.number, signal.incident
    FROM signal_link CROSS JOIN signal ON signal.number = signal_link.signal
    WHERE link = ?1 AND signal_link.last >= ?2 AND signal.first <= ?3 AND signal.organization = ?4
        AND signal.number <> ?5
    ORDER BY signal_link.last DESC LIMIT ?6";

impl Store {
    /// The incidents that a filter lets through, those last seen first. A signal that is linked to no other is none.
    ///
    /// # Errors
    /// When the filter's cursor is none of ours, or the database cannot be read.
    pub fn incidents(&self, filter: &IncidentFilter) -> Result<IncidentPage, StoreError> {
        self.database.read(|transaction| list(transaction, filter))
    }

    /// The incident of this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn incident(&self, id: SignalId) -> Result<Option<Incident>, StoreError> {
        self.database.read(|transaction| Ok(Incident::of(id, signals(transaction, id)?)))
    }
}

impl IncidentFilter {
    /// The text and the values of what selects this of the incidents that are let through, after a place, and goes on like this.
    pub(super) fn statement(&self, selected: &str, after: Option<Place>, rest: &str) -> (String, Vec<Value>) {
        let mut conditions = vec!["last >= ?"];
        let mut values: Vec<Value> = vec![self.from.unwrap_or(Timestamp::MIN).as_nanos().into()];
        if let Some(organization) = &self.organization {
            conditions.push("organization = ?");
            values.push(organization.clone().into());
        }
        if let Some(to) = self.to {
            conditions.push("first < ?");
            values.push(to.as_nanos().into());
        }
        if let Some(Place { last, name }) = after {
            conditions.push("(last, id) < (?, ?)");
            values.extend([last.into(), Value::Blob(name.to_be_bytes().to_vec())]);
        }
        let index = if self.organization.is_some() { "organization" } else { "time" };
        let conditions = conditions.join(" AND ");
        let text = format!(
            "SELECT {selected} FROM signal_incident INDEXED BY signal_incident_by_{index} WHERE {conditions} {rest}"
        );
        (text, values)
    }
}

fn list(transaction: &Transaction<'_>, filter: &IncidentFilter) -> Result<IncidentPage, StoreError> {
    let place = filter.cursor.as_deref().map(Place::read).transpose()?;
    let (text, values) = filter.statement("count(*)", None, "");
    let mut prepared = transaction.prepare_cached(&text)?;
    let total: i64 = prepared.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
    let limit = filter.limit.min(PAGE_MAX);
    let rest = format!("ORDER BY last DESC, id DESC LIMIT {}", limit + 1);
    let (text, values) = filter.statement("id, last", place, &rest);
    let mut prepared = transaction.prepare_cached(&text)?;
    let found = prepared
        .query_map(rusqlite::params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<([u8; 16], i64)>, _>>()?;
    let end = found.get(limit.wrapping_sub(1)).filter(|_| found.len() > limit);
    let next = end.map(|(id, last)| Place { last: *last, name: u128::from_be_bytes(*id) }.write());
    let mut incidents = Vec::new();
    for (id, _) in found.iter().take(limit) {
        incidents.extend(Incident::of(id_of(*id), signals(transaction, id_of(*id))?));
    }
    Ok(IncidentPage { total: u64::try_from(total).unwrap_or(0), incidents, next })
}

fn signals(transaction: &Transaction<'_>, incident: SignalId) -> Result<Vec<Signal>, StoreError> {
    let mut statement = transaction.prepare_cached(OF_INCIDENT)?;
    let found = row::read_all(&mut statement, params![id_bytes(incident), INCIDENT_SIGNALS_MAX as i64])?;
    Ok(found.into_iter().map(|found| found.held.signal).collect())
}

/// Takes a signal that was saved into the story that it belongs to, if there is one, and says so in it.
pub(super) fn link(
    transaction: &Transaction<'_>,
    number: i64,
    signal: &mut Signal,
) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM signal_link WHERE signal = ?1")?.execute([number])?;
    if signal.standing.hidden {
        return Ok(());
    }
    let links = incident::links(signal);
    let mut statement =
        transaction.prepare_cached("INSERT OR IGNORE INTO signal_link VALUES (?1, ?2, ?3)")?;
    for link in &links.offered {
        statement.execute(params![link, signal.last.as_nanos(), number])?;
    }
    let others = linked(transaction, number, signal, &links.sought)?;
    let mut incidents: Vec<[u8; 16]> = others.values().flatten().copied().collect();
    incidents.extend(signal.incident.map(id_bytes));
    let Some(story) = eldest(transaction, &incidents)?.or_else(|| begin(signal, &others)) else {
        return Ok(());
    };
    let alone = others.iter().filter(|(_, incident)| incident.is_none()).map(|(other, _)| *other);
    let alone = alone.chain(signal.incident.is_none().then_some(number));
    for other in alone {
        join(transaction, story, "number", other.into())?;
    }
    incidents.sort_unstable();
    incidents.dedup();
    for other in incidents.into_iter().filter(|other| *other != story) {
        join(transaction, story, "incident", Value::Blob(other.to_vec()))?;
        sum(transaction, other)?;
    }
    sum(transaction, story)?;
    signal.incident = transaction
        .prepare_cached("SELECT incident FROM signal WHERE number = ?1")?
        .query_row([number], |row| row.get::<_, Option<[u8; 16]>>(0))?
        .map(id_of);
    Ok(())
}

/// Other signals that a signal is linked to, with the story that each belongs to.
fn linked(
    transaction: &Transaction<'_>,
    number: i64,
    signal: &Signal,
    links: &[String],
) -> Result<BTreeMap<i64, Option<[u8; 16]>>, StoreError> {
    let (from, to) = incident::around(signal);
    let mut statement = transaction.prepare_cached(LINKED)?;
    let organization = signal.organization.as_deref().unwrap_or_default();
    let mut others = BTreeMap::new();
    for link in links {
        let wanted = params![link, from.as_nanos(), to.as_nanos(), organization, number, LINKED_MAX];
        let mut rows = statement.query(wanted)?;
        while let Some(row) = rows.next()? {
            others.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(others)
}

/// The story that began first.
fn eldest(transaction: &Transaction<'_>, incidents: &[[u8; 16]]) -> Result<Option<[u8; 16]>, StoreError> {
    let mut statement = transaction.prepare_cached("SELECT first FROM signal_incident WHERE id = ?1")?;
    let mut found = Vec::new();
    for id in incidents {
        let first: Option<i64> = statement.query_row([id], |row| row.get(0)).optional()?;
        found.extend(first.map(|first| (first, *id)));
    }
    Ok(found.into_iter().min().map(|(_, id)| id))
}

/// The name of a story that begins now; none where there is nothing to tell together.
fn begin(signal: &Signal, others: &BTreeMap<i64, Option<[u8; 16]>>) -> Option<[u8; 16]> {
    (!others.is_empty()).then(|| id_bytes(incident::id_of(signal.id)))
}

/// Has signals join a story, as long as it has room for all of them.
fn join(
    transaction: &Transaction<'_>,
    story: [u8; 16],
    column: &str,
    value: Value,
) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE signal SET incident = ?1 WHERE {column} = ?2
         AND (SELECT count(*) FROM signal WHERE incident = ?1) + (SELECT count(*) FROM signal WHERE {column} = ?2) <= ?3"
    );
    transaction.prepare_cached(&text)?.execute(params![story, value, INCIDENT_SIGNALS_MAX as i64])?;
    Ok(())
}

/// Writes down when a story began and ended, or forgets it where no signal is left of it.
pub(super) fn sum(transaction: &Transaction<'_>, story: [u8; 16]) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM signal_incident WHERE id = ?1")?.execute([story])?;
    transaction
        .prepare_cached(
            "INSERT INTO signal_incident
             SELECT ?1, min(organization), min(first), max(last), count(*) FROM signal WHERE incident = ?1
             GROUP BY incident",
        )?
        .execute([story])?;
    Ok(())
}
