//! Suppressions: what is hidden from now on, and what of the past would have been.

use event::Timestamp;
use finding::FindingKind;
use rusqlite::{Row, Transaction, params};

use super::{
    Filter, Store,
    feed::{self, Circumstances},
    list,
    row::{self, Found},
};
use crate::{
    Before, BoxError, Change, StoreError,
    group::{Held, earlier},
    suppression::{
        Matching, NewSuppression, PREVIEW_SIGNALS_MAX, PREVIEWED, Preview, SUPPRESSIONS_MAX, Suppression,
    },
};

/// Signals, the newest ones, that are hidden or shown at once when a suppression is made or removed; others follow when
/// more of them comes.
pub const HIDDEN_AT_ONCE: u32 = 10_000;

impl Matching {
    /// Those of the last days that are shown.
    fn of_last_days(&self, now: Timestamp) -> Filter {
        Filter {
            kinds: self.kind.into_iter().collect(),
            rule: self.rule.clone(),
            entity: self.entity.clone(),
            without_many: true,
            organization: self.organization.clone(),
            from: Some(earlier(now, PREVIEWED)),
            ..Filter::default()
        }
    }
}

impl Store {
    /// What of the last days ([`PREVIEWED`]), of all that is shown, a suppression would have hidden.
    ///
    /// # Errors
    /// When nothing says which signals are meant, or the database cannot be read.
    pub fn preview(&self, matching: &Matching, now: Timestamp) -> Result<Preview, StoreError> {
        matching.check()?;
        let filter = matching.of_last_days(now);
        self.database.read(|transaction| {
            let sorts = list::sorts(transaction, &filter)?;
            let newest = list::find(transaction, &filter, PREVIEW_SIGNALS_MAX)?;
            let signals = sorts.iter().map(|sort| sort.signals).sum();
            Ok(Preview {
                signals,
                sorts,
                newest: newest.into_iter().map(|found| found.held.signal).collect(),
            })
        })
    }

    /// Hides what matches, from now on and of the last days, until it expires. Gives it with its number. `and` sees what
    /// is hidden at once.
    ///
    /// # Errors
    /// When it does not say what, why and until when, there are too many, the database cannot be written, or `and` fails.
    pub fn suppress(
        &self,
        wanted: &NewSuppression,
        at: Timestamp,
        and: impl FnOnce(&Transaction<'_>, &[Change]) -> Result<(), BoxError>,
    ) -> Result<Suppression, StoreError> {
        wanted.check(at)?;
        let (suppression, changes) = self.database.write(|transaction| {
            let suppression = insert(transaction, wanted, at)?;
            let filter = wanted.matching.of_last_days(at);
            let found = list::find(transaction, &filter, HIDDEN_AT_ONCE as usize)?;
            let changes = self.settle(transaction, found, Some(suppression.number), (&wanted.by, at))?;
            and(transaction, &changes).map_err(|source| StoreError::Beside { source })?;
            Ok::<_, StoreError>((suppression, changes))
        })?;
        self.feed.publish(&changes);
        Ok(suppression)
    }

    /// Removes a suppression, and shows what it hid. `and` sees what is shown.
    ///
    /// # Errors
    /// When there is no such suppression, the database cannot be written, or `and` fails.
    pub fn unsuppress(
        &self,
        number: u64,
        by: &str,
        at: Timestamp,
        and: impl FnOnce(&Transaction<'_>, &[Change]) -> Result<(), BoxError>,
    ) -> Result<(), StoreError> {
        let unknown = StoreError::UnknownSuppression { number };
        let Ok(place) = i64::try_from(number) else { return Err(unknown) };
        let changes = self.database.write(|transaction| {
            let removed = transaction
                .prepare_cached("DELETE FROM signal_suppression WHERE number = ?1")?
                .execute([place])?;
            if removed == 0 {
                return Err(unknown);
            }
            let found = row::suppressed(transaction, place, HIDDEN_AT_ONCE)?;
            let changes = self.settle(transaction, found, None, (by, at))?;
            and(transaction, &changes).map_err(|source| StoreError::Beside { source })?;
            Ok(changes)
        })?;
        self.feed.publish(&changes);
        Ok(())
    }

    /// What is suppressed, also what has expired, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        self.database.read(|transaction| {
            let mut all = all(transaction)?;
            all.reverse();
            Ok(all)
        })
    }

    /// Has these signals hidden by a suppression, or by none.
    fn settle(
        &self,
        transaction: &Transaction<'_>,
        found: Vec<Found>,
        suppression: Option<u64>,
        (by, at): (&str, Timestamp),
    ) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        for Found { number, mut held } in found {
            let before = Before::of(&held.signal);
            let was_hidden = held.signal.standing.hidden;
            held.signal.standing.suppression = suppression;
            held.judge();
            row::save(transaction, Some(number), &held)?;
            let Some(what) = feed::hiding(was_hidden, &held.signal) else { continue };
            let circumstances = Circumstances { at, by: Some(by), note: None };
            let history_max = self.config.history_max;
            changes.push(feed::record(
                transaction,
                (number, &held),
                (what, Some(before)),
                circumstances,
                history_max,
            )?);
        }
        feed::trim(transaction, self.config.changes_max)?;
        Ok(changes)
    }
}

/// What hides signals that come in.
#[derive(Debug)]
pub(super) struct Suppressions(Vec<Suppression>);

impl Suppressions {
    /// Those that have not expired.
    pub(super) fn active(transaction: &Transaction<'_>, now: Timestamp) -> Result<Self, StoreError> {
        let mut all = all(transaction)?;
        all.retain(|suppression| suppression.expires_at > now);
        Ok(Self(all))
    }

    /// Hides a signal, or shows it.
    pub(super) fn hide(&self, held: &mut Held) {
        let hides = self.0.iter().find(|suppression| suppression.matching.matches(&held.signal));
        held.signal.standing.suppression = hides.map(|suppression| suppression.number);
        held.judge();
    }
}

/// Counts changes that nobody is told of.
pub(super) fn count(transaction: &Transaction<'_>, changes: &[Change]) -> Result<(), StoreError> {
    for number in changes.iter().filter_map(|change| change.signal.standing.suppression) {
        transaction
            .prepare_cached("UPDATE signal_suppression SET hidden = hidden + 1 WHERE number = ?1")?
            .execute([i64::try_from(number).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    wanted: &NewSuppression,
    at: Timestamp,
) -> Result<Suppression, StoreError> {
    let there: i64 =
        transaction.query_row("SELECT count(*) FROM signal_suppression", [], |row| row.get(0))?;
    if there >= i64::from(SUPPRESSIONS_MAX) {
        let reason = format!("there are {there} suppressions already; remove what is no longer needed");
        return Err(StoreError::Suppression { reason });
    }
    let NewSuppression { matching, reason, by, expires_at } = wanted;
    transaction
        .prepare_cached(
            "INSERT INTO signal_suppression (kind, rule, entity, organization, reason, author, made_at, expires_at, hidden)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
        )?
        .execute(params![
            matching.kind.map(FindingKind::as_str),
            matching.rule,
            matching.entity,
            matching.organization,
            reason,
            by,
            at.as_nanos(),
            expires_at.as_nanos(),
        ])?;
    Ok(Suppression {
        number: u64::try_from(transaction.last_insert_rowid()).unwrap_or(0),
        matching: matching.clone(),
        reason: reason.clone(),
        by: by.clone(),
        made_at: at,
        expires_at: *expires_at,
        hidden: 0,
    })
}

/// What is suppressed, the oldest first.
fn all(transaction: &Transaction<'_>) -> Result<Vec<Suppression>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT number, kind, rule, entity, organization, reason, author, made_at, expires_at, hidden
         FROM signal_suppression ORDER BY number",
    )?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Suppression> {
    let kind: Option<String> = row.get(1)?;
    let number = |column| row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0));
    Ok(Suppression {
        number: number(0)?,
        matching: Matching {
            kind: kind.and_then(|kind| kind.parse().ok()),
            rule: row.get(2)?,
            entity: row.get(3)?,
            organization: row.get(4)?,
        },
        reason: row.get(5)?,
        by: row.get(6)?,
        made_at: row::timestamp(row, 7)?,
        expires_at: row::timestamp(row, 8)?,
        hidden: number(9)?,
    })
}
