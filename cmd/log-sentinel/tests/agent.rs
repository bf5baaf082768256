//! An agent with a collector as target: what it is told, and that the collector finds in its logs what it should.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value as Json;
use testkit::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn agent(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("agent").args(arguments).current_dir(dir).env_clear().env("HOME", dir).stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn check_prints_what_holds_and_a_wrong_name_is_refused_with_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let example = include_str!("../../../infra/agent/config.yaml");
    fs::write(dir.path().join("config.yaml"), example).unwrap();
    let check = |settings: &[(&str, &str)]| {
        let mut command = agent(dir.path(), &["--config", "config.yaml", "--check"]);
        command.envs(settings.iter().copied()).output().unwrap()
    };
    let right = check(&[("LOG_SENTINEL_AGENT_INTERVAL", "15s"), ("LOG_SENTINEL_API_KEY", "hunter2")]);
    let text = said(&right);
    assert!(right.status.success() && text.contains("the configuration is usable"), "{text}");
    for (path, value, origin) in [
        ("agent.name", "server1", "config.yaml"),
        ("agent.interval", "15", "LOG_SENTINEL_AGENT_INTERVAL"),
        ("server.api_key", "***", "LOG_SENTINEL_API_KEY"),
        ("monitoring.cpu.threshold", "80", "config.yaml"),
        ("buffer.bytes_max", "67108864", "default"),
    ] {
        let line = text.lines().find(|line| line.starts_with(path)).unwrap();
        assert!(line.contains(value) && line.ends_with(origin), "{line}");
    }
    assert!(!text.contains("hunter2") && !text.contains("your_api_key_here"), "{text}");

    fs::write(dir.path().join("config.yaml"), example.replace("services:", "servces:")).unwrap();
    let wrong = check(&[]);
    assert_eq!(wrong.status.code(), Some(1));
    let expected = "there is no monitoring.servces (config.yaml); did you mean monitoring.services?";
    assert!(said(&wrong).contains(expected), "{}", said(&wrong));
    let without = agent(dir.path(), &["--check"]).output().unwrap();
    assert!(said(&without).contains("server.url is not set"), "{}", said(&without));
    let both = agent(dir.path(), &["-config", "config.yaml", "-url", "http://h/ingest"]).output().unwrap();
    assert!(said(&both).contains("has no file"), "{}", said(&both));
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; the test has said what it had to say.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An agent that looks each second, and sends a log to a collector.
fn of_log(dir: &Path, server: &Server, log: &Path, more: &str) -> Running {
    let config = format!(
        "server: {{ url: \"{}\" }}\nagent: {{ name: web-1, interval: 1 }}\nlogs: {{ files: [\"{}\"] }}\n{more}",
        server.url,
        log.display()
    );
    fs::write(dir.join("config.yaml"), config).unwrap();
    let mut command = agent(dir, &["--config", "config.yaml"]);
    command.env("LOG_SENTINEL_DATA", dir.join("agent")).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

#[tokio::test]
async fn the_collector_finds_in_an_agents_logs_what_it_finds_in_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("server"), &[]).unwrap();
    let log = dir.path().join("auth.log");
    let line = |number: u32| {
        format!(
            "Nov 30 10:00:{number:02} web-1 sshd[{number}]: Failed password for root from 192.0.2.7 port 4{number} ssh2\n"
        )
    };
    fs::write(&log, (10..30).map(line).collect::<String>()).unwrap();
    let _running = of_log(dir.path(), &server, &log, "");
    let signal = testkit::eventually("twenty failures in one signal", async || {
        let address = format!("{}/api/v1/signals?wait=detected", server.url);
        let answer: Json = reqwest::get(address).await.unwrap().json().await.unwrap();
        let signals = answer["signals"].as_array().cloned().unwrap_or_default();
        signals.into_iter().find(|signal| signal["kind"] == "ssh_brute_force" && signal["count"] == 20)
    })
    .await;
    let entities = signal["entities"].to_string();
    assert!(entities.contains("192.0.2.7") && entities.contains("web-1"), "{signal}");
    let address = format!("{}/api/v1/search?q=192.0.2.7&limit=100", server.url);
    let hits: Json = reqwest::get(address).await.unwrap().json().await.unwrap();
    assert_eq!(hits["total"], 20, "{hits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_the_file_reach_the_collector_and_their_group_is_held_against_the_host() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("server"), &[]).unwrap();
    let group = format!("{}/api/v1/host-groups/role=web", server.url);
    let body = r#"{"ram": {"threshold": 0}, "cpu": {"threshold": 99}}"#;
    assert!(server.http.post(group).body(body).send().await.unwrap().status().is_success());
    let run = |agent_section: &str| {
        let config = format!(
            "server: {{ url: \"{}\" }}\nagent: {{ name: web-1, interval: 1{agent_section} }}\nlogs: {{ enabled: false }}\n\
             monitoring: {{ cpu: {{ threshold: 98 }}, processes: {{ enabled: false }} }}\n",
            server.url
        );
        fs::write(dir.path().join("config.yaml"), config).unwrap();
        let mut command = agent(dir.path(), &["--config", "config.yaml"]);
        command
            .env("LOG_SENTINEL_DATA", dir.path().join("agent"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Running(command.spawn().unwrap())
    };
    let host = async || server.get("/agents", &[]).await.unwrap()[0].clone();
    let running = run(", labels: { role: web, env: prod }");
    let told = testkit::eventually("the group's threshold is passed", async || {
        let host = host().await;
        host["conditions"].to_string().contains("host_memory").then_some(host)
    })
    .await;
    assert_eq!(told["labels"], serde_json::json!({"env": "prod", "role": "web"}));
    assert_eq!(told["threshold_origins"]["ram.threshold"]["group"], "role=web", "{told}");
    // The agent's own file is about this host alone.
    assert_eq!(
        (
            &told["monitoring"]["cpu"]["threshold"].as_f64(),
            &told["threshold_origins"]["cpu.threshold"]["from"]
        ),
        (&Some(98.0), &"file".into())
    );
    drop(running);
    let _running = run("");
    testkit::eventually("a file without labels takes them away", async || {
        let host = host().await;
        (host["labels"] == serde_json::json!({})).then_some(())
    })
    .await;
    assert_eq!(host().await["threshold_origins"]["ram.threshold"]["from"], "default");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_on_a_connection_becomes_a_signal_of_the_collector() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("server"), &[]).unwrap();
    let config = format!(
        "server: {{ url: \"{}\" }}\nagent: {{ name: web-1, interval: 1 }}\nlogs: {{ enabled: false }}\n\
         monitoring: {{ processes: {{ socket: \"{}/none\" }} }}\n",
        server.url,
        dir.path().display()
    );
    fs::write(dir.path().join("config.yaml"), config).unwrap();
    let mut command = agent(dir.path(), &["--config", "config.yaml"]);
    command.env("LOG_SENTINEL_DATA", dir.path().join("agent")).stdout(Stdio::null()).stderr(Stdio::null());
    let _running = Running(command.spawn().unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut shell = Command::new("/bin/sh");
    let shell = shell.arg("-s").stdin(std::os::fd::OwnedFd::from(stream)).stdout(Stdio::null());
    let _shell = Running(shell.spawn().unwrap());
    let signal = testkit::eventually("the shell as a signal", async || {
        let address = format!("{}/api/v1/signals?kind=reverse_shell", server.url);
        let answer: Json = reqwest::get(address).await.unwrap().json().await.unwrap();
        let signals = answer["signals"].as_array().cloned().unwrap_or_default();
        signals.into_iter().find(|signal| signal.to_string().contains("/bin/sh -s"))
    })
    .await;
    assert_eq!(signal["severity"], "critical", "{signal}");
    assert_eq!(signal["entities"][0]["value"], "web-1", "{signal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_to_start_by_itself_on_a_host_becomes_a_signal_of_the_collector() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("server"), &[]).unwrap();
    let config = format!(
        "server: {{ url: \"{}\" }}\nagent: {{ name: web-1, interval: 1 }}\nlogs: {{ files: [\"{}/none\"] }}\n\
         monitoring: {{ processes: {{ enabled: false }} }}\n",
        server.url,
        dir.path().display()
    );
    fs::write(dir.path().join("config.yaml"), config).unwrap();
    let units = dir.path().join("root/etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    let mut command = agent(dir.path(), &["--config", "config.yaml"]);
    command
        .env("LOG_SENTINEL_DATA", dir.path().join("agent"))
        .env("LOG_SENTINEL_SYSTEM_ROOT", dir.path().join("root"))
        .env("LOG_SENTINEL_SYSTEM_INTERVAL", "1s")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _running = Running(command.spawn().unwrap());
    let mut number = 0;
    let signal = testkit::eventually("a unit as a signal", async || {
        // What is there when the agent looks for the first time is known to it.
        number += 1;
        let unit = "[Service]\nExecStart=/opt/backdoor --listen\n";
        fs::write(units.join(format!("unit-{number}.service")), unit).unwrap();
        let address = format!("{}/api/v1/signals?kind=persistence_added&wait=detected", server.url);
        let answer: Json = reqwest::get(address).await.unwrap().json().await.unwrap();
        answer["signals"].as_array().and_then(|signals| signals.first().cloned())
    })
    .await;
    assert_eq!((&signal["rule"], &signal["severity"]), (&"unit_added".into(), &"medium".into()), "{signal}");
    assert_eq!(signal["entities"][0]["value"], "web-1", "{signal}");
    let what = signal["what"].as_str().unwrap();
    assert!(what.contains("/opt/backdoor --listen") && what.contains(".service"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_tells_of_its_own_machine_where_it_reads_its_logs() {
    let dir = tempfile::tempdir().unwrap();
    let none = dir.path().join("none");
    let settings = [
        ("LOG_SENTINEL_SYSTEM", "true"),
        ("LOG_SENTINEL_SYSTEM_ROOT", dir.path().to_str().unwrap()),
        ("LOG_SENTINEL_PROCESSES_SOCKET", none.to_str().unwrap()),
    ];
    let server = Server::start(Path::new(BINARY), &dir.path().join("server"), &settings).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut shell = Command::new("/bin/sh");
    let shell = shell.arg("-s").stdin(std::os::fd::OwnedFd::from(stream)).stdout(Stdio::null());
    let _shell = Running(shell.spawn().unwrap());
    testkit::eventually("the shell as a signal", async || {
        let address = format!("{}/api/v1/signals?kind=reverse_shell", server.url);
        let answer: Json = reqwest::get(address).await.unwrap().json().await.unwrap();
        let signals = answer["signals"].as_array().cloned().unwrap_or_default();
        signals.into_iter().find(|signal| signal.to_string().contains("/bin/sh -s"))
    })
    .await;
}

/// Sequence numbers of the samples that a collector has, as they came.
async fn sequence(server: &Server) -> Vec<u64> {
    let samples = server.get("/history/web-1", &[("limit", "360")]).await.unwrap_or_default();
    let mut numbers: Vec<u64> =
        samples.as_array().into_iter().flatten().filter_map(|sample| sample["seq"].as_u64()).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_killed_again_and_again_has_every_sample_and_every_line_once() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("server");
    let mut server = Server::start(Path::new(BINARY), &data, &[]).unwrap();
    let address = server.url.trim_start_matches("http://").to_owned();
    let log = dir.path().join("app.log");
    let append = |round: usize| {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
        for line in 0..500 {
            writeln!(file, "2026-11-30T10:00:00Z INFO heron number {} came", 500 * round + line).unwrap();
        }
    };
    append(0);
    let _running = of_log(dir.path(), &server, &log, "monitoring: { processes: { enabled: false } }\n");
    for round in 1..4 {
        let had = sequence(&server).await.len();
        testkit::eventually("more samples", async || (sequence(&server).await.len() > had).then_some(()))
            .await;
        append(round);
        server.kill().unwrap();
        server = Server::start(Path::new(BINARY), &data, &[("LOG_SENTINEL_ADDR", &address)]).unwrap();
    }
    testkit::eventually("every line", async || {
        (server.count("heron").await.unwrap_or_default() >= 2000).then_some(())
    })
    .await;
    let had = sequence(&server).await;
    testkit::eventually("more samples", async || (sequence(&server).await.last() > had.last()).then_some(()))
        .await;
    let numbers = sequence(&server).await;
    let whole: Vec<u64> = (numbers[0]..numbers[0] + numbers.len() as u64).collect();
    assert_eq!(numbers, whole, "none is missing, and none is there twice");
    assert_eq!(server.count("heron").await.unwrap(), 2000);
}
