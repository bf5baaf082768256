//! Everything of one process: built in order, run as named tasks, stopped in the reverse order.
//!
//! ```text
//! start:  data lock ► audit record ► journal ► index ► anomaly ► pipeline ► HTTP and gRPC ► watched files
//! stop:   HTTP, gRPC and watched files stop accepting ► pipeline takes in the rest and commits ► journal closes
//!         ► audit record is signed and closes
//! ```
//! Which of it there is follows from the role: see [`Role`].

mod access;
mod agent;
mod alerts;
mod analyst;
mod build;
mod changed;
mod collector;
mod detection;
mod elastic;
mod error;
mod hosts;
mod opinions;
mod own;
mod own_processes;
mod record;
mod remote;
mod reports;
mod scores;
mod scoring;
mod sql;
mod system;
mod witness;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use disk::DataLock;
use journal::Journal;
use telemetry::{health::Health, metric, task::Tasks};
use tokio::sync::watch;

use crate::{Settings, VERSION, formats};
use build::{Build, Scorer};
use record::Record;

pub(crate) use access::{folder, keys};
pub(crate) use error::StartError;
pub(crate) use record::FolderRecord;
pub(crate) use system::found as logs_of_machine;

/// What one process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything; without the anomaly service where `LOG_SENTINEL_ANOMALY_URL` names another one.
    All,
    /// Taking in, keeping, searching; scores in this process or asks a separate service.
    Collector,
    /// The anomaly service alone.
    Anomaly,
    /// Detection alone, of this machine's logs, whose signals go elsewhere.
    Agent,
}

impl Role {
    /// Whether it takes logs in and answers searches.
    fn collects(self) -> bool {
        matches!(self, Self::All | Self::Collector)
    }

    /// Whether others may ask it for scores.
    fn serves_scores(self, settings: &Settings) -> bool {
        match self {
            Self::All => settings.analysis.remote.is_none(),
            Self::Collector | Self::Agent => false,
            Self::Anomaly => true,
        }
    }
}

/// A running process' worth of Log Sentinel.
pub(crate) struct Instance {
    /// Where the collector listens.
    pub addr: Option<SocketAddr>,
    /// Where the anomaly service listens for HTTP.
    pub anomaly_addr: Option<SocketAddr>,
    /// Where it listens for gRPC.
    pub anomaly_grpc_addr: Option<SocketAddr>,
    /// Whether nobody may ask without a key.
    pub asks_for_keys: bool,
    journal: Option<Journal>,
    record: Record,
    /// Nobody else uses the data folder as long as this process may write there.
    _lock: Arc<DataLock>,
    /// What takes things in and answers.
    front: Tasks,
    /// What works on the journal.
    back: Tasks,
    failed: watch::Receiver<Option<String>>,
}

impl Instance {
    /// Opens everything of a role and starts it; it runs when this returns.
    ///
    /// # Errors
    /// When a part cannot be opened; what was opened is closed again.
    pub(crate) async fn start(settings: &Settings, role: Role) -> Result<Self, StartError> {
        let data = &settings.data;
        disk::create_dir_all(data).map_err(|source| StartError::Data { path: data.clone(), source })?;
        // Held here too, until what a failed start had begun has ended.
        let lock = Arc::new(DataLock::take(data)?);
        if let Err(error) = disk::make_private(data) {
            tracing::warn!(%error, path = %data.display(), "others may read files in the data folder, and that cannot be changed; do it by hand: chmod -R go-rwx");
        }
        let (failed, failing) = watch::channel(None);
        let metrics = metric::install(VERSION)?;
        let entrance = access::open(settings, role.collects())?;
        let formats = formats::load(settings.intake.formats_file.as_deref())?;
        let health = Health::new();
        let record = Record::open(settings, &health);
        let access = api::Access::over(&settings.listeners.allowed_hosts, Arc::clone(&entrance.who));
        let build = Build {
            settings,
            health,
            metrics,
            access: access.recording(record.decisions()),
            entrance,
            record: record.clone(),
            formats,
            front: Tasks::new(),
            back: Tasks::new(),
            failed,
        };
        let (front, back) = (build.front.clone(), build.back.clone());
        match Self::build(build, failing, role, Arc::clone(&lock)).await {
            Ok(instance) => Ok(instance),
            Err(error) => {
                // What runs already must not outlive the start that failed.
                front.shutdown(settings.shutdown_grace / 2).await;
                back.shutdown(settings.shutdown_grace / 2).await;
                record.close(settings.shutdown_grace / 2).await;
                Err(error)
            }
        }
    }

    async fn build(
        build: Build<'_>,
        failing: watch::Receiver<Option<String>>,
        role: Role,
        lock: Arc<DataLock>,
    ) -> Result<Self, StartError> {
        let settings = build.settings;
        if role == Role::Agent {
            let journal = agent::start(&build)?;
            build.record.watch(&build.back, Arc::clone(&build.entrance.who), None);
            return Ok(Self {
                addr: None,
                anomaly_addr: None,
                anomaly_grpc_addr: None,
                asks_for_keys: false,
                journal: Some(journal),
                record: build.record,
                _lock: lock,
                front: build.front,
                back: build.back,
                failed: failing,
            });
        }
        build.entrance.watch(&build.front, &build.health);
        let scorer = match &settings.analysis.remote {
            Some(remote) if role != Role::Anomaly => Scorer::Elsewhere(remote.clone()),
            _ => Scorer::Here(Arc::new(anomaly::Service::open(settings.analysis.service.clone())?)),
        };
        let collector = match role.collects() {
            true => Some(collector::start(&build, &scorer).await?),
            false => None,
        };
        let service = match scorer {
            Scorer::Here(service) => Some(service),
            Scorer::Elsewhere(_) => None,
        };
        let serving = service.clone().filter(|_| role.serves_scores(settings));
        let scores = match serving {
            Some(service) => Some(scoring::start(&build, service, collector.as_ref()).await?),
            None => None,
        };
        build.record.watch(&build.back, Arc::clone(&build.entrance.who), service.clone());
        if let Some(service) = service {
            let watch = anomaly::watch(service, build.health.component("learned"), build.front.stop());
            build.front.spawn("models", watch);
        }
        Ok(Self {
            addr: collector.as_ref().map(|collector| collector.addr),
            anomaly_addr: scores.as_ref().map(|scores| scores.addr),
            anomaly_grpc_addr: scores.as_ref().and_then(|scores| scores.grpc_addr),
            asks_for_keys: build.entrance.who.is_locked(),
            journal: collector.map(|collector| collector.journal),
            record: build.record,
            _lock: lock,
            front: build.front,
            back: build.back,
            failed: failing,
        })
    }

    /// Where the collector answers; empty without one.
    pub(crate) fn url(&self) -> String {
        self.addr.map(|addr| format!("http://{addr}")).unwrap_or_default()
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
        if let Some(journal) = self.journal {
            journal.close(left()).await;
        }
        stragglers.extend(self.record.close(left()).await);
        stragglers
    }
}
