//! Starters: listed, taken in.

use anomaly::{ModelInfo, STARTER_BYTES_MAX, STARTERS_MAX, Service, StarterInfo};
use bytes::Bytes;
use tonic::Status;
use wire::v1;

use super::refusal::{self, NO_MODEL, check_file};
use crate::anomaly::starters::refusal;

pub(super) fn list(service: &Service) -> v1::ListStartersResponse {
    let starter = |starter: StarterInfo| v1::Starter {
        name: starter.name,
        events: starter.events,
        templates: starter.templates,
    };
    v1::ListStartersResponse {
        starters: service.starters().into_iter().map(starter).collect(),
        most: STARTERS_MAX as u64,
        problems: service.starter_problems(),
    }
}

pub(super) fn start(service: &Service, bytes: &Bytes) -> Result<ModelInfo, Status> {
    check_file("starter", bytes.len(), STARTER_BYTES_MAX)?;
    service.start_from(bytes).map_err(|error| refusal::status(&refusal(&error), NO_MODEL))
}
