//! A set of rules, compiled.

use std::collections::BTreeMap;

use crate::{
    About, Fields, LogSource, Options, Rule, RuleError,
    correlation::{Correlation, Uses, resolve},
    document::{Document, read},
    error::Reason,
    index::{Index, Seen},
};

/// Rules, the correlations over them, and what finds the few rules that an event could match.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    uses: Uses,
    index: Index,
    /// The log sources of rules, each once, and which of them each rule has.
    sources: Vec<LogSource>,
    source_of: Vec<u32>,
}

/// Which rules want to see the events of a log source; made once for each source by [`Rules::route`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// By number of the rules' log sources.
    covered: Vec<bool>,
}

/// What is reused from event to event; one for each thread.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    seen: Seen,
    matched: Vec<usize>,
}

impl Scratch {
    /// How many rules the last event had a text of, or needs none for: how well the index serves.
    pub fn candidates(&self) -> usize {
        self.seen.count()
    }
}

impl Rules {
    /// Reads files, given by name and text. What is wrong is told, and everything else is loaded: filters are applied,
    /// correlations know their rules, and of two documents with one id or name the first stays.
    pub fn load<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        options: &Options,
    ) -> (Self, Vec<RuleError>) {
        let (mut errors, mut documents) = (vec![], vec![]);
        for (file, text) in files {
            documents.extend(read(file, text, options, &mut errors));
        }
        let (mut rules, mut correlations, mut filters) = (vec![], vec![], vec![]);
        let mut names = BTreeMap::new();
        for document in documents {
            let about = match &document {
                Document::Rule(rule) => &rule.about,
                Document::Correlation(correlation) => &correlation.about,
                Document::Filter(filter) => {
                    filters.push(filter.clone());
                    continue;
                }
            };
            let own = [&about.id, &about.name].into_iter().flatten();
            if let Some(taken) = own.clone().find(|name| names.contains_key(*name)) {
                errors.push(about.error("id", Reason::Taken(taken.clone())));
                continue;
            }
            names.extend(own.map(|name| (name.clone(), ())));
            match document {
                Document::Rule(rule) => rules.push(*rule),
                Document::Correlation(correlation) => correlations.push(*correlation),
                Document::Filter(_) => {}
            }
        }
        for filter in &filters {
            rules.iter_mut().for_each(|rule| filter.apply(rule));
        }
        let (correlations, uses) = resolve(&mut rules, correlations, options, &mut errors);
        (Self::new(rules, correlations, uses), errors)
    }

    fn new(rules: Vec<Rule>, correlations: Vec<Correlation>, uses: Uses) -> Self {
        let mut sources: Vec<LogSource> = rules.iter().map(|rule| rule.log_source.clone()).collect();
        sources.sort_unstable();
        sources.dedup();
        let number = |rule: &Rule| sources.binary_search(&rule.log_source).unwrap_or_default();
        let source_of = rules.iter().map(|rule| u32::try_from(number(rule)).unwrap_or_default()).collect();
        Self { index: Index::new(&rules), rules, correlations, uses, sources, source_of }
    }

    /// The rules, by the numbers that [`Rules::matches`] gives.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The correlations, by the numbers that [`Correlator`](crate::Correlator) gives.
    pub fn correlations(&self) -> &[Correlation] {
        &self.correlations
    }

    /// Has those that are meant tell nothing by themselves. They still count for the correlations over them.
    pub fn mute(&mut self, is_meant: impl Fn(&About) -> bool) {
        self.rules.iter_mut().filter(|rule| is_meant(&rule.about)).for_each(|rule| rule.is_alone = false);
        let correlations = self.correlations.iter_mut().filter(|correlation| is_meant(&correlation.about));
        correlations.for_each(|correlation| correlation.is_alone = false);
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Which rules want to see events that are of these log sources, all at once: a record of auditd may be of
    /// `linux` and `auditd`, and of the category `process_creation` as well.
    pub fn route(&self, sources: &[LogSource]) -> Route {
        let covered = |rule: &LogSource| sources.iter().any(|source| rule.covers(source));
        Route { covered: self.sources.iter().map(covered).collect() }
    }

    /// The numbers of the rules that an event matches, in their order; without a route wherever it comes from.
    pub fn matches<'s>(
        &self,
        event: &dyn Fields,
        route: Option<&Route>,
        scratch: &'s mut Scratch,
    ) -> &'s [usize] {
        scratch.matched.clear();
        for number in self.index.candidates(event, &mut scratch.seen) {
            let number = *number as usize;
            if self.is_covered(number, route) && self.rules[number].matches(event) {
                scratch.matched.push(number);
            }
        }
        &scratch.matched
    }

    /// The numbers of the rules that are held against an event, in their order: those of its log source that have a text
    /// in it without which they cannot match, and those that need none.
    pub fn candidates(&self, event: &dyn Fields, route: Option<&Route>, scratch: &mut Scratch) -> Vec<usize> {
        let candidates =
            self.index.candidates(event, &mut scratch.seen).iter().map(|number| *number as usize);
        candidates.filter(|number| self.is_covered(*number, route)).collect()
    }

    fn is_covered(&self, number: usize, route: Option<&Route>) -> bool {
        let covered =
            |route: &Route| route.covered.get(self.source_of[number] as usize).copied().unwrap_or(false);
        route.is_none_or(covered)
    }

    /// The numbers of the rules that are held against every event of their log sources.
    pub fn without_text(&self) -> impl Iterator<Item = usize> {
        self.index.without_text().map(|number| number as usize)
    }

    /// Has these rules be held against no event any more, by their numbers. Correlations over them count nothing of them.
    pub fn suspend(&mut self, numbers: &[usize]) {
        for number in numbers {
            if let Some(rule) = self.rules.get_mut(*number) {
                rule.is_suspended = true;
            }
        }
        self.index = Index::new(&self.rules);
    }

    /// What the index of the rules is made of.
    pub fn index_size(&self) -> IndexSize {
        IndexSize {
            texts: self.index.texts(),
            memory_bytes: self.index.memory_bytes(),
            rules_without_text: self.index.without_text().len(),
        }
    }
}

/// The size of the index of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSize {
    /// Texts that are looked for in every event.
    pub texts: usize,
    /// Bytes of what looks for them.
    pub memory_bytes: usize,
    /// Rules that are held against every event, for want of a text without which they cannot match.
    pub rules_without_text: usize,
}
