//! Whoever may not ask is refused on every route, whatever it does.

use access::{Needs, Scope};
use api::{Access, AccessConfig, collector_routes};

use axum::{Json, Router, response::IntoResponse, routing};
use problem::Problem;
use serde_json::json;

use super::support::{Collector, ask};

fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn a_web_page_of_others_may_neither_read_nor_write() {
    let collector = Collector::new();
    let routers = [
        (collector.router(&AccessConfig::default()), collector_routes()),
        (super::anomaly::router(), api::anomaly_routes()),
    ];
    let foreign: [&[(&str, &str)]; 4] = [
        &[("origin", "https://evil.example"), ("content-type", "text/plain")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for (router, routes) in routers {
        for (method, path, _) in routes {
            for headers in foreign {
                let reply = ask(&router, method, &filled(path), headers, "x").await;
                assert_eq!(reply.status, 403, "{method} {path} {headers:?}");
                assert_eq!(reply.headers["content-type"], "application/problem+json", "{method} {path}");
                assert_eq!(reply.json["code"], "foreign_origin", "{method} {path}");
            }
        }
        let own = [("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")];
        assert_eq!(ask(&router, "GET", "/readyz", &own, "").await.status, 200);
        let elsewhere = ask(&router, "GET", "http://evil.example/readyz", &[], "").await;
        assert_eq!(elsewhere.status, 421, "a target named in full counts as the host");
    }
}

/// A protocol that does not exist, whose clients know refusals of this form only.
fn toy() -> Router {
    async fn full() -> Problem {
        Problem::new(problem::StatusCode::TOO_MANY_REQUESTS, "overloaded", "Too much", "later")
            .retry_after(std::time::Duration::from_secs(7))
    }
    Router::new()
        .route("/toy/put", routing::post(async || Json(json!({"toy": "taken"}))))
        .route("/toy/full", routing::post(full))
        .route("/toy/panic", routing::post(async || -> String { panic!("a defect") }))
}

#[tokio::test]
async fn a_face_writes_every_refusal_in_its_protocols_form() {
    let config = AccessConfig { api_keys: vec!["alpha".to_owned()], ..AccessConfig::default() };
    let toys =
        ["/toy/put", "/toy/full", "/toy/panic"].map(|path| ("POST", path, Needs::Scope(Scope::Ingest)));
    let face = api::guarded_face(toy(), Access::new(&config), &toys, |problem| {
        (problem.status, Json(json!({"toy": problem.code}))).into_response()
    });
    let router = Collector::new().router(&config).merge(face);
    let key = ("authorization", "Bearer alpha");
    type Header = (&'static str, &'static str);
    type Case<'c> = (&'c str, &'c str, &'c [Header], u16, &'c str, Option<Header>);
    let cases: [Case<'_>; 6] = [
        ("POST", "/toy/put", &[key], 200, "taken", None),
        (
            "POST",
            "/toy/put",
            &[],
            401,
            "unauthorized",
            Some(("www-authenticate", "Bearer realm=\"log-sentinel\"")),
        ),
        ("POST", "/toy/put", &[key, ("sec-fetch-site", "cross-site")], 403, "foreign_origin", None),
        ("GET", "/toy/put", &[key], 405, "method_not_allowed", Some(("allow", "POST"))),
        ("POST", "/toy/full", &[key], 429, "overloaded", Some(("retry-after", "7"))),
        ("POST", "/toy/panic", &[key], 500, "internal", None),
    ];
    for (method, path, headers, status, code, header) in cases {
        let reply = ask(&router, method, path, headers, "x").await;
        assert_eq!((reply.status, &reply.json), (status, &json!({"toy": code})), "{method} {path}");
        assert!(reply.headers.contains_key("x-request-id"), "{method} {path}");
        if let Some((name, value)) = header {
            assert_eq!(reply.headers[name], value, "{method} {path}");
        }
    }
    let other = ask(&router, "GET", "/api/v1/search", &[], "").await;
    assert_eq!((other.status, &other.json["code"]), (401, &json!("unauthorized")), "the others keep theirs");
}
