//! Detectors that are declared: what one event, or so many within a while, say by themselves.

use std::collections::BTreeMap;

use finding::fact;
use serde::{Deserialize, Serialize};

use crate::{
    Config, Detector, Entity, Finding, FindingKind, Level, Occurrence, Seen, StateError, Time, changes,
    declaration::{Match, PAUSE},
    detector::{remembered, state},
    machine, privileges, processes,
    table::Occupancy,
    window::{Limit, Moment, Windows},
};

/// What reads an event for the declarations of one subject.
type Reader = fn(&Seen<'_>, &mut Vec<Match>);

const READERS: &[Reader] = &[privileges::read, changes::read, machine::read, processes::read];

/// Finds what is declared.
#[derive(Debug)]
pub struct Declared {
    windows: Windows<(String, Entity), Note>,
    matches: Vec<Match>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Note {
    kind: Option<(FindingKind, Level)>,
    technique: String,
    more: Vec<Entity>,
    /// Lists by the names of [`finding::fact`], of this run.
    facts: BTreeMap<String, Vec<String>>,
}

/// Entities that a finding carries beside the main one.
const MORE_MAX: usize = 6;
/// Facts that a declaration notes at most.
const FACTS: usize = 3;
/// What notes hold beside themselves at most.
const NOTE_BYTES: usize = MORE_MAX * (size_of::<Entity>() + Entity::BYTES_MAX)
    + FACTS * fact::LIST_MAX * (size_of::<String>() + fact::TEXT_BYTES_MAX);

impl Declared {
    /// With nothing seen yet.
    pub fn new(config: &Config) -> Self {
        let limit = Limit { points: 1, within: PAUSE };
        Self { windows: Windows::new(limit, config.keys_max / 4), matches: Vec::new() }
    }

    fn count(&mut self, seen: &Seen<'_>, found: Match, findings: &mut Vec<Finding>) {
        let declaration = found.declaration;
        let at = seen.at().as_nanos();
        if let Some(before) = declaration.after
            && !self.windows.has_told(&(before.to_owned(), found.about.clone()), at)
        {
            return;
        }
        let key = (declaration.rule.to_owned(), found.about);
        let moment = Moment::new(seen.at(), seen.activity.times.max(1)).with(found.what);
        let Some(run) = self.windows.add(&key, moment, seen.analyzed.id) else { return };
        run.note.kind = Some((declaration.kind, declaration.level));
        declaration.technique.clone_into(&mut run.note.technique);
        if run.moments().len() == 1 {
            run.note.facts.clear();
        }
        for (name, text) in found.facts.iter().filter(|(_, text)| !text.is_empty()) {
            fact::add(run.note.facts.entry((*name).to_owned()).or_default(), text);
        }
        for entity in found.more {
            if run.note.more.len() < MORE_MAX && !entity.value.is_empty() && !run.note.more.contains(&entity)
            {
                run.note.more.push(entity);
            }
        }
        let count = if declaration.are_different {
            run.most_different(at, declaration.within) as u64
        } else {
            run.most(at, declaration.within)
        };
        if count >= u64::from(declaration.times)
            && let Some(told) = self.windows.tell(&key, at)
        {
            let note = self.windows.get(&key).map(|run| &run.note);
            findings.extend(note.and_then(|note| finding(&key, told, note)));
        }
    }
}

fn finding(key: &(String, Entity), told: Occurrence, note: &Note) -> Option<Finding> {
    let (kind, level) = note.kind?;
    let mut finding =
        Finding::of_run(kind, level, &key.0, key.1.clone(), told).and(note.more.iter().cloned());
    let facts = note.facts.iter().map(|(name, list)| (name.clone(), list.as_slice().into()));
    finding.facts.extend(facts);
    if !note.technique.is_empty() {
        finding = finding.technique(&note.technique);
    }
    Some(finding)
}

impl Detector for Declared {
    fn name(&self) -> &'static str {
        "declared"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let mut matches = std::mem::take(&mut self.matches);
        for read in READERS {
            read(seen, &mut matches);
        }
        for found in matches.drain(..) {
            self.count(seen, found, findings);
        }
        self.matches = matches;
    }

    fn tick(&mut self, time: Time, findings: &mut Vec<Finding>) {
        for (key, told, note) in self.windows.over(time.seen) {
            findings.extend(finding(&key, told, &note));
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(&self.windows)
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        self.windows.take_up(remembered(snapshot)?);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        self.windows.occupancy_with(NOTE_BYTES)
    }
}
