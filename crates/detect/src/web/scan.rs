//! One pass over a text for all needles at once, and a check where one is found.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

use super::{
    sign::Sign,
    text::{Check, Text},
};

/// What a needle betrays, what must hold around it, and the needles. Letters match in either case.
pub(super) struct Group(pub(super) Sign, pub(super) Check, pub(super) &'static [&'static str]);

/// The needles of some groups as one automaton ([Aho and Corasick 1975]).
///
/// [Aho and Corasick 1975]: https://doi.org/10.1145/360825.360855
pub(super) struct Scan {
    automaton: AhoCorasick,
    meanings: Vec<(Sign, Check)>,
}

impl Scan {
    pub(super) fn new<'g>(groups: impl IntoIterator<Item = &'g Group>) -> Result<Self, BuildError> {
        let (mut needles, mut meanings) = (Vec::new(), Vec::new());
        for Group(sign, check, group) in groups {
            needles.extend_from_slice(group);
            meanings.extend(group.iter().map(|_| (*sign, *check)));
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(needles)?;
        Ok(Self { automaton, meanings })
    }

    /// The gravest sign in a text. An exploit ends the search, whichever it is.
    pub(super) fn gravest(&self, text: &Text<'_>) -> Option<Sign> {
        let mut gravest: Option<Sign> = None;
        for found in self.automaton.find_overlapping_iter(text.bytes) {
            let (sign, check) = self.meanings[found.pattern().as_usize()];
            if gravest.is_none_or(|known| sign < known) && check(text, &found.range()) {
                gravest = Some(sign);
                if sign.is_exploit() {
                    break;
                }
            }
        }
        gravest
    }

    /// Bytes that the automaton takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.automaton.memory_usage() + self.meanings.len() * size_of::<(Sign, Check)>()
    }
}
