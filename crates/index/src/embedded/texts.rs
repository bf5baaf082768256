//! The texts of a block being read: what stands in its text cells.

use std::ops::Range;

use query::is_token_char;

use super::{
    ints::{Damage, Input},
    needle::Needle,
    segment::unpack,
};

/// The texts of a block, each once.
#[derive(Debug)]
pub(super) struct Texts {
    heap: String,
    ends: Vec<u32>,
    /// Numbers of those that are not of ASCII alone.
    others: Vec<u32>,
}

impl Texts {
    /// Takes what stands in the two sections; with about how much memory it takes.
    pub(super) fn take(lengths: &[u8], heap: &[u8]) -> Result<(Self, usize), Damage> {
        let mut input = Input(lengths);
        let count = input.length(u32::MAX as usize)?;
        let lengths = unpack(&mut input)?;
        let mut lengths = Input(&lengths);
        let heap = String::from_utf8(unpack(&mut Input(heap))?).map_err(|_| Damage("a text is not UTF-8"))?;
        let mut ends = Vec::with_capacity(count.min(lengths.0.len()));
        let mut end = 0u32;
        for _ in 0..count {
            end = end.checked_add(lengths.u32()?).ok_or(Damage("texts are too long"))?;
            ends.push(end);
        }
        let mut texts = Self { heap, ends, others: Vec::new() };
        if !texts.heap.is_ascii() {
            let all = 0..texts.ends.len() as u32;
            texts.others = all
                .filter(|number| texts.get(u64::from(*number)).is_ok_and(|text| !text.is_ascii()))
                .collect();
        }
        let size = texts.heap.len() + (texts.ends.len() + texts.others.len()) * 4;
        Ok((texts, size))
    }

    pub(super) fn get(&self, number: u64) -> Result<&str, Damage> {
        let range = self.range(number as usize).ok_or(Damage("a text is missing"))?;
        self.heap.get(range).ok_or(Damage("a text is cut"))
    }

    fn range(&self, number: usize) -> Option<Range<usize>> {
        let start =
            number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        Some(start as usize..*self.ends.get(number)? as usize)
    }

    /// The numbers of those that hold a token, rising.
    pub(super) fn with_token(&self, token: &Needle) -> Vec<u64> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(place) = token.find(self.heap.as_bytes(), at) {
            let number = self.ends.partition_point(|end| *end as usize <= place.start);
            let Some(text) = self.range(number) else { break };
            // A place that two texts share is none, and another may begin in the second.
            at = place.end.min(text.end);
            if place.end <= text.end && is_token(self.heap.as_bytes(), &text, &place) {
                found.push(number as u64);
                at = text.end;
            }
        }
        if !self.others.is_empty() {
            found.retain(|number| self.others.binary_search(&(*number as u32)).is_err());
            let others = self.others.iter().map(|number| u64::from(*number));
            found.extend(others.filter(|number| self.get(*number).is_ok_and(|text| token.is_in(text))));
            found.sort_unstable();
        }
        found
    }
}

/// Whether what stands at a place of a text of ASCII is a whole token.
fn is_token(heap: &[u8], text: &Range<usize>, place: &Range<usize>) -> bool {
    let joins = |at: usize| heap.get(at).is_some_and(|byte| is_token_char(char::from(*byte)));
    !(place.start > text.start && joins(place.start - 1) || place.end < text.end && joins(place.end))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn texts_with_a_token_are_those_that_hold_it(
            texts in vec("[aA1]{0,3}|[aA1_ .]{0,6}|[a1ä \u{ff11}]{0,4}", 0..12),
            token in "[a1]{1,3}|ä",
        ) {
            let heap = texts.concat();
            let lengths: Vec<u8> = texts.iter().map(|text| text.len() as u8).collect();
            let stored = |bytes: &[u8]| [&[bytes.len() as u8, bytes.len() as u8], bytes].concat();
            let lengths = [vec![texts.len() as u8], stored(&lengths)].concat();
            let (taken, _) = Texts::take(&lengths, &stored(heap.as_bytes())).unwrap();
            let needle = Needle::new(&token);
            let holds = |number: &u64| query::tokens(&texts[*number as usize]).any(|own| own == token);
            let expected: Vec<u64> = (0..texts.len() as u64).filter(holds).collect();
            prop_assert_eq!(taken.with_token(&needle), expected);
        }
    }
}
