//! What is asked of the service over HTTP: queries and operations of the collector, and the
//! anomaly service.
//!
//! [`collector`] and [`anomaly()`] give routers; [`guarded`] wraps a finished one with access rules,
//! metrics and the answers for unknown paths. Nothing here may change what is stored.

mod access;
mod body;
mod clock;
mod collector;
mod docs;
mod gate;
mod health;
mod jobs;
mod observe;
mod params;
mod route;
mod scoring;
mod searcher;

pub use access::{Access, AccessConfig, OPEN_PATHS, access_layer};
pub use collector::{CollectorConfig, CollectorState, LiveEvents, collector, collector_routes};
pub use docs::{ANOMALY as ANOMALY_OPENAPI, COLLECTOR as COLLECTOR_OPENAPI};
pub use observe::{guarded, metrics_layer};
pub use scoring::{AnomalyConfig, AnomalyState, anomaly, anomaly_routes};
pub use searcher::{Answer, SearchError, Searcher, SearcherConfig};
