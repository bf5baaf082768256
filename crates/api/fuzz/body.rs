// What is done with each input of the fuzz targets; ordinary tests do the same.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, OnceLock},
};

use api::{Access, AccessConfig, AnomalyConfig, AnomalyState, CollectorConfig, CollectorState};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Uri, request::Builder},
};
use event::{Analyzed, Batch, Event, EventId, Position, Template, Timestamp, Verdict};
use http_body_util::BodyExt;
use index::{Index, live::Live, scan::ScanIndex};
use journal::Journal;
use search::Searcher;
use telemetry::{health::Health, task::Stop};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch};
use tower::ServiceExt;

/// Hosts that may be named beside those of loopback.
const ALLOWED: [&str; 3] = ["logs.example", "logs.example.org:8443", "[2001:db8::1]"];

/// Both services with a few events, and every path that can be read.
struct Service {
    runtime: Runtime,
    collector: Router,
    anomaly: Router,
    paths: Vec<(bool, String)>,
    _dir: TempDir,
}

fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (dir, access) = (
            tempfile::tempdir().unwrap(),
            AccessConfig { allowed_hosts: ALLOWED.map(str::to_owned).into(), ..AccessConfig::default() },
        );
        let _entered = runtime.enter();
        let (collector, anomaly) = routers(&dir, &runtime);
        let access = Access::new(&access);
        let paths =
            |of_collector, path: &str| (of_collector, path.replace("{id}", "1").replace("{version}", "1"));
        let collectors = api::collector_routes().into_iter().filter(|route| route.0 == "GET");
        let others = api::anomaly_routes().into_iter().filter(|route| route.0 == "GET");
        let paths =
            collectors.map(|route| paths(true, route.1)).chain(others.map(|route| paths(false, route.1)));
        let paths = paths.collect();
        let collector = api::guarded(collector, access.clone(), &api::collector_routes());
        let anomaly = api::guarded(anomaly, access, &api::anomaly_routes());
        drop(_entered);
        Service { collector, anomaly, paths, runtime, _dir: dir }
    })
}

fn routers(dir: &TempDir, runtime: &Runtime) -> (Router, Router) {
    let journal = Journal::open(journal::Config::new(dir.path())).unwrap();
    let letters = dead_letter::Config { dir: dir.path().join("dead_letters"), budget_bytes: 8 << 20 };
    let letters = dead_letter::DeadLetterStream::open(letters, &journal, Position::default()).unwrap();
    let (budget_bytes, held_bytes_max) = (8 << 20, 1 << 20);
    let verdicts = verdicts::Config { dir: dir.path().join("verdicts"), budget_bytes, held_bytes_max };
    let verdicts = verdicts::Verdicts::open(verdicts, &journal).unwrap();
    let index = Arc::new(ScanIndex::new());
    runtime.block_on(index.write(&events(&journal))).unwrap();
    let (_, written) = watch::channel(Position::default());
    let searcher = Searcher::new(index, journal.clone(), verdicts, written, search::Config::default());
    let metrics = telemetry::metric::install("test").unwrap();
    let anomaly = AnomalyState {
        service: Arc::new(anomaly::Service::open(anomaly::Config::new(dir.path().join("models"))).unwrap()),
        searcher: Some(searcher.clone()),
        trainings: api::Trainings::default(),
        stop: Stop::new(),
        health: Health::new(),
        metrics: metrics.clone(),
        config: AnomalyConfig::default(),
    };
    let collector = CollectorState {
        dead_letters: Some(Arc::new(letters)),
        door: intake::Door::new(journal, intake::Config::default(), intake::system_clock),
        searcher,
        live: Live::new(32 << 10),
        stop: Stop::new(),
        health: Health::new(),
        metrics,
        config: CollectorConfig::default(),
    };
    (api::collector(collector), api::anomaly(anomaly))
}

fn events(journal: &Journal) -> Batch<'static> {
    let analyzed = |number: u32| {
        let time =
            Timestamp::from_nanos(1_717_243_200_000_000_000 + i64::from(number) * 60_000_000_000).unwrap();
        let mut event = Event::new(format!("Failed password for root from 10.0.0.{number}"), time);
        event.source = Some("sshd".into());
        let id = EventId { journal: journal.id(), position: Position { segment: 0, record: number } };
        let template = Some(Arc::new(Template::new("Failed password for root from <ip>")));
        Analyzed { id, event, shape: 1, variables: 0..0, template, verdict: Verdict::unscored() }
    };
    let events: Vec<_> = (0..4).map(analyzed).collect();
    Batch { end: Position { segment: 0, record: 4 }, events, variables: Vec::new() }
}

/// The status of an answer, whose refusals must be of the form of RFC 9457 and short.
fn status(of_collector: bool, request: Request<Body>) -> u16 {
    let Service { runtime, collector, anomaly, .. } = service();
    let router = if of_collector { collector } else { anomaly };
    runtime.block_on(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        assert!(status < 500, "{status}");
        if status >= 400 {
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(problem["code"].is_string() && problem["status"] == status, "{problem}");
        }
        status
    })
}

/// Asks one of all paths with text as the query string: it answers, or says what is wrong.
pub(crate) fn parameters(bytes: &[u8]) {
    let Some((which, query)) = bytes.split_first() else { return };
    let (of_collector, path) = &service().paths[usize::from(*which) % service().paths.len()];
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"=&%+-_.:*~,;/?".contains(byte);
    let encoded: String = query
        .iter()
        .take(4000)
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let request = Request::get(format!("{path}?{encoded}")).header("host", "localhost:8080");
    status(*of_collector, request.body(Body::empty()).unwrap());
}

/// Whether a host may be named, as [`Uri`] reads it. An address may lack its brackets.
fn may_be_named(authority: &str) -> bool {
    let brackets = if authority.parse::<Ipv6Addr>().is_ok() { ["[", "]"] } else { ["", ""] };
    let authority = brackets.join(authority).to_ascii_lowercase();
    let Ok(uri) = format!("http://{authority}/").parse::<Uri>() else { return false };
    let name = uri.host().unwrap_or_default();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    bare == "localhost" || is_loopback || ALLOWED.iter().any(|allowed| [name, &authority].contains(allowed))
}

/// Asks with lines as `Host`, `Origin` and `Sec-Fetch-Site`: what is answered is addressed to this service, and comes
/// from none of the pages of others.
pub(crate) fn origins(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(HeaderValue::from_bytes);
    let (host, origin, site) = (lines.next(), lines.next(), lines.next());
    let put = |request: Builder, name, value: &Option<Result<HeaderValue, _>>| match value {
        Some(Ok(value)) if !value.is_empty() => request.header(name, value),
        _ => request,
    };
    let request = put(Request::get("/livez"), "host", &host);
    let request = put(put(request, "origin", &origin), "sec-fetch-site", &site).body(Body::empty()).unwrap();
    let text = |name| {
        request.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("\u{fffd}").to_owned())
    };
    let (host, origin, site) = (text("host"), text("origin"), text("sec-fetch-site"));
    let status = status(true, request);
    assert!([200, 403, 421].contains(&status), "{status}");
    if status != 200 {
        return;
    }
    let host = host.unwrap_or_default();
    assert!(may_be_named(&host), "addressed to {host:?}");
    if let Some(origin) = origin {
        let uri: Uri = origin.parse().unwrap();
        let named = uri.authority().map_or("", |authority| authority.as_str()).to_ascii_lowercase();
        let port = if uri.scheme_str() == Some("https") { ":443" } else { ":80" };
        let own = |text: &str| text.to_ascii_lowercase().trim_end_matches(port).to_owned();
        assert!(["http", "https"].contains(&uri.scheme_str().unwrap_or_default()), "{origin}");
        assert!(own(&host) == own(&named) || may_be_named(&named), "{origin} asks {host}");
    }
    assert!(site.is_none_or(|site| {
        ["same-origin", "same-site", "none"].contains(&site.to_ascii_lowercase().as_str())
    }));
}
