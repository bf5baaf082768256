//! What the program shows: nothing of what logs and names hold steers a terminal or forges a line, and no secret
//! comes out anywhere.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value as Json, json};
use testkit::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
/// A line that nobody wrote, and characters that steer, turn around, separate and hide.
const EVIL: &str = "x\nFORGED line\rFORGED\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{85}\u{202e}gpj\u{2066}\u{200e}\u{2028}\u{2029}\u{200b}\u{feff}\u{7f}";

fn is_unseen(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}')
}

fn check_shown(what: &str, shown: &str) {
    assert!(!shown.chars().any(is_unseen), "{what} lets something through: {shown:?}");
    assert!(
        !shown.lines().any(|line| line.trim_start().starts_with("FORGED")),
        "{what} shows a forged line: {shown}"
    );
}

fn run(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir).envs(settings.iter().copied());
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap()
    )
}

/// Starts the program with its own log in a file.
fn start(dir: &Path, settings: &[(&str, &str)]) -> (Server, PathBuf) {
    let log = dir.join("own.log");
    let mut command = Command::new(BINARY);
    command.current_dir(dir).stderr(fs::File::create(&log).unwrap());
    (Server::start_with(command, &dir.join("data"), settings).unwrap(), log)
}

fn evil_event(n: u64) -> Json {
    json!({
        "timestamp": format!("2024-06-01T12:00:{:02}Z", n % 60), "level": EVIL, "message": format!("{EVIL} number {n}"),
        "source": EVIL, "host": EVIL, "user": EVIL, EVIL: EVIL, "url": {"path": EVIL}, "trace": {"id": format!("{EVIL}{}", n / 4)},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_logs_or_names_steers_a_terminal_or_forges_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let (server, log) = start(dir.path(), &[("LOG_SENTINEL_LOG_LEVEL", "debug")]);
    let events: Vec<Json> = (0..60).map(evil_event).collect();
    let body = serde_json::to_vec(&events).unwrap();
    let posted = server
        .http
        .post(format!("{}/logs?wait=indexed", server.url))
        .header("content-type", "application/json");
    assert!(posted.body(body).send().await.unwrap().status().is_success());
    let named = dir.path().join(format!("{}.log", EVIL.replace('/', "_")));
    fs::write(
        &named,
        format!("Jun  1 12:00:00 h{EVIL} sshd[42]: Failed password for {EVIL} from 192.0.2.7 port 1 ssh2\n"),
    )
    .unwrap();
    let watched = dir.path().join("data").with_extension("watched");
    fs::create_dir_all(&watched).unwrap();
    fs::copy(&named, watched.join(named.file_name().unwrap())).unwrap();
    let one = dir.path().join("one.json");
    fs::write(&one, evil_event(1).to_string()).unwrap();
    let (url, anomaly) = (server.url.as_str(), server.anomaly_url.as_str());
    let (file, one) = (named.to_str().unwrap(), one.to_str().unwrap());
    let missing = format!("{file}.missing");
    let evil = EVIL.trim_end_matches(char::is_control);
    let commands: Vec<Vec<&str>> = vec![
        vec!["import", file, "--url", url],
        vec!["import", &missing, "--url", url],
        vec!["query", "*", "--url", url],
        vec!["query", "*", "-o", "json", "--url", url],
        vec!["query", "*", "-o", "ndjson", "--url", url],
        vec!["query", "(", "--url", url],
        vec!["query", evil, "--url", url],
        vec!["dlq", "list", "--url", url],
        vec!["predict", one, "--url", anomaly],
        vec!["predict", file, "--url", anomaly],
        vec!["train", one, "--url", anomaly],
        vec!["feedback", "give", one, "--label", "normal", "--note", evil, "--url", anomaly],
        vec!["feedback", "--url", anomaly],
        vec!["feedback", "list", "--url", anomaly],
        vec!["feedback", "list", "-o", "json", "--url", anomaly],
        vec!["templates", "list", "--url", anomaly],
        vec!["templates", "list", "-o", "ndjson", "--url", anomaly],
        vec!["templates", "name", evil, evil, "--url", anomaly],
        vec!["templates", "operations", "--url", anomaly],
        vec!["sessions", "--url", anomaly],
        vec!["models", "list", "--url", anomaly],
        vec!["models", "show", evil, "--url", anomaly],
        vec!["models", "import", file, "--url", anomaly],
        vec!["starters", "list", "--url", anomaly],
        vec!["starters", "add", file, "--url", anomaly],
        vec!["health", "--url", url],
        vec!["no-such-command", evil],
        vec!["check", "--files", evil],
    ];
    for command in &commands {
        check_shown(&format!("{command:?}"), &said(&run(dir.path(), command, &[])));
    }
    let data = dir.path().join("data");
    let settings = [("LOG_SENTINEL_DATA", data.to_str().unwrap())];
    for command in [["journal", "verify"], ["journal", "cat"]] {
        check_shown(&format!("{command:?}"), &said(&run(dir.path(), &command, &settings)));
    }
    let shown = said(&run(dir.path(), &["query", "*", "--url", url], &[]));
    assert!(shown.contains("FORGED"), "it is shown, on its own line, not left out: {shown}");
    server.terminate().unwrap();
    check_shown("the own log", &fs::read_to_string(log).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_out_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    fs::write(&keys, "planted-key-one\nplanted-key-two\n").unwrap();
    let settings = [
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("ELASTIC_ADDR", "http://127.0.0.1:9"),
        ("ELASTIC_USERNAME", "someone"),
        ("ELASTIC_PASSWORD", "planted-password"),
        ("LOG_SENTINEL_LOG_LEVEL", "debug"),
    ];
    let (server, log) = start(dir.path(), &settings);
    let mut shown = String::new();
    for (url, path, key) in [
        (&server.url, "/metrics", "planted-key-one"),
        (&server.url, "/readyz", "planted-key-two"),
        (&server.url, "/api/v1/search?q=planted-query", "planted-key-one"),
        (&server.url, "/api/v1/search?token=planted-query", "planted-key-two"),
        (&server.url, "/api/v1/search?q=x", "planted-wrong-key"),
        (&server.anomaly_url, "/nothing?token=planted-query", "planted-key-one"),
        (&server.anomaly_url, "/model", "planted-key-one"),
    ] {
        let asked = server.http.get(format!("{url}{path}")).bearer_auth(key).send().await.unwrap();
        if key == "planted-wrong-key" {
            assert_eq!(asked.status(), 401);
        } else {
            assert_ne!(asked.status(), 401, "a file holds one key a line");
        }
        shown.push_str(&asked.text().await.unwrap());
    }
    server.terminate().unwrap();
    shown.push_str(&fs::read_to_string(log).unwrap());
    let addresses = [
        ("ELASTIC_ADDR", "http://someone:planted-password@127.0.0.1:9"),
        ("LOG_SENTINEL_ANOMALY_URL", "http://someone:planted-password@127.0.0.1:9"),
        ("API_KEYS", "planted-key"),
        ("ELASTIC_API_KEY", "planted-api-key"),
    ];
    for command in ["check", "run"] {
        let output = run(dir.path(), &[command], &addresses);
        assert!(!output.status.success());
        shown.push_str(&said(&output));
    }
    let elsewhere = tempfile::tempdir().unwrap();
    for line in
        ["API_KEYS=\"planted-key", "planted-key", "API_KEYS=planted-key planted-key", "A-B=planted-key"]
    {
        fs::write(elsewhere.path().join(".env"), format!("# settings\n\n{line}\n")).unwrap();
        let output = run(elsewhere.path(), &["check"], &[]);
        assert!(!output.status.success());
        assert!(said(&output).contains("line 3"), "{}", said(&output));
        shown.push_str(&said(&output));
    }
    fs::write(elsewhere.path().join(".env"), "\u{feff}LOG_SENTINEL_LOG_LEVEL=WARN\n").unwrap();
    assert!(run(elsewhere.path(), &["check"], &[]).status.success());
    fs::write(elsewhere.path().join("log-sentinel.yaml"), "API_KEYS=planted-key\n").unwrap();
    shown.push_str(&said(&run(elsewhere.path(), &["check"], &[])));
    assert!(!shown.contains("planted"), "{shown}");
}
