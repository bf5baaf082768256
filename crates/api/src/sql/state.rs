//! What the routes of questions in SQL share.

use std::sync::Arc;

use inquiry::Sources;
use sql::Budget;

use crate::{body::Bodies, gate::Gate};

/// A question is at most 64 KiB, and quotes and newlines take more in JSON.
const BODY_BYTES_MAX: usize = 512 << 10;
/// Questions that are worked on at once: each may take 256 MiB and a core.
const QUESTIONS_MAX: usize = 2;

/// What the routes of [`crate::sql()`] need.
#[derive(Clone)]
pub struct SqlState {
    /// Where rows come from.
    pub sources: Sources,
    /// What a question may take.
    pub budget: Budget,
    /// Bounds of bodies.
    pub body: body::Config,
    /// Ends what is half sent.
    pub stop: telemetry::task::Stop,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sources: Arc<Sources>,
    pub(super) budget: Budget,
    pub(super) gate: Gate,
    pub(super) bodies: Bodies,
}

impl Shared {
    pub(super) fn new(state: SqlState) -> Self {
        let bounds = body::Config { bytes_max: BODY_BYTES_MAX, ..state.body };
        Self {
            sources: Arc::new(state.sources),
            budget: state.budget,
            gate: Gate::new(QUESTIONS_MAX),
            bodies: Bodies::new(body::Reader::new(bounds, state.stop), BODY_BYTES_MAX),
        }
    }
}
