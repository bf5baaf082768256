//! The models: shown, compared, exchanged, carried elsewhere.

use anomaly::{
    Comparison, Disagreement, Drift, FeatureUse, ModelError, ModelInfo, Origin, Service, Standing,
};
use bytes::Bytes;
use event::Timestamp;
use prost::Message;
use tonic::Status;
use wire::v1;

use super::refusal::{self, NO_MODEL, check_file};
use crate::anomaly::models::{IMPORT_BYTES_MAX, refusal};

fn refused(error: &ModelError) -> Status {
    refusal::status(&refusal(error), NO_MODEL)
}

/// The model of this version; of none, the one that serves.
pub(super) fn get(service: &Service, version: &str) -> Result<v1::Model, Status> {
    match version {
        "" => Ok(model(service.model())),
        version => service.model_of(version).map(model).map_err(|error| refused(&error)),
    }
}

pub(super) fn list(service: &Service) -> v1::ListModelsResponse {
    v1::ListModelsResponse { models: service.models().into_iter().map(model).collect() }
}

pub(super) fn activate(service: &Service, version: &str) -> Result<ModelInfo, Status> {
    service.activate(version).map_err(|error| refused(&error))
}

pub(super) fn roll_back(service: &Service) -> Result<ModelInfo, Status> {
    service.roll_back().map_err(|error| refused(&error))
}

/// The model as bytes, when a message has room for it.
pub(super) fn export(
    service: &Service,
    version: &str,
    message_bytes_max: usize,
) -> Result<v1::ExportModelResponse, Status> {
    let model = service.export(version).map_err(|error| refused(&error))?;
    let exported = v1::ExportModelResponse { model: model.into() };
    let bytes = exported.encoded_len();
    if bytes > message_bytes_max {
        return Err(Status::out_of_range(format!(
            "the model makes a message of {bytes} bytes; one has at most {message_bytes_max}. Over HTTP, \
             GET /models/{{version}}/export gives it"
        )));
    }
    Ok(exported)
}

pub(super) fn import(service: &Service, bytes: &Bytes) -> Result<ModelInfo, Status> {
    check_file("model", bytes.len(), IMPORT_BYTES_MAX)?;
    service.import(bytes).map_err(|error| match error {
        ModelError::Sealed(_) => {
            Status::invalid_argument(format!("model: {error}; nothing changed. Give what ExportModel gave"))
        }
        error => refused(&error),
    })
}

pub(super) fn compare(
    service: &Service,
    request: &v1::CompareModelsRequest,
) -> Result<v1::CompareModelsResponse, Status> {
    service.compare(&request.a, &request.b).map(comparison).map_err(|error| refused(&error))
}

pub(super) fn rules(service: &Service) -> v1::GetRulesResponse {
    let found = service.conditions();
    let rule = |condition: anomaly::Condition| v1::Rule {
        text: condition.text,
        anomalies: condition.anomalies,
        share_of_ordinary: condition.ordinary_share,
    };
    v1::GetRulesResponse {
        anomalies: found.anomalies,
        ordinary: found.ordinary,
        rules: found.conditions.into_iter().map(rule).collect(),
    }
}

pub(super) fn model(info: ModelInfo) -> v1::Model {
    let nanos = |time: Option<Timestamp>| time.map(|time| time.as_nanos() as u64);
    let standing = match info.version.is_empty() {
        true => v1::Standing::Unspecified,
        false => standing(info.standing),
    };
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
        standing: standing.into(),
        why: info.why,
        trained_for: info.origin.map_or(v1::Origin::Unspecified, origin).into(),
        sample_rows: info.rows,
        features: info.features.into_iter().map(feature).collect(),
        drift: info.drift.map(drift),
    }
}

fn standing(standing: Standing) -> v1::Standing {
    match standing {
        Standing::Serving => v1::Standing::Serving,
        Standing::Kept => v1::Standing::Kept,
        Standing::Candidate => v1::Standing::Candidate,
        Standing::RolledBack => v1::Standing::RolledBack,
        Standing::Imported => v1::Standing::Imported,
    }
}

fn origin(origin: Origin) -> v1::Origin {
    match origin {
        Origin::Request => v1::Origin::Request,
        Origin::Stream => v1::Origin::Stream,
        Origin::Drift => v1::Origin::Drift,
        Origin::Starter => v1::Origin::Starter,
    }
}

fn feature(feature: FeatureUse) -> v1::FeatureUse {
    v1::FeatureUse {
        name: feature.name.to_owned(),
        weight: feature.weight,
        share_of_splits: feature.splits,
        share_of_events: feature.surprised,
    }
}

fn drift(drift: Drift) -> v1::Drift {
    v1::Drift {
        drifting: drift.drifting,
        since_unix_nano: drift.since.map(|time| time.as_nanos() as u64),
        features: drift.moved,
        events: drift.events,
        flagged: drift.flagged,
    }
}

fn comparison(compared: Comparison) -> v1::CompareModelsResponse {
    let side = |side: anomaly::Side| v1::ComparedModel {
        version: side.version,
        threshold: side.threshold,
        flagged: side.flagged,
    };
    let disagreement = |one: Disagreement| {
        let features = one.features.into_iter();
        let evidence =
            features.map(|(name, evidence)| v1::FeatureEvidence { name: name.to_owned(), evidence });
        v1::Disagreement { a: one.a, b: one.b, features: evidence.collect() }
    };
    v1::CompareModelsResponse {
        a: Some(side(compared.a)),
        b: Some(side(compared.b)),
        events: compared.events,
        rank_correlation: compared.rank_correlation,
        flags_differ: compared.differ,
        disagreements: compared.disagreements.into_iter().map(disagreement).collect(),
    }
}
