//! The anomaly service for others: HTTP on one port, gRPC on another.

use std::{net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;

use super::{
    build::{Build, bind, local, serve},
    collector::Collector,
    error::StartError,
    scores,
};

/// An anomaly service that serves.
pub(super) struct Scores {
    pub(super) addr: SocketAddr,
    pub(super) grpc_addr: Option<SocketAddr>,
}

/// The routes of a collector that this port answers as well.
fn beside(router: axum::Router, collector: Option<&Collector>) -> (axum::Router, Vec<api::Row>) {
    let of_collector = [api::alerts_routes(), api::ingest_routes(), api::hosts_routes()].concat();
    let rows = [api::anomaly_routes(), of_collector.clone()].concat();
    let Some(collector) = collector else { return (router.merge(api::elsewhere(&of_collector)), rows) };
    let (alerts, ingest) = (api::alerts(collector.alerts.clone()), api::ingest(collector.signals.clone()));
    (router.merge(alerts).merge(ingest).merge(api::hosts(collector.hosts.clone())), rows)
}

/// Starts both listeners. With a collector it can also be trained on what is stored.
pub(super) async fn start(
    build: &Build<'_>,
    service: Arc<anomaly::Service>,
    collector: Option<&Collector>,
) -> Result<Scores, StartError> {
    let settings = build.settings;
    let alone = collector.is_none();
    let scores = collector.and_then(|collector| collector.scores.clone());
    let scores = scores.unwrap_or_else(|| scores::state(build, Arc::clone(&service), None));
    let trainings = scores.trainings.clone();
    let router = api::anomaly(scores);
    let (router, rows) = beside(router, collector);
    let router = api::guarded(router, build.access.clone(), &rows);
    let identities = &build.entrance.identities;
    let config = api::GrpcConfig { tls: identities.anomaly_grpc.clone(), ..settings.analysis.grpc.clone() };
    let grpc = api::AnomalyGrpc::new(service, build.access.clone(), trainings, config);
    let listener = bind(settings.listeners.anomaly_addr, "LOG_SENTINEL_ANOMALY_ADDR").await?;
    let addr = local(&listener, settings.listeners.anomaly_addr);
    if alone {
        let path = settings.data.join("anomaly.window");
        let journals = grpc.journals();
        let memory = build.health.component("window");
        anomaly::resume(journals, &path, &memory)
            .map_err(|source| StartError::Data { path: path.clone(), source })?;
        build.back.spawn("anomaly-window", anomaly::keep(Arc::clone(journals), path, build.back.stop()));
    }
    let tls = identities.anomaly.clone();
    serve(&build.front, "anomaly", listener, router, (settings.listeners.connections, tls));
    let grpc_addr = match bind(settings.listeners.anomaly_grpc_addr, "LOG_SENTINEL_ANOMALY_GRPC_ADDR").await {
        Ok(listener) => {
            let addr = local(&listener, settings.listeners.anomaly_grpc_addr);
            serve_grpc(build, grpc, listener);
            Some(addr)
        }
        // Beside a collector of its own it is an extra, which must not keep logs from being taken in.
        Err(error) if !alone => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "other collectors get no scores from this process"
            );
            build.health.component("anomaly_grpc").degraded(crate::wording::describe(&error));
            None
        }
        Err(error) => return Err(error),
    };
    Ok(Scores { addr, grpc_addr })
}

fn serve_grpc(build: &Build<'_>, grpc: api::AnomalyGrpc, listener: TcpListener) {
    let (stop, failed) = (build.front.stop(), build.failed.clone());
    build.front.spawn("anomaly-grpc", async move {
        if let Err(error) = grpc.serve(listener, stop).await {
            failed.send_replace(Some(crate::wording::describe(&error)));
        }
    });
}
