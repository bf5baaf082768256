//! The program on a real Elasticsearch that goes away under load.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/test/elasticsearch");

/// A node of one's own, stopped and removed at the end.
struct Node {
    dir: PathBuf,
    port: u16,
    _place: tempfile::TempDir,
}

impl Node {
    /// Starts one; its version and flavour may be given as options of the tool.
    fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        // The node runs as a user of its own, who must reach its folder.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.path(), open).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let node = Self { dir: place.path().join("node"), port, _place: place };
        node.tool("start", &[]);
        node
    }

    fn tool(&self, command: &str, more: &[&str]) {
        #[expect(
            clippy::disallowed_methods,
            reason = "which server a test is run on is no setting of the program"
        )]
        let options = std::env::var("LOG_SENTINEL_TEST_NODE").unwrap_or_default();
        let status = Command::new(TOOL)
            .args([command, "--port", &self.port.to_string(), "--dir"])
            .arg(&self.dir)
            .args(options.split_ascii_whitespace())
            .args(more)
            .status()
            .unwrap();
        assert!(status.success(), "infra/test/elasticsearch {command}");
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let options = ["stop", "--purge", "--port", &self.port.to_string(), "--dir"];
        // There is nobody to tell.
        drop(Command::new(TOOL).args(options).arg(&self.dir).status());
    }
}

/// What the cluster itself has: each message with the number of its documents.
async fn in_cluster(server: &Server, node: &Node) -> HashMap<String, u64> {
    let (mut found, mut after) = (HashMap::new(), Json::Null);
    let http = &server.http;
    http.post(format!("{}/logs-sentinel/_refresh", node.url())).send().await.unwrap();
    loop {
        let mut body = json!({"size": 10_000, "sort": ["sentinel.id"], "_source": ["message"]});
        if !after.is_null() {
            body["search_after"] = after;
        }
        let url = format!("{}/logs-sentinel/_search", node.url());
        let answer: Json = http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        let Some(hits) = answer["hits"]["hits"].as_array() else {
            // The index, or its shard, may not be there yet.
            assert!(answer["status"] == 404 || answer["status"] == 503, "{answer}");
            return found;
        };
        for hit in hits {
            *found.entry(hit["_source"]["message"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        match hits.last() {
            Some(last) => after = last["sort"].clone(),
            None => return found,
        }
    }
}

/// Posts until told to stop or the server is gone; gives back what was acknowledged.
async fn post(
    server: Arc<Server>,
    phase: &'static str,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> Vec<String> {
    let mut acknowledged = vec![];
    // Bounded, so that a slow cluster need not take in what a fast machine sent.
    for request in 0..300 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let messages: Vec<String> =
            (0..100).map(|line| format!("{phase} request {request} line {line}")).collect();
        let body: String =
            messages.iter().map(|message| json!({"message": message}).to_string() + "\n").collect();
        match server.post_logs("application/x-ndjson", body).await {
            Ok((200, _)) => acknowledged.extend(messages),
            Ok((status, answer)) => panic!("{status}: {answer}"),
            Err(_) => break,
        }
        sent.fetch_add(100, Ordering::Relaxed);
    }
    acknowledged
}

/// A phase of load that goes on until it is ended.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<Vec<String>>,
}

impl Load {
    #[expect(clippy::disallowed_methods, reason = "a test's task ends with the test")]
    fn start(server: &Arc<Server>, phase: &'static str) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let task = tokio::spawn(post(Arc::clone(server), phase, Arc::clone(&stop), Arc::clone(&sent)));
        Self { stop, sent, task }
    }

    async fn reaches(&self, events: u64) {
        let enough = async || (self.sent.load(Ordering::Relaxed) >= events).then_some(());
        eventually("load goes on", enough).await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

fn start(data: &Path, node: &Node) -> Arc<Server> {
    let url = node.url();
    Arc::new(Server::start(Path::new(BINARY), data, &[("ELASTIC_ADDR", &url)]).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts a server of its own: needs what infra/test/elasticsearch needs"]
async fn a_cluster_that_goes_away_under_load_gets_everything_exactly_once() {
    let (data, node) = (tempfile::tempdir().unwrap(), Node::start());
    let server = start(data.path(), &node);
    let load = Load::start(&server, "before");
    load.reaches(10_000).await;
    node.tool("stop", &[]);
    load.reaches(20_000).await;
    let mut expected = load.end().await;

    // Away: what came meanwhile is found in the journal, and the answer says that it is partial.
    let load = Load::start(&server, "away");
    load.reaches(2_000).await;
    let away = load.end().await;
    expected.extend(away);
    let answer = server.get("/api/v1/search", &[("q", "away"), ("limit", "1")]).await.unwrap();
    assert_eq!(answer["partial"], true, "{answer}");
    let ready = server.get("/readyz", &[]).await.unwrap();
    assert!(ready["degraded"].to_string().contains("elasticsearch"), "{ready}");

    // Killed while it is away, and started again: the journal has everything, and goes on taking in.
    let load = Load::start(&server, "killed");
    load.reaches(5_000).await;
    let pid = rustix::process::Pid::from_raw(server.pid() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    expected.extend(load.end().await);
    drop(server);
    let server = start(data.path(), &node);
    let load = Load::start(&server, "again");
    load.reaches(5_000).await;
    node.tool("start", &[]);
    load.reaches(10_000).await;
    expected.extend(load.end().await);

    eventually("the cluster has everything", async || {
        let answer = server.get("/api/v1/search", &[("limit", "0")]).await.ok()?;
        let whole = answer.get("partial").is_none() && answer["total"].as_u64()? >= expected.len() as u64;
        let ready = server.get("/readyz", &[]).await.ok()?;
        (whole && ready["status"] == "ready").then_some(())
    })
    .await;
    let found = eventually("nothing waits in the journal", async || {
        let found = in_cluster(&server, &node).await;
        (found.len() >= expected.len()).then_some(found)
    })
    .await;
    let missing: Vec<_> = expected.iter().filter(|message| !found.contains_key(*message)).collect();
    assert!(missing.is_empty(), "{} of {} are missing: {:?}", missing.len(), expected.len(), missing.first());
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{} are there more than once: {:?}", twice.len(), twice.first());
    // The answer to the request that was under way when the program was killed never came.
    assert!(found.len() - expected.len() <= 200, "{} were never sent", found.len() - expected.len());
}
