//! The templates: listed, named, pinned, split, merged; what was done to them, and taking it back.

use anomaly::{
    Action, Described, OPERATIONS_MAX, Operation, Service, Split, TemplateError, TemplateOperation,
};
use event::TemplateId;
use tonic::Status;
use wire::v1::{self, split_template_request as split_by};

use super::{
    answer::{fitting, template},
    refusal::{self, NO_OPERATION, NO_TEMPLATE, limit},
};
use crate::{
    anomaly::templates::{ALIASES_LISTED, LISTED_MAX, about_operation, changes, refusal},
    clock::now,
    decision::By,
};

fn refused(error: &TemplateError, missing: &'static str) -> Status {
    refusal::status(&refusal(error), missing)
}

fn id_of(text: &str) -> Result<TemplateId, Status> {
    text.parse().map_err(|_| Status::not_found(NO_TEMPLATE))
}

pub(super) fn list(
    service: &Service,
    request: &v1::ListTemplatesRequest,
    bytes_max: usize,
) -> Result<v1::ListTemplatesResponse, Status> {
    let found = service.templates(&request.query, limit(request.limit, LISTED_MAX)?);
    let all = found.templates.into_iter().map(|described| details(described, ALIASES_LISTED));
    let (templates, _) = fitting(all, bytes_max);
    Ok(v1::ListTemplatesResponse { templates, total: found.total as u64 })
}

pub(super) fn get(service: &Service, id: &str) -> Result<v1::TemplateDetails, Status> {
    let found = service.template(id_of(id)?).ok_or_else(|| Status::not_found(NO_TEMPLATE))?;
    Ok(details(found, usize::MAX))
}

/// Does something to one template.
pub(super) fn decide(
    service: &Service,
    by: &By,
    id: &str,
    action: Action,
) -> Result<v1::TemplateOperation, Status> {
    decided(service, by, &[id_of(id)?], action)
}

pub(super) fn split(
    service: &Service,
    by: &By,
    request: v1::SplitTemplateRequest,
) -> Result<v1::TemplateOperation, Status> {
    let split = match request.by {
        Some(split_by::By::Variable(number)) => Split::Variable(number as usize),
        Some(split_by::By::Example(line)) => Split::Example(line),
        None => return Err(Status::invalid_argument("by: a variable or an example is expected")),
    };
    decide(service, by, &request.id, Action::Split(split))
}

pub(super) fn merge(service: &Service, by: &By, ids: &[String]) -> Result<v1::TemplateOperation, Status> {
    let id = |(number, text): (usize, &String)| {
        let refused = || Status::invalid_argument(format!("templates: number {number} is no template's id"));
        text.parse().map_err(|_| refused())
    };
    let ids = (1..).zip(ids).map(id).collect::<Result<Vec<TemplateId>, _>>()?;
    decided(service, by, &ids, Action::Merge)
}

fn decided(
    service: &Service,
    by: &By,
    ids: &[TemplateId],
    action: Action,
) -> Result<v1::TemplateOperation, Status> {
    let decision = changes(by, ids, &action);
    let work = || service.decide(ids, action, now()).map_err(|error| refused(&error, NO_TEMPLATE));
    let done = |done: &TemplateOperation, decision| about_operation(&done.operation, decision);
    by.carry_out(decision, work, done).map(said)
}

pub(super) fn operations(
    service: &Service,
    after_id: u64,
    bytes_max: usize,
) -> v1::ListTemplateOperationsResponse {
    let all = service.template_operations().into_iter();
    let (operations, further) = fitting(all.filter(|said| said.operation.id > after_id).map(said), bytes_max);
    let problem = service.template_problem().unwrap_or_default();
    v1::ListTemplateOperationsResponse { operations, further, most: OPERATIONS_MAX as u64, problem }
}

pub(super) fn undo(service: &Service, id: u64) -> Result<Operation, Status> {
    service.undo_template_operation(id).map_err(|error| refused(&error, NO_OPERATION))
}

fn details(described: Described, aliases_max: usize) -> v1::TemplateDetails {
    let aliases = described.aliases.iter().take(aliases_max).map(TemplateId::to_string);
    v1::TemplateDetails {
        aliases: aliases.collect(),
        aliases_total: described.aliases.len() as u64,
        template: Some(v1::Template { name: described.name, ..template(&described.template) }),
        variables: described.variables,
        pinned: described.pinned,
        split: described.split,
        part_of: described.part_of.map(|id| id.to_string()),
    }
}

fn said(said: TemplateOperation) -> v1::TemplateOperation {
    v1::TemplateOperation { in_effect: said.in_effect, ..operation(said.operation) }
}

pub(super) fn operation(operation: Operation) -> v1::TemplateOperation {
    let mut done = v1::TemplateOperation {
        id: operation.id,
        given_at_unix_nano: operation.given_at.as_nanos() as u64,
        templates: operation.templates.iter().map(template).collect(),
        result: operation.result.as_ref().map(template),
        ..v1::TemplateOperation::default()
    };
    let action = match operation.action {
        Action::Name(name) => {
            done.name = Some(name);
            v1::TemplateAction::Name
        }
        Action::Pin => v1::TemplateAction::Pin,
        Action::Split(split) => {
            match split {
                Split::Variable(number) => done.variable = u32::try_from(number).ok(),
                Split::Example(line) => done.example = Some(line),
            }
            v1::TemplateAction::Split
        }
        Action::Merge => v1::TemplateAction::Merge,
    };
    done.set_action(action);
    done
}
