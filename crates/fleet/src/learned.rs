//! Looks up what was measured at an hour of the week.

use rusqlite::Transaction;
use sample::Unit;

use crate::{
    FleetError, Tier,
    chunk::Bucket,
    fixed, history,
    usual::{self, HOUR, Usual},
};

/// More weeks are not looked at: what was usual changes.
const WEEKS_MAX: i64 = 8;
const WEEK: i64 = 7 * 24 * HOUR;

/// What is usual for a series of an agent at this hour; None while fewer than [`usual::WEEKS_MIN`] weeks were measured.
pub(crate) fn usual(
    transaction: &Transaction<'_>,
    tiers: &[Tier],
    (agent, series): (i64, i64),
    unit: Unit,
    hour: i64,
) -> Result<Option<Usual>, FleetError> {
    let Some(tier) = tiers.iter().find(|tier| tier.width() == HOUR) else { return Ok(None) };
    let (mut least, mut most) = (Vec::new(), Vec::new());
    for week in 1..=WEEKS_MAX {
        let begins = hour.saturating_mul(HOUR).saturating_sub(week * WEEK);
        let period = (begins.saturating_sub(HOUR), begins.saturating_add(2 * HOUR));
        // What waits to be put away is of this week.
        let found = history::buckets(transaction, *tier, period, (agent, i64::MAX), series)?;
        let decimals = fixed::decimals(unit);
        let values =
            |of: fn(&Bucket) -> i64| found.values().map(move |bucket| fixed::give(of(bucket), decimals));
        if found.contains_key(&begins) {
            least.extend(values(|bucket| bucket.min).reduce(f64::min));
            most.extend(values(|bucket| bucket.max).reduce(f64::max));
        }
    }
    Ok(usual::of_weeks(&mut least, &mut most))
}
