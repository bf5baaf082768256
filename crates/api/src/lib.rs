//! What is asked of the service: queries and operations of the collector over HTTP, and the anomaly
//! service over HTTP and gRPC.
//!
//! [`collector`] and [`anomaly()`] give routers; [`guarded`] wraps a finished one with access rules,
//! metrics and the answers for unknown paths. Nothing here may change what is stored, but for dead
//! letters on an operator's word.

mod access;
mod anomaly;
mod body;
mod clock;
mod collector;
mod docs;
mod gate;
mod health;
mod jobs;
mod listen;
mod observe;
mod params;
mod route;
mod serve;
mod trainings;
mod unanswered;

pub use self::anomaly::{
    AnomalyConfig, AnomalyGrpc, AnomalyState, GrpcConfig, GrpcError, TlsFiles, anomaly, anomaly_routes,
};
pub use access::{Access, AccessConfig, OPEN_PATHS, access_layer};
pub use collector::{CollectorConfig, CollectorState, collector, collector_routes};
pub use docs::{ANOMALY as ANOMALY_OPENAPI, COLLECTOR as COLLECTOR_OPENAPI};
pub use listen::{Bounded, Connection, Connections, Line};
pub use observe::{guarded, guarded_face, metrics_layer};
pub use serve::serve;
pub use trainings::Trainings;
