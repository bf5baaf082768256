//! The operations: what they are.

use event::{Template, TemplateId, Timestamp};

use crate::skeleton::{self, Token};

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
pub(super) fn merged(subjects: &[Subject]) -> Result<Vec<Token>, usize> {
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
