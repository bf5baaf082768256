//! procmond, the agent and the collector, each as it is built: what one tells becomes a signal of the last.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value as Json;
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

/// Ends with the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; the test has said what it had to say.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Beside the program that is tested: both are built with all packages.
fn procmond() -> PathBuf {
    let path = Path::new(BINARY).with_file_name("procmond");
    assert!(path.exists(), "{} is not built: cargo build -p procmond", path.display());
    path
}

/// A shell on a connection, with an argument.
fn shell(listener: &TcpListener, argument: &str) -> Running {
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    Running::start(Command::new("/bin/sh").args(["-s", argument]).stdin(OwnedFd::from(stream)))
}

async fn told(server: &Server, text: &str) -> Json {
    eventually("the shell as a signal", async || {
        let answer = server.get("/api/v1/signals", &[("kind", "reverse_shell")]).await.unwrap();
        let signals = answer["signals"].as_array().cloned().unwrap_or_default();
        signals.into_iter().find(|signal| signal.to_string().contains(text))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_procmond_tells_becomes_a_signal_of_the_collector() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("server"), &[]).unwrap();
    let socket = dir.path().join("procmond.sock");
    let settings = dir.path().join("procmond.yaml");
    // A secret that procmond alone is told of: where it is masked, procmond has told.
    fs::write(&settings, format!("socket: {}\ninterval: 1\nmask: [geheimzahl]\n", socket.display())).unwrap();
    let start = || {
        Running::start(Command::new(procmond()).args(["run", "--config"]).arg(&settings).stdin(Stdio::null()))
    };
    let monitor = start();
    eventually("procmond listens", async || socket.exists().then_some(())).await;
    let config = format!(
        "server: {{ url: \"{}\" }}\nagent: {{ name: web-1, interval: 1 }}\nlogs: {{ enabled: false }}\n\
         monitoring: {{ processes: {{ socket: \"{}\" }} }}\n",
        server.url,
        socket.display()
    );
    fs::write(dir.path().join("config.yaml"), config).unwrap();
    let mut agent = Command::new(BINARY);
    agent
        .args(["agent", "--config", "config.yaml"])
        .current_dir(dir.path())
        .env_clear()
        .env("HOME", dir.path());
    let _agent =
        Running::start(agent.env("LOG_SENTINEL_DATA", dir.path().join("agent")).stdin(Stdio::null()));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _first = shell(&listener, "geheimzahl=4711");
    let signal = told(&server, "/bin/sh -s geheimzahl=***").await;
    assert_eq!(
        (&signal["severity"], &signal["entities"][0]["value"]),
        (&"critical".into(), &"web-1".into()),
        "{signal}"
    );
    assert!(!signal.to_string().contains("4711"), "{signal}");

    // Another procmond goes on where the first has ended.
    drop(monitor);
    let _monitor = start();
    let _second = shell(&listener, "second geheimzahl=4712");
    let signal = told(&server, "/bin/sh -s second geheimzahl=***").await;
    assert!(!signal.to_string().contains("4712"), "{signal}");
}
