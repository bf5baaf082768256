//! Answers of predictions and trainings, and what answers have in common.

use std::ops::ControlFlow;

use anomaly::{Prediction, Service, TrainError};
use bytes::Bytes;
use event::{Template, Verdict};
use prost::Message;
use telemetry::task::Stop;
use tonic::Status;
use wire::{record, v1};

use super::refusal::stopping;

/// What an element of a list takes beside its own bytes: its key and its length.
pub(super) const LIST_ELEMENT_BYTES: usize = 8;

/// Ends early when nobody waits for it any more, the service stops, or the answer gets larger than `bytes_max`.
pub(super) fn predict(
    service: &Service,
    records: &[Bytes],
    bytes_max: usize,
    cancel: &Stop,
) -> Result<v1::PredictResponse, Status> {
    if records.is_empty() {
        return Err(Status::invalid_argument("log_records: none was given"));
    }
    let mut needed = service.model().needed;
    let mut one = |record: &Bytes| match record::decode(record) {
        _ if cancel.is_cancelled() => Err(stopping()),
        Ok(event) => {
            let said = service.predict(&event);
            needed = said.needed;
            Ok(prediction(service, said))
        }
        Err(error) => {
            let verdict = Some(v1::Verdict::refused(error.to_string()));
            Ok(v1::Prediction { verdict, ..v1::Prediction::default() })
        }
    };
    let (mut predictions, mut bytes) = (Vec::with_capacity(records.len()), 0);
    for record in records {
        let prediction = one(record)?;
        bytes += prediction.encoded_len() + LIST_ELEMENT_BYTES;
        if bytes > bytes_max {
            return Err(Status::out_of_range(format!(
                "the predictions for these {} records take more bytes than a message has ({bytes_max}); the first {} \
                 have room, so ask for so many at once",
                records.len(),
                predictions.len()
            )));
        }
        predictions.push(prediction);
    }
    Ok(v1::PredictResponse { predictions, needed })
}

fn prediction(service: &Service, said: Prediction) -> v1::Prediction {
    let named = |known: &Template| v1::Template { name: service.template_name(known.id), ..template(known) };
    let verdict =
        Verdict { score: said.score, is_anomaly: said.is_anomaly, state: said.state, reasons: said.reasons };
    v1::Prediction {
        verdict: Some(verdict.into()),
        template: said.template.as_deref().map(named),
        nearest_template: said.nearest_template.as_deref().map(named),
        model_version: said.model,
    }
}

pub(super) fn template(template: &Template) -> v1::Template {
    v1::Template { id: template.id.to_string(), text: template.text.clone(), name: None }
}

/// As many from the first on as have room in a list, at least one, and how many have none.
pub(super) fn fitting<M: Message>(all: impl Iterator<Item = M>, bytes_max: usize) -> (Vec<M>, u64) {
    let (mut taken, mut further, mut bytes) = (Vec::new(), 0, 0);
    for message in all {
        bytes += message.encoded_len() + LIST_ELEMENT_BYTES;
        if further == 0 && (taken.is_empty() || bytes <= bytes_max) {
            taken.push(message);
        } else {
            further += 1;
        }
    }
    (taken, further)
}

/// Trains until it is done, or told to end.
pub(super) fn train(
    service: &Service,
    records: &[Bytes],
    cancel: &Stop,
) -> Result<v1::TrainResponse, Status> {
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
    let mut watch = |_| match cancel.is_cancelled() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    match service.train_watched(&events, &mut watch) {
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
            "log_records: none was given".to_owned()
        } else {
            format!("log_records: none can be read; {first}")
        })),
        // Whoever cancelled it does not hear this.
        Err(TrainError::Cancelled) => Err(stopping()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a model could not be trained");
            Err(Status::internal("the model could not be trained or stored; the one before serves on"))
        }
    }
}

#[cfg(test)]
mod tests {
    use event::{Event, Timestamp};

    use super::*;

    #[test]
    fn predictions_end_when_nobody_waits_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let service = Service::open(anomaly::Config::new(dir.path())).unwrap();
        let mut record = Vec::new();
        record::encode(&Event::new("never seen", Timestamp::MIN), &mut record);
        let records = vec![Bytes::from(record); 3];
        let cancel = Stop::new();
        assert_eq!(predict(&service, &records, 4 << 20, &cancel).unwrap().predictions.len(), 3);
        cancel.cancel();
        let ended = predict(&service, &records, 4 << 20, &cancel).unwrap_err();
        assert_eq!(ended.code(), tonic::Code::Unavailable);
    }
}
