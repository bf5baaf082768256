//! What operations make of the templates: views and parts.

use std::sync::Arc;

use event::{Template, TemplateId};

use super::operation::{Action, Entry, Operations, VALUE_BYTES_MAX};
use crate::{groups::Group, hashed::Table, skeleton::Token};

/// Which value stands at which place.
type Values = Vec<(u16, String)>;

/// A template that merges take in or that is split.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) tokens: Vec<Token>,
    pub(crate) template: Arc<Template>,
    /// Whether a merge made it.
    pub(crate) merged: bool,
    /// For each split: its places, and the value each must have; None for any.
    pub(crate) splits: Vec<Vec<(u16, Option<String>)>>,
    pub(super) parts: usize,
}

/// A template that a split made.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) template: Arc<Template>,
    /// The template that was split.
    pub(crate) of: TemplateId,
    pub(crate) values: Values,
}

/// What an id stands for.
pub(crate) enum Shown<'a> {
    Part(&'a Part),
    View(&'a View),
    Group(&'a Group),
}

/// The operations and what they make of the templates.
#[derive(Debug, Default)]
pub(crate) struct User {
    pub(super) operations: Operations,
    pub(super) views: Vec<View>,
    /// From the ids that operations speak of, and those of views, to the view.
    pub(super) ids: Table<u32>,
    pub(crate) parts: Table<Part>,
}

impl View {
    pub(crate) fn is_split(&self) -> bool {
        !self.splits.is_empty()
    }

    /// The places at which a line with these values is literal, and the values there.
    pub(super) fn assign<'m>(&self, value: impl Fn(u16) -> Option<&'m str>) -> Vec<(u16, &'m str)> {
        let fits = |place: u16| value(place).filter(|value| (1..=VALUE_BYTES_MAX).contains(&value.len()));
        let mut found: Vec<(u16, &str)> = Vec::new();
        for split in &self.splits {
            let same = |(place, wanted): &(u16, Option<String>)| {
                let value = fits(*place)?;
                wanted.as_ref().is_none_or(|wanted| wanted == value).then_some((*place, value))
            };
            if let Some(values) = split.iter().map(same).collect::<Option<Vec<_>>>() {
                found.extend(values);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn tokens_with(&self, values: &[(u16, &str)]) -> Vec<Token> {
        let mut tokens = self.tokens.clone();
        for (place, value) in values {
            if let Some(token) = tokens.get_mut(usize::from(*place)) {
                (token.wild, token.text) = (false, (*value).to_owned());
            }
        }
        tokens
    }
}

pub(super) fn borrowed(values: &Values) -> Vec<(u16, &str)> {
    values.iter().map(|(place, value)| (*place, value.as_str())).collect()
}

pub(super) fn value_of(values: &Values, place: u16) -> Option<&str> {
    values.iter().find(|(at, _)| *at == place).map(|(_, value)| value.as_str())
}

impl User {
    /// The words of a part.
    pub(crate) fn part_tokens(&self, part: &Part) -> Option<Vec<Token>> {
        let view = self.views.get(*self.ids.get(&part.of.0)? as usize)?;
        Some(view.tokens_with(&borrowed(&part.values)))
    }

    /// The view of a template with these words, by its number from 1; 0 when it is shown as it is.
    pub(super) fn view_of(&mut self, tokens: &[Token], template: &Arc<Template>) -> u32 {
        let merge = |tokens: &[Token], from: usize| {
            let entries = self.operations.entries.iter().enumerate().skip(from);
            entries.clone().find(|(_, entry)| entry.takes_in(tokens)).map(|(at, _)| at)
        };
        let (mut last, mut from) = (None, 0);
        while let Some(at) = merge(last.map_or(tokens, |at: usize| &self.operations.entries[at].merged), from)
        {
            (last, from) = (Some(at), at + 1);
        }
        let (tokens, template) = match last.map(|at| &self.operations.entries[at]) {
            Some(entry) => {
                let result = entry.operation.result.as_ref();
                (entry.merged.clone(), result.map_or_else(|| template.clone(), |made| Arc::new(made.clone())))
            }
            None => (tokens.to_vec(), template.clone()),
        };
        let known = self.ids.get(&template.id.0).copied();
        if let Some(at) = known
            && self.views.get(at as usize).is_some_and(|view| view.template.id == template.id)
        {
            return at + 1;
        }
        let split = |entry: &&Entry| {
            matches!(entry.operation.action, Action::Split(_))
                && entry.operation.templates.first().is_some_and(|split| split.id == template.id)
        };
        let splits: Vec<_> =
            self.operations.entries.iter().filter(split).map(|entry| entry.places.clone()).collect();
        if last.is_none() && splits.is_empty() {
            return 0;
        }
        self.ids.insert(template.id.0, self.views.len() as u32);
        self.views.push(View { tokens, template, merged: last.is_some(), splits, parts: 0 });
        self.views.len() as u32
    }
}
