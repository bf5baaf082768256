//! Which rows of a shape may hold a token at a variable place, told from columns alone.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use query::{Phrase, TokenPattern, is_token_char, tokens};

use super::{
    rows::Rows,
    shapes::{RowShape, SCORE},
    skeleton::{from_digits, has_cell, put_wide, slot, wide_len},
};
use crate::IndexError;

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

/// The rows of a shape in a block that a phrase may be in.
#[derive(Debug)]
pub(super) enum Suspects {
    /// Columns do not tell.
    All,
    None,
    /// By rank.
    Some(Vec<bool>),
}

impl Suspects {
    pub(super) fn may_be(&self, rank: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some(ranks) => ranks.get(rank).copied().unwrap_or(true),
        }
    }

    fn set(&mut self, rank: usize, count: usize) {
        if let Self::None = self {
            *self = Self::Some(vec![false; count]);
        }
        if let Self::Some(ranks) = self
            && let Some(rank) = ranks.get_mut(rank)
        {
            *rank = true;
        }
    }
}

/// Where a row shape may hold a token that is not among its fixed ones.
#[derive(Debug)]
pub(super) struct SuspectPlan {
    token: String,
    /// None when columns do not tell.
    looks: Option<Vec<Look>>,
}

#[derive(Debug)]
enum Look {
    Cell { cell: usize, wanted: u64 },
    Text { cell: usize },
    Wide(Wide),
}

/// Wide contents, and what the shape joins them with to one token.
#[derive(Debug)]
struct Wide {
    slot: u8,
    /// Where they stand in a row's wide contents.
    at: usize,
    before: String,
    after: String,
}

impl SuspectPlan {
    pub(super) fn new(phrase: &Phrase, shape: &RowShape) -> Self {
        let pieces = shape.pieces();
        let token = phrase.0.iter().find_map(|pattern| match pattern {
            TokenPattern::Exact(token) if !pieces.iter().flatten().any(|piece| pattern.matches(piece)) => {
                Some(token.clone())
            }
            _ => None,
        });
        match token {
            Some(token) => Self { looks: looks(shape, &token), token },
            None => Self { looks: None, token: String::new() },
        }
    }

    /// The rows of the shape at `place` whose message may hold what the plan is for.
    pub(super) fn suspects(
        &self,
        place: usize,
        rows: &mut Rows<'_>,
        seen: &mut Seen,
    ) -> Result<Suspects, IndexError> {
        let Some(looks) = &self.looks else { return Ok(Suspects::All) };
        let count = rows.block.shapes()?.counts.get(place).map_or(0, |count| *count as usize);
        let mut search = Search { rows, seen, token: &self.token, place, count, found: Suspects::None };
        for look in looks {
            match look {
                Look::Cell { cell, wanted } => search.cells(*cell, *wanted)?,
                Look::Text { cell } => search.texts(*cell)?,
                Look::Wide(wide) => search.wide(wide)?,
            }
        }
        Ok(search.found)
    }
}

fn looks(shape: &RowShape, token: &str) -> Option<Vec<Look>> {
    let mut looks = Vec::new();
    for own in places(shape)? {
        if own.slot == slot::TEXT {
            if !own.before.is_empty() || !own.after.is_empty() {
                return None;
            }
            looks.push(Look::Text { cell: own.cell });
            continue;
        }
        if !own.before.is_ascii() || !own.after.is_ascii() {
            return None;
        }
        let (before, after) = (own.before.to_ascii_lowercase(), own.after.to_ascii_lowercase());
        if wide_len(own.slot) > 0 {
            if token.bytes().any(|byte| byte.is_ascii_hexdigit()) {
                looks.push(Look::Wide(Wide { slot: own.slot, at: own.wide, before, after }));
            }
            continue;
        }
        let digits = token.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
        let (base, most) = if own.slot == slot::DECIMAL { (10, 19) } else { (16, 15) };
        let fits = |digits: &&str| {
            (1..=most).contains(&digits.len()) && digits.chars().all(|digit| digit.is_digit(base))
        };
        if let Some(digits) = digits.filter(fits) {
            let wanted = from_digits(digits.as_bytes(), u64::from(base));
            looks.push(Look::Cell { cell: own.cell, wanted });
        }
    }
    Some(looks)
}

/// What was read of a block in search of suspects, for the next search.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The rows of each place, once they are needed.
    members: Option<Vec<Vec<u32>>>,
    /// By token, for each text of the block whether it holds the token: unknown, no, yes.
    texts: HashMap<String, Vec<u8>, FixedState>,
}

/// A search through the columns of one shape.
struct Search<'s, 'b> {
    rows: &'s mut Rows<'b>,
    seen: &'s mut Seen,
    token: &'s str,
    place: usize,
    /// Rows of the shape.
    count: usize,
    found: Suspects,
}

impl Search<'_, '_> {
    fn cells(&mut self, cell: usize, wanted: u64) -> Result<(), IndexError> {
        let Some(column) = self.rows.columns(self.place)?.get(cell) else { return Ok(()) };
        if column.may_hold(wanted) {
            let ranks = (0..self.count).filter(|rank| column.get(*rank) == wanted);
            ranks.for_each(|rank| self.found.set(rank, self.count));
        }
        Ok(())
    }

    fn texts(&mut self, cell: usize) -> Result<(), IndexError> {
        let (block, token) = (self.rows.block, self.token);
        let texts = block.texts()?;
        let known = self.seen.texts.entry_ref(token).or_default();
        let Some(column) = self.rows.columns(self.place)?.get(cell) else { return Ok(()) };
        for rank in 0..self.count {
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
            if known[at] == 2 {
                self.found.set(rank, self.count);
            }
        }
        Ok(())
    }

    fn wide(&mut self, wide: &Wide) -> Result<(), IndexError> {
        let Wide { slot, at, before, after } = wide;
        let (block, token) = (self.rows.block, self.token);
        let plain = *slot == self::slot::UUID && before.is_empty() && after.is_empty();
        if plain && !(matches!(token.len(), 4 | 8 | 12) && token.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Ok(());
        }
        let first = token.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or_default();
        let contents = block.wide()?;
        let mut text = String::new();
        let members = match &mut self.seen.members {
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
        for (rank, row) in members.get(self.place).into_iter().flatten().enumerate() {
            let row = *row as usize;
            let bytes = contents.row(row).get(*at..at + wide_len(*slot)).unwrap_or_default();
            if plain && [0, 4, 6, 8, 10].iter().all(|group| bytes.get(*group) != Some(&first)) {
                continue;
            }
            text.clear();
            text.push_str(before);
            put_wide(*slot, bytes, &mut text);
            text.push_str(after);
            if text.split('-').any(|known| known == token) {
                self.found.set(rank, self.count);
            }
        }
        Ok(())
    }
}
