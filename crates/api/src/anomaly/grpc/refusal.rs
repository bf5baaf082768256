//! Refusals: what REST answers with a problem, gRPC answers with a status.

use problem::{Problem, StatusCode};
use tonic::{Code, Status};

/// Listed where nobody says how many.
const LIMIT: usize = 100;

pub(super) const NO_MODEL: &str = "there is no model of this version; ListModels gives those there are";
pub(super) const NO_FEEDBACK: &str = "there is no feedback of this id; ListFeedback gives what there is";
pub(super) const NO_TEMPLATE: &str = "there is no template of this id; ListTemplates gives those there are";
pub(super) const NO_OPERATION: &str =
    "there is no operation of this id; ListTemplateOperations gives those there are";

/// The status that a problem is over gRPC. Of what is not there REST names a path; `missing` says it here.
pub(super) fn status(problem: &Problem, missing: &'static str) -> Status {
    let code = match problem.status {
        StatusCode::NOT_FOUND => return Status::not_found(missing),
        StatusCode::BAD_REQUEST => Code::InvalidArgument,
        StatusCode::CONFLICT => Code::FailedPrecondition,
        _ if problem.code == "internal" => return failed(),
        _ => Code::Internal,
    };
    let detail = &problem.detail;
    let field = problem.to_json()["field"].as_str().map(|field| format!("{field}: {detail}"));
    Status::new(code, field.unwrap_or_else(|| detail.clone()))
}

/// In our words, and under the code that the calls promise, what the library says of a message that is too large or
/// is none; None of every other status.
pub(super) fn of_message(status: &Status) -> Option<Status> {
    let said = status.message();
    if let Some(sizes) = said.strip_prefix("Error, decoded message length too large: found ") {
        let mut numbers = sizes.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
        let (bytes, most) = (numbers.next()?, numbers.next()?);
        return Some(Status::out_of_range(format!(
            "the message has {bytes} bytes; one has at most {most}, so send less at once"
        )));
    }
    let why = said.strip_prefix("failed to decode Protobuf message: ")?;
    Some(Status::invalid_argument(format!("the message is none that this call takes: {why}")))
}

/// The status when the service itself failed.
pub(super) fn failed() -> Status {
    Status::internal("the call could not be answered; the service's log says why")
}

/// Refuses a file that is larger than any of its kind.
pub(super) fn check_file(what: &str, bytes: usize, bytes_max: usize) -> Result<(), Status> {
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(Status::out_of_range(format!("{what}: {bytes} bytes were given; none is larger than {bytes_max}")))
}

/// How many are asked for of a list.
pub(super) fn limit(asked: Option<u32>, max: usize) -> Result<usize, Status> {
    match asked {
        None => Ok(LIMIT.min(max)),
        Some(asked) if asked as usize <= max => Ok(asked as usize),
        Some(asked) => Err(Status::invalid_argument(format!("limit: {asked} was given; it is 0 to {max}"))),
    }
}

/// The status when the key of whoever sends a stream is good no more.
pub(super) fn no_longer() -> Status {
    Status::unauthenticated("the key of this stream was revoked or has expired meanwhile")
}

/// The status when the service stops before it has answered.
pub(super) fn stopping() -> Status {
    Status::unavailable("the anomaly service is stopping")
}
