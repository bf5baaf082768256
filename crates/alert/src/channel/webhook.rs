//! A webhook of anybody: a body of the user's own form, signed as Standard Webhooks are.
//!
//! `webhook-id` and `Idempotency-Key` carry the message's key, so a receiver that looks at them never acts twice.
//! With a secret, `webhook-signature` is `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`
//! ([Standard Webhooks](https://www.standardwebhooks.com/)).

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use ring::hmac;

use super::{
    http,
    send::{Channel, Receipt, SendError, told},
    trust::Trust,
};
use crate::{message::Message, secret::Secret, template::Template};

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Its address; who has it may be able to write there.
    pub url: Secret,
    /// What the body is signed with: Base64 behind `whsec_`, or any text.
    pub secret: Option<Secret>,
    /// The body, as a template over the message; None for the message as JSON.
    pub template: Option<String>,
    /// What the body is; `application/json` has the template's texts written as JSON.
    pub content_type: String,
    /// Further headers.
    pub headers: BTreeMap<String, Secret>,
    /// Whom to trust there.
    pub trust: Trust,
}

/// Sends to one address.
pub(crate) struct Webhook {
    url: reqwest::Url,
    key: Option<hmac::Key>,
    template: Option<Template>,
    headers: HeaderMap,
    http: reqwest::Client,
}

impl Webhook {
    pub(crate) fn new(config: &WebhookConfig, timeout: Duration) -> Result<Self, String> {
        let url = http::address(&config.url.reveal().map_err(|error| told(&error))?)?;
        let key = config.secret.as_ref().map(signing_key).transpose()?;
        let content_type = &config.content_type;
        let template = config.template.as_ref().map(|text| Template::new(text, content_type)).transpose()?;
        let mut headers = HeaderMap::new();
        let not_valid = |name: &str| format!("its header '{name}' is none that HTTP allows");
        let kind = HeaderValue::from_str(content_type).map_err(|_| not_valid("Content-Type"))?;
        headers.insert(CONTENT_TYPE, kind);
        for (name, value) in &config.headers {
            let value = value.reveal().map_err(|error| told(&error))?;
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| not_valid(name))?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| not_valid(name))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(Self { url, key, template, headers, http: http::client(&config.trust, timeout)? })
    }
}

fn signing_key(secret: &Secret) -> Result<hmac::Key, String> {
    let text = secret.reveal().map_err(|error| told(&error))?;
    let bytes = match text.strip_prefix("whsec_") {
        Some(coded) => BASE64_STANDARD.decode(coded).map_err(|_| "its secret is not Base64 behind whsec_")?,
        None => text.into_bytes(),
    };
    if bytes.is_empty() {
        return Err("its secret is empty".to_owned());
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[async_trait::async_trait]
impl Channel for Webhook {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let body = match &self.template {
            Some(template) => template.render(message),
            None => serde_json::to_string(message).map_err(|error| told(&error)),
        };
        let body =
            body.map_err(|reason| SendError::permanent(format!("the body cannot be made: {reason}")))?;
        let timestamp = (message.sent.as_nanos() / 1_000_000_000).to_string();
        let mut request = self.http.post(self.url.clone()).headers(self.headers.clone());
        request = request.header("idempotency-key", &message.key).header("webhook-id", &message.key);
        if let Some(key) = &self.key {
            let signed = hmac::sign(key, format!("{}.{timestamp}.{body}", message.key).as_bytes());
            request = request.header("webhook-signature", format!("v1,{}", BASE64_STANDARD.encode(signed)));
        }
        let request = request.header("webhook-timestamp", timestamp).body(body);
        let answer = http::exchange(request, "the webhook").await?;
        Ok(Receipt::new(&format!("{} {}", answer.status.as_u16(), answer.body)))
    }
}
