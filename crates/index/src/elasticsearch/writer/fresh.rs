//! Makes what is acknowledged visible, for those who ask and no more often.

use std::{sync::PoisonError, time::Duration};

use event::Position;
use tokio::{sync::Mutex, time::Instant};

use super::queue::Queue;
use crate::elasticsearch::{Body, Cluster, ClusterError, Method, Request};

const ACTION: &str = "refresh the index";

/// One refresh at a time; those who wait for it meanwhile share it.
#[derive(Debug)]
pub(super) struct Freshness {
    path: String,
    timeout: Duration,
    /// Locked while a refresh is under way.
    last: Mutex<Last>,
    /// When documents that were written before may last have changed.
    changed: std::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Last {
    /// Everything before it is visible.
    covered: Position,
    /// When the last successful refresh was asked for.
    asked_at: Option<Instant>,
}

impl Freshness {
    pub(super) fn new(data_stream: &str, timeout: Duration) -> Self {
        Self {
            path: format!("{data_stream}/_refresh"),
            timeout,
            last: Mutex::default(),
            changed: std::sync::Mutex::default(),
        }
    }

    /// Documents that were written before may have changed until now, so only a later refresh shows them.
    pub(super) fn change(&self) {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn changed(&self) -> Option<Instant> {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all visible that is acknowledged or changed now; gives the position that this covers.
    pub(super) async fn cover(&self, cluster: &Cluster, queue: &Queue) -> Result<Position, ClusterError> {
        let wanted = queue.acknowledged();
        let mut last = self.last.lock().await;
        let stale = self.changed().is_some_and(|changed| last.asked_at <= Some(changed));
        if last.covered < wanted || stale {
            self.refresh(cluster, queue, &mut last).await?;
        }
        Ok(last.covered)
    }

    /// Makes all visible that was on the server at an instant.
    pub(super) async fn since(
        &self,
        cluster: &Cluster,
        queue: &Queue,
        instant: Instant,
    ) -> Result<(), ClusterError> {
        let mut last = self.last.lock().await;
        if last.asked_at.is_none_or(|asked_at| asked_at <= instant) {
            self.refresh(cluster, queue, &mut last).await?;
        }
        Ok(())
    }

    async fn refresh(&self, cluster: &Cluster, queue: &Queue, last: &mut Last) -> Result<(), ClusterError> {
        let (covered, asked_at) = (queue.acknowledged(), Instant::now());
        let request = Request {
            method: Method::Post,
            path: self.path.as_str().into(),
            query: Vec::new(),
            body: Body::None,
            timeout: self.timeout,
            action: ACTION,
        };
        match cluster.send(request).await?.require_success() {
            Ok(answer) => {
                let failed = answer.json()?["_shards"]["failed"].as_u64();
                if failed != Some(0) {
                    return Err(ClusterError::Unavailable {
                        action: ACTION,
                        node: answer.node().to_owned(),
                        status: answer.status,
                        reason: format!("{} shards failed", failed.unwrap_or_default()),
                    });
                }
            }
            // Nothing is there that could be invisible.
            Err(ClusterError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        *last = Last { covered, asked_at: Some(asked_at) };
        Ok(())
    }
}
