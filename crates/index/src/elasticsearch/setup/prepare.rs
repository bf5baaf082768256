//! The set-up of a cluster that may be away, or in which something stands in the way: tried until it is done.

use std::time::Duration;

use retry::Backoff;
use telemetry::{health::Component, in_words, task::Stop};
use tracing::info;

use super::{Cluster, ClusterError, Config, SetupError, apply, plan};

/// How often it is tried again.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What a server leaves to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duties {
    /// Beginning new indexes, and deleting those in which all is too old.
    pub rollover: bool,
}

/// Prepares the cluster; gives what the server leaves to us, or None when a stop comes first.
pub async fn prepare(cluster: &Cluster, config: &Config, health: &Component, stop: &Stop) -> Option<Duties> {
    let mut backoff = Backoff::new(RETRY_MIN, RETRY_MAX);
    loop {
        let failure = match try_to(cluster, config).await {
            Ok(duties) => {
                health.ok();
                return Some(duties);
            }
            // Whoever may only write relies on an administrator having set the cluster up.
            Err(SetupError::Cluster(ClusterError::Forbidden { .. })) => {
                info!("these credentials may not prepare the cluster; it is taken as prepared");
                health.ok();
                return Some(Duties { rollover: false });
            }
            Err(failure) => failure,
        };
        health.degraded(match failure {
            // The writer says what ails the cluster.
            SetupError::Cluster(ClusterError::Connect { .. } | ClusterError::Away { .. }) => {
                "the cluster cannot be reached (see elasticsearch); it is prepared when it answers".to_owned()
            }
            failure => format!("{}; the journal keeps the events", in_words(&failure)),
        });
        stop.run_until_cancelled(tokio::time::sleep(backoff.pause())).await?;
    }
}

async fn try_to(cluster: &Cluster, config: &Config) -> Result<Duties, SetupError> {
    let plan = plan(cluster, config).await?;
    if !plan.is_empty() {
        info!(data_stream = plan.data_stream, "preparing the cluster");
        apply(cluster, config, &plan).await?;
    }
    if plan.has_kept() {
        info!("what somebody changed in the cluster's set-up stays: log-sentinel elastic status shows it");
    }
    Ok(Duties { rollover: plan.own_rollover })
}
