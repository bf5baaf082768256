//! The operations as bytes.
//!
//! ```text
//! 8 bytes  magic "LSTMPOP\0"
//! u32      format version, 1, little-endian
//! varint   id of the next operation
//! varint   number of operations, then for each:
//!            varint id, u64 time given in nanoseconds, u8 action (0 name, 1 pin, 2 split at a
//!            variable, 3 split by an example, 4 merge), varint length, UTF-8: the name or example,
//!            varint the variable
//!            varint number of templates, for each: u8 derived, tokens as in the miner's file
//!            varint number of places, for each: varint place, u8 whether a value, if so varint
//!            length, UTF-8
//! 16 bytes BLAKE3 of everything before, cut to 16 bytes
//! ```

use event::Timestamp;

use super::operation::{
    Action, EXAMPLE_BYTES_MAX, Entry, MERGED_MAX, NAME_BYTES_MAX, OPERATIONS_MAX, Operations, Split, Subject,
};
use crate::{
    file::{Input, LoadError, put, put_text, put_tokens, seal, unseal},
    skeleton::Token,
};

const MAGIC: &[u8; 8] = b"LSTMPOP\0";
const VERSION: u32 = 1;
const WHAT: &str = "operations";
const DAMAGED: LoadError = LoadError::Damaged(WHAT);

impl Operations {
    /// All of them, with magic, version and checksum.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        put(&mut out, self.next);
        put(&mut out, self.entries.len() as u64);
        for Entry { operation, subjects, places, .. } in &self.entries {
            put(&mut out, operation.id);
            out.extend_from_slice(&operation.given_at.as_nanos().to_le_bytes());
            let (action, text, variable) = match &operation.action {
                Action::Name(name) => (0, name.as_str(), 0),
                Action::Pin => (1, "", 0),
                Action::Split(Split::Variable(number)) => (2, "", *number),
                Action::Split(Split::Example(line)) => (3, line.as_str(), 0),
                Action::Merge => (4, "", 0),
            };
            out.push(action);
            put_text(&mut out, text);
            put(&mut out, variable as u64);
            put(&mut out, subjects.len() as u64);
            for subject in subjects {
                out.push(u8::from(subject.derived));
                put_tokens(&mut out, &subject.tokens);
            }
            put(&mut out, places.len() as u64);
            for (place, value) in places {
                put(&mut out, u64::from(*place));
                out.push(u8::from(value.is_some()));
                if let Some(value) = value {
                    put_text(&mut out, value);
                }
            }
        }
        seal(out)
    }

    /// What [`Operations::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not what `save` of this version wrote, to the last bit.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let (mut input, _) = unseal(bytes, MAGIC, 1..=VERSION)?;
        let mut all = Self { next: input.varint(WHAT)?, entries: Vec::new() };
        let count = input.count(WHAT, 15)?;
        if count > OPERATIONS_MAX {
            return Err(DAMAGED);
        }
        for _ in 0..count {
            let entry = entry(&mut input)?;
            let before = all.entries.last().map_or(0, |last| last.operation.id);
            if entry.operation.id <= before || entry.operation.id >= all.next {
                return Err(DAMAGED);
            }
            all.entries.push(entry);
        }
        input.end()?;
        Ok(all)
    }
}

fn entry(input: &mut Input<'_>) -> Result<Entry, LoadError> {
    let id = input.varint(WHAT)?;
    let given_at = Timestamp::from_nanos(i64::from_le_bytes(input.array(WHAT)?)).ok_or(DAMAGED)?;
    let kind = input.flags(WHAT, 4)?;
    let text = input.text(WHAT)?.to_owned();
    let variable = usize::try_from(input.varint(WHAT)?).map_err(|_| DAMAGED)?;
    let action = match kind {
        0 if (1..=NAME_BYTES_MAX).contains(&text.len()) => Action::Name(text),
        1 => Action::Pin,
        2 => Action::Split(Split::Variable(variable)),
        3 if text.len() <= EXAMPLE_BYTES_MAX => Action::Split(Split::Example(text)),
        4 => Action::Merge,
        _ => return Err(DAMAGED),
    };
    let mut subjects = Vec::new();
    for _ in 0..input.count(WHAT, 2)? {
        let derived = input.flags(WHAT, 1)? == 1;
        subjects.push(Subject { tokens: input.tokens(WHAT)?, derived });
    }
    let wanted = if action == Action::Merge { 2..=MERGED_MAX } else { 1..=1 };
    if !wanted.contains(&subjects.len()) {
        return Err(DAMAGED);
    }
    let mut places = Vec::new();
    for _ in 0..input.count(WHAT, 2)? {
        let place = u16::try_from(input.varint(WHAT)?).map_err(|_| DAMAGED)?;
        let open = |token: &Token| token.wild;
        if !subjects[0].tokens.get(usize::from(place)).is_some_and(open) {
            return Err(DAMAGED);
        }
        let value = match input.flags(WHAT, 1)? {
            0 => None,
            _ => Some(input.text(WHAT)?.to_owned()),
        };
        places.push((place, value));
    }
    let entry = Entry::new((id, given_at, action), subjects, places);
    let whole = match &entry.operation.action {
        Action::Merge => entry.operation.result.is_some(),
        Action::Split(_) => !entry.places.is_empty(),
        _ => entry.places.is_empty(),
    };
    if whole { Ok(entry) } else { Err(DAMAGED) }
}
