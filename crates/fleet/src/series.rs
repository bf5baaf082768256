//! Series of an agent, and the numbers of one sample by series.

use std::collections::HashMap;

use event::varint;
use rusqlite::{Transaction, params};

use crate::FleetError;

/// The numbers of an agent's series by name.
pub(crate) type Names = HashMap<String, i64>;

/// All series of an agent.
pub(crate) fn load(transaction: &Transaction<'_>, agent: i64) -> Result<Names, FleetError> {
    let mut statement = transaction.prepare_cached("SELECT name, id FROM fleet_series WHERE agent = ?1")?;
    let rows = statement.query_map([agent], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A new series.
pub(crate) fn add(transaction: &Transaction<'_>, agent: i64, name: &str) -> Result<i64, FleetError> {
    transaction
        .prepare_cached("INSERT INTO fleet_series (agent, name) VALUES (?1, ?2)")?
        .execute(params![agent, name])?;
    Ok(transaction.last_insert_rowid())
}

/// Packs numbers by series: pairs of the step to the next series and the number.
pub(crate) fn pack(mut numbers: Vec<(i64, i64)>) -> Vec<u8> {
    numbers.sort_unstable();
    let mut out = Vec::with_capacity(numbers.len() * 4);
    let mut last = 0;
    for (series, number) in numbers {
        varint::put(&mut out, (series - last).cast_unsigned());
        varint::put(&mut out, varint::zigzag(number));
        last = series;
    }
    out
}

/// The numbers again; None for bytes that are not as they were written.
pub(crate) fn unpack(mut bytes: &[u8]) -> Option<Vec<(i64, i64)>> {
    let (mut numbers, mut last) = (Vec::new(), 0_i64);
    while !bytes.is_empty() {
        last = last.checked_add_unsigned(varint::take(&mut bytes)?)?;
        numbers.push((last, varint::unzigzag(varint::take(&mut bytes)?)));
    }
    Some(numbers)
}

/// The number of one series.
pub(crate) fn pick(mut bytes: &[u8], series: i64) -> Option<i64> {
    let mut last = 0_i64;
    while !bytes.is_empty() && last < series {
        last = last.checked_add_unsigned(varint::take(&mut bytes)?)?;
        let number = varint::unzigzag(varint::take(&mut bytes)?);
        if last == series {
            return Some(number);
        }
    }
    None
}
