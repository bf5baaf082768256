//! The index in a cluster, which is prepared before anything is written to it.

use std::{sync::Arc, time::Duration};

use dead_letter::DeadLetterStream;
use index::{
    Index,
    elasticsearch::{
        Cluster, ClusterError, Elasticsearch,
        setup::{self, SetupError},
    },
};
use telemetry::{health::Component, task::Stop};
use tokio::sync::watch;
use tracing::info;

use super::{Build, StartError, configs, upkeep};
use crate::settings::Elastic;

/// How often a cluster that is away, or in which something stands in the way, is looked at again.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// An index and whether it may be written to.
pub(super) struct Opened {
    pub(super) index: Arc<dyn Index>,
    /// Becomes true once the cluster is prepared.
    pub(super) prepared: watch::Receiver<bool>,
}

/// Opens it; the cluster need not be there yet.
pub(super) fn open(
    build: &Build<'_>,
    elastic: &Elastic,
    letters: Arc<DeadLetterStream>,
) -> Result<Opened, StartError> {
    let config = configs::cluster_config(elastic);
    let index = Elasticsearch::open(config, letters, build.health.component("elasticsearch"))?;
    let preparing = Preparing {
        cluster: index.cluster().clone(),
        config: configs::setup_config(build.settings, elastic),
        health: build.health.component("elasticsearch_setup"),
        stop: build.front.stop(),
    };
    let index: Arc<dyn Index> = Arc::new(index);
    let (sender, prepared) = watch::channel(false);
    let (retention, tasks) = (build.settings.retention, build.front.clone());
    let expiring = Arc::clone(&index);
    build.front.spawn("elasticsearch-setup", async move {
        let Some(duties) = preparing.run().await else { return };
        sender.send_replace(true);
        if duties.rollover {
            upkeep::rollover(&tasks, &expiring, retention);
        }
    });
    Ok(Opened { index, prepared })
}

/// What a server without a lifecycle leaves to us.
#[derive(Debug, Clone, Copy)]
struct Duties {
    /// Beginning new indexes, and deleting those in which all is too old.
    rollover: bool,
}

/// The cluster's set-up, tried until it is done.
struct Preparing {
    cluster: Cluster,
    config: setup::Config,
    health: Component,
    stop: Stop,
}

impl Preparing {
    /// What the server leaves to us; None when the program stops before.
    async fn run(self) -> Option<Duties> {
        let mut wait = RETRY_MIN;
        loop {
            let failure = match self.prepare().await {
                Ok(duties) => {
                    self.health.ok();
                    return Some(duties);
                }
                // Whoever may only write relies on an administrator having set the cluster up.
                Err(SetupError::Cluster(ClusterError::Forbidden { .. })) => {
                    info!("these credentials may not prepare the cluster; it is taken as prepared");
                    self.health.ok();
                    return Some(Duties { rollover: false });
                }
                Err(failure) => failure,
            };
            self.health.degraded(format!("{}; the journal keeps the events", crate::describe(&failure)));
            self.stop.run_until_cancelled(tokio::time::sleep(wait)).await?;
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    async fn prepare(&self) -> Result<Duties, SetupError> {
        let plan = setup::plan(&self.cluster, &self.config).await?;
        if !plan.is_empty() {
            info!(data_stream = plan.data_stream, "preparing the cluster");
            setup::apply(&self.cluster, &self.config, &plan).await?;
        }
        if plan.has_kept() {
            info!(
                "what somebody changed in the cluster's set-up stays: log-sentinel elastic status shows it"
            );
        }
        Ok(Duties { rollover: plan.own_rollover })
    }
}
