//! What a window tells others beforehand, and how it begins with what it is told.

use std::collections::BTreeMap;

use arithmetic::hash;
use event::TemplateId;

use super::{
    Window,
    estimate::Share,
    memory::Group,
    prior::{GROUPS_MAX, Novelty, Prior, SOURCES_MAX, anonymous_group, anonymous_source},
    seen::{Keys, Seen, group_key},
};

impl Window {
    /// What it knows of these templates and sources, with other shares of what is new where
    /// these are known.
    pub(crate) fn as_prior<'n>(
        &self,
        templates: impl Iterator<Item = TemplateId>,
        sources: impl Iterator<Item = &'n str>,
        novelty: &Novelty,
    ) -> Prior {
        let mut prior = Prior::default();
        for name in sources.take(SOURCES_MAX) {
            let key = hash(name.as_bytes());
            if let Some(source) = self.sources.get(key) {
                let mut source = anonymous_source(source);
                if let Some((new, all)) = novelty.sources.get(name) {
                    source.new_templates = Share { hits: *new as f32, total: *all as f32 };
                }
                prior.sources.insert(key, source);
            }
        }
        prior.new_errors = novelty.errors;
        for id in templates.take(GROUPS_MAX) {
            let at = |key: &u64| Some((*key, self.groups.get(group_key(id, *key))?));
            let most = prior.sources.keys().filter_map(at).max_by_key(|(_, group)| group.count);
            if let Some((key, group)) = most {
                let group = anonymous_group(group);
                prior.groups.insert(id.0, (key, group));
            }
        }
        prior
    }

    /// Adds what was found new in other events, the last of them in this window.
    pub(crate) fn add_novelty(&self, sources: &BTreeMap<String, (u32, u32)>, novelty: &mut Novelty) {
        for (source, (new, all)) in sources {
            let sum = novelty.sources.entry(source.clone()).or_default();
            *sum = (sum.0 + new, sum.1 + all);
        }
        novelty.errors.hits += self.new_errors.hits;
        novelty.errors.total += self.new_errors.total;
    }

    /// Lets an event's template and source begin with what was told of them beforehand, where nothing
    /// has been learned yet.
    pub(crate) fn begin(&mut self, seen: &Seen<'_>, keys: Keys) {
        if self.prior.is_empty() {
            return;
        }
        let nanos = self.time_of(seen.event);
        if self.sources.get(keys.source).is_none()
            && let Some(source) = self.prior.source(keys.source, seen.template)
        {
            let source = source.clone();
            let entry = self.sources.entry(keys.source);
            *entry = source;
            entry.latest = nanos;
        }
        if self.groups.get(keys.group).is_none()
            && let Some(group) = self.prior.group(seen.template)
        {
            let group = Group { latest: nanos, ..group.clone() };
            *self.groups.entry(keys.group) = group;
        }
    }
}
