//! What the anomaly service's routes need, at whichever port.

use std::sync::Arc;

use super::build::{Build, Scorer};

/// What the routes of the service need.
pub(super) fn state(
    build: &Build<'_>,
    service: Arc<anomaly::Service>,
    searcher: Option<search::Searcher>,
) -> api::AnomalyState {
    api::AnomalyState {
        trainings: api::Trainings::default(),
        service,
        searcher,
        stop: build.front.stop(),
        health: build.health.clone(),
        metrics: build.metrics.clone(),
        config: api::AnomalyConfig { formats: build.formats.clone(), ..build.settings.analysis.http.clone() },
    }
}

/// Those at the collector's port; None where the service is a process of its own.
pub(super) fn beside(
    build: &Build<'_>,
    scorer: &Scorer,
    searcher: &search::Searcher,
) -> Option<api::AnomalyState> {
    match scorer {
        Scorer::Here(service) => Some(state(build, Arc::clone(service), Some(searcher.clone()))),
        Scorer::Elsewhere(_) => None,
    }
}
