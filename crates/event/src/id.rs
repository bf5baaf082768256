//! Where an event stands in which journal: its identity everywhere.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 128 random bits made when a journal is created. Never derived from the host, so that a fresh
/// journal never collides with what an old one wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalId(pub u128);

impl JournalId {
    /// A new one, from the operating system's random source.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for JournalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// A place in a journal: segment number, then record number within the segment, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    /// Segment number; segments are numbered in the order they were begun.
    pub segment: u32,
    /// Record number within the segment.
    pub record: u32,
}

impl Position {
    /// The place of the next record of the same segment.
    pub const fn next(self) -> Self {
        Self { segment: self.segment, record: self.record.saturating_add(1) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.segment, self.record)
    }
}

/// The identity of an event: journal and place. The same after every replay, so that writing an
/// event twice makes one document. Sorts by journal, then by order of arrival.
///
/// As text: 32, 8 and 8 hexadecimal digits joined by `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The journal.
    pub journal: JournalId,
    /// The place in it.
    pub position: Position,
}

/// A text that is no event id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event id: 32, 8 and 8 hexadecimal digits joined by '-' were expected")]
pub struct InvalidEventId;

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{:08x}-{:08x}", self.journal, self.position.segment, self.position.record)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('-').collect();
        let [journal, segment, record] = parts.as_slice() else { return Err(InvalidEventId) };
        let plain = |part: &str, digits| part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain(journal, 32) || !plain(segment, 8) || !plain(record, 8) {
            return Err(InvalidEventId);
        }
        let number = |part: &str| u32::from_str_radix(part, 16).map_err(|_| InvalidEventId);
        Ok(Self {
            journal: JournalId(u128::from_str_radix(journal, 16).map_err(|_| InvalidEventId)?),
            position: Position { segment: number(segment)?, record: number(record)? },
        })
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_round_trips_and_sorts_like_the_id(a: (u128, u32, u32), b: (u128, u32, u32)) {
            let id = |(journal, segment, record)| EventId {
                journal: JournalId(journal),
                position: Position { segment, record },
            };
            let (a, b) = (id(a), id(b));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn other_text_is_refused(text in "[0-9a-f+-]{0,60}") {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
