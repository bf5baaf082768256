//! `log-sentinel run`, `collector` and `anomaly`: start, say so, wait for the end, drain.

use std::io::Write;

use telemetry::logs;
use tracing::{info, warn};

use crate::{AppError, Instance, Role, Settings, VERSION, commands::print, settings::Tls};

/// Runs a role until a signal or a failure ends it; `welcome` is what is printed once it runs.
///
/// # Errors
/// When it cannot start, or a part of it fails for good.
pub(crate) async fn run(
    settings: &Settings,
    role: Role,
    welcome: impl Fn(&Instance) -> String,
) -> Result<(), AppError> {
    begin(settings);
    let signals = Signals::new()?;
    let instance = Instance::start(settings, role).await?;
    print(&welcome(&instance))?;
    let failure = tokio::select! {
        name = signals.wait() => { info!(signal = name, "stopping"); None }
        reason = instance.failed() => Some(reason),
    };
    let mut stragglers = instance.stop(settings.shutdown_grace).await;
    let working = telemetry::task::working();
    stragglers.extend(working.into_iter().map(|(name, count)| format!("{name} ({count} at work)")));
    if !stragglers.is_empty() {
        warn!(
            ?stragglers,
            "these did not end within LOG_SENTINEL_SHUTDOWN_GRACE and end with the process; what was acknowledged is in \
             the journal"
        );
    }
    failure.map_or(Ok(()), |reason| Err(AppError::Stopped(reason)))
}

/// What every role begins with: its own log, and room for what it opens.
pub(crate) fn begin(settings: &Settings) {
    let format = if settings.log_json { logs::Format::Json } else { logs::Format::Text };
    if let Err(error) = logs::init(format, &settings.log_level) {
        drop(writeln!(std::io::stderr(), "log-sentinel: {error}"));
    }
    raise_file_limit();
}

/// Takes as many file descriptors as the system allows: connections, segments and watched files need them.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            warn!(%error, "cannot raise the limit of open files; raise it for the service if it has many connections");
        }
    }
}

/// What people read first: where it answers, and what to try.
pub(crate) fn welcome(settings: &Settings, instance: &Instance) -> String {
    let mut text =
        format!("Log Sentinel {VERSION} is running. Ctrl-C stops it; nothing acknowledged gets lost.\n\n");
    let mut row = |name: &str, what: &str| text.push_str(&format!("  {name:<10} {what}\n"));
    let scheme = |tls: &Option<Tls>| if tls.is_some() { "https" } else { "http" };
    let tls = &settings.listeners.tls;
    let collector = instance.addr.map(|addr| format!("{}://{addr}", scheme(&tls.collector)));
    let anomaly = instance.anomaly_addr.map(|addr| format!("{}://{addr}", scheme(&tls.anomaly)));
    if let Some(url) = &collector {
        row("collector", &format!("{url}  (POST /logs, /api/v1/search, /docs)"));
    }
    match (&anomaly, &settings.analysis.remote) {
        (Some(url), _) => row("anomaly", &format!("{url}  (POST /train, /predict, /docs)")),
        (None, Some(remote)) => row("scores", &format!("from {}", remote.url)),
        (None, None) => {}
    }
    if let Some(addr) = instance.anomaly_grpc_addr {
        let scheme = scheme(&tls.anomaly_grpc);
        row("grpc", &format!("{scheme}://{addr}  (the anomaly service for collectors)"));
    }
    row("data", &settings.data.display().to_string());
    if collector.is_some() {
        if let Some(elastic) = &settings.elastic {
            let cluster = &elastic.cluster;
            row("index", &format!("{} at {}", cluster.data_stream, cluster.nodes.join(", ")));
        }
        let dir = settings.intake.tail.dir.clone().unwrap_or_default();
        let watched = if dir.is_dir() { "" } else { " (read as soon as it appears)" };
        row("watched", &format!("{}{watched}", dir.display()));
    }
    text.push_str("\nTry:\n");
    let key = if instance.asks_for_keys { " -H \"Authorization: Bearer $KEY\"" } else { "" };
    if let Some(url) = &collector {
        text.push_str(&format!(
            "  curl{key} {url}/logs -H 'Content-Type: application/json' -d '{{\"level\":\"error\",\"message\":\"disk sda1 is failing\",\"source\":\"kernel\"}}'\n\
             \x20 curl{key} '{url}/api/v1/search?q=disk'\n"
        ));
    }
    if let Some(url) = &anomaly {
        text.push_str(&format!(
            "  curl{key} {url}/predict -H 'Content-Type: application/json' -d '{{\"level\":\"ERROR\",\"message\":\"Brute force detected\",\"source\":\"auth\"}}'\n"
        ));
    }
    text
}

/// What the operating system may say to end a program.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    pub(crate) async fn wait(mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = tokio::signal::ctrl_c() => "SIGINT",
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn wait(self) -> &'static str {
        drop(tokio::signal::ctrl_c().await);
        "Ctrl-C"
    }
}
