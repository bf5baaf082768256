//! Which signal a finding goes into, where it may be told of its host among others.

use std::borrow::Cow;

use rusqlite::{Transaction, params};

use super::{
    opinion,
    row::{self, Found},
    suppress::Suppressions,
};
use crate::{
    AT_HOST, OPEN_ADDRESSES, OPEN_CROWD, OPEN_DAYS, OPEN_WITHIN, Observed, StoreError, background,
    group::{Fit, Held, earlier},
};

/// Signals of a host, the latest, among which those that guess there are counted.
const LOOKED_AT_MAX: u32 = 1000;

/// How many of the latest signals about a host, seen since then, are of a kind, and on how many days they began; one that
/// tells of the host counts as many.
pub(super) const OPEN: &str = "SELECT total(iif(rule = ?1, ?2, 1)), count(DISTINCT first / ?3) FROM (
        SELECT signal AS number FROM signal_entity WHERE entity = ?4 AND last >= ?5 ORDER BY last DESC LIMIT ?6
    ) CROSS JOIN signal USING (number) WHERE kind = ?7 AND organization = ?8";
const DAY_NANOS: i64 = 86_400_000_000_000;

/// The signal that a finding goes into, if there is one, and the finding as it goes there. What was counted in a signal
/// stays there, so that it depends on nothing else where a finding goes that comes again.
pub(super) fn place<'o>(
    transaction: &Transaction<'_>,
    suppressions: &Suppressions,
    observed: &'o Observed,
) -> Result<(Option<Found>, Cow<'o, Observed>), StoreError> {
    let own = best(transaction, observed)?;
    let Some(of_host) = background::at_host(observed) else {
        return Ok((own.map(|(_, found)| found), Cow::Borrowed(observed)));
    };
    let hosts = best(transaction, &of_host)?;
    let is_counted = |best: &Option<(Fit, Found)>| best.as_ref().is_some_and(|(fit, _)| *fit <= Fit::Counted);
    let is_own_way = own.as_ref().is_some_and(|(_, found)| found.held.signal.rule == observed.finding.rule);
    let is_hosts = match (is_counted(&own), is_counted(&hosts)) {
        // What was told of the host stays there, though it was found of the address in another way since.
        (true, true) if !is_own_way => true,
        (true, _) => false,
        (_, true) => true,
        _ if own.is_some() => false,
        _ if is_of_interest(transaction, suppressions, observed)? => false,
        _ if hosts.is_some() || background::is_everywhere(&of_host.finding) => true,
        _ => is_open(transaction, &of_host)?,
    };
    let (best, observed) =
        if is_hosts { (hosts, Cow::Owned(of_host)) } else { (own, Cow::Borrowed(observed)) };
    Ok((best.map(|(_, found)| found), observed))
}

/// The signal that a finding fits best.
fn best(transaction: &Transaction<'_>, observed: &Observed) -> Result<Option<(Fit, Found)>, StoreError> {
    let found = row::candidates(transaction, observed.organization.as_deref(), &observed.finding)?;
    let fits = found.into_iter().filter_map(|found| Some((found.held.fit(&observed.finding)?, found)));
    Ok(fits.min_by_key(|(fit, _)| *fit))
}

/// Whether somebody said something of those alike, or hides them: that holds for the address, not for its host.
fn is_of_interest(
    transaction: &Transaction<'_>,
    suppressions: &Suppressions,
    observed: &Observed,
) -> Result<bool, StoreError> {
    let mut held = Held::begin(observed, observed.finding.last);
    opinion::inherit(transaction, &mut held)?;
    suppressions.hide(&mut held);
    Ok(held.signal.standing.hidden || held.signal.standing.label.is_some())
}

/// Whether a host's port is known to be open to the internet.
fn is_open(transaction: &Transaction<'_>, of_host: &Observed) -> Result<bool, StoreError> {
    let finding = &of_host.finding;
    let host = row::main_entity(&finding.entities);
    let parameters = params![
        AT_HOST,
        OPEN_CROWD,
        DAY_NANOS,
        host,
        earlier(finding.first, OPEN_WITHIN).as_nanos(),
        LOOKED_AT_MAX,
        finding.kind.as_str(),
        of_host.organization.as_deref().unwrap_or_default(),
    ];
    let (told, days): (f64, u32) =
        transaction.prepare_cached(OPEN)?.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_usual = told >= f64::from(OPEN_ADDRESSES) && days >= OPEN_DAYS;
    Ok(is_usual || told >= f64::from(OPEN_CROWD))
}
