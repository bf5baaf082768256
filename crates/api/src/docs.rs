//! What the service says about itself: OpenAPI documents, the page that shows them, the root.

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use problem::Problem;
use serde_json::json;

/// OpenAPI 3.1 of the collector.
pub const COLLECTOR: &str = include_str!("../openapi/collector.json");
/// OpenAPI 3.1 of the anomaly service.
pub const ANOMALY: &str = include_str!("../openapi/anomaly.json");

const PAGE: &str = include_str!("../assets/docs.html");

pub(crate) fn openapi(document: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// The page that renders `/openapi.json`.
pub(crate) fn page() -> Response {
    html(PAGE)
}

/// The root: the dashboard for browsers, a hint for everything else.
pub(crate) fn root(headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = if prefers_html(accept) {
        dashboard::page()
    } else {
        axum::Json(json!({
            "name": "log-sentinel",
            "version": env!("CARGO_PKG_VERSION"),
            "docs": "/docs",
            "openapi": "/openapi.json",
            "search": "/api/v1/search?q=level:error&from=now-1h",
        }))
        .into_response()
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept"));
    response
}

/// A page whose style and script run only under this answer's nonce, and that may load nothing but
/// what this server has.
fn html(template: &str) -> Response {
    let mut random = [0; 16];
    if let Err(error) = getrandom::fill(&mut random) {
        tracing::error!(%error, "no random bytes for a page's nonce");
        return Problem::internal().into_response();
    }
    let nonce = format!("{:032x}", u128::from_be_bytes(random));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, template.replace("{{nonce}}", &nonce)).into_response()
}

/// Whether text/html is named in this Accept header, and with no less weight than JSON (RFC 9110
/// section 12.5.1). Wildcards do not count: programs send them.
fn prefers_html(accept: &str) -> bool {
    let weight = |wanted: &str| {
        accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let media = parts.next()?;
                let weight =
                    parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
                (media.eq_ignore_ascii_case(wanted)).then_some(weight.unwrap_or(0.0))
            })
            .fold(0.0, f32::max)
    };
    let html = weight("text/html");
    html > 0.0 && html >= weight("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_html_and_programs_json() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json;q=0.5, text/html", true),
            ("application/json, text/html;q=0.5", false),
            ("*/*", false),
            ("", false),
            ("text/html;q=0", false),
            ("text/html;q=banana", false),
        ] {
            assert_eq!(prefers_html(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for outside in [
            "http:",
            "https:",
            "src=\"//",
            "href=\"//",
            "@import",
            "url(",
            " style=",
            "onclick=",
            "onload=",
            "innerHTML",
        ] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
        let bare = PAGE.matches("<script").count() + PAGE.matches("<style").count();
        assert_eq!(PAGE.matches("nonce=\"{{nonce}}\"").count(), bare);
    }
}
