//! A letter as bytes, little-endian: version (1 byte), journal id (16), segment (4), record (4), then
//! kind and reason, each as length (4) and UTF-8, then the event as [`event::codec`] has it.

use event::{EventId, JournalId, Position, codec};
use index::DeadLetter;

const VERSION: u8 = 1;

pub(crate) fn encode(letter: &DeadLetter, out: &mut Vec<u8>) {
    let EventId { journal, position } = letter.id;
    out.push(VERSION);
    out.extend_from_slice(&journal.0.to_le_bytes());
    out.extend_from_slice(&position.segment.to_le_bytes());
    out.extend_from_slice(&position.record.to_le_bytes());
    for text in [&letter.kind, &letter.reason] {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    codec::encode(&letter.event, out);
}

/// None for what no encoder of this version wrote.
pub(crate) fn decode(record: &[u8]) -> Option<DeadLetter> {
    let (version, rest) = record.split_first()?;
    let (journal, rest) = rest.split_first_chunk()?;
    let (segment, rest) = rest.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (kind, rest) = text(rest)?;
    let (reason, rest) = text(rest)?;
    (*version == VERSION).then_some(())?;
    Some(DeadLetter {
        id: EventId {
            journal: JournalId(u128::from_le_bytes(*journal)),
            position: Position { segment: u32::from_le_bytes(*segment), record: u32::from_le_bytes(*number) },
        },
        event: codec::decode(rest).ok()?.into_owned(),
        kind,
        reason,
    })
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((std::str::from_utf8(text).ok()?.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use event::{Event, Timestamp};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn letters_round_trip_and_no_cut_one_does(
            journal: u128, segment: u32, record: u32, kind in ".{0,20}", reason in ".{0,40}", message in ".{0,60}",
        ) {
            let id = EventId { journal: JournalId(journal), position: Position { segment, record } };
            let letter = DeadLetter { id, event: Event::new(message, Timestamp::MIN), kind, reason };
            let mut bytes = vec![];
            encode(&letter, &mut bytes);
            prop_assert_eq!(decode(&bytes), Some(letter));
            for cut in 0..bytes.len() {
                prop_assert_eq!(decode(&bytes[..cut]), None);
            }
        }
    }
}
