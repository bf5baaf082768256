//! Whether an operation can be done.

use event::{TemplateId, Timestamp};

use super::{
    operation::{
        Action, EXAMPLE_BYTES_MAX, Entry, MERGED_MAX, NAME_BYTES_MAX, OPERATIONS_BYTES_MAX, OPERATIONS_MAX,
        OperationError, Operations, Split, Subject, VALUE_BYTES_MAX, merged,
    },
    view::Shown,
};
use crate::{
    miner::Miner,
    scan::scan,
    skeleton::{self, Token, skeleton},
};

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
