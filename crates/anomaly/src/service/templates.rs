//! What people decide about templates: listed, done, taken back.

use event::{Template, TemplateId, Timestamp};
use template::{Action, Described, Operation};

use super::Service;
use crate::{error::TemplateError, opinions::Said};

/// An operation, and whether it has an effect at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateOperation {
    /// The operation.
    pub operation: Operation,
    /// Whether its template is there and no later operation hides it.
    pub in_effect: bool,
}

/// Templates that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// As many as were asked for.
    pub templates: Vec<Described>,
    /// How many match.
    pub total: usize,
}

impl Service {
    /// Templates whose text or name holds this, whatever the case, or which have this id or once had;
    /// all for an empty text. In the order in which they were found.
    pub fn templates(&self, holding: &str, limit: usize) -> Templates {
        let state = self.stream.read();
        let names = state.miner.names();
        let id = holding.parse().ok().map(|id| state.miner.current(id));
        let wanted = holding.to_lowercase();
        let matches = |template: &Template| {
            let holds = |text: &str| text.to_lowercase().contains(&wanted);
            holds(&template.text)
                || Some(template.id) == id
                || names.get(&template.id).is_some_and(|name| holds(name))
        };
        let mut found = Templates::default();
        for template in state.miner.templates().filter(|template| matches(template)) {
            if found.templates.len() < limit {
                found.templates.extend(state.miner.describe(template.id));
            }
            found.total += 1;
        }
        found
    }

    /// A template by id, or by one that it once had.
    pub fn template(&self, id: TemplateId) -> Option<Described> {
        self.stream.read().miner.describe(id)
    }

    /// What people call a template.
    pub fn template_name(&self, id: TemplateId) -> Option<String> {
        let state = self.stream.read();
        if state.miner.operations().is_empty() { None } else { state.miner.name(id).map(str::to_owned) }
    }

    /// What people decided about templates, oldest first.
    pub fn template_operations(&self) -> Vec<TemplateOperation> {
        let miner = &self.stream.read().miner;
        let said = |operation: &Operation| TemplateOperation {
            operation: operation.clone(),
            in_effect: miner.in_effect(operation),
        };
        miner.operations().iter().map(said).collect()
    }

    /// Why operations done earlier are not there, when their file could not be read at the start.
    pub fn template_problem(&self) -> Option<String> {
        self.opinions.said().decisions.problem().map(str::to_owned)
    }

    /// Does something to templates. It holds at once, whatever is learned later, and is on disk when this
    /// returns. What was stored before keeps its ids, which queries follow.
    ///
    /// # Errors
    /// When it cannot be done, as much is kept as may be, or the disk refuses: nothing changes.
    pub fn decide(
        &self,
        templates: &[TemplateId],
        action: Action,
        given_at: Timestamp,
    ) -> Result<TemplateOperation, TemplateError> {
        let mut said = self.opinions.said();
        let planned = self.stream.read().miner.plan(templates, action, given_at)?;
        let done = planned.iter().last().cloned();
        said.decisions.replace(planned)?;
        self.apply(&mut said);
        let operation = done.ok_or(template::OperationError::Count)?;
        let in_effect = self.stream.read().miner.in_effect(&operation);
        Ok(TemplateOperation { operation, in_effect })
    }

    /// Takes an operation back: the others hold as if it had never been. Gives what it was.
    ///
    /// # Errors
    /// When there is none of this id, or the disk refuses: nothing changes.
    pub fn undo_template_operation(&self, id: u64) -> Result<Operation, TemplateError> {
        let mut said = self.opinions.said();
        let rest = said.decisions.operations.without(id)?;
        let undone = said.decisions.operations.iter().find(|operation| operation.id == id).cloned();
        said.decisions.replace(rest)?;
        self.apply(&mut said);
        Ok(undone.ok_or(template::OperationError::UnknownOperation(id))?)
    }

    fn apply(&self, said: &mut Said) {
        self.stream.write().miner.set_operations(said.decisions.operations.clone());
        self.rescan(said);
    }

    /// Lets feedback find the events it is on as their templates are now.
    pub(super) fn match_feedback(&self) {
        self.rescan(&mut self.opinions.said());
    }

    fn rescan(&self, said: &mut Said) {
        said.book.rescan(&self.stream.read().miner);
        self.opinions.publish(said);
    }
}
