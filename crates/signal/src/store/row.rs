//! Signals as rows.

use std::time::Duration;

use event::Timestamp;
use finding::{Entity, Finding};
use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};

use crate::{
    Entry, Signal, SignalId, State, StoreError,
    group::{Held, earlier, later},
    policy::Policy,
    ways,
};

/// Signals of one key that a finding is held against; there are more only where a person resolved many within days.
const CANDIDATES_MAX: u32 = 16;

/// A signal with its place.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its place; also the order in which signals came up.
    pub(super) number: i64,
    pub(super) held: Held,
}

/// A statement that selects of rows what [`read`] needs, and goes on like this.
macro_rules! select {
    ($($rest:literal)*) => {
        concat!("SELECT signal.number, signal.id, signal.incident, signal.document, signal.counted ", $($rest),*)
    };
}
pub(super) use select;

/// The signal of an id.
pub(super) const FIND: &str = select!("FROM signal WHERE id = ?1");
/// Signals of one kind, rule, main entity and organization, seen in a time.
pub(super) const CANDIDATES: &str = select!(
    "FROM signal WHERE organization = ?1 AND kind = ?2 AND rule = ?3 AND entity = ?4 AND last >= ?5 AND first <= ?6
     ORDER BY last DESC LIMIT ?7"
);
/// Signals of one kind, rule, main entity and organization.
pub(super) const ALIKE: &str = select!(
    "FROM signal WHERE organization = ?1 AND kind = ?2 AND rule = ?3 AND entity = ?4 ORDER BY last DESC LIMIT ?5"
);
/// Signals that one suppression hides.
pub(super) const SUPPRESSED: &str = select!("FROM signal WHERE suppression = ?1 ORDER BY last DESC LIMIT ?2");
/// Signals that are over since nothing came of them.
pub(super) const QUIET: &str = select!("FROM signal WHERE quiet_at <= ?1 ORDER BY quiet_at LIMIT ?2");

pub(super) fn id_bytes(id: SignalId) -> [u8; 16] {
    id.0.to_be_bytes()
}

pub(super) fn id_of(bytes: [u8; 16]) -> SignalId {
    SignalId(u128::from_be_bytes(bytes))
}

/// A row of [`select`].
pub(super) fn read(row: &Row<'_>) -> Result<Found, StoreError> {
    let id = id_of(row.get(1)?);
    let unreadable = |source| StoreError::Unreadable { id, source };
    let mut signal: Signal =
        serde_json::from_str(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?).map_err(unreadable)?;
    signal.incident = row.get::<_, Option<[u8; 16]>>(2)?.map(id_of);
    let counted =
        serde_json::from_str(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?).map_err(unreadable)?;
    Ok(Found { number: row.get(0)?, held: Held { signal, counted } })
}

/// Every row that a statement gives.
pub(super) fn read_all(
    statement: &mut rusqlite::Statement<'_>,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Found>, StoreError> {
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The signal of an id.
pub(super) fn find(transaction: &Transaction<'_>, id: SignalId) -> Result<Option<Found>, StoreError> {
    let mut statement = transaction.prepare_cached(FIND)?;
    Ok(read_all(&mut statement, [id_bytes(id)])?.pop())
}

/// Signals of the same kind, main entity and organization that a finding may belong to: those of its rule, the newest
/// first, and then those of rules that find the same.
pub(super) fn candidates(
    transaction: &Transaction<'_>,
    organization: Option<&str>,
    finding: &Finding,
) -> Result<Vec<Found>, StoreError> {
    let quiet = Policy::of(finding.kind).quiet;
    let from = earlier(finding.first, quiet + crate::REOPENED_WITHIN);
    let to = later(finding.last, quiet);
    let mut statement = transaction.prepare_cached(CANDIDATES)?;
    let mut all = Vec::new();
    for rule in ways::rules(finding) {
        let key = params![
            organization.unwrap_or_default(),
            finding.kind.as_str(),
            rule,
            main_entity(&finding.entities),
            from.as_nanos(),
            to.as_nanos(),
            CANDIDATES_MAX,
        ];
        all.extend(read_all(&mut statement, key)?);
    }
    Ok(all)
}

/// Signals of the same kind, rule, main entity and organization as this one, the newest first.
pub(super) fn alike(
    transaction: &Transaction<'_>,
    signal: &Signal,
    limit: u32,
) -> Result<Vec<Found>, StoreError> {
    let mut statement = transaction.prepare_cached(ALIKE)?;
    let key = params![
        signal.organization.as_deref().unwrap_or_default(),
        signal.kind.as_str(),
        signal.rule,
        main_entity(&signal.entities),
        limit,
    ];
    read_all(&mut statement, key)
}

/// Signals that a suppression hides, the newest first.
pub(super) fn suppressed(
    transaction: &Transaction<'_>,
    suppression: i64,
    limit: u32,
) -> Result<Vec<Found>, StoreError> {
    let mut statement = transaction.prepare_cached(SUPPRESSED)?;
    read_all(&mut statement, params![suppression, limit])
}

/// Signals that are over since nothing came of them, those that are so longest first.
pub(super) fn quiet(
    transaction: &Transaction<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Found>, StoreError> {
    let mut statement = transaction.prepare_cached(QUIET)?;
    read_all(&mut statement, params![now.as_nanos(), limit])
}

/// An entity as text: its type and its value.
pub(super) fn entity_text(entity: &Entity) -> String {
    format!("{}:{}", entity.r#type.as_str(), entity.value)
}

pub(super) fn main_entity(entities: &[Entity]) -> String {
    entities.first().map(entity_text).unwrap_or_default()
}

/// When a signal is over if nothing more comes of it; none when it is.
fn quiet_at(signal: &Signal) -> Option<i64> {
    let quiet: Duration = Policy::of(signal.kind).quiet;
    (signal.state != State::Resolved).then(|| later(signal.received, quiet).as_nanos())
}

/// Writes a signal, which is new where it has no number yet. Gives the number.
pub(super) fn save(
    transaction: &Transaction<'_>,
    number: Option<i64>,
    held: &Held,
) -> Result<i64, StoreError> {
    let signal = &held.signal;
    let unwritable = |source| StoreError::Unreadable { id: signal.id, source };
    let mut statement = transaction.prepare_cached(
        "INSERT INTO signal (number, id, organization, kind, rule, entity, state, severity, hidden, labelled, suppression,
             first, last, quiet_at, resolved_at, document, counted)
         VALUES (:number, :id, :organization, :kind, :rule, :entity, :state, :severity, :hidden, :labelled,
             :suppression, :first, :last, :quiet_at, :resolved_at, :document, :counted)
         ON CONFLICT (number) DO UPDATE SET state = excluded.state, severity = excluded.severity,
             hidden = excluded.hidden, labelled = excluded.labelled,
             suppression = excluded.suppression, first = excluded.first, last = excluded.last,
             quiet_at = excluded.quiet_at, resolved_at = excluded.resolved_at, document = excluded.document, counted = excluded.counted
         RETURNING number",
    )?;
    let number = statement.query_row(
        named_params! {
            ":number": number,
            ":id": id_bytes(signal.id),
            ":organization": signal.organization.as_deref().unwrap_or_default(),
            ":kind": signal.kind.as_str(),
            ":rule": signal.rule,
            ":entity": main_entity(&signal.entities),
            ":state": signal.state.as_str(),
            ":severity": signal.severity as i64,
            ":hidden": signal.standing.hidden,
            ":labelled": signal.standing.label.is_some(),
            ":suppression": signal.standing.suppression.and_then(|number| i64::try_from(number).ok()),
            ":first": signal.first.as_nanos(),
            ":last": signal.last.as_nanos(),
            ":quiet_at": quiet_at(signal),
            ":resolved_at": signal.standing.resolved_at.map(Timestamp::as_nanos),
            ":document": serde_json::to_string(signal).map_err(unwritable)?,
            ":counted": serde_json::to_string(&held.counted).map_err(unwritable)?,
        },
        |row| row.get(0),
    )?;
    Ok(number)
}

/// Writes down whom a signal is about, so that it is found by that.
pub(super) fn save_entities(
    transaction: &Transaction<'_>,
    number: i64,
    signal: &Signal,
) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM signal_entity WHERE signal = ?1")?.execute([number])?;
    let mut statement =
        transaction.prepare_cached("INSERT OR IGNORE INTO signal_entity VALUES (?1, ?2, ?3)")?;
    for entity in &signal.entities {
        statement.execute(params![entity.value, signal.last.as_nanos(), number])?;
        statement.execute(params![entity_text(entity), signal.last.as_nanos(), number])?;
    }
    Ok(())
}

/// Writes down whom a signal is about and what it says, so that it is found by that.
pub(super) fn save_words(
    transaction: &Transaction<'_>,
    number: i64,
    signal: &Signal,
) -> Result<(), StoreError> {
    save_entities(transaction, number, signal)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO signal_text (rowid, text) VALUES (?1, ?2)")?
        .execute(params![number, words(signal)])?;
    Ok(())
}

/// What a search for words looks at: kind, rule, entities, techniques, facts and the events that are shown.
fn words(signal: &Signal) -> String {
    let mut words = format!("{}\n{}\n{}", signal.kind, signal.kind.as_str().replace('_', " "), signal.rule);
    let entities = signal.entities.iter().map(|entity| entity.value.clone());
    let techniques = signal.techniques.iter().cloned();
    let facts =
        signal.facts.values().map(|fact| fact.as_str().map_or_else(|| fact.to_string(), str::to_owned));
    let events = signal.evidence.iter().map(|event| event.message.clone());
    for text in entities.chain(techniques).chain(facts).chain(events) {
        words.push('\n');
        words.push_str(&text);
    }
    words
}

/// Adds to the history of a signal, and keeps it within its bound.
pub(super) fn add_entry(
    transaction: &Transaction<'_>,
    number: i64,
    entry: &Entry,
    history_max: u64,
) -> Result<(), StoreError> {
    let Ok(text) = serde_json::to_string(entry) else { return Ok(()) };
    let next: i64 = transaction
        .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM signal_history WHERE signal = ?1")?
        .query_row([number], |row| row.get(0))?;
    transaction
        .prepare_cached("INSERT INTO signal_history VALUES (?1, ?2, ?3)")?
        .execute(params![number, next, text])?;
    let oldest = next.saturating_sub(i64::try_from(history_max).unwrap_or(i64::MAX)).saturating_add(1);
    transaction
        .prepare_cached("DELETE FROM signal_history WHERE signal = ?1 AND number > 1 AND number <= ?2")?
        .execute(params![number, oldest])?;
    Ok(())
}

/// The newest entry in the history of a signal.
pub(super) fn newest_entry(transaction: &Transaction<'_>, number: i64) -> Result<Option<Entry>, StoreError> {
    let text: Option<String> = transaction
        .prepare_cached("SELECT entry FROM signal_history WHERE signal = ?1 ORDER BY number DESC LIMIT 1")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The history of a signal.
pub(super) fn history(transaction: &Transaction<'_>, id: SignalId) -> Result<Vec<Entry>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT entry FROM signal_history WHERE signal = (SELECT number FROM signal WHERE id = ?1) ORDER BY number",
    )?;
    let mut rows = statement.query([id_bytes(id)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        entries.push(serde_json::from_str(text).map_err(|source| StoreError::Unreadable { id, source })?);
    }
    Ok(entries)
}

/// When something was, from a column.
pub(super) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get::<_, i64>(column).map(|nanos| Timestamp::saturating_from_nanos(nanos.into()))
}
