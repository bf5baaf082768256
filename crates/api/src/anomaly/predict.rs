//! `POST /predict`.

use anomaly::Prediction;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use event::{Template, Verdict, field};
use parse::Format;
use problem::{Problem, StatusCode};
use serde_json::{Value, json};
use telemetry::task::Stop;

use super::state::{Shared, blocking, refused_json, stopping};
use crate::{body::Payload, clock::now};

/// One log is answered by an object, a list or several lines by an array in their order.
pub(super) async fn predict(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let payload = shared.bodies.read(&headers, body).await?;
    let place = shared.predictions.enter().await?;
    let cancel = shared.state.stop.child_token();
    let _ends_with_the_request = cancel.clone().drop_guard();
    let body = blocking(move || {
        let _place = place;
        answer(&shared, &payload, &cancel)
    })
    .await??;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Ends early when nobody waits for it any more, or the service stops.
fn answer(shared: &Shared, payload: &Payload, cancel: &Stop) -> Result<Vec<u8>, Problem> {
    let limit = shared.state.config.predict_events_max;
    let mut out = Answers { limit, ..Answers::default() };
    parse::body(payload.format, &payload.bytes, &shared.context(now()), |record| match record {
        Ok(event) => {
            if out.accepted < limit && !cancel.is_cancelled() {
                let prediction = shared.state.service.predict(&event);
                let mut json = prediction_json(&prediction);
                if event.has_flag(field::TRUNCATED) {
                    json["truncated"] = true.into();
                }
                if let Some(template) = &prediction.template
                    && let Some(name) = shared.state.service.template_name(template.id)
                {
                    json["template"]["name"] = name.into();
                }
                out.push(&json);
            }
            out.accepted += 1;
        }
        Err(problem) => {
            out.push(&json!({"error": refused_json(&problem)}));
            out.refused.get_or_insert(problem);
            out.refusals += 1;
        }
    });
    if cancel.is_cancelled() {
        return Err(stopping("the service is stopping; send this again later"));
    }
    if out.accepted + out.refusals > limit {
        let detail = format!("at most {limit} logs are scored in one request; send them in parts");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", "Too many logs", detail));
    }
    if out.accepted == 0 {
        return Err(nothing_usable(out.refused));
    }
    let first = payload.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let one = payload.format == Format::Json && first == Some(&b'{') && out.accepted + out.refusals == 1;
    Ok(if one { out.json } else { [b"[".as_slice(), &out.json, b"]"].concat() })
}

#[derive(Default)]
struct Answers {
    /// The answers' JSON, with commas between.
    json: Vec<u8>,
    limit: usize,
    accepted: usize,
    refusals: usize,
    refused: Option<parse::Problem>,
}

impl Answers {
    fn push(&mut self, answer: &Value) {
        if self.accepted + self.refusals >= self.limit {
            return;
        }
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(answer.to_string().as_bytes());
    }
}

fn nothing_usable(refused: Option<parse::Problem>) -> Problem {
    let problem =
        |detail: String| Problem::new(StatusCode::BAD_REQUEST, "bad_body", "No record can be read", detail);
    match refused {
        None => problem("the body holds no log".to_owned()),
        Some(refused) => {
            let column = refused.column.map(|column| format!(", column {column}")).unwrap_or_default();
            let mut answer =
                problem(format!("line {}{column}: {}", refused.line, refused.reason)).line(refused.line);
            if let Some(column) = refused.column {
                answer = answer.member("column", column);
            }
            match refused.field {
                Some(field) => answer.field(field),
                None => answer,
            }
        }
    }
}

fn prediction_json(prediction: &Prediction) -> Value {
    let mut json = json!({
        "anomaly_score": (f64::from(Verdict::quantize(prediction.score)) * 1000.0).round() / 1000.0,
        "is_anomaly": prediction.is_anomaly,
        "reasons": prediction.reasons,
        "template": prediction.template.as_deref().map(template_json),
        "model": prediction.model,
        "state": prediction.state.as_str(),
    });
    if let Some(nearest) = &prediction.nearest_template {
        json["nearest_template"] = template_json(nearest);
    }
    if prediction.needed > 0 {
        json["needed"] = prediction.needed.into();
    }
    json
}

fn template_json(template: &Template) -> Value {
    json!({"id": template.id.to_string(), "text": template.text})
}
