//! What is asked of the service: queries and operations of the collector over HTTP, and the anomaly
//! service over HTTP and gRPC.
//!
//! [`collector`] and [`anomaly()`] give routers; [`guarded`] wraps a finished one with access rules,
//! metrics and the answers for unknown paths. Nothing here may change what is stored, but for dead
//! letters on an operator's word.

mod access;
mod alerts;
mod anomaly;
mod body;
mod channel;
mod clock;
mod collector;
mod decision;
mod docs;
mod elsewhere;
mod event_stream;
mod gate;
mod health;
mod hosts;
mod jobs;
mod keys;
mod listen;
mod observe;
mod outlet;
mod own;
mod params;
mod questions;
mod record;
mod reports;
mod route;
mod rules;
mod serve;
mod signals;
mod sql;
mod standing;
mod trainings;
mod unanswered;
mod unread;

pub use self::access::{Access, AccessConfig};
pub use self::anomaly::{
    AnomalyConfig, AnomalyGrpc, AnomalyState, GrpcConfig, GrpcError, anomaly, anomaly_below,
    anomaly_below_routes, anomaly_not_here, anomaly_routes,
};
pub use self::sql::{SqlState, sql, sql_routes};
pub use alerts::{AlertsState, alerts, alerts_routes};
pub use collector::{CollectorConfig, CollectorState, collector, collector_routes};
pub use decision::{Asked, Decision, Decisions, Ending, NotRecorded};
pub use docs::{ANOMALY as ANOMALY_OPENAPI, COLLECTOR as COLLECTOR_OPENAPI};
pub use elsewhere::elsewhere;
pub use hosts::{HostsState, hosts, hosts_routes};
pub use keys::{KeysState, adds, agent_json, creates, enrol_command, key_json, keys, keys_routes, told_id};
pub use listen::{Bounded, Connection, Connections, Line};
pub use observe::{guarded, guarded_face, metrics_layer};
pub use own::{OwnSetting, OwnState, own, own_routes};
pub use reports::{ReportError, ReportMaker, Wanted, reports, reports_routes};
pub use route::Row;
pub use rules::{RulesState, rules, rules_routes};
pub use serve::serve;
pub use signals::{Learn, Settled, SignalsState, ingest, ingest_routes, signals, signals_routes};
pub use trainings::Trainings;
