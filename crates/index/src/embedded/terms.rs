//! A query made ready for many row shapes and rows: its phrases numbered, and all of them looked for at
//! once where they are many.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use event::field;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use query::{Phrase, Query, Test, TokenPattern, WildcardPart, lowered};

use super::{
    block::token_key,
    bloom::{Bloom, field_key},
    needle::Needle,
};

/// With fewer phrases each is looked for by itself.
const MANY: usize = 8;

/// A query with numbers in the place of its phrases, paths and probes.
#[derive(Debug)]
pub(super) enum Node {
    All,
    Phrase(usize),
    Field {
        /// Number of the path.
        path: usize,
        test: Test,
        probe: Option<usize>,
    },
    And(Vec<Node>),
    Or {
        phrases: Vec<usize>,
        parts: Vec<Node>,
    },
    Not(Box<Node>),
}

/// A phrase, and for each of its tokens what a filter is asked and what is looked for in texts.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) phrase: Phrase,
    pub(super) probes: Vec<Option<usize>>,
    pub(super) needles: Vec<Option<Needle>>,
}

impl Term {
    /// Whether a text holds the phrase. Most that do not lack one of its tokens as text already, which is seen sooner.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.needles.iter().flatten().all(|needle| needle.may_be_in(text)) && self.phrase.matches(text)
    }
}

/// What a query asks of a block's filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Probe {
    Token(String),
    Value(String, String),
}

impl Probe {
    fn is_there(&self, filter: &Bloom) -> bool {
        match self {
            Self::Token(token) => token_key(token).is_none_or(|key| filter.may_hold(key)),
            Self::Value(path, value) => filter.may_hold(field_key(path, value)),
        }
    }
}

/// The query.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) query: Query,
    pub(super) root: Node,
    pub(super) terms: Vec<Term>,
    pub(super) paths: Vec<String>,
    /// How many words, phrases and tests it has.
    pub(super) tests: u64,
    probes: Vec<Probe>,
    literals: Option<Literals>,
}

/// A literal of each phrase, without which a text does not hold it.
#[derive(Debug)]
struct Literals {
    automaton: AhoCorasick,
    /// By literal the phrases that need it.
    phrases: Vec<Vec<usize>>,
    /// Phrases that need none.
    free: Vec<usize>,
}

/// The phrases of a query that a text may hold.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// For each phrase, in which round it was found last.
    rounds: Vec<u32>,
    round: u32,
}

impl Candidates {
    pub(super) fn may_hold(&self, phrase: usize) -> bool {
        self.rounds.get(phrase) == Some(&self.round)
    }
}

/// What is numbered while a query is read.
#[derive(Default)]
struct Builder {
    terms: Vec<Term>,
    paths: Vec<String>,
    probes: Vec<Probe>,
    probe_numbers: HashMap<Probe, usize, FixedState>,
}

impl Builder {
    fn node(&mut self, query: &Query) -> Node {
        match query {
            Query::All => Node::All,
            Query::Message(phrase) => Node::Phrase(self.term(phrase)),
            Query::Field { path, test } => {
                let probe = match test {
                    Test::Equals { text, ignore_case: false } => {
                        Some(self.probe(Probe::Value(path.clone(), text.clone())))
                    }
                    // Other fields with numbers have no text that a filter could know.
                    Test::Number { text, .. } if path.starts_with(field::LABELS) => {
                        Some(self.probe(Probe::Value(path.clone(), text.clone())))
                    }
                    _ => None,
                };
                let known = self.paths.iter().position(|known| known == path);
                let path = known.unwrap_or_else(|| {
                    self.paths.push(path.clone());
                    self.paths.len() - 1
                });
                Node::Field { path, test: test.clone(), probe }
            }
            Query::And(parts) => Node::And(parts.iter().map(|part| self.node(part)).collect()),
            Query::Or(parts) => {
                let (mut phrases, mut rest) = (Vec::new(), Vec::new());
                for part in parts {
                    match part {
                        Query::Message(phrase) => phrases.push(self.term(phrase)),
                        other => rest.push(self.node(other)),
                    }
                }
                Node::Or { phrases, parts: rest }
            }
            Query::Not(part) => Node::Not(Box::new(self.node(part))),
        }
    }

    fn term(&mut self, phrase: &Phrase) -> usize {
        let probe = |pattern: &TokenPattern| match pattern {
            // Older files hold a final sigma as another letter.
            TokenPattern::Exact(token) if token.contains('σ') => None,
            TokenPattern::Exact(token) => Some(self.probe(Probe::Token(token.clone()))),
            TokenPattern::Wildcard(_) => None,
        };
        let probes = phrase.0.iter().map(probe).collect();
        let needle = |pattern: &TokenPattern| match pattern {
            TokenPattern::Exact(token) => Some(Needle::new(token)),
            TokenPattern::Wildcard(_) => None,
        };
        let needles = phrase.0.iter().map(needle).collect();
        self.terms.push(Term { phrase: phrase.clone(), probes, needles });
        self.terms.len() - 1
    }

    fn probe(&mut self, probe: Probe) -> usize {
        *self.probe_numbers.entry(probe).or_insert_with_key(|probe| {
            self.probes.push(probe.clone());
            self.probes.len() - 1
        })
    }
}

impl Terms {
    pub(super) fn new(query: &Query) -> Arc<Self> {
        let mut builder = Builder::default();
        let root = builder.node(query);
        let Builder { terms, paths, probes, .. } = builder;
        let literals = if terms.len() >= MANY { Literals::new(&terms) } else { None };
        Arc::new(Self { query: query.clone(), root, terms, paths, tests: query.tests(), probes, literals })
    }

    /// Whether texts are looked through for all phrases at once.
    pub(super) fn are_many(&self) -> bool {
        self.literals.is_some()
    }

    /// What a filter answers to each probe.
    pub(super) fn answers(&self, filter: &Bloom) -> Vec<bool> {
        self.probes.iter().map(|probe| probe.is_there(filter)).collect()
    }

    /// Finds the phrases that a text may hold; all of them, where they are few.
    pub(super) fn look(&self, text: &str, candidates: &mut Candidates) {
        candidates.round = candidates.round.wrapping_add(1);
        if candidates.round == 0 {
            (candidates.round, candidates.rounds) = (1, Vec::new());
        }
        candidates.rounds.resize(self.terms.len(), 0);
        let round = candidates.round;
        let Some(literals) = &self.literals else { return candidates.rounds.fill(round) };
        let mut found = |phrases: &[usize]| {
            phrases.iter().for_each(|phrase| candidates.rounds[*phrase] = round);
        };
        found(&literals.free);
        for found_at in literals.automaton.find_overlapping_iter(lowered(text).as_ref()) {
            found(&literals.phrases[found_at.pattern().as_usize()]);
        }
    }
}

impl Literals {
    /// None when an automaton of them would be too large.
    fn new(terms: &[Term]) -> Option<Self> {
        let mut numbers: HashMap<&str, usize, FixedState> = HashMap::default();
        let (mut texts, mut phrases, mut free) = (Vec::new(), Vec::new(), Vec::new());
        for (number, term) in terms.iter().enumerate() {
            let Some(literal) = longest_literal(&term.phrase) else {
                free.push(number);
                continue;
            };
            let at = *numbers.entry(literal).or_insert_with(|| {
                texts.push(literal);
                phrases.push(Vec::new());
                texts.len() - 1
            });
            phrases[at].push(number);
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(texts).ok()?;
        Some(Self { automaton, phrases, free })
    }
}

/// The longest text, in lower case, that stands in whatever a phrase matches.
fn longest_literal(phrase: &Phrase) -> Option<&str> {
    let literals = phrase.0.iter().flat_map(literals);
    literals.filter(|literal| !literal.is_empty()).max_by_key(|literal| literal.len())
}

fn literals(pattern: &TokenPattern) -> Vec<&str> {
    match pattern {
        TokenPattern::Exact(token) => vec![token],
        TokenPattern::Wildcard(wildcard) => {
            let mut literals = Vec::new();
            for part in &wildcard.parts {
                if let WildcardPart::Literal(text) = part {
                    literals.push(text.as_str());
                }
            }
            literals
        }
    }
}

#[cfg(test)]
mod tests {
    use event::Timestamp;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn terms(query: &str) -> Arc<Terms> {
        Terms::new(&Query::parse(query, Timestamp::MAX).unwrap())
    }

    #[test]
    fn equal_probes_are_asked_once() {
        let terms = terms("a b a user.name:root OR user.name:root");
        assert_eq!((terms.terms.len(), terms.probes.len(), terms.paths.len()), (3, 3, 1));
        assert!(!terms.are_many());
    }

    #[test]
    fn filters_of_older_files_are_not_asked_for_sigmas() {
        assert_eq!(terms("οδος error").probes.len(), 1);
    }

    proptest! {
        #[test]
        fn a_phrase_that_a_text_holds_is_a_candidate(
            words in vec("[a-cÄKİ*?]{1,4}( [ab]{1,2})?", 8..40),
            texts in vec("[a-cA-CäkKİ .]{0,30}", 1..5),
        ) {
            let written = |word: &String| match word.split_once(' ') {
                Some((a, b)) => format!("\"{} {b}\"", a.replace(['*', '?'], "x")),
                None => word.clone(),
            };
            let query = words.iter().map(written).collect::<Vec<_>>().join(" OR ");
            let Ok(query) = Query::parse(&query, Timestamp::MAX) else { return Ok(()) };
            let terms = Terms::new(&query);
            let mut candidates = Candidates::default();
            for text in &texts {
                terms.look(text, &mut candidates);
                for (number, term) in terms.terms.iter().enumerate() {
                    if term.phrase.matches(text) {
                        prop_assert!(candidates.may_hold(number), "{:?} in {text}", term.phrase);
                    }
                }
            }
        }
    }
}
