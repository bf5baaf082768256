//! A list of nodes that requests are sent to: the one with the least to do comes first, a dead one
//! is taken out and tried again, and every failure is told apart by what mends it.

pub(super) mod backoff;
mod breaker;
mod encode;
mod node;
mod server;

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use elasticsearch::cert::Certificate;
pub use elasticsearch::http::Method;
use serde_json::Value as Json;
use tokio::time::Instant;

pub use self::server::{Flavor, Server};
use self::{
    encode::Encoded,
    node::{Exchange, Node},
};
use super::{Auth, ClusterError, Config};

/// How long a node that was taken out may take to show that it is back.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// A node this many times slower than the quickest is called slow, if it also takes a tenth of
/// what makes any node slow.
const SLOW_FACTOR: f64 = 4.0;

/// The nodes of a cluster. Clones share them.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    nodes: Vec<Node>,
    turn: AtomicUsize,
    server: tokio::sync::OnceCell<Server>,
    /// Which setting holds the credentials.
    setting: &'static str,
    /// What to do when they are refused.
    mend: &'static str,
    slow_after: Duration,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub enum Body {
    /// None.
    None,
    /// One JSON value.
    Json(Json),
    /// Lines of JSON, the last one ended, too.
    Ndjson(Bytes),
}

/// What is asked of a cluster.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// HTTP method.
    pub method: Method,
    /// Path without query, its parts percent-encoded where that is needed.
    pub path: Cow<'r, str>,
    /// Parameters, not yet encoded.
    pub query: Vec<(&'r str, Cow<'r, str>)>,
    /// Body.
    pub body: Body,
    /// From the first attempt to connect to the last byte of the answer.
    pub timeout: Duration,
    /// What it is for, to be read behind "cannot".
    pub action: &'static str,
}

/// What a node said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Bytes,
    node: Arc<str>,
    action: &'static str,
    setting: &'static str,
    mend: &'static str,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes = self.shared.nodes.iter().map(|node| &node.label);
        formatter.debug_list().entries(nodes).finish()
    }
}

impl Cluster {
    /// Prepares the transports; nothing is sent yet.
    ///
    /// # Errors
    /// When an address, a credential or the CA file cannot be used.
    pub fn new(config: &Config) -> Result<Self, ClusterError> {
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
        let shared = Shared {
            nodes,
            turn: AtomicUsize::new(0),
            server: tokio::sync::OnceCell::new(),
            setting,
            mend,
            slow_after: config.slow_after,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Sends a request to a node that takes requests. Whatever a node answers is an answer; see
    /// [`Answer::require_success`]. When a node cannot be reached another one is asked, and also
    /// when it fails half-way, if asking twice does no harm.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, ClusterError> {
        let plain = Encoded::new(&request.body);
        let mut packed = None;
        let mut tried = vec![false; self.shared.nodes.len()];
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
            let node = &self.shared.nodes[chosen];
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
                Ok(answer) => answer.is_unavailable() && is_repeatable(&request),
                Err(ClusterError::Connect { .. } | ClusterError::Certificate { .. }) => true,
                Err(ClusterError::Broken { .. }) => is_repeatable(&request),
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
                let answer = self.answer(node, status, body, request.action);
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

    fn answer(&self, node: &Node, status: u16, body: Bytes, action: &'static str) -> Answer {
        let Shared { setting, mend, .. } = *self.shared;
        Answer { status, body, node: node.label.clone(), action, setting, mend }
    }

    /// Of the nodes that take requests, the one with the fewest under way; in turn among equals.
    fn choose(&self, tried: &[bool]) -> Option<usize> {
        let nodes = &self.shared.nodes;
        let turn = self.shared.turn.fetch_add(1, Ordering::Relaxed);
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
        let now = Instant::now();
        let waits = self.shared.nodes.iter().map(|node| (node.probe_in(now).unwrap_or_default(), node));
        let first = waits.min_by_key(|(wait, _)| *wait);
        let (retry_in, last) = first.map(|(wait, node)| (wait, node.last_fault())).unwrap_or_default();
        Err(ClusterError::Away { action, retry_in, last })
    }

    /// Probes the nodes that were taken out and are due; true when one of them is back.
    pub(super) async fn probe_due(&self) -> bool {
        let mut is_back = false;
        for node in self.shared.nodes.iter().filter(|node| node.take_probe(2 * PROBE_TIMEOUT)) {
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

    /// What kind of server it is: asked once, then remembered.
    ///
    /// # Errors
    /// When it does not answer, is of another kind or too old.
    pub async fn server(&self) -> Result<Server, ClusterError> {
        self.shared.server.get_or_try_init(|| server::probe(self)).await.copied()
    }

    /// What kind of server it is, if it was asked already.
    pub(super) fn known_server(&self) -> Option<Server> {
        self.shared.server.get().copied()
    }

    /// The nodes that are taken out, with what is wrong with them.
    pub(super) fn nodes_out(&self) -> Vec<(String, String)> {
        let out = self.shared.nodes.iter().filter(|node| !node.is_in());
        out.map(|node| (node.label.to_string(), node.last_fault())).collect()
    }

    /// An answer turned out to be none: a fault of the node or of what stands before it.
    pub(super) fn garbled(&self, answer: &Answer) {
        if let Some(node) = self.shared.nodes.iter().find(|node| *node.label == *answer.node) {
            node.fault("its answer is not what the protocol says");
        }
    }

    /// The slowest node and its mean latency in seconds for a bulk, if that is much.
    pub(super) fn slow_node(&self) -> Option<(String, f64)> {
        let known: Vec<_> =
            self.shared.nodes.iter().filter_map(|node| Some((&node.label, node.latency_s()?))).collect();
        let quickest = known.iter().map(|(_, latency)| *latency).fold(f64::INFINITY, f64::min);
        let (label, slowest) = known.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let limit = self.shared.slow_after.as_secs_f64();
        let is_slow = slowest >= limit || (slowest >= limit / 10.0 && slowest >= SLOW_FACTOR * quickest);
        is_slow.then(|| (label.to_string(), slowest))
    }
}

/// Whether carrying a request out twice is the same as once.
fn is_repeatable(request: &Request<'_>) -> bool {
    let reads = ["_search", "_msearch", "_count", "_field_caps", "_refresh", "_mget", "_pit"];
    match request.method {
        Method::Get | Method::Head | Method::Put | Method::Delete => true,
        Method::Post => request.path.rsplit('/').next().is_some_and(|last| reads.contains(&last)),
    }
}

impl Answer {
    /// Whether a gateway or the node itself says that it cannot serve now.
    pub(super) fn is_unavailable(&self) -> bool {
        matches!(self.status, 502..=504)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Json, ClusterError> {
        serde_json::from_slice(&self.body).map_err(|_| self.garbled("the answer is no JSON"))
    }

    /// The node that gave it.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// An error saying what is wrong with this answer.
    pub(super) fn garbled(&self, reason: &str) -> ClusterError {
        let (action, node) = (self.action, self.node.to_string());
        ClusterError::Garbled { action, node, reason: format!("{reason} (status {})", self.status) }
    }

    /// The kind of refusal and its reason, as the server names them; empty where it does not.
    fn refusal(&self) -> (String, String) {
        let Ok(json) = serde_json::from_slice::<Json>(&self.body) else { return Default::default() };
        refusal(&json["error"])
    }

    /// This answer, if the server did what it was asked.
    ///
    /// # Errors
    /// When it did not, told apart by what mends it.
    pub fn require_success(self) -> Result<Self, ClusterError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let (kind, reason) = self.refusal();
        // Elasticsearch refuses in JSON.
        if kind.is_empty()
            && reason.is_empty()
            && !matches!(self.status, 400 | 401 | 403 | 413 | 429 | 502..=504)
        {
            return Err(self.garbled("the answer is no refusal of Elasticsearch"));
        }
        Err(self.error(self.status, kind, reason))
    }

    /// What a refusal means, of the whole request or of a part of it.
    pub(super) fn error(&self, status: u16, kind: String, reason: String) -> ClusterError {
        let (action, node) = (self.action, self.node.to_string());
        let reason = if reason.is_empty() { format!("status {status} {kind}") } else { reason };
        match status {
            _ if is_block(&kind) || kind == "index_closed_exception" => {
                ClusterError::Blocked { action, reason }
            }
            401 => ClusterError::Unauthorized { action, node, mend: self.mend, reason },
            403 => ClusterError::Forbidden { action, node, setting: self.setting, reason },
            404 if matches!(&*kind, "index_not_found_exception" | "resource_not_found_exception") => {
                ClusterError::Missing { action, reason }
            }
            429 => ClusterError::Busy { action, reason },
            408 | 500.. => ClusterError::Unavailable { action, node, status, reason },
            status => ClusterError::Refused { action, status, kind, reason },
        }
    }
}

/// Whether a refusal of this kind goes away once a block is removed.
pub(super) fn is_block(kind: &str) -> bool {
    kind == "cluster_block_exception" || kind == "index_block_exception"
}

/// The kind and reason within an `error` member: an object, or in some answers a text.
pub(super) fn refusal(error: &Json) -> (String, String) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    match error {
        Json::String(reason) => (String::new(), reason.clone()),
        _ => {
            // What caused it says more than where it was noticed.
            let cause = &error["caused_by"]["reason"];
            let reason = text(&error["reason"]);
            let reason = match cause.as_str() {
                Some(cause) if !reason.contains(cause) => format!("{reason}: {cause}"),
                _ => reason,
            };
            (text(&error["type"]), reason)
        }
    }
}
