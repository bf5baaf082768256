//! The miner under the operations: which of its templates are shown as what.

use std::{collections::HashMap, sync::Arc};

use event::{Template, TemplateId, Variable};

use super::{
    operation::{Action, Operation, Operations},
    view::{Part, Shown, View, borrowed, value_of},
};
use crate::{
    groups::{Group, Sought},
    miner::Miner,
    scan::scan,
    shape::{Mined, hash_of},
    skeleton::{self, Token, skeleton},
};

/// Values of one template that get templates of their own; further ones stay with it.
pub const PARTS_PER_TEMPLATE_MAX: usize = 256;
/// The same for all templates together.
pub const PARTS_MAX: usize = 4_096;

/// A template, with what people said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The template.
    pub template: Arc<Template>,
    /// How its variables read, in their order.
    pub variables: Vec<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether lines of it have templates of their own.
    pub split: bool,
    /// The template that a split took it from.
    pub part_of: Option<TemplateId>,
    /// Other ids whose lines belong to it.
    pub aliases: Vec<TemplateId>,
}

/// A template that stands for other ids too: those of templates that were merged into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The template.
    pub template: Arc<Template>,
    /// The other ids.
    pub ids: Vec<TemplateId>,
}

impl Described {
    fn plain(template: Arc<Template>) -> Self {
        let (variables, aliases) = (Vec::new(), Vec::new());
        Self { template, variables, name: None, pinned: false, split: false, part_of: None, aliases }
    }
}

impl Miner {
    /// What people decided, oldest first.
    pub fn operations(&self) -> &Operations {
        &self.user.operations
    }

    /// Lets these operations be in force instead of those before. What was learned stays as it is.
    pub fn set_operations(&mut self, operations: Operations) {
        self.revise();
        let parts = std::mem::take(&mut self.user).parts;
        self.user.operations = operations;
        for group in 0..self.groups.stored() as u32 {
            let group = self.groups.get_mut(group);
            (group.view, group.frozen, group.kept) = (0, false, false);
        }
        for at in 0..self.user.operations.entries.len() {
            self.recall(at);
        }
        for group in 0..self.groups.stored() as u32 {
            self.review(group);
        }
        for at in 0..self.user.operations.entries.len() {
            let entry = self.user.operations.entries[at].clone();
            let made = entry.operation.result.iter().zip([&entry.merged]);
            let subjects = entry.operation.templates.iter().zip(entry.subjects.iter().map(|one| &one.tokens));
            for (template, tokens) in subjects.chain(made) {
                let view = self.user.view_of(tokens, &Arc::new(template.clone()));
                if view > 0 {
                    self.user.ids.entry(template.id.0).or_insert(view - 1);
                }
            }
        }
        // So that what may merge is as after saving and loading.
        self.keep(|_| true);
        let mut parts: Vec<Part> = parts.into_values().collect();
        parts.sort_unstable_by_key(|part| part.template.id.0);
        let has_lines = self.views_with_lines();
        for part in parts {
            self.keep_part(part, &has_lines);
        }
    }

    /// For each view, whether learned templates are shown as it.
    fn views_with_lines(&self) -> Vec<bool> {
        let mut has_lines = vec![false; self.user.views.len()];
        for (_, group) in self.groups.alive() {
            let view = (group.view as usize).checked_sub(1);
            if let Some(has_lines) = view.and_then(|at| has_lines.get_mut(at)) {
                *has_lines = true;
            }
        }
        has_lines
    }

    /// Makes sure that an operation finds the templates it speaks of.
    fn recall(&mut self, at: usize) {
        let entry = &self.user.operations.entries[at];
        let is_name = matches!(entry.operation.action, Action::Name(_));
        let subjects: Vec<_> = entry
            .operation
            .templates
            .iter()
            .map(|template| template.id)
            .zip(entry.subjects.clone())
            .collect();
        for (id, subject) in subjects {
            let known = self.groups.number(id);
            let group = match known {
                Some(group) => group,
                None if subject.derived || self.groups.len() >= self.config.templates_max => continue,
                None => self.groups.recall(Sought::new(subject.tokens), self.clock),
            };
            let group = self.groups.get_mut(group);
            group.kept |= !subject.derived;
            group.frozen |= !is_name && !subject.derived;
        }
    }

    /// Lets a group be shown as the operations want it.
    pub(crate) fn review(&mut self, group: u32) {
        if self.user.operations.is_empty() || self.groups.get(group).parent.is_some() {
            return;
        }
        let owner = self.groups.get(group);
        let view = self.user.view_of(&owner.tokens, &owner.template);
        let owner = self.groups.get_mut(group);
        owner.view = view;
        owner.frozen |= view > 0;
    }

    /// Takes in a part made before, or lets its lines belong to the template that is split no more.
    fn keep_part(&mut self, part: Part, has_lines: &[bool]) {
        self.revise();
        if let Some(&at) = self.user.ids.get(&part.of.0)
            && has_lines.get(at as usize) == Some(&true)
            && let Some(view) = self.user.views.get_mut(at as usize)
            && view.template.id == part.of
            && view.assign(|place| value_of(&part.values, place)) == borrowed(&part.values)
        {
            view.parts += 1;
            self.user.parts.insert(part.template.id.0, part);
            return;
        }
        let at = self.user.ids.get(&part.of.0).copied();
        let shown = |group: &Group| at.is_some_and(|at| group.view == at + 1);
        let heir = self.groups.number(part.of).or_else(|| {
            let mut alive = self.groups.alive();
            alive.find(|(_, group)| shown(group)).map(|(group, _)| group)
        });
        if let Some(heir) = heir
            && self.groups.number(part.template.id).is_none()
        {
            self.groups.alias(heir, part.template.id);
        }
    }

    pub(crate) fn shown(&self, id: TemplateId) -> Option<Shown<'_>> {
        if let Some(part) = self.user.parts.get(&id.0) {
            return Some(Shown::Part(part));
        }
        if let Some(&view) = self.user.ids.get(&id.0) {
            return self.user.views.get(view as usize).map(Shown::View);
        }
        let group = self.groups.by_id(id)?;
        Some(self.view(group.view).map_or(Shown::Group(group), Shown::View))
    }

    fn view(&self, number: u32) -> Option<&View> {
        self.user.views.get((number as usize).checked_sub(1)?)
    }

    /// The id of the template that a split took this one from; its current id when none did.
    pub(crate) fn origin(&self, id: TemplateId) -> TemplateId {
        match self.shown(id) {
            Some(Shown::Part(part)) => part.of,
            _ => self.current(id),
        }
    }

    /// Ids whose history is that of this template too: those that follow it, and for one that a split
    /// made, those of the template that it came from.
    pub fn forebears(&self, id: TemplateId) -> Vec<TemplateId> {
        let mut ids = self.aliases(id);
        let origin = self.origin(id);
        if origin != id {
            ids.extend(self.aliases(origin));
        }
        ids
    }

    /// All other ids that a view stands for.
    pub(crate) fn view_aliases(&self, view: &View) -> Vec<TemplateId> {
        let number = self.user.ids.get(&view.template.id.0).map_or(0, |at| at + 1);
        let spoken = self.user.ids.iter().filter(|(_, at)| **at + 1 == number).map(|(id, _)| TemplateId(*id));
        let groups = self.groups.alive().filter(|(_, group)| group.view == number);
        let learned = groups
            .flat_map(|(_, group)| [group.template.id].into_iter().chain(group.aliases.iter().copied()));
        let mut ids: Vec<TemplateId> = spoken.chain(learned).collect();
        ids.retain(|id| *id != view.template.id && !self.is_part(*id));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// All templates that stand for other ids too: whoever counts events by template adds those of the others.
    pub fn merged(&self) -> Vec<Merged> {
        let mut others: Vec<Vec<TemplateId>> = vec![Vec::new(); self.user.views.len()];
        for (id, view) in &self.user.ids {
            if let Some(ids) = others.get_mut(*view as usize) {
                ids.push(TemplateId(*id));
            }
        }
        let mut merged = Vec::new();
        for (_, group) in self.groups.alive() {
            let aliases = group.aliases.iter().copied().filter(|id| !self.is_part(*id));
            match (group.view as usize).checked_sub(1).and_then(|view| others.get_mut(view)) {
                Some(ids) => ids.extend(aliases.chain([group.template.id])),
                None if group.aliases.is_empty() => {}
                None => merged.push(Merged { template: group.template.clone(), ids: aliases.collect() }),
            }
        }
        for (view, mut ids) in self.user.views.iter().zip(others) {
            ids.retain(|id| *id != view.template.id && !self.is_part(*id));
            ids.sort_unstable();
            ids.dedup();
            merged.push(Merged { template: view.template.clone(), ids });
        }
        merged.retain(|merged| !merged.ids.is_empty());
        merged
    }

    /// Whether a template is pinned.
    pub fn is_pinned(&self, id: TemplateId) -> bool {
        let id = self.current(id);
        let pins = self.user.operations.iter().filter(|operation| operation.action == Action::Pin);
        pins.flat_map(|operation| &operation.templates).any(|template| self.current(template.id) == id)
    }

    /// What people call a template.
    pub fn name(&self, id: TemplateId) -> Option<&str> {
        self.shown(id)?;
        let id = self.current(id);
        self.user.operations.entries.iter().rev().find_map(|entry| match &entry.operation {
            Operation { action: Action::Name(name), templates, .. }
                if templates.first().is_some_and(|template| self.current(template.id) == id) =>
            {
                Some(name.as_str())
            }
            _ => None,
        })
    }

    /// What people call templates, by current id.
    pub fn names(&self) -> HashMap<TemplateId, &str> {
        let named = self.user.operations.iter().filter_map(|operation| match &operation.action {
            Action::Name(name) => operation.templates.first().map(|template| (template.id, name.as_str())),
            _ => None,
        });
        named.filter(|(id, _)| self.shown(*id).is_some()).map(|(id, name)| (self.current(id), name)).collect()
    }

    /// Whether an operation has an effect at present: its template is there, and no later one hides it.
    pub fn in_effect(&self, operation: &Operation) -> bool {
        let first = operation.templates.first().map(|template| template.id);
        match &operation.action {
            Action::Name(name) => {
                first.is_some_and(|id| self.shown(id).is_some() && self.name(id) == Some(name))
            }
            Action::Pin => first.is_some_and(|id| self.shown(id).is_some()),
            Action::Split(_) => {
                self.user.views.iter().any(|view| Some(view.template.id) == first && view.is_split())
            }
            Action::Merge => true,
        }
    }

    /// A template by id, following merges, with what people said of it.
    pub fn describe(&self, id: TemplateId) -> Option<Described> {
        let Some(shown) = self.shown(id) else {
            let template = self.template(id)?;
            let variables = vec![template.text.clone()];
            return Some(Described { variables, ..Described::plain(template) });
        };
        let (template, tokens, split, part_of) = match shown {
            Shown::Part(part) => (&part.template, self.user.part_tokens(part)?, false, Some(part.of)),
            Shown::View(view) => (&view.template, view.tokens.clone(), view.is_split(), None),
            Shown::Group(group) => (&group.template, group.tokens.clone(), false, None),
        };
        let mut aliases = self.aliases(template.id);
        aliases.retain(|alias| *alias != template.id);
        Some(Described {
            variables: tokens.into_iter().filter(|token| token.wild).map(|token| token.text).collect(),
            name: self.name(template.id).map(str::to_owned),
            pinned: self.is_pinned(template.id),
            split,
            part_of,
            aliases,
            ..Described::plain(template.clone())
        })
    }

    /// A message of a group that is shown otherwise; learns which parts there are.
    #[cold]
    pub(crate) fn mine_viewed(
        &mut self,
        group: u32,
        message: &str,
        from: usize,
        (shape, variables): (u64, &mut Vec<Variable>),
    ) -> Mined {
        let (mined, part) = self.look_viewed(group, message, from, (shape, variables));
        if let Some(part) = part
            && let Some(&at) = self.user.ids.get(&part.of.0)
            && let Some(view) = self.user.views.get_mut(at as usize)
        {
            view.parts += 1;
            self.user.parts.insert(part.template.id.0, part);
            self.revise();
        }
        mined
    }

    /// As [`Miner::mine_viewed`], but learns nothing; gives the part that is new.
    pub(crate) fn look_viewed(
        &self,
        group: u32,
        message: &str,
        from: usize,
        (shape, variables): (u64, &mut Vec<Variable>),
    ) -> (Mined, Option<Part>) {
        let owner = self.groups.get(group);
        let Some(view) = self.view(owner.view) else {
            return (Mined { shape, template: owner.template.clone(), is_new: false }, None);
        };
        let whole = (Mined { shape, template: view.template.clone(), is_new: false }, None);
        if !view.is_split() {
            return whole;
        }
        let mut fine = Vec::new();
        scan(message, &mut fine);
        let tokens = skeleton(message, &fine);
        if tokens.len() != view.tokens.len() {
            return whole;
        }
        let text = |token: &Token| message.get(token.start as usize..token.end as usize);
        let values = view.assign(|place| tokens.get(usize::from(place)).and_then(text));
        if values.is_empty() {
            return whole;
        }
        let template = Template::new(skeleton::text(&view.tokens_with(&values)));
        let known = self.user.parts.get(&template.id.0);
        let room = view.parts < PARTS_PER_TEMPLATE_MAX && self.user.parts.len() < PARTS_MAX;
        if template.id == view.template.id || known.is_none() && !room {
            return whole;
        }
        // What stands there is literal text from now on.
        let mut at = 0;
        variables.retain(|variable| {
            at += 1;
            at <= from
                || !values
                    .iter()
                    .filter_map(|(place, _)| tokens.get(usize::from(*place)))
                    .any(|token| token.start <= variable.start && variable.end <= token.end)
        });
        let shape = hash_of(message, variables.get(from..).unwrap_or_default());
        if let Some(part) = known {
            return (Mined { shape, template: part.template.clone(), is_new: false }, None);
        }
        let values = values.into_iter().map(|(place, value)| (place, value.to_owned())).collect();
        let part = Part { template: Arc::new(template), of: view.template.id, values };
        (Mined { shape, template: part.template.clone(), is_new: false }, Some(part))
    }

    /// The templates of views that have lines, and of parts. A part is what it is even where a
    /// learned template reads the same.
    pub(crate) fn user_templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        let shown = self.user.views.iter().zip(self.views_with_lines()).filter(|(_, has_lines)| *has_lines);
        let mut parts: Vec<&Part> = self.user.parts.values().collect();
        parts.sort_unstable_by_key(|part| part.template.id.0);
        let views = shown.map(|(view, _)| &view.template);
        views.filter(|view| !self.is_part(view.id)).chain(parts.into_iter().map(|part| &part.template))
    }

    /// Whether a split made the template.
    pub(crate) fn is_part(&self, id: TemplateId) -> bool {
        self.user.parts.contains_key(&id.0)
    }
}
