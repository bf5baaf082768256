//! One node: its transport, its breaker, and how fast it answers.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use elasticsearch::{
    auth::Credentials,
    cert::{Certificate, CertificateValidation},
    http::{
        Method, Url,
        headers::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue},
        transport::{SingleNodeConnectionPool, Transport, TransportBuilder},
    },
};
use retry::{Breaker, BreakerConfig};

use super::encode::Encoded;
use crate::elasticsearch::{Auth, ClusterError, Config};

/// Longest answer that is read, where its length is said beforehand.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// Failures in a row that take a node out.
const FAILURES_MAX: u32 = 3;
/// Weight of the newest latency in the mean.
const NEWEST: f64 = 0.2;

pub(super) struct Node {
    /// Its address without credentials.
    pub(super) label: Arc<str>,
    /// Whether request bodies to it are packed.
    pub(super) gzip: bool,
    transport: Transport,
    in_flight: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    breaker: Breaker,
    /// Mean latency of bulks, in seconds.
    latency_s: Option<f64>,
    /// The last fault, in words.
    fault: String,
}

/// What is asked of a node.
pub(super) struct Exchange<'r> {
    pub(super) method: Method,
    pub(super) path: &'r str,
    pub(super) query: &'r [(&'r str, std::borrow::Cow<'r, str>)],
    pub(super) body: Option<Encoded>,
    pub(super) timeout: Duration,
    pub(super) action: &'static str,
}

/// Counts a request for as long as it is under way.
struct InFlight<'n>(&'n AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Node {
    pub(super) fn new(address: &str, config: &Config, ca: Option<&[u8]>) -> Result<Self, ClusterError> {
        let refused = |reason: String| ClusterError::Setting { setting: "ELASTIC_ADDR", reason };
        let mut url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| refused("holds an address that is no http or https URL".to_owned()))?;
        let mut credentials = credentials(&config.auth)?;
        if !url.username().is_empty() {
            let user = url.username().to_owned();
            let password = url.password().unwrap_or_default().to_owned();
            credentials.get_or_insert(Credentials::Basic(user, password));
        }
        // Cannot fail for http and https.
        let stripped = url.set_username("").is_ok() && url.set_password(None).is_ok();
        if !stripped {
            return Err(refused("holds an address whose user name cannot be separated".to_owned()));
        }
        url.set_query(None);
        url.set_fragment(None);
        let is_loopback = match url.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
            None => false,
        };
        let label = Arc::from(url.as_str().trim_end_matches('/'));
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::new(url)).disable_proxy();
        if let Some(credentials) = credentials {
            builder = builder.auth(credentials);
        }
        let refused = |source: Box<dyn std::error::Error + Send + Sync>| ClusterError::CaFile {
            path: config.ca_file.clone().unwrap_or_default(),
            source,
        };
        if let Some(pem) = ca {
            let certificate = Certificate::from_pem(pem).map_err(|error| refused(error.into()))?;
            builder = builder.cert_validation(CertificateValidation::Full(certificate));
        }
        let gzip = config.gzip.unwrap_or(!is_loopback);
        if !gzip {
            builder = builder.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        // Nothing else than the certificates can be wrong with it.
        let transport = builder.build().map_err(|error| refused(error.to_string().into()))?;
        let breaker = Breaker::new(&BreakerConfig {
            failures_max: FAILURES_MAX,
            pause_min: config.retry_min,
            pause_max: config.retry_max,
        });
        Ok(Self {
            label,
            gzip,
            transport,
            in_flight: AtomicUsize::new(0),
            state: Mutex::new(State { breaker, latency_s: None, fault: String::new() }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests go there.
    pub(super) fn is_in(&self) -> bool {
        self.state().breaker.is_closed()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long until it may be probed; None when it need not be.
    pub(super) fn probe_in(&self, now: Instant) -> Option<Duration> {
        self.state().breaker.probe_in(now)
    }

    pub(super) fn take_probe(&self, lease: Duration) -> bool {
        self.state().breaker.take_probe(Instant::now(), lease)
    }

    pub(super) fn probed(&self) {
        self.state().breaker.probed();
        tracing::info!(node = &*self.label, "the node answers again and is taken in");
    }

    pub(super) fn success(&self) {
        self.state().breaker.succeeded();
    }

    pub(super) fn fault(&self, fault: &str) {
        let taken_out = {
            let mut state = self.state();
            fault.clone_into(&mut state.fault);
            state.breaker.failed(Instant::now())
        };
        if taken_out {
            tracing::warn!(node = &*self.label, fault, "the node is taken out until it answers again");
        }
    }

    /// The last fault, in words.
    pub(super) fn last_fault(&self) -> String {
        self.state().fault.clone()
    }

    pub(super) fn took(&self, latency: Duration) {
        let mut state = self.state();
        let newest = latency.as_secs_f64();
        state.latency_s = Some(state.latency_s.map_or(newest, |mean| mean + NEWEST * (newest - mean)));
    }

    pub(super) fn latency_s(&self) -> Option<f64> {
        self.state().latency_s
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn exchange(&self, request: Exchange<'_>) -> Result<(u16, Bytes), ClusterError> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let _in_flight = InFlight(&self.in_flight);
        let (action, after) = (request.action, request.timeout);
        let mut headers = HeaderMap::new();
        let body = request.body.map(|body| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
            if body.is_gzip {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            body.bytes
        });
        // Relative, so that no part of a path can be taken for a scheme or host.
        let path = format!("./{}", request.path.trim_start_matches('/'));
        let query = (!request.query.is_empty()).then_some(request.query);
        let sent = self.transport.send(request.method, &path, headers, query, body, Some(after));
        let answer = sent.await.map_err(|error| self.failure(action, after, error))?;
        let status = answer.status_code().as_u16();
        if let Some(length) = answer.content_length().filter(|length| *length > ANSWER_BYTES_MAX) {
            let reason = format!("an answer of {length} bytes is more than is read");
            return Err(ClusterError::Garbled { action, node: self.label.to_string(), reason });
        }
        let bytes = answer.bytes().await.map_err(|error| self.failure(action, after, error))?;
        Ok((status, bytes))
    }

    fn failure(&self, action: &'static str, after: Duration, error: elasticsearch::Error) -> ClusterError {
        let node = self.label.to_string();
        if error.is_timeout() {
            return ClusterError::Timeout { action, node, after };
        }
        let texts = chain(&error);
        let says = |what: &str| texts.iter().any(|text| text.contains(what));
        let is_connect = says("client error (Connect)");
        // What the client wraps around the cause says no more than the cause.
        let source = texts.last().cloned().unwrap_or_default().into();
        if says("invalid peer certificate") || says("certificate not valid") {
            ClusterError::Certificate { action, node, source }
        } else if is_connect {
            ClusterError::Connect { action, node, source }
        } else {
            ClusterError::Broken { action, node, source }
        }
    }
}

/// The texts of an error and its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}

fn credentials(auth: &Auth) -> Result<Option<Credentials>, ClusterError> {
    Ok(match auth {
        Auth::None => None,
        Auth::Basic { username, password } => Some(Credentials::Basic(username.clone(), password.clone())),
        Auth::ApiKey(key) => match key.split_once(':') {
            Some((id, secret)) => Some(Credentials::ApiKey(id.to_owned(), secret.to_owned())),
            None if HeaderValue::from_str(key).is_ok() && key.is_ascii() && !key.is_empty() => {
                Some(Credentials::EncodedApiKey(key.clone()))
            }
            None => {
                let reason = "is neither the encoded form of an API key nor 'id:secret'".to_owned();
                return Err(ClusterError::Setting { setting: "ELASTIC_API_KEY", reason });
            }
        },
    })
}
