//! Which rows of a shape may hold a token at a variable place, told from columns alone.

use std::{cell::OnceCell, slice};

use foldhash::fast::FixedState;
use hashbrown::{HashMap, hash_map::Entry};
use query::{Phrase, TokenPattern, is_token_char};

use super::{
    ints::find,
    needle::Needle,
    reader::{Block, Members},
    shapes::{RowShape, SCORE},
    skeleton::{UUID_GROUPS, from_digits, from_wide, has_cell, slot, wide_len},
};
use crate::IndexError;

/// A slot of a message and what its contents are joined with to one token.
pub(super) struct Place<'s> {
    pub(super) slot: u8,
    pub(super) cell: usize,
    /// Bytes of the row's wide contents in front of it.
    wide: usize,
    pub(super) before: &'s str,
    pub(super) after: &'s str,
    /// Whether the slot before it, or behind it, belongs to the same token.
    pub(super) joined: [bool; 2],
}

impl Place<'_> {
    /// Whether what stands beside its contents may make a token together with them.
    fn may_join(&self, token: &str) -> bool {
        let [before, after] = [self.before, self.after].map(str::to_ascii_lowercase);
        let is_alone = self.before.is_empty() && self.after.is_empty() && self.joined == [false; 2];
        // Letters outside of ASCII may become others together.
        let is_other = !self.before.is_ascii() || !self.after.is_ascii() || !token.is_ascii() && !is_alone;
        // A token that goes on into a further slot has all that stands between.
        let fits = |text: &str, joined: bool, at_edge: bool| match (text, joined) {
            ("", joined) => joined,
            (text, true) => token.contains(text),
            (_, false) => at_edge,
        };
        is_other
            || fits(&before, self.joined[0], token.starts_with(&before))
            || fits(&after, self.joined[1], token.ends_with(&after))
    }
}

/// The slots of the message.
pub(super) fn places(shape: &RowShape) -> Option<Vec<Place<'_>>> {
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
            let joined = [
                before.len() == left.len() && at > slots.start,
                after.len() == right.len() && at + 1 < slots.end,
            ];
            places.push(Place { slot, cell, wide, before, after, joined });
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

    /// Takes up a row of a shape that has so many.
    pub(super) fn set(&mut self, rank: usize, count: usize) {
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
    /// Which of the phrase's tokens.
    token: usize,
    /// By rising cell; None when columns do not tell.
    looks: Option<Vec<Look>>,
}

#[derive(Debug)]
enum Look {
    /// A number in a cell.
    Cell { cell: usize, wanted: u64 },
    /// A text in a cell.
    Text { cell: usize },
    /// The name of the host.
    Host,
    /// Bytes at a place in a row's wide contents.
    Wide { at: usize, wanted: Box<[u8]> },
}

impl SuspectPlan {
    pub(super) fn new(phrase: &Phrase, shape: &RowShape) -> Self {
        let pieces = shape.pieces();
        let unfixed = phrase.0.iter().enumerate().find_map(|(at, pattern)| match pattern {
            TokenPattern::Exact(token) if !pieces.iter().flatten().any(|piece| pattern.matches(piece)) => {
                Some((at, token))
            }
            _ => None,
        });
        let (token, looks) = unfixed.map_or((0, None), |(at, token)| (at, looks(shape, token)));
        Self { token, looks }
    }

    /// The rows of the shape at `place` whose message may hold what the plan is for, a token of a phrase with these
    /// needles.
    pub(super) fn suspects(
        &self,
        (phrase, needles): (usize, &[Option<Needle>]),
        place: usize,
        block: &Block<'_>,
        seen: &mut Seen,
    ) -> Result<Suspects, IndexError> {
        let (Some(looks), Some(Some(needle))) = (&self.looks, needles.get(self.token)) else {
            return Ok(Suspects::All);
        };
        let mut found = Suspects::None;
        if looks.is_empty() {
            return Ok(found);
        }
        let (_, mut columns, count) = block.cells_of(place)?;
        let mut next = 0;
        for look in looks {
            let (cell, wanted) = match look {
                Look::Cell { cell, wanted } => (*cell, slice::from_ref(wanted)),
                Look::Text { cell } => (*cell, seen.texts(block, (phrase, self.token), needle)?),
                Look::Host => {
                    if block.names_host(needle)? {
                        return Ok(Suspects::All);
                    }
                    continue;
                }
                Look::Wide { at, wanted } => {
                    let contents = block.wide()?;
                    for (rank, row) in seen.members(block)?.of(place).iter().enumerate() {
                        if contents.row(*row as usize).get(*at..at + wanted.len()) == Some(wanted) {
                            found.set(rank, count);
                        }
                    }
                    continue;
                }
            };
            if !wanted.is_empty() {
                while next < cell {
                    find(&mut columns, count, &[], &mut |_| ()).map_err(|damage| block.damaged(damage))?;
                    next += 1;
                }
                find(&mut columns, count, wanted, &mut |rank| found.set(rank, count))
                    .map_err(|damage| block.damaged(damage))?;
                next += 1;
            }
        }
        Ok(found)
    }
}

fn looks(shape: &RowShape, token: &str) -> Option<Vec<Look>> {
    let mut looks = Vec::new();
    for own in places(shape)? {
        if matches!(own.slot, slot::TEXT | slot::HOST) {
            if own.may_join(token) {
                return None;
            }
            // Tokens that lie within it.
            looks.push(if own.slot == slot::TEXT { Look::Text { cell: own.cell } } else { Look::Host });
            continue;
        }
        if own.joined != [false; 2] {
            // Its digits are a part of a token that has what stands between the slots, unless some of them are one alone.
            if own.slot == slot::UUID || own.may_join(token) {
                return None;
            }
            continue;
        }
        if !own.before.is_ascii() || !own.after.is_ascii() {
            return None;
        }
        let (before, after) = (own.before.to_ascii_lowercase(), own.after.to_ascii_lowercase());
        if wide_len(own.slot) > 0 {
            let groups: &[(usize, usize)] = match own.slot {
                slot::UUID => &UUID_GROUPS,
                wide => &[(0, wide_len(wide))],
            };
            for (at, (start, length)) in groups.iter().enumerate() {
                let before = if at == 0 { before.as_str() } else { "" };
                let after = if at + 1 == groups.len() { after.as_str() } else { "" };
                let digits = token.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                let wanted = digits.filter(|digits| digits.len() == length * 2).and_then(from_wide);
                looks.extend(wanted.map(|wanted| Look::Wide { at: own.wide + start, wanted }));
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
    members: OnceCell<Members>,
    /// For tokens, by phrase and their place in it, the texts of the block that hold them.
    texts: HashMap<(usize, usize), Vec<u64>, FixedState>,
}

impl Seen {
    fn members(&self, block: &Block<'_>) -> Result<&Members, IndexError> {
        if let Some(members) = self.members.get() {
            return Ok(members);
        }
        let members = block.members()?;
        Ok(self.members.get_or_init(|| members))
    }

    /// The numbers of the block's texts that hold a token, rising.
    pub(super) fn texts(
        &mut self,
        block: &Block<'_>,
        token: (usize, usize),
        needle: &Needle,
    ) -> Result<&[u64], IndexError> {
        match self.texts.entry(token) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(block.texts()?.with_token(needle))),
        }
    }
}
