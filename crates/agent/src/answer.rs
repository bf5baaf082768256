//! What became of something that was sent.

use std::{error::Error as _, time::Duration};

use reqwest::StatusCode;
use serde_json::Value as Json;
use telemetry::clean;

/// Longest reason kept.
const REASON_CHARS_MAX: usize = 300;

/// What became of something that was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It is stored; this was answered.
    Taken(Json),
    /// It may be taken later: nobody answered, the server is busy, or does not know this agent yet.
    Later {
        /// Why, in words.
        reason: String,
        /// When the server wants to be asked again.
        after: Option<Duration>,
    },
    /// It may be taken in smaller parts; nothing of it was stored.
    TooLarge {
        /// Why, in words.
        reason: String,
    },
    /// It will never be taken as it is.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

impl Outcome {
    pub(crate) fn of(status: StatusCode, after: Option<Duration>, body: Json) -> Self {
        if status.is_success() {
            return Self::Taken(body);
        }
        let said = ["detail", "title", "error", "message"].iter().find_map(|name| body[*name].as_str());
        let said = said.map_or(String::new(), |said| format!(": {}", shown(said)));
        let reason = match status.as_u16() {
            401 => format!("the key is not known there (401){said}"),
            403 => format!("the key may not send this (403){said}"),
            404 | 421 => format!("there is no collector at this address ({}){said}", status.as_u16()),
            code => format!("it answered {code}{said}"),
        };
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge { reason },
            _ if is_about_content(status) => Self::Refused { reason },
            _ => Self::Later { reason, after },
        }
    }

    pub(crate) fn unreached(error: &reqwest::Error) -> Self {
        // The address may hold what should not be seen; the cause says enough.
        let mut cause = error.source();
        while let Some(inner) = cause.and_then(std::error::Error::source) {
            cause = Some(inner);
        }
        let cause = cause.map_or_else(|| "the exchange broke off".to_owned(), ToString::to_string);
        let reason =
            if error.is_timeout() { "nothing was answered in time".to_owned() } else { shown(&cause) };
        Self::Later { reason, after: None }
    }
}

/// Whether a status says that the same would be answered to the same for ever.
fn is_about_content(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 409 | 415 | 422)
}

fn shown(text: &str) -> String {
    clean::line(text).chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_be_taken_later_is_told_from_what_never_will() {
        let of = |code: u16| {
            let body = json!({"detail": "no\u{1b}[31m room"});
            Outcome::of(StatusCode::from_u16(code).unwrap(), None, body)
        };
        assert!(matches!(of(200), Outcome::Taken(_)));
        for code in [401, 403, 404, 408, 421, 429, 500, 502, 503, 507] {
            let Outcome::Later { reason, .. } = of(code) else { panic!("{code}") };
            assert!(!reason.contains('\u{1b}'), "{reason}");
        }
        assert!(matches!(of(413), Outcome::TooLarge { .. }));
        for code in [400, 415, 422] {
            assert!(matches!(of(code), Outcome::Refused { .. }), "{code}");
        }
    }
}
