//! `POST /data`: samples of hosts.

use access::Caller;
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use fleet::{Sender, Taken};
use problem::{Problem, StatusCode};
use sample::BodyError;
use serde_json::json;
use telemetry::metric;

use super::state::{Shared, problem};
use crate::clock::now;

pub(super) async fn take(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = shared.bytes(&headers, body, "one sample as a JSON object, or an array of them").await?;
    let sender = Sender { organization: caller.organization.as_deref().map(str::to_owned) };
    let taken = shared
        .work_on_samples(move |shared| {
            let readings = sample::read(&bytes, &shared.limits).map_err(|error| unread(&error))?;
            shared.fleet.take(readings, &sender, now()).map_err(|error| problem(&error))
        })
        .await?;
    count(&taken);
    if taken.accepted + taken.duplicates == 0 {
        let first = taken.rejected.into_iter().next();
        let (line, field, reason) = first
            .map_or((1, String::new(), "the array is empty".to_owned()), |one| {
                (one.line, one.field, one.reason)
            });
        let detail = if field.is_empty() { reason } else { format!("{field}: {reason}") };
        let refused = Problem::new(StatusCode::BAD_REQUEST, "bad_sample", "No sample was kept", detail);
        return Err(refused.line(line as u64).field(field).member("rejected_total", taken.rejected_total));
    }
    let mut answer = json!({"status": "success", "accepted": taken.accepted, "config": taken.config});
    if taken.duplicates > 0 {
        answer["duplicates"] = taken.duplicates.into();
    }
    for (name, list, total) in [
        ("rejected", taken.rejected, taken.rejected_total),
        ("problems", taken.problems, taken.problems_total),
    ] {
        if total > 0 {
            answer[name] = json!(list);
            answer[format!("{name}_total")] = total.into();
        }
    }
    Ok(Json(answer).into_response())
}

fn count(taken: &Taken) {
    for (outcome, number) in
        [("accepted", taken.accepted), ("duplicate", taken.duplicates), ("rejected", taken.rejected_total)]
    {
        metrics::counter!(metric::HOST_SAMPLES, "outcome" => outcome).increment(number as u64);
    }
    metrics::counter!(metric::HOST_SAMPLE_PROBLEMS).increment(taken.problems_total as u64);
}

fn unread(error: &BodyError) -> Problem {
    let (status, code, title) = match error {
        BodyError::NotJson(_) | BodyError::NotSamples(_) => {
            (StatusCode::BAD_REQUEST, "not_json", "The body cannot be read")
        }
        BodyError::TooMany { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_many_samples", "Too many samples"),
    };
    Problem::new(status, code, title, error.to_string())
}
