//! What stands under names that HTTP servers use, and others too.

use std::{borrow::Cow, net::SocketAddr};

use event::{Severity, Value, ecs};

use super::Record;
use crate::{
    fit::fit,
    names::{METHOD, STATUS, URL},
};

impl<'a> Record<'a> {
    /// Puts the value of a name that another schema has for an ECS field there, when it fits.
    pub(super) fn stand_for(&mut self, ecs: &'static str, path: Cow<'a, str>, value: Value<'a>) {
        if self.has(ecs) {
            self.label(&path, value);
            return;
        }
        let socket = match &value {
            Value::String(text) if ecs == "source.ip" => text.parse::<SocketAddr>().ok(),
            _ => None,
        };
        if let Some(socket) = socket {
            self.add(ecs.into(), socket.ip().to_string().into());
            if !self.has("source.port") {
                self.add("source.port".into(), Value::Int(socket.port().into()));
            }
            return;
        }
        let Some(known) = ecs::known(ecs) else { return self.label(&path, value) };
        match fit(known.kind, value) {
            Ok(value) => self.add(ecs.into(), value),
            Err(value) => self.label(&path, value),
        }
    }

    /// Puts what may be HTTP's where ECS has it, when a request is told of at all.
    pub(super) fn settle_web(&mut self) {
        if self.web.is_empty() {
            return;
        }
        let web = std::mem::take(&mut self.web);
        let is = |wanted: &str| web.iter().any(|(ecs, _, value)| *ecs == wanted && is_http(ecs, value));
        let has_method = is(METHOD) || self.has(METHOD);
        let is_web =
            if has_method { is(URL) || is(STATUS) } else { is(STATUS) && (self.has("source.ip") || is(URL)) };
        for (ecs, path, value) in web {
            if is_web && is_http(ecs, &value) {
                let value = if ecs == METHOD { upper(value) } else { value };
                self.stand_for(ecs, path, value)
            } else {
                self.label(&path, value)
            }
        }
    }

    pub(super) fn web_level(&self) -> Option<Severity> {
        match self.fields.iter().find(|field| field.path == STATUS)?.value {
            Value::Int(500..) => Some(Severity::Error),
            Value::Int(400..) => Some(Severity::Warn),
            _ => None,
        }
    }
}

/// As frameworks for JavaScript write them.
fn is_lower_method(text: &str) -> bool {
    matches!(text, "get" | "head" | "post" | "put" | "patch" | "delete" | "options")
}

fn upper(value: Value<'_>) -> Value<'_> {
    match value {
        Value::String(text) if is_lower_method(&text) => Value::String(text.to_ascii_uppercase().into()),
        value => value,
    }
}

/// Whether a value is what HTTP has there.
fn is_http(ecs: &str, value: &Value<'_>) -> bool {
    match (ecs, value) {
        (METHOD, Value::String(text)) => {
            let is_upper = || text.bytes().all(|byte| byte.is_ascii_uppercase());
            (3..=12).contains(&text.len()) && (is_upper() || is_lower_method(text))
        }
        (STATUS, Value::Int(status)) => (100..600).contains(status),
        (STATUS, Value::String(text)) => {
            text.len() == 3 && text.parse().is_ok_and(|status: u16| (100..600).contains(&status))
        }
        (URL, Value::String(text)) => text.starts_with('/') || text.contains("://"),
        _ => false,
    }
}
