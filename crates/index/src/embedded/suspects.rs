//! Which rows of a shape may hold a token at a variable place, told from columns alone.

use super::{
    evaluate::RowTest,
    shapes::{RowShape, SCORE},
    skeleton::{from_digits, has_cell, put_wide, slot, wide_len},
};
use crate::{
    IndexError,
    query::{is_token_char, tokens},
};

/// A slot of a message and what its contents are joined with to one token.
struct Place<'s> {
    slot: u8,
    cell: usize,
    /// Bytes of the row's wide contents in front of it.
    wide: usize,
    before: &'s str,
    after: &'s str,
}

/// The slots of the message; None where slots stand so close that they make tokens together.
fn places(shape: &RowShape) -> Option<Vec<Place<'_>>> {
    let slots = shape.message.from.literal as usize..shape.message.to.literal as usize;
    let (mut cell, mut wide) = (SCORE + 1, 0);
    let mut places = Vec::new();
    for (at, &slot) in shape.slots.iter().enumerate() {
        if slots.contains(&at) {
            let (left, right) = (shape.literal(at), shape.literal(at + 1));
            let left = if at == slots.start { left.get(shape.message.from.offset as usize..)? } else { left };
            let right =
                if at + 1 == slots.end { right.get(..shape.message.to.offset as usize)? } else { right };
            let before = &left[left.trim_end_matches(is_token_char).len()..];
            let after = &right[..right.len() - right.trim_start_matches(is_token_char).len()];
            let joined = (before.len() == left.len() && at > slots.start)
                || (after.len() == right.len() && at + 1 < slots.end);
            if joined || slot == slot::HOST {
                return None;
            }
            places.push(Place { slot, cell, wide, before, after });
        }
        cell += usize::from(has_cell(slot));
        wide += wide_len(slot);
    }
    Some(places)
}

impl RowTest<'_> {
    /// For each row of the shape at `place`, by rank, whether its message may hold the token at a
    /// variable place; None when the columns do not tell.
    pub(super) fn suspects(
        &mut self,
        place: usize,
        shape: &RowShape,
        token: &str,
    ) -> Result<Option<Vec<bool>>, IndexError> {
        let Some(slots) = places(shape) else { return Ok(None) };
        let block = self.rows.block;
        let count = block.shapes()?.counts.get(place).map_or(0, |count| *count as usize);
        let mut found = vec![false; count];
        for own in slots {
            if own.slot == slot::TEXT {
                if !own.before.is_empty() || !own.after.is_empty() {
                    return Ok(None);
                }
                self.text_suspects(place, own.cell, token, &mut found)?;
                continue;
            }
            if !own.before.is_ascii() || !own.after.is_ascii() {
                return Ok(None);
            }
            if wide_len(own.slot) > 0 {
                self.wide_suspects(place, &own, token, &mut found)?;
                continue;
            }
            let (before, after) = (own.before.to_ascii_lowercase(), own.after.to_ascii_lowercase());
            let digits =
                token.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
            let (base, most) = if own.slot == slot::DECIMAL { (10, 19) } else { (16, 15) };
            let Some(digits) = digits.filter(|digits| {
                (1..=most).contains(&digits.len()) && digits.chars().all(|digit| digit.is_digit(base))
            }) else {
                continue;
            };
            let wanted = from_digits(digits.as_bytes(), u64::from(base));
            let Some(column) = self.rows.columns(place)?.get(own.cell) else { continue };
            if column.may_hold(wanted) {
                for (rank, found) in found.iter_mut().enumerate() {
                    *found |= column.get(rank) == wanted;
                }
            }
        }
        Ok(Some(found))
    }

    fn text_suspects(
        &mut self,
        place: usize,
        cell: usize,
        token: &str,
        found: &mut [bool],
    ) -> Result<(), IndexError> {
        let block = self.rows.block;
        let texts = block.texts()?;
        let known = self.texts.entry_ref(token).or_default();
        let Some(column) = self.rows.columns(place)?.get(cell) else { return Ok(()) };
        for (rank, found) in found.iter_mut().enumerate() {
            let number = column.get(rank);
            let at = number as usize;
            if known.len() <= at {
                texts.get(number).map_err(|damage| block.damaged(damage))?;
                known.resize(at + 1, 0);
            }
            if known[at] == 0 {
                let text = texts.get(number).map_err(|damage| block.damaged(damage))?;
                known[at] = 1 + u8::from(text.len() >= token.len() && tokens(text).any(|of| of == token));
            }
            *found |= known[at] == 2;
        }
        Ok(())
    }

    fn wide_suspects(
        &mut self,
        place: usize,
        own: &Place<'_>,
        token: &str,
        found: &mut [bool],
    ) -> Result<(), IndexError> {
        let block = self.rows.block;
        if !token.bytes().any(|byte| byte.is_ascii_hexdigit()) {
            return Ok(());
        }
        let plain = own.slot == slot::UUID && own.before.is_empty() && own.after.is_empty();
        if plain && !(matches!(token.len(), 4 | 8 | 12) && token.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Ok(());
        }
        let first = token.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or_default();
        let wide = block.wide()?;
        let mut text = String::new();
        let members = match &mut self.members {
            Some(members) => members,
            none => {
                let mut members = vec![Vec::new(); block.shapes()?.numbers.len()];
                for (row, of) in block.rows()?.iter().enumerate() {
                    if let Some(members) = members.get_mut(usize::from(*of)) {
                        members.push(row as u32);
                    }
                }
                none.insert(members)
            }
        };
        for (rank, row) in members.get(place).into_iter().flatten().enumerate() {
            let row = *row as usize;
            let bytes = wide.row(row).get(own.wide..own.wide + wide_len(own.slot)).unwrap_or_default();
            if plain && [0, 4, 6, 8, 10].iter().all(|at| bytes.get(*at) != Some(&first)) {
                continue;
            }
            text.clear();
            text.extend(own.before.chars().map(|c| c.to_ascii_lowercase()));
            put_wide(own.slot, bytes, &mut text);
            text.extend(own.after.chars().map(|c| c.to_ascii_lowercase()));
            if let Some(found) = found.get_mut(rank) {
                *found |= text.split('-').any(|known| known == token);
            }
        }
        Ok(())
    }
}
