//! What people decide about templates: kept, listed, taken back.
//!
//! The file `templates` beside the models holds the operations as [`template::Operations::save`] writes
//! them, and nothing that was learned. It is replaced as a whole. One that does not load is set aside as
//! `templates.refused`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use event::{Template, TemplateId, Timestamp};
use template::{Action, Described, Operation, Operations};

use super::{Service, lock, read, write};
use crate::{
    error::TemplateError,
    files::{earlier, replace, set_aside},
};

/// The operations, and their file.
#[derive(Debug)]
pub(super) struct Decisions {
    path: PathBuf,
    pub(super) operations: Operations,
    /// Why the file was set aside.
    problem: Option<String>,
}

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

impl Decisions {
    /// Reads what there is.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("templates");
        let mut all = Self { path: path.clone(), operations: Operations::default(), problem: None };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
            Err(error) => return Err(error),
        };
        match Operations::load(&bytes) {
            Ok(operations) => (all.operations, all.problem) = (operations, earlier(&path)),
            Err(error) => {
                let aside = set_aside(&path)?;
                all.problem = Some(format!("{error}; it was set aside as {}", aside.display()));
            }
        }
        Ok(all)
    }

    /// Why operations done earlier are not there.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn replace(&mut self, operations: Operations) -> Result<(), TemplateError> {
        replace(&self.path, &operations.save()).map_err(TemplateError::Store)?;
        self.operations = operations;
        Ok(())
    }
}

impl Service {
    /// Templates whose text or name holds this, whatever the case, or which have this id or once had;
    /// all for an empty text. In the order in which they were found.
    pub fn templates(&self, holding: &str, limit: usize) -> Templates {
        let state = read(&self.state);
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
        read(&self.state).miner.describe(id)
    }

    /// What people call a template.
    pub fn template_name(&self, id: TemplateId) -> Option<String> {
        let state = read(&self.state);
        if state.miner.operations().is_empty() { None } else { state.miner.name(id).map(str::to_owned) }
    }

    /// What people decided about templates, oldest first.
    pub fn template_operations(&self) -> Vec<TemplateOperation> {
        let miner = &read(&self.state).miner;
        let said = |operation: &Operation| TemplateOperation {
            operation: operation.clone(),
            in_effect: miner.in_effect(operation),
        };
        miner.operations().iter().map(said).collect()
    }

    /// Why operations done earlier are not there, when their file could not be read at the start.
    pub fn template_problem(&self) -> Option<String> {
        lock(&self.decisions).problem.clone()
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
        let mut decisions = lock(&self.decisions);
        let planned = read(&self.state).miner.plan(templates, action, given_at)?;
        let done = planned.iter().last().cloned();
        decisions.replace(planned)?;
        self.apply(&decisions);
        let operation = done.ok_or(template::OperationError::Count)?;
        let in_effect = read(&self.state).miner.in_effect(&operation);
        Ok(TemplateOperation { operation, in_effect })
    }

    /// Takes an operation back: the others hold as if it had never been. Gives what it was.
    ///
    /// # Errors
    /// When there is none of this id, or the disk refuses: nothing changes.
    pub fn undo_template_operation(&self, id: u64) -> Result<Operation, TemplateError> {
        let mut decisions = lock(&self.decisions);
        let rest = decisions.operations.without(id)?;
        let undone = decisions.operations.iter().find(|operation| operation.id == id).cloned();
        decisions.replace(rest)?;
        self.apply(&decisions);
        Ok(undone.ok_or(template::OperationError::UnknownOperation(id))?)
    }

    fn apply(&self, decisions: &Decisions) {
        write(&self.state).miner.set_operations(decisions.operations.clone());
        self.match_feedback();
    }

    /// Lets feedback find the events it is on as their templates are now.
    pub(super) fn match_feedback(&self) {
        let mut book = lock(&self.feedback);
        book.rescan(&read(&self.state).miner);
        *write(&self.lookup) = Arc::new(book.lookup());
    }
}
