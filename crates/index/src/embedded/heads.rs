//! Within which bounds the columns of a block's messages lie: most of them cannot hold a token, which is seen here
//! for all row shapes of the block in one pass, before any of them is looked at by itself.

use std::slice;

use query::TokenPattern;

use super::{
    evaluate::States,
    ints::{Damage, bounds, find},
    needle::Needle,
    reader::Block,
    shapes::{RowShape, Tables},
    skeleton::{from_digits, slot, wide_len},
    suspects::{Place, Seen, Suspects, places},
    terms::{Node, Term},
};
use crate::IndexError;

/// In the cache.
const KIND: u8 = 202;

/// Columns whose values may be tokens as they stand, all of one kind. Numbers larger than 32 bits count as the largest
/// of them here.
#[derive(Debug, Default)]
struct Columns {
    /// The least value of each, or less.
    low: Vec<u32>,
    /// From there to the greatest, or more.
    span: Vec<u32>,
    /// Where each begins in the section of cells.
    at: Vec<u32>,
    /// The row shape of each.
    place: Vec<u16>,
}

/// So many are looked at together.
const CHUNK: usize = 64;

impl Columns {
    fn push(&mut self, at: u32, place: u16, (low, high): (u64, u64)) {
        let (low, high) = (saturated(low), saturated(high));
        self.low.push(low);
        self.span.push(high.saturating_sub(low));
        self.at.push(at);
        self.place.push(place);
    }

    /// The columns within whose bounds one of the values lies, which rise.
    fn around(&self, values: &[u64]) -> Vec<usize> {
        let columns = || self.low.iter().zip(&self.span).enumerate();
        match values {
            [] => Vec::new(),
            [value] => self.around_one(saturated(*value)),
            several => columns()
                .filter(|(_, (low, span))| {
                    let first = several.partition_point(|value| saturated(*value) < **low);
                    several.get(first).is_some_and(|value| saturated(*value) - **low <= **span)
                })
                .map(|(at, _)| at)
                .collect(),
        }
    }

    fn around_one(&self, value: u32) -> Vec<usize> {
        let holds = |(low, span): (&u32, &u32)| value.wrapping_sub(*low) <= *span;
        let mut found = Vec::new();
        for (chunk, (low, span)) in self.low.chunks(CHUNK).zip(self.span.chunks(CHUNK)).enumerate() {
            // Without a branch, so that several are compared at once.
            if low.iter().zip(span).fold(false, |any, column| any | holds(column)) {
                let own = low.iter().zip(span).enumerate().filter(|(_, column)| holds(*column));
                found.extend(own.map(|(at, _)| chunk * CHUNK + at));
            }
        }
        found
    }

    fn size_bytes(&self) -> usize {
        self.low.capacity() * 14
    }

    fn shrink(&mut self) {
        self.low.shrink_to_fit();
        self.span.shrink_to_fit();
        self.at.shrink_to_fit();
        self.place.shrink_to_fit();
    }
}

/// What a row shape's message has beside such columns.
#[derive(Debug, Clone, Copy, Default)]
struct Beside {
    /// Letters, as [`letters`] has them: a token that shares none with what stands around its slots does not come
    /// from there.
    letters: u64,
    /// Any token may come from what columns do not tell.
    anything: bool,
    host: bool,
    wide: bool,
}

/// The columns of a block's messages.
#[derive(Debug, Default)]
struct Heads {
    decimal: Columns,
    hex: Columns,
    text: Columns,
    /// By place of the row shape.
    beside: Vec<Beside>,
}

impl Beside {
    /// Takes up a slot; gives whether its column is to be looked at.
    fn slot(&mut self, own: &Place<'_>) -> bool {
        let is_text = matches!(own.slot, slot::TEXT | slot::HOST);
        let is_wide = wide_len(own.slot) > 0;
        let is_joined = own.joined != [false; 2];
        if !own.before.is_ascii() || !own.after.is_ascii() || (own.slot == slot::UUID && is_joined) {
            self.anything = true;
            return false;
        }
        self.host |= own.slot == slot::HOST;
        self.wide |= is_wide;
        let [before, after] = [own.before, own.after].map(rarest);
        match (before, after) {
            (0, 0) if !is_joined => return own.slot != slot::HOST && !is_wide,
            // What holds letters on one side alone is enough for it to go on there.
            _ if is_text || is_joined => {
                self.letters |= before | after;
                self.anything |= before == 0 && own.joined[0] || after == 0 && own.joined[1];
            }
            // A UUID's groups have what is before the first, or behind the last, or neither.
            _ if own.slot == slot::UUID => self.letters |= before | after,
            // All of them.
            _ => self.letters |= before.max(after),
        }
        own.slot == slot::TEXT
    }
}

/// For each letter, digit or `_` in a text a bit: those of digits are the lowest.
fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |found, byte| found | letter(byte))
}

const fn letter(byte: u8) -> u64 {
    match byte {
        b'0'..=b'9' => 1 << (byte - b'0'),
        b'_' => 1 << 10,
        _ => 1 << (11 + (byte.to_ascii_lowercase().wrapping_sub(b'a')) % 32),
    }
}

/// One of the letters of a text, no digit where there is another; 0 when it is empty.
fn rarest(text: &str) -> u64 {
    let all = letters(text);
    if all == 0 { 0 } else { 1 << (63 - all.leading_zeros()) }
}

impl Heads {
    fn of(block: &Block<'_>) -> Result<(Self, usize), IndexError> {
        let numbers = &block.shapes()?.numbers;
        let missing = || block.damaged(Damage("a row shape is missing"));
        let mut all = Self { beside: Vec::with_capacity(numbers.len()), ..Self::default() };
        for (place, number) in numbers.iter().enumerate() {
            let shape = block.tables.shapes.get(*number as usize).ok_or_else(missing)?;
            let beside = all.shape(shape, place, block)?;
            all.beside.push(beside);
        }
        let mut size = all.beside.len() * size_of::<Beside>();
        for columns in [&mut all.decimal, &mut all.hex, &mut all.text] {
            columns.shrink();
            size += columns.size_bytes();
        }
        Ok((all, size))
    }

    fn shape(&mut self, shape: &RowShape, place: usize, block: &Block<'_>) -> Result<Beside, IndexError> {
        let unknown = Beside { anything: true, ..Beside::default() };
        let (Some(own), Ok(number)) = (places(shape), u16::try_from(place)) else { return Ok(unknown) };
        let mut beside = Beside::default();
        let (start, mut columns, count) = block.cells_of(place)?;
        let (length, mut next) = (columns.0.len(), 0);
        for own in &own {
            if !beside.slot(own) {
                continue;
            }
            if beside.anything {
                break;
            }
            let mut passed = || bounds(&mut columns, count).map_err(|damage| block.damaged(damage));
            while next < own.cell {
                passed()?;
                next += 1;
            }
            let at = start + length - columns.0.len();
            let bounds = bounds(&mut columns, count).map_err(|damage| block.damaged(damage))?;
            next += 1;
            let Ok(at) = u32::try_from(at) else { return Ok(unknown) };
            let columns = match own.slot {
                slot::DECIMAL => &mut self.decimal,
                slot::TEXT => &mut self.text,
                _ => &mut self.hex,
            };
            columns.push(at, number, bounds);
        }
        Ok(beside)
    }
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A token of a phrase that is looked for in a block.
pub(super) struct Wanted<'t> {
    token: &'t str,
    needle: &'t Needle,
    /// The phrase, and which of its tokens.
    number: (usize, usize),
    /// By row shape of the segment, whether it may be among its fixed ones; empty where that is known not to be.
    fixed: &'t [bool],
}

impl<'t> Wanted<'t> {
    /// The token of a phrase that is most likely at a variable place; None for phrases of which bounds do not tell.
    pub(super) fn new(phrase: usize, states: &'t States, tables: &Tables) -> Option<Self> {
        let Term { phrase: tokens, needles, .. } = states.terms.terms.get(phrase)?;
        let exact = tokens.0.iter().zip(needles).enumerate().filter_map(|(at, own)| match own {
            (TokenPattern::Exact(token), Some(needle)) if token.is_ascii() && !token.is_empty() => {
                Some((at, token.as_str(), needle))
            }
            _ => None,
        });
        let digits = |token: &str| token.bytes().filter(u8::is_ascii_digit).count();
        let (at, token, needle) = exact.max_by_key(|(_, token, _)| (digits(token), token.len()))?;
        // Of a shape that has it no rows are looked at, where it is all that is asked for.
        let is_sole = matches!(states.terms.root, Node::Phrase(_)) && tokens.0.len() == 1;
        let fixed = if is_sole { &[] } else { states.fixed(phrase, needle, tables)? };
        Some(Self { token, needle, number: (phrase, at), fixed })
    }

    /// The number that its digits are.
    fn number(&self, base: u32, most: usize) -> Option<u64> {
        let fits =
            (1..=most).contains(&self.token.len()) && self.token.chars().all(|digit| digit.is_digit(base));
        fits.then(|| from_digits(self.token.as_bytes(), u64::from(base)))
    }

    /// For each row shape of the block the rows that it may be in; None where a row shape must be looked at by itself.
    pub(super) fn suspects(
        &self,
        block: &Block<'_>,
        seen: &mut Seen,
    ) -> Result<Vec<Option<Suspects>>, IndexError> {
        let heads = block.kept(KIND, || Heads::of(block))?;
        let shapes = block.shapes()?;
        let own_letters = letters(self.token);
        // Bytes are two digits each; the shortest group of a UUID has two of them.
        let may_be_wide = self.token.len() >= 4
            && self.token.len().is_multiple_of(2)
            && self.token.bytes().all(|byte| byte.is_ascii_hexdigit());
        let names_host = heads.beside.iter().any(|beside| beside.host) && block.names_host(self.needle)?;
        let (decimal, hex) = (self.number(10, 19), self.number(16, 15));
        let [decimal, hex] = [&decimal, &hex].map(|number| number.as_ref().map_or(&[][..], slice::from_ref));
        let texts = seen.texts(block, self.number, self.needle)?;
        let mut found = Vec::with_capacity(shapes.numbers.len());
        for (beside, number) in heads.beside.iter().zip(&shapes.numbers) {
            let is_open = beside.anything
                || beside.letters & own_letters != 0
                || beside.wide && may_be_wide
                || beside.host && names_host
                || self.fixed.get(*number as usize).copied().unwrap_or_default();
            found.push((!is_open).then_some(Suspects::None));
        }
        for (columns, wanted) in [(&heads.decimal, decimal), (&heads.hex, hex), (&heads.text, texts)] {
            for column in columns.around(wanted) {
                let place = columns.place.get(column).copied().unwrap_or(u16::MAX) as usize;
                let own = found.get_mut(place).zip(shapes.counts.get(place)).zip(columns.at.get(column));
                if let Some(((Some(suspects), count), at)) = own {
                    let (mut column, count) = (block.cells_from(*at as usize)?, *count as usize);
                    find(&mut column, count, wanted, &mut |rank| suspects.set(rank, count))
                        .map_err(|damage| block.damaged(damage))?;
                }
            }
        }
        Ok(found)
    }
}
