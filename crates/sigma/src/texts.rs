//! Many texts looked for in one pass, whatever their case.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use foldhash::fast::FixedState;

/// So many bytes of a text are looked for first.
const GRAM: usize = 4;
/// Places of the filter for each text, so that few grams fall on a place by chance; and how many it has at least.
const PLACES_FOR_TEXT: usize = 64;
const PLACES_MIN: usize = 1 << 15;
const PLACES_MAX: usize = 1 << 24;

/// Finds each of many texts in a text. Of each one the four bytes that are the least usual are looked for, through a
/// filter of single bits that stays in the cache of a core; only where one may stand are whole texts compared (the
/// filter of [Bloom 1970](https://doi.org/10.1145/362686.362692) with one hash function, over the grams of
/// [Wu and Manber 1994](https://www.webglimpse.net/pubs/TR94-17.pdf)).
///
/// A step depends on no other, unlike in an automaton, whose next state is known only when the last one is.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    filter: Filter,
    /// The texts by the four bytes they are looked for by.
    by_gram: HashMap<u32, Vec<Place>, FixedState>,
    texts: Vec<Box<[u8]>>,
    /// Texts that are shorter than that, and their numbers.
    short: Option<(AhoCorasick, Vec<u32>)>,
}

/// Where a text has the bytes that it is looked for by.
#[derive(Debug, Clone, Copy)]
struct Place {
    text: u32,
    before: u32,
}

#[derive(Debug, Clone)]
struct Filter {
    bits: Box<[u64]>,
    /// A hash is cut down to as many bits as tell the places apart.
    shift: u32,
}

impl Filter {
    fn new(texts: usize) -> Self {
        let places =
            (texts.saturating_mul(PLACES_FOR_TEXT)).clamp(PLACES_MIN, PLACES_MAX).next_power_of_two();
        Self { bits: vec![0; places / 64].into(), shift: u32::BITS - places.ilog2() }
    }

    fn place(&self, gram: u32) -> (usize, u64) {
        // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4.
        let hash = gram.wrapping_mul(0x9E37_79B1) >> self.shift;
        ((hash / 64) as usize, 1 << (hash % 64))
    }

    fn put(&mut self, gram: u32) {
        let (word, bit) = self.place(gram);
        self.bits[word] |= bit;
    }

    #[inline]
    fn may_have(&self, gram: u32) -> bool {
        let (word, bit) = self.place(gram);
        self.bits[word] & bit != 0
    }
}

/// Four bytes, the same whatever the case of letters; other bytes may become the same as well.
#[inline]
fn gram(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

impl Texts {
    /// Of texts that are not empty. `usual` says how usual four bytes are in events.
    ///
    /// # Errors
    /// When short ones are too many.
    pub(crate) fn new<'t>(
        texts: impl Iterator<Item = &'t str>,
        usual: impl Fn([u8; GRAM]) -> f64,
    ) -> Result<Self, aho_corasick::BuildError> {
        let texts: Vec<Box<[u8]>> = texts.map(|text| text.to_ascii_lowercase().as_bytes().into()).collect();
        let mut filter = Filter::new(texts.len());
        let mut by_gram: HashMap<u32, Vec<Place>, FixedState> = HashMap::default();
        let mut short = (Vec::new(), Vec::new());
        for (number, text) in (0..).zip(&texts) {
            let grams = (0..).zip(text.array_windows::<GRAM>().copied());
            match grams.min_by(|(_, one), (_, other)| usual(*one).total_cmp(&usual(*other))) {
                Some((before, bytes)) => {
                    filter.put(gram(bytes));
                    by_gram.entry(gram(bytes)).or_default().push(Place { text: number, before });
                }
                None => {
                    short.0.push(text);
                    short.1.push(number);
                }
            }
        }
        let short = match short.0.is_empty() {
            true => None,
            false => Some((AhoCorasick::builder().ascii_case_insensitive(true).build(short.0)?, short.1)),
        };
        Ok(Self { filter, by_gram, texts, short })
    }

    /// Shows the number of each text that is found, as often as it is.
    pub(crate) fn each(&self, text: &str, mut show: impl FnMut(usize)) {
        let bytes = text.as_bytes();
        for (at, window) in bytes.array_windows::<GRAM>().enumerate() {
            let gram = gram(*window);
            if self.filter.may_have(gram) {
                self.compare(gram, bytes, at, &mut show);
            }
        }
        if let Some((automaton, numbers)) = &self.short {
            for found in automaton.find_overlapping_iter(bytes) {
                show(numbers[found.pattern()] as usize);
            }
        }
    }

    /// Shows the texts that stand about a place where one may stand.
    #[inline(never)]
    fn compare(&self, gram: u32, bytes: &[u8], at: usize, show: &mut impl FnMut(usize)) {
        for place in self.by_gram.get(&gram).into_iter().flatten() {
            let text = &self.texts[place.text as usize];
            let from = at.checked_sub(place.before as usize);
            let there = from.and_then(|from| bytes.get(from..from + text.len()));
            if there.is_some_and(|there| there.eq_ignore_ascii_case(text)) {
                show(place.text as usize);
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Bytes that it takes, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of_texts: usize = self.texts.iter().map(|text| text.len() + size_of_val(text)).sum();
        let of_grams = self.by_gram.capacity() * (size_of::<(u32, Vec<Place>)>() + 1);
        let of_short = self.short.as_ref().map_or(0, |(automaton, _)| automaton.memory_usage());
        size_of_val(&*self.filter.bits)
            + of_texts
            + of_grams
            + self.texts.len() * size_of::<Place>()
            + of_short
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(texts: &Texts, text: &str) -> Vec<usize> {
        let mut found = vec![];
        texts.each(text, |number| found.push(number));
        found.sort_unstable();
        found
    }

    #[test]
    fn each_text_is_found_wherever_it_stands_and_whatever_its_case() {
        let texts = ["cat /etc/shadow", "etc", "shadow", "SHADOWS", "ä*Ö@", "[x]y"];
        let texts = Texts::new(texts.into_iter(), |_| 0.0).unwrap();
        for (text, expected) in [
            ("sudo CAT /etc/Shadow", vec![0, 1, 2]),
            ("shadows of etcetera", vec![1, 2, 3]),
            ("etcetc", vec![1, 1]),
            ("ä*Ö` {X}Y ä*Ö@", vec![4]),
            ("[X]Y", vec![5]),
            ("schatten", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(found(&texts, text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(
            texts in proptest::collection::btree_set("[abA:ü]{1,8}", 0..30),
            text in "[abAB:Züx]{0,60}",
            weight in any::<u32>(),
        ) {
            // Whatever is held to be usual, the same is found.
            let usual = |bytes| f64::from(gram(bytes).wrapping_mul(weight | 1));
            let finder = Texts::new(texts.iter().map(String::as_str), usual).unwrap();
            let mut expected = vec![];
            for (number, one) in texts.iter().enumerate() {
                let one = one.as_bytes();
                let times = text.as_bytes().windows(one.len()).filter(|there| there.eq_ignore_ascii_case(one));
                expected.extend(times.map(|_| number));
            }
            prop_assert_eq!(found(&finder, &text), expected);
        }
    }
}
