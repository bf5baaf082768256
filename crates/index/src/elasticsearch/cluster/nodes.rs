//! The nodes that requests are sent to: the one with the least to do comes first, a dead one is taken
//! out and tried again.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use elasticsearch::cert::Certificate;
use tokio::time::Instant;

use super::{
    answer::{Answer, Hint},
    encode::Encoded,
    node::{Exchange, Node},
    request::{Method, Request},
};
use crate::elasticsearch::{Auth, ClusterError, Config};

/// How long a node that was taken out may take to show that it is back.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// A node this many times slower than the quickest is called slow, if it also takes a tenth of
/// what makes any node slow.
const SLOW_FACTOR: f64 = 4.0;

/// The nodes of a cluster.
pub(in crate::elasticsearch) struct Nodes {
    nodes: Vec<Node>,
    turn: AtomicUsize,
    credentials: Hint,
    slow_after: Duration,
}

impl Nodes {
    pub(super) fn new(config: &Config) -> Result<Self, ClusterError> {
        let ca = match &config.ca_file {
            Some(path) => {
                let refused = |source| ClusterError::CaFile { path: path.clone(), source };
                let pem = std::fs::read(path).map_err(|error| refused(error.into()))?;
                Certificate::from_pem(&pem).map_err(|error| refused(error.into()))?;
                Some(pem)
            }
            None => None,
        };
        if config.nodes.is_empty() {
            let reason = "names no address".to_owned();
            return Err(ClusterError::Setting { setting: "ELASTIC_ADDR", reason });
        }
        let nodes = config
            .nodes
            .iter()
            .map(|address| Node::new(address, config, ca.as_deref()))
            .collect::<Result<_, _>>()?;
        let (setting, mend) = match &config.auth {
            Auth::None => (
                "ELASTIC_API_KEY or ELASTIC_USERNAME",
                "set ELASTIC_API_KEY, or ELASTIC_USERNAME and ELASTIC_PASSWORD",
            ),
            Auth::Basic { .. } => ("ELASTIC_USERNAME", "check ELASTIC_USERNAME and ELASTIC_PASSWORD"),
            Auth::ApiKey(_) => {
                ("ELASTIC_API_KEY", "ELASTIC_API_KEY is wrong or expired: create a new key and set it")
            }
        };
        let credentials = Hint { setting, mend };
        Ok(Self { nodes, turn: AtomicUsize::new(0), credentials, slow_after: config.slow_after })
    }

    /// Their addresses, without credentials.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &*node.label)
    }

    /// As [`Cluster::send`](super::Cluster::send).
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, ClusterError> {
        let plain = Encoded::new(&request.body);
        let mut packed = None;
        let mut tried = vec![false; self.nodes.len()];
        let mut last: Option<Result<Answer, ClusterError>> = None;
        loop {
            let Some(chosen) = self.choose(&tried) else {
                if let Some(last) = last {
                    return last;
                }
                self.revive(request.action).await?;
                continue;
            };
            tried[chosen] = true;
            let node = &self.nodes[chosen];
            let body = match &plain {
                Some(plain) if node.gzip => {
                    if packed.is_none() {
                        packed = Some(plain.packed().await);
                    }
                    packed.clone()
                }
                plain => plain.clone(),
            };
            let outcome = self.exchange(node, &request, body).await;
            let again = match &outcome {
                Ok(answer) => answer.is_unavailable() && request.is_repeatable(),
                Err(ClusterError::Connect { .. } | ClusterError::Certificate { .. }) => true,
                Err(ClusterError::Broken { .. }) => request.is_repeatable(),
                Err(_) => false,
            };
            if !again {
                return outcome;
            }
            last = Some(outcome);
        }
    }

    async fn exchange(
        &self,
        node: &Node,
        request: &Request<'_>,
        body: Option<Encoded>,
    ) -> Result<Answer, ClusterError> {
        let exchange = Exchange {
            method: request.method,
            path: &request.path,
            query: &request.query,
            body,
            timeout: request.timeout,
            action: request.action,
        };
        let started = Instant::now();
        let outcome = node.exchange(exchange).await;
        let is_timeout = matches!(outcome, Err(ClusterError::Timeout { .. }));
        if request.path.ends_with("/_bulk") && (outcome.is_ok() || is_timeout) {
            node.took(started.elapsed());
        }
        match outcome {
            Ok((status, body)) => {
                let answer = Answer {
                    status,
                    body,
                    node: node.label.clone(),
                    action: request.action,
                    credentials: self.credentials,
                };
                if answer.is_unavailable() {
                    node.fault(&format!("status {status}"));
                } else {
                    node.success();
                }
                Ok(answer)
            }
            Err(error) => {
                node.fault(&error.to_string());
                Err(error)
            }
        }
    }

    /// Of the nodes that take requests, the one with the fewest under way; in turn among equals.
    fn choose(&self, tried: &[bool]) -> Option<usize> {
        let nodes = &self.nodes;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (0..nodes.len())
            .map(|step| turn.wrapping_add(step) % nodes.len())
            .filter(|at| !tried[*at] && nodes[*at].is_in())
            .min_by_key(|at| nodes[*at].in_flight())
    }

    /// With all nodes taken out: probes those that are due.
    async fn revive(&self, action: &'static str) -> Result<(), ClusterError> {
        if self.probe_due().await {
            return Ok(());
        }
        let now = Instant::now().into_std();
        let waits = self.nodes.iter().map(|node| (node.probe_in(now).unwrap_or_default(), node));
        let first = waits.min_by_key(|(wait, _)| *wait);
        let (retry_in, last) = first.map(|(wait, node)| (wait, node.last_fault())).unwrap_or_default();
        Err(ClusterError::Away { action, retry_in, last })
    }

    /// Probes the nodes that were taken out and are due; true when one of them is back.
    pub(in crate::elasticsearch) async fn probe_due(&self) -> bool {
        let mut is_back = false;
        for node in self.nodes.iter().filter(|node| node.take_probe(2 * PROBE_TIMEOUT)) {
            let exchange = Exchange {
                method: Method::Get,
                path: "_cluster/health",
                query: &[("local", Cow::Borrowed("true"))],
                body: None,
                timeout: PROBE_TIMEOUT,
                action: "reach the cluster",
            };
            match node.exchange(exchange).await {
                Ok((502..=504, _)) => node.fault("it is unavailable"),
                Ok(_) => {
                    node.probed();
                    is_back = true;
                }
                Err(error) => node.fault(&error.to_string()),
            }
        }
        is_back
    }

    /// The nodes that are taken out, with what is wrong with them.
    pub(in crate::elasticsearch) fn out(&self) -> Vec<(String, String)> {
        let out = self.nodes.iter().filter(|node| !node.is_in());
        out.map(|node| (node.label.to_string(), node.last_fault())).collect()
    }

    /// An answer turned out to be none: a fault of the node or of what stands before it.
    pub(in crate::elasticsearch) fn garbled(&self, answer: &Answer) {
        if let Some(node) = self.nodes.iter().find(|node| *node.label == *answer.node) {
            node.fault("its answer is not what the protocol says");
        }
    }

    /// The slowest node and its mean latency in seconds for a bulk, if that is much.
    pub(in crate::elasticsearch) fn slowest(&self) -> Option<(String, f64)> {
        let known: Vec<_> =
            self.nodes.iter().filter_map(|node| Some((&node.label, node.latency_s()?))).collect();
        let quickest = known.iter().map(|(_, latency)| *latency).fold(f64::INFINITY, f64::min);
        let (label, slowest) = known.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let limit = self.slow_after.as_secs_f64();
        let is_slow = slowest >= limit || (slowest >= limit / 10.0 && slowest >= SLOW_FACTOR * quickest);
        is_slow.then(|| (label.to_string(), slowest))
    }
}
