//! The operations: what they are, and whether one can be done.

use event::{Template, TemplateId, Timestamp};

use super::Shown;
use crate::{
    miner::Miner,
    scan::scan,
    skeleton::{self, Token, skeleton},
};

/// Operations kept at a time.
pub const OPERATIONS_MAX: usize = 1_000;
/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Longest example line, in bytes.
pub const EXAMPLE_BYTES_MAX: usize = 4_096;
/// Templates that one operation merges.
pub const MERGED_MAX: usize = 100;
/// All operations together, in bytes.
pub const OPERATIONS_BYTES_MAX: usize = 8 << 20;
/// A value with more bytes gets no template of its own.
pub(crate) const VALUE_BYTES_MAX: usize = 64;

/// What to do with templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Call a template by a name. Of two names the later one counts.
    Name(String),
    /// Keep a template: it is not merged by itself, does not change its text and does not age.
    Pin,
    /// Give lines of a template templates of their own.
    Split(Split),
    /// Make one template of several whose words differ, but not their number.
    Merge,
}

impl Action {
    /// `name`, `pin`, `split` or `merge`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Pin => "pin",
            Self::Split(_) => "split",
            Self::Merge => "merge",
        }
    }
}

/// Which lines get templates of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// Those that differ at a variable, counted from 1 as [`Described::variables`](crate::Described) lists them.
    Variable(usize),
    /// Those that are as this one: with its words where the template has them open, or, where the
    /// template has no words open, with its values.
    Example(String),
}

/// An operation that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Rises by one each time; never given out again.
    pub id: u64,
    /// When it was done.
    pub given_at: Timestamp,
    /// What was done.
    pub action: Action,
    /// The templates it was done to, as they read then.
    pub templates: Vec<Template>,
    /// What a merge makes of them.
    pub result: Option<Template>,
}

/// Why an operation was not done. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// There is no such template.
    #[error("there is no template {0}")]
    UnknownTemplate(TemplateId),
    /// There is no such operation.
    #[error("there is no operation {0}; the list of operations names those there are")]
    UnknownOperation(u64),
    /// As many operations are kept as may be.
    #[error("no more operations on templates can be kept than {0}; undo one that is no longer needed")]
    Full(&'static str),
    /// The name cannot be one.
    #[error("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    Name,
    /// The template is pinned.
    #[error("template {0} is pinned already")]
    Pinned(TemplateId),
    /// The template has no such variable.
    #[error("template {template} has {has} variables, counted from 1, and no number {asked}")]
    Variable {
        /// The template.
        template: TemplateId,
        /// Which one was asked for.
        asked: usize,
        /// How many it has.
        has: usize,
    },
    /// It is split so already.
    #[error("template {0} is split so already")]
    SplitAlready(TemplateId),
    /// The example is of another template, too long, or differs in nothing that fits.
    #[error("this line cannot be split off: {0}")]
    Example(&'static str),
    /// What a split made cannot be merged or split again.
    #[error("a split made template {0}: split the template it came from, or undo that split")]
    Part(TemplateId),
    /// A template that is split cannot be merged.
    #[error("template {0} is split: undo that first")]
    IsSplit(TemplateId),
    /// Fewer than two templates, or too many.
    #[error("a merge takes 2 to {MERGED_MAX} different templates")]
    Count,
    /// The templates are not of one shape.
    #[error(
        "templates {0} and {1} are not of one shape: a merge takes templates with as many words, the same white space and the same marks"
    )]
    Shape(TemplateId, TemplateId),
    /// The templates have no word in common.
    #[error("these templates have no word in common")]
    NothingInCommon,
}

/// An operation with what is needed to do it again.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) operation: Operation,
    pub(crate) subjects: Vec<Subject>,
    /// What a merge makes of them.
    pub(crate) merged: Vec<Token>,
    /// Of a split: the places, and the value each must have; None for any.
    pub(crate) places: Vec<(u16, Option<String>)>,
}

/// A template that an operation was done to.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) tokens: Vec<Token>,
    /// Made by an operation before, not found by the miner.
    pub(crate) derived: bool,
}

impl Entry {
    /// With what follows from the subjects.
    pub(crate) fn new(
        (id, given_at, action): (u64, Timestamp, Action),
        subjects: Vec<Subject>,
        places: Vec<(u16, Option<String>)>,
    ) -> Self {
        let templates =
            subjects.iter().map(|subject| Template::new(skeleton::text(&subject.tokens))).collect();
        let merged = match action {
            Action::Merge => merged(&subjects).unwrap_or_default(),
            _ => Vec::new(),
        };
        let result = (!merged.is_empty()).then(|| Template::new(skeleton::text(&merged)));
        Self { operation: Operation { id, given_at, action, templates, result }, subjects, merged, places }
    }

    /// Whether a merge takes in a template of these words.
    pub(crate) fn takes_in(&self, tokens: &[Token]) -> bool {
        self.operation.action == Action::Merge
            && self.merged.len() == tokens.len()
            && self.merged.iter().zip(tokens).all(|(pattern, token)| {
                pattern.space == token.space
                    && match pattern.wild {
                        true => token.wild || skeleton::mergeable(token),
                        false => !token.wild && pattern.text == token.text,
                    }
            })
    }
}

/// All operations, oldest first.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(crate) next: u64,
    pub(crate) entries: Vec<Entry>,
}

impl Default for Operations {
    fn default() -> Self {
        Self { next: 1, entries: Vec::new() }
    }
}

impl Operations {
    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.entries.iter().map(|entry| &entry.operation)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All but one.
    ///
    /// # Errors
    /// When there is none of this id.
    pub fn without(&self, id: u64) -> Result<Self, OperationError> {
        let mut rest = self.clone();
        rest.entries.retain(|entry| entry.operation.id != id);
        if rest.len() == self.len() { Err(OperationError::UnknownOperation(id)) } else { Ok(rest) }
    }
}

/// The words that templates of one shape have in common, with the others open.
fn merged(subjects: &[Subject]) -> Result<Vec<Token>, usize> {
    let Some((first, others)) = subjects.split_first() else { return Ok(Vec::new()) };
    let mut tokens = first.tokens.clone();
    for (number, Subject { tokens: other, .. }) in others.iter().enumerate() {
        if other.len() != tokens.len() {
            return Err(number + 1);
        }
        for (token, other) in tokens.iter_mut().zip(other) {
            let varies = |token: &Token| token.wild || skeleton::mergeable(token);
            let same = token.wild == other.wild && token.text == other.text;
            if token.space != other.space || !(same || varies(token) && varies(other)) {
                return Err(number + 1);
            }
            if token.wild && other.wild {
                token.text = skeleton::join(&token.text, &other.text);
            } else if !same {
                (token.wild, token.text) = (true, "<*>".to_owned());
            }
        }
    }
    Ok(tokens)
}

impl Miner {
    /// All operations with one more, which is the last; give them to [`Miner::set_operations`].
    ///
    /// # Errors
    /// When it cannot be done, or no more are kept.
    pub fn plan(
        &self,
        templates: &[TemplateId],
        action: Action,
        given_at: Timestamp,
    ) -> Result<Operations, OperationError> {
        let mut operations = self.operations().clone();
        if operations.len() >= OPERATIONS_MAX {
            return Err(OperationError::Full("1,000 operations"));
        }
        let mut places = Vec::new();
        let subjects = match &action {
            Action::Merge => self.plan_merge(templates)?,
            other => {
                let id = *templates.first().ok_or(OperationError::Count)?;
                let (subject, current) = self.subject(id)?;
                match other {
                    Action::Name(name)
                        if name.trim().is_empty()
                            || name.len() > NAME_BYTES_MAX
                            || name.chars().any(char::is_control) =>
                    {
                        return Err(OperationError::Name);
                    }
                    Action::Pin if self.is_pinned(current) => return Err(OperationError::Pinned(current)),
                    Action::Split(split) => places = self.plan_split((current, &subject), split)?,
                    _ => {}
                }
                vec![subject]
            }
        };
        operations.entries.push(Entry::new((operations.next, given_at, action), subjects, places));
        operations.next += 1;
        let kept = operations.entries.iter().flat_map(|entry| &entry.subjects);
        if kept.filter(|subject| !subject.derived).count() > self.config.templates_max.div_ceil(2) {
            return Err(OperationError::Full("half of the templates that may be remembered"));
        }
        if operations.save().len() > OPERATIONS_BYTES_MAX {
            return Err(OperationError::Full("8 MiB of operations"));
        }
        Ok(operations)
    }

    /// A template as the subject of an operation, and its current id.
    fn subject(&self, id: TemplateId) -> Result<(Subject, TemplateId), OperationError> {
        let (tokens, derived, template) = match self.shown(id).ok_or(OperationError::UnknownTemplate(id))? {
            Shown::Part(part) => {
                let tokens = self.user.part_tokens(part).ok_or(OperationError::UnknownTemplate(id))?;
                (tokens, true, &part.template)
            }
            Shown::View(view) => (view.tokens.clone(), view.merged, &view.template),
            Shown::Group(group) => (group.tokens.clone(), false, &group.template),
        };
        Ok((Subject { tokens, derived }, template.id))
    }

    fn plan_merge(&self, ids: &[TemplateId]) -> Result<Vec<Subject>, OperationError> {
        if !(2..=MERGED_MAX).contains(&ids.len()) {
            return Err(OperationError::Count);
        }
        let (mut subjects, mut currents) = (Vec::new(), Vec::new());
        for &id in ids {
            match self.shown(id) {
                Some(Shown::Part(_)) => return Err(OperationError::Part(id)),
                Some(Shown::View(view)) if view.is_split() => return Err(OperationError::IsSplit(id)),
                _ => {}
            }
            let (subject, current) = self.subject(id)?;
            if !currents.contains(&current) {
                currents.push(current);
                subjects.push(subject);
            }
        }
        if subjects.len() < 2 {
            return Err(OperationError::Count);
        }
        let tokens =
            merged(&subjects).map_err(|number| OperationError::Shape(currents[0], currents[number]))?;
        if !tokens.iter().any(skeleton::mergeable) {
            return Err(OperationError::NothingInCommon);
        }
        Ok(subjects)
    }

    fn plan_split(
        &self,
        (id, subject): (TemplateId, &Subject),
        split: &Split,
    ) -> Result<Vec<(u16, Option<String>)>, OperationError> {
        let view = match self.shown(id) {
            Some(Shown::Part(_)) => return Err(OperationError::Part(id)),
            Some(Shown::View(view)) => Some(view),
            _ => None,
        };
        let wild = |tokens: &[Token]| -> Vec<u16> {
            (0u16..).zip(tokens).filter(|(_, token)| token.wild).map(|(at, _)| at).collect()
        };
        let open = wild(&subject.tokens);
        let places: Vec<(u16, Option<String>)> = match split {
            Split::Variable(asked) => {
                let place = asked.checked_sub(1).and_then(|at| open.get(at));
                let unknown = OperationError::Variable { template: id, asked: *asked, has: open.len() };
                vec![(*place.ok_or(unknown)?, None)]
            }
            Split::Example(line) => self.example((id, &subject.tokens), line)?,
        };
        if view.is_some_and(|view| view.splits.contains(&places)) {
            return Err(OperationError::SplitAlready(id));
        }
        Ok(places)
    }

    /// Where a line of a template has words, or else values, of its own.
    fn example(
        &self,
        (id, tokens): (TemplateId, &[Token]),
        line: &str,
    ) -> Result<Vec<(u16, Option<String>)>, OperationError> {
        if line.len() > EXAMPLE_BYTES_MAX {
            return Err(OperationError::Example("it has more than 4,096 bytes"));
        }
        let mut variables = Vec::new();
        let found = self.find(line, &mut variables).map(|found| self.origin(found.template.id));
        variables.clear();
        scan(line, &mut variables);
        let own = skeleton(line, &variables);
        if found != Some(id) || own.len() != tokens.len() {
            return Err(OperationError::Example("it is of another template"));
        }
        let place = |(at, (token, own)): (usize, (&Token, &Token))| {
            let value = line.get(own.start as usize..own.end as usize)?;
            (token.wild && value.len() <= VALUE_BYTES_MAX)
                .then(|| (own.wild, (at as u16, Some(value.to_owned()))))
        };
        let all: Vec<_> = tokens.iter().zip(&own).enumerate().filter_map(place).collect();
        let words = all.iter().any(|(wild, _)| !wild);
        let places: Vec<_> =
            all.into_iter().filter(|(wild, _)| !(words && *wild)).map(|(_, place)| place).collect();
        if places.is_empty() {
            return Err(OperationError::Example("nothing in it varies that has at most 64 bytes"));
        }
        Ok(places)
    }
}
