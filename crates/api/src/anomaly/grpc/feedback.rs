//! Feedback: given, listed, taken back.

use anomaly::{FEEDBACK_MAX, Feedback, FeedbackError, Label, Service};
use tonic::Status;
use wire::{record, v1};

use super::{
    answer::{fitting, template},
    refusal::{self, NO_FEEDBACK},
};
use crate::{anomaly::feedback::refusal, clock::now};

fn refused(error: &FeedbackError) -> Status {
    match error {
        FeedbackError::Unknown { .. } => Status::not_found(NO_FEEDBACK),
        error => refusal::status(&refusal(error), NO_FEEDBACK),
    }
}

pub(super) fn give(service: &Service, request: &v1::GiveFeedbackRequest) -> Result<Feedback, Status> {
    let label = match request.label() {
        v1::Label::Normal => Label::Normal,
        v1::Label::Bad => Label::Bad,
        v1::Label::Unspecified => {
            return Err(Status::invalid_argument("label: LABEL_NORMAL or LABEL_BAD is expected"));
        }
    };
    if request.event.is_empty() {
        return Err(Status::invalid_argument("event: none was given"));
    }
    let event = record::decode(&request.event)
        .map_err(|error| Status::invalid_argument(format!("event: {error}")))?;
    service.give_feedback(&event, label, &request.note, now()).map_err(|error| refused(&error))
}

pub(super) fn list(service: &Service, after_id: u64, bytes_max: usize) -> v1::ListFeedbackResponse {
    let after = service.feedback().into_iter().filter(|given| given.id > after_id);
    let (feedback, further) = fitting(after.map(feedback), bytes_max);
    let problem = service.feedback_problem().unwrap_or_default();
    v1::ListFeedbackResponse { feedback, further, most: FEEDBACK_MAX as u64, problem }
}

pub(super) fn take_back(service: &Service, id: u64) -> Result<Feedback, Status> {
    service.take_back_feedback(id).map_err(|error| refused(&error))
}

pub(super) fn feedback(given: Feedback) -> v1::Feedback {
    let label = match given.label {
        Label::Normal => v1::Label::Normal,
        Label::Bad => v1::Label::Bad,
    };
    v1::Feedback {
        id: given.id,
        label: label.into(),
        note: given.note,
        given_at_unix_nano: given.given_at.as_nanos() as u64,
        event_time_unix_nano: given.event_at.as_nanos() as u64,
        message: given.message,
        service_name: given.source,
        template: Some(template(&given.template)),
        holds_for_template: given.general,
    }
}
