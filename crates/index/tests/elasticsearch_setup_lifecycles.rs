//! Set-up against servers that have lifecycles, which no freely available test server has: a small
//! server in this process keeps what it is given and answers in the forms of the reference of
//! Elasticsearch 8.19.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use index::elasticsearch::{
    Cluster, Config as ClusterConfig,
    setup::{self, Action, Config, Kind, Retention, StreamLifecycle},
};
use serde_json::{Value as Json, json};

/// Which kind of server it is.
#[derive(Clone, Copy, PartialEq)]
enum Lifecycles {
    Policies,
    Streams,
}

struct Server {
    lifecycles: Lifecycles,
    /// What it holds, by path.
    objects: Mutex<BTreeMap<String, Json>>,
    /// `PUT` and `POST` with their paths, in order.
    writes: Mutex<Vec<String>>,
    /// Whether the data stream exists, and the content mark of its present index.
    stream: Mutex<Option<Json>>,
}

impl Server {
    fn start(lifecycles: Lifecycles) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(Self {
            lifecycles,
            objects: Mutex::default(),
            writes: Mutex::default(),
            stream: Mutex::default(),
        });
        let shared = server.clone();
        let accept = move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                let serve = move || shared.serve(stream.unwrap());
                std::thread::Builder::new().name("connection".to_owned()).spawn(serve).unwrap();
            }
        };
        std::thread::Builder::new().name("server".to_owned()).spawn(accept).unwrap();
        (server, url)
    }

    /// Answers requests until the client goes away.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            let mut words = line.split_whitespace();
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            let path = target.split('?').next().unwrap().replace("%40", "@").replace("%2A", "*");
            let mut length = 0;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                if header.trim().is_empty() {
                    break;
                }
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let (status, answer) = self.answer(method, &path, body);
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            stream.write_all((head + &answer).as_bytes()).unwrap();
        }
    }

    fn answer(&self, method: &str, path: &str, body: Json) -> (u16, Json) {
        if method != "GET" && path != "/_analyze" {
            self.writes.lock().unwrap().push(format!("{method} {path}"));
        }
        let missing = (
            404,
            json!({"error": {"type": "resource_not_found_exception", "reason": "none"}, "status": 404}),
        );
        let no_route =
            (400, json!({"error": format!("no handler found for uri [{path}] and method [{method}]")}));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", [""]) => (200, json!({"cluster_name": "c", "version": {"number": "8.19.0"}})),
            ("POST", ["_analyze"]) => (200, json!({"tokens": []})),
            (_, ["_ilm", ..]) if self.lifecycles == Lifecycles::Streams => no_route,
            (_, ["_data_stream", _, "_lifecycle"]) if self.lifecycles == Lifecycles::Policies => no_route,
            ("PUT", ["_ilm", "policy", _] | ["_component_template", _] | ["_index_template", _]) => {
                self.objects.lock().unwrap().insert(path.to_owned(), body);
                (200, json!({"acknowledged": true}))
            }
            ("GET", ["_ilm", "policy", name]) => match self.objects.lock().unwrap().get(path) {
                None => missing,
                Some(body) => {
                    // The server spells out a bound that nobody asked for.
                    let mut policy = body["policy"].clone();
                    policy["phases"]["hot"]["actions"]["rollover"]["max_primary_shard_docs"] =
                        json!(200_000_000);
                    (
                        200,
                        json!({*name: {"version": 1, "modified_date": "2026-01-01T00:00:00.000Z",
                        "policy": policy, "in_use_by": {"indices": [], "data_streams": []}}}),
                    )
                }
            },
            ("GET", ["_component_template", ..]) => {
                (200, self.listed(path, "component_templates", "component_template"))
            }
            ("GET", ["_index_template", ..]) => (200, self.listed(path, "index_templates", "index_template")),
            ("GET", ["_resolve", "index", name]) => match &*self.stream.lock().unwrap() {
                None => missing,
                Some(_) => (
                    200,
                    json!({"indices": [], "aliases": [], "data_streams": [
                    {"name": name, "backing_indices": [".ds-1"], "timestamp_field": "@timestamp"}]}),
                ),
            },
            ("GET", ["_data_stream", name, "_lifecycle"]) => match &*self.stream.lock().unwrap() {
                None => missing,
                Some(stream) => {
                    (200, json!({"data_streams": [{"name": name, "lifecycle": stream["lifecycle"]}]}))
                }
            },
            ("PUT", ["_data_stream", _, "_lifecycle"]) => {
                self.stream.lock().unwrap().as_mut().unwrap()["lifecycle"] = body;
                (200, json!({"acknowledged": true}))
            }
            ("GET", [_, "_mapping"]) => {
                let mappings = self.stream.lock().unwrap().as_ref().unwrap()["mappings"].clone();
                (200, json!({".ds-1": {"mappings": mappings}}))
            }
            ("POST", [_, "_rollover"]) => {
                self.begin_index();
                (200, json!({"acknowledged": true, "rolled_over": true}))
            }
            _ => panic!("not foreseen: {method} {path}"),
        }
    }

    /// The objects whose path fits one that may end in a star.
    fn listed(&self, path: &str, list: &str, item: &str) -> Json {
        let prefix = path.trim_end_matches('*');
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|(path, _)| path.starts_with(prefix)).map(|(path, body)| {
            let name = path.rsplit('/').next().unwrap();
            json!({"name": name, item: body})
        });
        json!({list: found.collect::<Vec<_>>()})
    }

    /// Begins the data stream or its next index as the templates are now.
    fn begin_index(&self) {
        let objects = self.objects.lock().unwrap();
        let template = |part: &str| objects.get(&format!("/_component_template/logs-sentinel@{part}"));
        let mappings = template("mappings").unwrap()["template"]["mappings"].clone();
        let lifecycle = template("lifecycle").unwrap()["template"]["lifecycle"].clone();
        let mut stream = self.stream.lock().unwrap();
        let lifecycle = stream.as_ref().map_or(lifecycle, |stream| stream["lifecycle"].clone());
        *stream = Some(json!({"mappings": mappings, "lifecycle": lifecycle}));
    }

    fn take_writes(&self) -> Vec<String> {
        std::mem::take(&mut self.writes.lock().unwrap())
    }
}

fn config(days: u64) -> Config {
    Config { retention: Some(Duration::from_secs(days * 24 * 60 * 60)), ..Config::default() }
}

async fn set_up(cluster: &Cluster, config: &Config) -> setup::Plan {
    let plan = setup::plan(cluster, config).await.unwrap();
    setup::apply(cluster, config, &plan).await.unwrap();
    plan
}

#[tokio::test]
async fn a_server_with_policies_deletes_by_them() {
    let (server, url) = Server::start(Lifecycles::Policies);
    let cluster = Cluster::new(&ClusterConfig::new(vec![url])).unwrap();
    let plan = set_up(&cluster, &config(30)).await;
    assert!(matches!(plan.retention, Retention::Policy(_)), "{plan}");
    assert_eq!(
        server.take_writes(),
        [
            // Twice: the mark holds the hash of what the server made of it.
            "PUT /_ilm/policy/logs-sentinel",
            "PUT /_ilm/policy/logs-sentinel",
            "PUT /_component_template/logs-sentinel@mappings",
            "PUT /_component_template/logs-sentinel@settings",
            "PUT /_component_template/logs-sentinel@lifecycle",
            "PUT /_index_template/logs-sentinel",
        ]
    );
    server.begin_index();
    let again = setup::plan(&cluster, &config(30)).await.unwrap();
    assert!(again.is_empty() && !again.has_kept(), "{again}");

    let plan = set_up(&cluster, &config(7)).await;
    let written: Vec<Kind> =
        plan.steps.iter().filter(|step| step.action != Action::Unchanged).map(|step| step.kind).collect();
    assert_eq!(written, [Kind::Policy], "{plan}");
    let objects = server.objects.lock().unwrap();
    let phases = &objects["/_ilm/policy/logs-sentinel"]["policy"]["phases"];
    assert_eq!(
        (&phases["delete"]["min_age"], &phases["hot"]["actions"]["rollover"]["max_age"]),
        (&json!("7d"), &json!("16h"))
    );
}

#[tokio::test]
async fn an_operators_policy_stays() {
    let (server, url) = Server::start(Lifecycles::Policies);
    let cluster = Cluster::new(&ClusterConfig::new(vec![url])).unwrap();
    set_up(&cluster, &config(30)).await;
    server.objects.lock().unwrap().get_mut("/_ilm/policy/logs-sentinel").unwrap()["policy"]["phases"]["warm"] =
        json!({"min_age": "2d", "actions": {"forcemerge": {"max_num_segments": 1}}});
    server.take_writes();
    let plan = set_up(&cluster, &config(7)).await;
    assert!(plan.has_kept() && plan.to_string().contains("phases.warm.min_age: the server has 2d"), "{plan}");
    assert_eq!(server.take_writes(), [""; 0]);
}

#[tokio::test]
async fn a_server_with_lifecycles_of_streams_deletes_by_them() {
    let (server, url) = Server::start(Lifecycles::Streams);
    let cluster = Cluster::new(&ClusterConfig::new(vec![url])).unwrap();
    let plan = set_up(&cluster, &config(30)).await;
    assert!(matches!(plan.retention, Retention::Stream(_)), "{plan}");
    server.begin_index();
    assert!(setup::plan(&cluster, &config(30)).await.unwrap().is_empty());
    server.take_writes();

    // A template reaches new data streams only: the one that exists is told by itself.
    let plan = set_up(&cluster, &config(7)).await;
    assert_eq!(plan.stream_lifecycle, StreamLifecycle::Set);
    let writes = server.take_writes();
    assert!(writes.contains(&"PUT /_data_stream/logs-sentinel/_lifecycle".to_owned()), "{writes:?}");
    let lifecycle = server.stream.lock().unwrap().as_ref().unwrap()["lifecycle"].clone();
    assert_eq!(lifecycle, json!({"data_retention": "7d"}));
    let after = setup::plan(&cluster, &config(7)).await.unwrap();
    assert!(after.is_empty() && !after.has_kept(), "{after}");

    // Somebody else's word on it stands.
    server.stream.lock().unwrap().as_mut().unwrap()["lifecycle"] = json!({"data_retention": "90d"});
    let plan = set_up(&cluster, &config(14)).await;
    assert_eq!(plan.stream_lifecycle, StreamLifecycle::Kept { found: "90d".to_owned() });
    assert!(plan.to_string().contains("somebody set 90d"), "{plan}");
}
