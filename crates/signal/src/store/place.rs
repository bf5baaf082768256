//! Where a page of a list ends.

use event::Timestamp;

use crate::StoreError;

/// The place of something in a list: what stands before it was seen later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// When it was last seen.
    pub(super) last: i64,
    /// Its number or name, which tells apart what was last seen at the same time.
    pub(super) name: u128,
}

impl Place {
    pub(super) fn of_signal(last: Timestamp, number: i64) -> Self {
        Self { last: last.as_nanos(), name: u128::try_from(number).unwrap_or(0) }
    }

    /// The number of a signal.
    pub(super) fn number(self) -> i64 {
        i64::try_from(self.name).unwrap_or(i64::MAX)
    }

    pub(super) fn read(cursor: &str) -> Result<Self, StoreError> {
        let place = cursor.split_once('-').and_then(|(last, name)| {
            let last = i64::from_str_radix(last, 16).ok()?;
            Some(Self { last, name: u128::from_str_radix(name, 16).ok()? })
        });
        place.ok_or_else(|| StoreError::Cursor { cursor: cursor.chars().take(64).collect() })
    }

    pub(super) fn write(self) -> String {
        format!("{:x}-{:x}", self.last, self.name)
    }
}
