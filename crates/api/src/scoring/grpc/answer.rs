//! Answers of the calls that are no stream of batches.

use anomaly::{ModelInfo, Prediction, Service, TrainError};
use bytes::Bytes;
use event::{Template, Timestamp, Verdict};
use tonic::Status;
use wire::{record, v1};

pub(super) fn predict(service: &Service, records: &[Bytes]) -> v1::PredictResponse {
    let mut needed = service.model().needed;
    let predictions = records.iter().map(|record| match record::decode(record) {
        Ok(event) => {
            let said = service.predict(&event);
            needed = said.needed;
            prediction(said)
        }
        Err(error) => v1::Prediction {
            verdict: Some(v1::Verdict::refused(error.to_string())),
            ..v1::Prediction::default()
        },
    });
    let predictions = predictions.collect();
    v1::PredictResponse { predictions, needed }
}

fn prediction(said: Prediction) -> v1::Prediction {
    let verdict =
        Verdict { score: said.score, is_anomaly: said.is_anomaly, state: said.state, reasons: said.reasons };
    v1::Prediction {
        verdict: Some(verdict.into()),
        template: said.template.as_deref().map(template),
        nearest_template: said.nearest_template.as_deref().map(template),
        model_version: said.model,
    }
}

fn template(template: &Template) -> v1::Template {
    v1::Template { id: template.id.to_string(), text: template.text.clone() }
}

pub(super) fn train(service: &Service, records: &[Bytes]) -> Result<v1::TrainResponse, Status> {
    let (mut events, mut refused, mut first) = (Vec::with_capacity(records.len()), 0, String::new());
    for (number, record) in records.iter().enumerate() {
        match record::decode(record) {
            Ok(event) => events.push(event),
            Err(error) => {
                refused += 1;
                if first.is_empty() {
                    first = format!("record {}: {error}", number + 1);
                }
            }
        }
    }
    match service.train(&events) {
        Ok(trained) => Ok(v1::TrainResponse {
            model_version: trained.model,
            events: trained.events,
            templates: trained.templates,
            duration_seconds: trained.duration.as_secs_f64(),
            state: v1::VerdictState::from(trained.state).into(),
            needed: trained.needed,
            refused_records: refused,
            first_problem: first,
        }),
        Err(TrainError::NothingUsable) => Err(Status::invalid_argument(if first.is_empty() {
            "no log record was sent".to_owned()
        } else {
            format!("no log record can be read; {first}")
        })),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a model could not be trained");
            Err(Status::internal("the model could not be trained or stored; the one before serves on"))
        }
    }
}

pub(super) fn activate(service: &Service, version: &str) -> Result<v1::Model, Status> {
    if !service.models().iter().any(|model| model.version == version) {
        return Err(Status::not_found("there is no model of this version; ListModels gives those there are"));
    }
    service.activate(version).map(model).map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "a model could not be activated");
        Status::failed_precondition("this model cannot be read, and the one before goes on serving")
    })
}

pub(super) fn model(info: ModelInfo) -> v1::Model {
    let nanos = |time: Option<Timestamp>| time.map(|time| time.as_nanos() as u64);
    v1::Model {
        version: info.version,
        state: v1::VerdictState::from(info.state).into(),
        active: info.active,
        trained_at_unix_nano: nanos(info.trained_at),
        events: info.events,
        templates: info.templates,
        threshold: info.threshold,
        false_positive_rate: info.false_positive_rate,
        from_unix_nano: nanos(info.from),
        to_unix_nano: nanos(info.to),
        needed: info.needed,
    }
}
