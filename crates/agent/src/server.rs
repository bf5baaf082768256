//! The collector: where it is, and what it is asked.

use std::{path::PathBuf, time::Duration};

use event::Timestamp;
use reqwest::{
    Certificate, Client, Identity, RequestBuilder, Url,
    header::{DATE, RETRY_AFTER},
};
use serde_json::Value as Json;

use crate::answer::Outcome;

/// A collector that takes longer is asked again.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// No answer is read further.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// The second port of a collector, which takes samples, and the first, which takes logs as well.
const SECOND_PORT: u16 = 8000;
const FIRST_PORT: u16 = 8080;

/// Whom to trust at the other end, and what to show there.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// PEM files of authorities that are trusted beside those of the public web.
    pub ca_files: Vec<PathBuf>,
    /// PEM of a certificate and of its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Where samples and logs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Of `POST /data`.
    pub samples: String,
    /// Of `POST /logs`.
    pub logs: String,
}

/// Why a server cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is none.
    #[error("server.url is no address; give one such as http://localhost:8080")]
    Address,
    /// A file of certificates or keys cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, without what stands in it.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] reqwest::Error),
}

impl Place {
    /// `url` is a collector or its `/data`; `logs` another collector for logs.
    ///
    /// # Errors
    /// When one of them is no address.
    pub fn of(url: &str, logs: Option<&str>) -> Result<Self, ServerError> {
        let parsed = |url: &str| Url::parse(url).map_err(|_| ServerError::Address);
        let base = |url: &Url| {
            let mut url = url.clone();
            let path = url.path().trim_end_matches('/');
            let path =
                path.strip_suffix("/data").or_else(|| path.strip_suffix("/logs")).unwrap_or(path).to_owned();
            url.set_path(&path);
            url.set_query(None);
            url.set_fragment(None);
            url
        };
        let at = |base: &Url, path: &str| format!("{}{path}", base.as_str().trim_end_matches('/'));
        let samples = base(&parsed(url)?);
        let logs = match logs {
            Some(logs) => base(&parsed(logs)?),
            None => {
                let mut logs = samples.clone();
                if logs.port() == Some(SECOND_PORT) {
                    // It has a host, so it can have a port.
                    let _ignored = logs.set_port(Some(FIRST_PORT));
                }
                logs
            }
        };
        Ok(Self { samples: at(&samples, "/data"), logs: at(&logs, "/logs") })
    }
}

/// A collector. Clones share its connections.
#[derive(Clone)]
pub struct Server {
    http: Client,
    key: Option<String>,
    /// Where it takes what.
    pub place: Place,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Server {
    /// A collector that is shown this key. Nothing is asked yet.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn new(place: Place, key: Option<String>, trust: &Trust) -> Result<Self, ServerError> {
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| ServerError::File { path: path.clone(), reason: error.to_string() })
        };
        let mut builder = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(1)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("log-sentinel-agent/", env!("CARGO_PKG_VERSION")));
        for path in &trust.ca_files {
            let found = Certificate::from_pem_bundle(&read(path)?).unwrap_or_default();
            if found.is_empty() {
                let reason = "it holds no certificate in PEM".to_owned();
                return Err(ServerError::File { path: path.clone(), reason });
            }
            builder = found.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        if let Some((certificate, key)) = &trust.certificate {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            let identity = Identity::from_pem(&pem).map_err(|_| ServerError::File {
                path: certificate.clone(),
                reason: format!("it is no certificate in PEM, or {} is not its key", key.display()),
            })?;
            builder = builder.identity(identity);
        }
        Ok(Self { http: builder.build().map_err(ServerError::Tls)?, key, place })
    }

    /// Sends samples, a JSON array; gives what became of them, and what the answer says of its time.
    pub(crate) async fn samples(&self, body: Vec<u8>) -> (Outcome, Option<Timestamp>) {
        let request = self.http.post(&self.place.samples).header("content-type", "application/json");
        self.send(request.body(body)).await
    }

    /// Sends events, a JSON object a line. The same key again stores nothing again.
    pub(crate) async fn logs(&self, body: Vec<u8>, key: &str) -> Outcome {
        let request = self.http.post(&self.place.logs).header("content-type", "application/x-ndjson");
        self.send(request.header("idempotency-key", key).body(body)).await.0
    }

    async fn send(&self, request: RequestBuilder) -> (Outcome, Option<Timestamp>) {
        let request = match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return (Outcome::unreached(&error), None),
        };
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let date = response.headers().get(DATE).and_then(|value| date(value.to_str().ok()?));
        let outcome = match body(response).await {
            Ok(body) => Outcome::of(status, after.map(Duration::from_secs), body),
            Err(error) => Outcome::unreached(&error),
        };
        (outcome, date)
    }
}

/// The time of a `Date`, such as `Tue, 01 Dec 2026 08:49:37 GMT`.
fn date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    Some(Timestamp::saturating_from_nanos(zoned.timestamp().as_nanosecond()))
}

/// The answer as JSON; null where it is none.
async fn body(mut response: reqwest::Response) -> Result<Json, reqwest::Error> {
    let mut bytes = vec![];
    while let Some(part) = response.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_data_or_only_the_collector() {
        for (url, logs, expected) in [
            ("http://h:8080", None, ("http://h:8080/data", "http://h:8080/logs")),
            ("http://h:8000/data", None, ("http://h:8000/data", "http://h:8080/logs")),
            ("https://h/sentinel/data/", None, ("https://h/sentinel/data", "https://h/sentinel/logs")),
            ("http://h:8000", Some("http://l:1/logs"), ("http://h:8000/data", "http://l:1/logs")),
            ("http://[::1]:8080/", None, ("http://[::1]:8080/data", "http://[::1]:8080/logs")),
        ] {
            let place = Place::of(url, logs).unwrap();
            assert_eq!((place.samples.as_str(), place.logs.as_str()), expected, "{url}");
        }
        assert!(Place::of("nonsense", None).is_err());
    }

    #[test]
    fn a_date_is_read_as_servers_write_it() {
        let read = date("Tue, 01 Dec 2026 08:49:37 GMT").map(|time| time.to_string());
        assert_eq!(read.as_deref(), Some("2026-12-01T08:49:37Z"));
        assert_eq!(date("yesterday"), None);
    }

    #[test]
    fn a_key_is_not_shown() {
        let place = Place::of("http://h", None).unwrap();
        let server = Server::new(place, Some("hunter2".into()), &Trust::default()).unwrap();
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
