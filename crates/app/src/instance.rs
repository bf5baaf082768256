//! Everything of one process: built in order, run as named tasks, stopped in the reverse order.
//!
//! ```text
//! start:  data lock ► journal ► index ► anomaly ► pipeline ► HTTP ► watched files
//! stop:   HTTP and watched files stop accepting ► pipeline takes in the rest and commits ► journal closes
//! ```

mod listen;
mod upkeep;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use index::{Index, embedded};
use journal::Journal;
use pipeline::Pipeline;
use telemetry::{
    health::Health,
    metric,
    task::{Stop, Tasks},
};
use tokio::{net::TcpListener, sync::watch};

use crate::{Settings, VERSION};

/// Positions of tailed files and answers to idempotency keys that the journal remembers.
const JOURNAL_NOTES_MAX: usize = 32_768;
/// A commit is due after so many events.
const COMMIT_EVENTS: u64 = 1 << 20;
/// Read from the journal at once.
const PIPELINE_READ_BYTES: usize = 4 << 20;

/// Why the program could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder could not be made.
    #[error("cannot make the data folder {path}; LOG_SENTINEL_DATA names another one")]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The journal could not be opened.
    #[error("cannot open the journal")]
    Journal(#[from] journal::OpenError),
    /// The index could not be opened.
    #[error("cannot open the index")]
    Index(#[from] index::IndexError),
    /// The models could not be opened.
    #[error("cannot open the anomaly models")]
    Anomaly(#[from] anomaly::OpenError),
    /// The pipeline could not be opened.
    #[error("cannot start reading the journal")]
    Pipeline(#[from] pipeline::PipelineError),
    /// Watched files.
    #[error("cannot watch files")]
    Tail(#[from] intake::tail::StartError),
    /// A port is taken, say.
    #[error("cannot listen on {addr}; {setting} names another address")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The setting it came from.
        setting: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The operating system gave no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// Metrics.
    #[error("cannot keep metrics")]
    Metrics(#[from] metric::InstallError),
}

/// A running process' worth of Log Sentinel.
pub(crate) struct Instance {
    /// Where the collector listens.
    pub addr: SocketAddr,
    /// Where the anomaly service listens.
    pub anomaly_addr: SocketAddr,
    journal: Journal,
    /// What takes things in and answers.
    front: Tasks,
    /// What works on the journal.
    back: Tasks,
    failed: watch::Receiver<Option<String>>,
}

impl Instance {
    /// Opens everything and starts it; it runs when this returns.
    ///
    /// # Errors
    /// When a part cannot be opened; what was opened is closed again.
    pub(crate) async fn start(settings: &Settings) -> Result<Self, StartError> {
        let metrics = metric::install(VERSION)?;
        let health = Health::new();
        let (journal, index, anomaly) = open(settings)?;
        let pipeline = Pipeline::open(
            pipeline_config(settings),
            journal.clone(),
            pipeline::Analysis::InProcess(anomaly.clone()),
            index.clone(),
            health.component("index"),
        )?;
        let (front, back) = (Tasks::new(), Tasks::new());
        let searcher = api::Searcher::new(
            index.clone(),
            journal.clone(),
            index.written(),
            api::SearcherConfig::default(),
        );
        let collector = api::collector(api::CollectorState {
            searcher: searcher.clone(),
            live: pipeline.live(),
            stop: front.stop(),
            health: health.clone(),
            metrics: metrics.clone(),
            config: api::CollectorConfig {
                queries_max: settings.queries_max,
                query_timeout: settings.query_timeout,
                tails_max: settings.tails_max,
                ..api::CollectorConfig::default()
            },
        });
        let intake = intake::http::Intake::new(
            journal.clone(),
            intake_config(settings),
            intake::system_clock,
            Some(indexed(index.clone())),
        );
        let scoring = api::anomaly(api::AnomalyState {
            service: anomaly.clone(),
            searcher: Some(searcher),
            health: health.clone(),
            metrics,
            config: scoring_config(settings),
        });
        let access = api::Access::new(&api::AccessConfig {
            allowed_hosts: settings.allowed_hosts.clone(),
            api_keys: settings.api_keys.iter().map(|key| key.0.clone()).collect(),
        });
        let collector = api::guarded(intake::http::router(intake).merge(collector), access.clone());
        let scoring = api::guarded(scoring, access);
        let listener = bind(settings.addr, "LOG_SENTINEL_ADDR").await?;
        let anomaly_listener = bind(settings.anomaly_addr, "LOG_SENTINEL_ANOMALY_ADDR").await?;
        let addr = local(&listener, settings.addr);
        let anomaly_addr = local(&anomaly_listener, settings.anomaly_addr);

        let failed = run_pipeline(pipeline, &back)?;
        upkeep::start(
            &front,
            &journal,
            &index,
            &anomaly,
            settings.retention,
            health.component("index_files"),
        );
        serve(&front, "collector", listener, collector, settings.connections_max);
        serve(&front, "anomaly", anomaly_listener, scoring, settings.connections_max);
        intake::tail::start(tail_config(settings), journal.clone(), intake::system_clock, &front)?;
        Ok(Self { addr, anomaly_addr, journal, front, back, failed })
    }

    /// Waits until a part ends that should not, and gives its reason.
    pub(crate) async fn failed(&self) -> String {
        let mut failed = self.failed.clone();
        let pipeline = async {
            match failed.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(reason)) => reason.clone(),
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            reason = pipeline => reason,
            name = self.front.panicked() => format!("{name} panicked"),
            name = self.back.panicked() => format!("{name} panicked"),
        }
    }

    /// Stops in order; gives the names of what did not end within the grace period.
    pub(crate) async fn stop(self, grace: Duration) -> Vec<String> {
        let deadline = Instant::now() + grace;
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut stragglers = self.front.shutdown(left() / 2).await;
        stragglers.extend(self.back.shutdown(left()).await);
        self.journal.close(left()).await;
        stragglers
    }
}

type Opened = (Journal, Arc<dyn Index>, Arc<anomaly::Service>);

fn open(settings: &Settings) -> Result<Opened, StartError> {
    let data = &settings.data;
    std::fs::create_dir_all(data).map_err(|source| StartError::Data { path: data.clone(), source })?;
    let journal = Journal::open(journal::Config {
        dir: data.join("journal"),
        cursors_dir: data.join("cursors"),
        segment_bytes: settings.journal_segment_bytes,
        budget_bytes: settings.journal_bytes_max,
        queue_bytes: settings.journal_queue_bytes,
        notes_max: JOURNAL_NOTES_MAX,
    })?;
    for problem in journal.status().problems {
        tracing::warn!(path = %problem.path.display(), what = problem.what, "the journal was mended");
    }
    let index = embedded::Embedded::open(embedded::Config {
        cache_bytes: settings.index_cache_bytes,
        ..embedded::Config::new(data.join("index"))
    })?;
    if index.stats().damaged > 0 {
        tracing::error!(files = index.stats().damaged, "damaged files of the index were set aside");
    }
    let anomaly = anomaly::Service::open(anomaly::Config {
        events_min: settings.model_events_min,
        false_positive_rate: settings.false_positive_rate,
        template: template::Config { templates_max: settings.templates_max, ..template::Config::default() },
        ..anomaly::Config::new(data.join("models"))
    })?;
    Ok((journal, Arc::new(index), Arc::new(anomaly)))
}

fn pipeline_config(settings: &Settings) -> pipeline::Config {
    pipeline::Config {
        read_bytes: PIPELINE_READ_BYTES,
        commit_events: COMMIT_EVENTS,
        commit_idle: Duration::from_secs(5),
        commit_interval: Duration::from_secs(30),
        retry: Duration::from_secs(1),
        drain: settings.shutdown_grace / 3,
        window_dir: settings.data.join("window"),
    }
}

fn parsing(settings: &Settings) -> intake::Parsing {
    intake::Parsing { line_bytes_max: settings.line_bytes_max, zone: settings.zone.clone(), host: None }
}

fn intake_config(settings: &Settings) -> intake::http::Config {
    intake::http::Config {
        body_bytes_max: settings.body_bytes_max,
        in_flight_bytes_max: settings.in_flight_bytes_max,
        parsing: parsing(settings),
        ..intake::http::Config::default()
    }
}

fn tail_config(settings: &Settings) -> intake::tail::Config {
    intake::tail::Config {
        dir: (!settings.dir.as_os_str().is_empty()).then(|| settings.dir.clone()),
        files: settings.files.clone(),
        scan_interval: settings.tail_scan_interval,
        parsing: intake::Parsing { host: host_name(), ..parsing(settings) },
        ..intake::tail::Config::default()
    }
}

fn scoring_config(settings: &Settings) -> api::AnomalyConfig {
    api::AnomalyConfig {
        body_bytes_max: settings.body_bytes_max,
        in_flight_bytes: settings.in_flight_bytes_max,
        line_bytes_max: settings.line_bytes_max,
        zone: settings.zone.clone(),
        ..api::AnomalyConfig::default()
    }
}

/// The name of this machine, for lines of watched files that name none.
fn host_name() -> Option<String> {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_str().ok().map(str::to_owned).filter(|name| !name.is_empty())
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// What `?wait=indexed` waits for.
fn indexed(index: Arc<dyn Index>) -> intake::http::Indexed {
    Arc::new(move |position, timeout| {
        let index = index.clone();
        let mut written = index.written();
        let visible = async move {
            written.wait_for(|reached| *reached >= position).await.is_ok() && index.refresh().await.is_ok()
        };
        Box::pin(async move { tokio::time::timeout(timeout, visible).await.unwrap_or(false) })
    })
}

async fn bind(addr: SocketAddr, setting: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr).await.map_err(|source| StartError::Listen { addr, setting, source })
}

fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

fn serve(tasks: &Tasks, name: &'static str, listener: TcpListener, router: Router, connections_max: usize) {
    let stop = tasks.stop();
    tasks.spawn(name, async move {
        let listener = listen::Bounded::new(listener, connections_max);
        let served =
            axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "{name} stopped serving");
        }
    });
}

/// Runs the pipeline on a thread of its own: it computes most of the time.
fn run_pipeline(pipeline: Pipeline, tasks: &Tasks) -> Result<watch::Receiver<Option<String>>, StartError> {
    let (sender, failed) = watch::channel(None);
    let runtime = tokio::runtime::Handle::current();
    let work = move |stop: Stop| {
        if let Err(error) = runtime.block_on(pipeline.run(stop)) {
            sender.send_replace(Some(crate::describe(&error)));
        }
    };
    tasks.thread("pipeline", work).map_err(StartError::Thread)?;
    Ok(failed)
}
