//! Where a hit stands in the order of hits, and that as text, for replies and requests.

use std::{cmp::Ordering, fmt, str::FromStr};

use event::{EventId, JournalId, Position, Timestamp};

/// Where a hit stands: hits are ordered by `@timestamp`, then by id. A further page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    /// `@timestamp` of the hit.
    pub timestamp: Timestamp,
    /// Its id.
    pub id: EventId,
}

/// Which hits come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The latest.
    #[default]
    NewestFirst,
    /// The earliest.
    OldestFirst,
}

impl Order {
    /// How two of them, or their times, stand to each other in an answer.
    pub fn compare<T: Ord>(self, a: &T, b: &T) -> Ordering {
        match self {
            Self::NewestFirst => b.cmp(a),
            Self::OldestFirst => a.cmp(b),
        }
    }

    /// Whether the first of two comes before the second.
    pub fn is_before<T: Ord>(self, a: &T, b: &T) -> bool {
        self.compare(a, b).is_lt()
    }
}

/// A place in an answer to go on behind, with the order of that answer: in the other order what lies behind it
/// was shown already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Of the last hit.
    pub key: SortKey,
    /// Of the answer.
    pub order: Order,
}

/// A text that no reply gave as a place to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: give back the 'next' of an earlier answer, unchanged")]
pub struct InvalidCursor;

/// Order, time stamp, journal, segment and record in fixed-width hexadecimal.
const WIDTHS: [usize; 4] = [16, 32, 8, 8];
const NEWEST_FIRST: &str = "1";
const OLDEST_FIRST: &str = "2";

impl fmt::Display for Cursor {
    /// Opaque, of letters and digits only.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::NewestFirst => NEWEST_FIRST,
            Order::OldestFirst => OLDEST_FIRST,
        };
        let EventId { journal, position } = self.key.id;
        let nanos = self.key.timestamp.as_nanos();
        write!(out, "{order}{nanos:016x}{journal}{:08x}{:08x}", position.segment, position.record)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let newest = text.strip_prefix(NEWEST_FIRST).map(|digits| (Order::NewestFirst, digits));
        let oldest = || text.strip_prefix(OLDEST_FIRST).map(|digits| (Order::OldestFirst, digits));
        let (order, digits) = newest.or_else(oldest).ok_or(InvalidCursor)?;
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != WIDTHS.iter().sum::<usize>() || !digits.bytes().all(lower_hex) {
            return Err(InvalidCursor);
        }
        let mut at = 0;
        let [nanos, journal, segment, record] = WIDTHS.map(|width| {
            at += width;
            u128::from_str_radix(&digits[at - width..at], 16).unwrap_or_default()
        });
        let timestamp = i64::try_from(nanos).ok().and_then(Timestamp::from_nanos).ok_or(InvalidCursor)?;
        let position = Position { segment: segment as u32, record: record as u32 };
        let id = EventId { journal: JournalId(journal), position };
        Ok(Self { key: SortKey { timestamp, id }, order })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_round_trips(nanos in 0..i64::MAX, journal: u128, segment: u32, record: u32, oldest: bool) {
            let key = SortKey {
                timestamp: Timestamp::from_nanos(nanos).unwrap(),
                id: EventId { journal: JournalId(journal), position: Position { segment, record } },
            };
            let cursor = Cursor { key, order: if oldest { Order::OldestFirst } else { Order::NewestFirst } };
            let text = cursor.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            prop_assert_eq!(text.parse(), Ok(cursor));
        }

        #[test]
        fn other_text_is_refused(text in "[12]?[0-9a-fA-F+-]{60,66}|.{0,70}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
