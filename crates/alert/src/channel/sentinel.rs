//! Another Log Sentinel: signals as its `POST /ingest` takes them. It knows a signal by its id, so one that comes
//! again updates what is there. Servers that only know the short form of agents find its names in each signal as well.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{
    http,
    send::{Channel, Receipt, SendError, told},
    trust::Trust,
};
use crate::{
    message::{Message, Occasion, Telling},
    secret::Secret,
};

/// Another Log Sentinel, or whoever takes what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelConfig {
    /// Its address, `https://sentinel.example.com:8080`; `/ingest` is added where no path is given.
    pub url: String,
    /// A key of it whose scope is `ingest`.
    pub api_key: Option<Secret>,
    /// Whom to trust there.
    pub trust: Trust,
}

/// Sends to one of them.
pub(crate) struct Sentinel {
    url: reqwest::Url,
    api_key: Option<String>,
    http: reqwest::Client,
}

impl Sentinel {
    pub(crate) fn new(config: &SentinelConfig, timeout: Duration) -> Result<Self, String> {
        let mut url = http::address(&config.url)?;
        if url.path() == "/" {
            url.set_path("/ingest");
        }
        let api_key =
            config.api_key.as_ref().map(Secret::reveal).transpose().map_err(|error| told(&error))?;
        Ok(Self { url, api_key, http: http::client(&config.trust, timeout)? })
    }
}

#[async_trait::async_trait]
impl Channel for Sentinel {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        // One alone is an object: not every server that takes signals knows lists.
        let body = match message.alerts.as_slice() {
            [one] => shape(one),
            all => all.iter().map(shape).collect(),
        };
        let mut request =
            self.http.post(self.url.clone()).header("idempotency-key", &message.key).json(&body);
        if let Some(key) = &self.api_key {
            request = request.bearer_auth(key);
        }
        let answer = http::exchange(request, "the other Log Sentinel").await?;
        Ok(Receipt::new(&answer.body))
    }
}

/// The short form of agents; with a signal, beside what the API shows of it. What a language model says has a form of its own.
fn shape(telling: &Telling) -> Json {
    let words = &telling.words;
    let host = telling.host().unwrap_or("log-sentinel");
    if telling.occasion == Occasion::Assessed {
        return json!({"hostname": host, "ai_analyst": words.what});
    }
    let mut shape = json!({
        "hostname": host,
        "timestamp": telling.last,
        "alert_type": telling.kind,
        "severity": telling.severity,
        "description": format!("{}. {}", words.title, words.what),
        "raw_log": telling.samples.join("\n"),
    });
    if let (Some(signal), Some(members)) = (&telling.signal, shape.as_object_mut()) {
        members.extend(signal.told([&words.title, &words.what, &words.why], &words.next));
        // Of which the other side makes words of its own.
        members.insert("facts".to_owned(), json!(signal.facts));
    }
    shape
}
