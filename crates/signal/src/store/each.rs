//! Going through many signals, with what was done with each.

use super::{Store, list, place::Place, row};
use crate::{Entry, Filter, Signal, StoreError};

/// Signals that are read at once.
const AT_ONCE: usize = 500;

impl Store {
    /// Gives every signal that a filter lets through, those last seen first, each with its history from the beginning;
    /// all as of one moment. At most so many: says whether that was all. The filter's own limit does not count.
    ///
    /// # Errors
    /// When the filter's cursor is none of ours, or the database cannot be read.
    pub fn each(
        &self,
        filter: &Filter,
        most: usize,
        mut take: impl FnMut(&Signal, &[Entry]),
    ) -> Result<bool, StoreError> {
        self.database.read(|transaction| {
            let (mut filter, mut left) = (filter.clone(), most);
            loop {
                let found = list::find(transaction, &filter, AT_ONCE.min(left) + 1)?;
                for found in found.iter().take(AT_ONCE.min(left)) {
                    let signal = &found.held.signal;
                    take(signal, &row::history(transaction, signal.id)?);
                }
                if found.len() <= AT_ONCE.min(left) {
                    return Ok(true);
                }
                left -= AT_ONCE.min(left);
                if left == 0 {
                    return Ok(false);
                }
                let last = &found[AT_ONCE - 1];
                filter.cursor = Some(Place::of_signal(last.held.signal.last, last.number).write());
            }
        })
    }
}
