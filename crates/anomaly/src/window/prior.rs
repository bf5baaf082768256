//! What a window is told beforehand of kinds of logs it may never have seen: of templates and of the
//! programs that write them, without anything that belongs to one installation.
//!
//! Kept are counts, levels, lengths, the ranges of numbers and how often something new was said.
//! Left out is who and when: values, addresses, hosts, rates, gaps and times of day. Each window learns those
//! by itself, as if nothing had been told.

use std::collections::BTreeMap;

use disk::sealed::{Reader, SealedError, Writer};
use event::TemplateId;

use super::{
    estimate::Share,
    layout::LAYOUT,
    memory::{Group, Known, Source},
};

/// Templates and sources told of, at most.
pub(super) const GROUPS_MAX: usize = 4_096;
pub(super) const SOURCES_MAX: usize = 256;

/// How often something new was said.
#[derive(Debug, Default)]
pub(crate) struct Novelty {
    /// By name of the source: events that were the first of their template, and all.
    pub(crate) sources: BTreeMap<String, (u32, u32)>,
    /// Events of level error or above, of a new template and begun as none was, among all.
    pub(crate) errors: Share,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Prior {
    /// By template, with the source that wrote most of it.
    pub(super) groups: BTreeMap<u64, (u64, Group)>,
    pub(super) sources: BTreeMap<u64, Source>,
    pub(super) new_errors: Share,
}

impl Prior {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.sources.is_empty()
    }

    /// Takes in another one; what both tell of is told by that with more events.
    pub(crate) fn join(&mut self, other: Self) {
        for (key, theirs) in other.sources {
            let ours = self.sources.entry(key).or_default();
            if ours.count < theirs.count {
                *ours = theirs;
            }
        }
        if self.new_errors.total < other.new_errors.total {
            self.new_errors = other.new_errors;
        }
        for (id, theirs) in other.groups {
            let ours = self.groups.entry(id).or_default();
            if ours.1.count < theirs.1.count {
                *ours = theirs;
            }
        }
    }

    /// How often there is a new kind of error: at a source that was told of as it was told, until there is
    /// more history here.
    pub(super) fn new_errors(&self, source: u64, here: Share) -> Share {
        let told = self.new_errors.total > here.total && self.sources.contains_key(&source);
        if told { self.new_errors } else { here }
    }

    pub(super) fn group(&self, template: Option<TemplateId>) -> Option<&Group> {
        Some(&self.groups.get(&template?.0)?.1)
    }

    /// A source of this name, else the one that writes this template.
    pub(super) fn source(&self, name: u64, template: Option<TemplateId>) -> Option<&Source> {
        self.sources.get(&name).or_else(|| self.sources.get(&self.groups.get(&template?.0)?.0))
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        self.new_errors.write(out);
        out.u32(self.sources.len() as u32);
        for (key, source) in &self.sources {
            out.u64(*key);
            source.write(out);
        }
        out.u32(self.groups.len() as u32);
        for (id, (source, group)) in &self.groups {
            out.u64(*id);
            out.u64(*source);
            group.write(out);
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let mut prior = Self { new_errors: Share::read(input)?, ..Self::default() };
        for _ in 0..input.count(8, SOURCES_MAX)? {
            let (key, source) = (input.u64()?, Source::read(input, LAYOUT)?);
            prior.sources.insert(key, anonymous_source(&source));
        }
        for _ in 0..input.count(16, GROUPS_MAX)? {
            let (id, source, group) = (input.u64()?, input.u64()?, Group::read(input, LAYOUT)?);
            prior.groups.insert(id, (source, anonymous_group(&group)));
        }
        Ok(prior)
    }
}

/// By name, so that what comes to be remembered beside these stays where it belongs.
pub(super) fn anonymous_group(group: &Group) -> Group {
    let places = group.places.iter().map(|place| {
        let mut place = place.clone();
        // A place of names and addresses begins anew; of numbers the range is kept.
        if place.known != Known::default() {
            (place.known, place.odd) = (Known::default(), Share::default());
            (place.count, place.numbers) = (0, 0);
        }
        place
    });
    Group {
        count: group.count,
        length: group.length,
        levels: group.levels,
        places: places.collect(),
        ..Group::default()
    }
}

pub(super) fn anonymous_source(source: &Source) -> Source {
    let mut anonymous = Source::default();
    anonymous.count = source.count;
    anonymous.new_templates = source.new_templates;
    anonymous.levels = source.levels;
    anonymous
}
