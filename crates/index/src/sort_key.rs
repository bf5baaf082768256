//! Where a hit stands in the order of hits, and that as text, for replies and requests.

use std::{fmt, str::FromStr};

use event::{EventId, JournalId, Position, Timestamp};

/// Where a hit stands: hits fall by `@timestamp`, then by id. A further page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    /// `@timestamp` of the hit.
    pub timestamp: Timestamp,
    /// Its id.
    pub id: EventId,
}

/// A text that no reply gave as a place to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: give back the 'next' of an earlier answer, unchanged")]
pub struct InvalidSortKey;

/// Version, time stamp, journal, segment and record in fixed-width hexadecimal.
const WIDTHS: [usize; 4] = [16, 32, 8, 8];
const VERSION: &str = "1";

impl fmt::Display for SortKey {
    /// Opaque, of letters and digits only.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EventId { journal, position } = self.id;
        let nanos = self.timestamp.as_nanos();
        write!(out, "{VERSION}{nanos:016x}{journal}{:08x}{:08x}", position.segment, position.record)
    }
}

impl FromStr for SortKey {
    type Err = InvalidSortKey;

    fn from_str(text: &str) -> Result<Self, InvalidSortKey> {
        let digits = text.strip_prefix(VERSION).ok_or(InvalidSortKey)?;
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != WIDTHS.iter().sum::<usize>() || !digits.bytes().all(lower_hex) {
            return Err(InvalidSortKey);
        }
        let mut at = 0;
        let [nanos, journal, segment, record] = WIDTHS.map(|width| {
            at += width;
            u128::from_str_radix(&digits[at - width..at], 16).unwrap_or_default()
        });
        let nanos = i64::try_from(nanos).ok().and_then(Timestamp::from_nanos).ok_or(InvalidSortKey)?;
        let position = Position { segment: segment as u32, record: record as u32 };
        Ok(Self { timestamp: nanos, id: EventId { journal: JournalId(journal), position } })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_round_trips(nanos in 0..i64::MAX, journal: u128, segment: u32, record: u32) {
            let key = SortKey {
                timestamp: Timestamp::from_nanos(nanos).unwrap(),
                id: EventId { journal: JournalId(journal), position: Position { segment, record } },
            };
            let text = key.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            prop_assert_eq!(text.parse(), Ok(key));
        }

        #[test]
        fn other_text_is_refused(text in "1?[0-9a-fA-F+-]{60,66}|.{0,70}") {
            if let Ok(key) = text.parse::<SortKey>() {
                prop_assert_eq!(key.to_string(), text);
            }
        }
    }
}
