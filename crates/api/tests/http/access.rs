//! Whoever may not ask is refused on every route, whatever it does.

use api::{AccessConfig, collector_routes};

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
        for (method, path) in routes {
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
