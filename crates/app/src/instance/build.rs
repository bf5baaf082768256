//! What all parts of an instance share while it is built, and how they begin to listen.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use telemetry::{health::Health, metric::Metrics, task::Tasks};
use tokio::{net::TcpListener, sync::watch};

use super::{access::Entrance, error::StartError, record::Record};
use crate::Settings;

/// What all parts of an instance share while it is built.
pub(super) struct Build<'s> {
    pub(super) settings: &'s Settings,
    pub(super) health: Health,
    pub(super) metrics: Metrics,
    pub(super) access: api::Access,
    pub(super) entrance: Entrance,
    pub(super) record: Record,
    /// Formats of the user's own.
    pub(super) formats: Arc<parse::Formats>,
    pub(super) front: Tasks,
    pub(super) back: Tasks,
    pub(super) failed: watch::Sender<Option<String>>,
}

/// Where verdicts come from.
pub(super) enum Scorer {
    /// From this process.
    Here(Arc<anomaly::Service>),
    /// From a separate anomaly service.
    Elsewhere(pipeline::remote::Config),
}

pub(super) async fn bind(addr: SocketAddr, setting: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr).await.map_err(|source| StartError::Listen { addr, setting, source })
}

pub(super) fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

pub(super) fn serve(
    tasks: &Tasks,
    name: &'static str,
    listener: TcpListener,
    router: Router,
    (connections, tls): (api::Connections, Option<tls::Identity>),
) {
    let listener = api::Bounded::new(listener, connections).with_tls(tls);
    tasks.spawn(name, api::serve(listener, router, tasks.stop()));
}
