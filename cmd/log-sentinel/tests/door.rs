//! Who knocks at the real ports: web pages of others, slow and silent clients, too many of them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use testkit::{Server, WAIT_MAX};

fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
    Server::start(Path::new(env!("CARGO_BIN_EXE_log-sentinel")), data, settings).unwrap()
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

/// A connection that has sent these bytes.
fn knock(url: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address(url)).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// What is answered until the server closes the connection.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = vec![];
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert!(error.kind() == std::io::ErrorKind::ConnectionReset, "not closed: {error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(line: &str, host: &str, further: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: {host}\r\n{further}connection: close\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_and_hosts_are_refused_on_both_ports() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[]);
    for url in [&server.url, &server.anomaly_url] {
        let own = address(url);
        let refused = |line: &str, host: &str, further: &str| {
            rest(knock(url, format!("{}\r\n", head(line, host, further)).as_bytes()))
        };
        let foreign = refused("GET /readyz", own, "origin: https://evil.example\r\n");
        assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
        let foreign = refused("GET http://evil.example/readyz", own, "");
        assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
        let same = refused(&format!("GET http://{own}/livez"), own, &format!("origin: http://{own}\r\n"));
        assert!(same.starts_with("HTTP/1.1 200"), "{same}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_asks_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[("LOG_SENTINEL_HEADER_TIMEOUT", "300ms")]);
    let grpc = format!("http://{}", address(&server.grpc_url));
    for url in [&server.url, &server.anomaly_url, &grpc] {
        for start in [&b""[..], b"PRI * HTTP", b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx-slow: "] {
            rest(knock(url, start));
        }
    }
    // One that was answered is closed when no further request comes.
    let asked = knock(&server.url, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(rest(asked).starts_with("HTTP/1.1 200"));
    assert_eq!(server.count("*").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_is_given_up_on_every_port() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[("LOG_SENTINEL_BODY_IDLE_MAX", "300ms")]);
    for (url, path) in [
        (&server.url, "/logs"),
        (&server.anomaly_url, "/predict"),
        (&server.anomaly_url, "/train"),
        (&server.anomaly_url, "/models/import"),
        (&server.anomaly_url, "/starters"),
        (&server.anomaly_url, "/feedback"),
    ] {
        let further = "content-type: application/json\r\ncontent-length: 1000\r\n";
        let request = format!("{}\r\n{{\"half", head(&format!("POST {path}"), "localhost", further));
        let answer = rest(knock(url, request.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(answer.contains("\"body_incomplete\""), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_models_are_held_within_the_budget_of_all_bodies() {
    let dir = tempfile::tempdir().unwrap();
    let bounds = [("LOG_SENTINEL_BODY_BYTES_MAX", "8MiB"), ("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", "8MiB")];
    let server = start(dir.path(), &bounds);
    let further = format!("content-length: {}\r\n", 7 << 20);
    for path in ["/models/import", "/starters"] {
        let mut request =
            format!("{}\r\n", head(&format!("POST {path}"), "localhost", &further)).into_bytes();
        request.resize(request.len() + (6 << 20), 0);
        let held = [knock(&server.anomaly_url, &request), knock(&server.anomaly_url, &request)];
        // Both cannot be held; which of them is refused is a matter of who came first.
        let answers = std::thread::scope(|scope| {
            held.map(|stream| scope.spawn(move || rest(stream))).map(|answer| answer.join().unwrap())
        });
        assert!(answers.iter().any(|answer| answer.starts_with("HTTP/1.1 429")), "{path}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_finds_a_place_beside_many_who_do_not() {
    let dir = tempfile::tempdir().unwrap();
    for bound in ["LOG_SENTINEL_CONNECTIONS_MAX", "LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX"] {
        let server = start(&dir.path().join(bound), &[(bound, "4"), ("LOG_SENTINEL_HEADER_TIMEOUT", "1h")]);
        let silent: Vec<_> = (0..16).map(|_| knock(&server.url, b"GET /livez HTTP/1.1\r\nx")).collect();
        let asked = knock(&server.url, format!("{}\r\n", head("GET /livez", "localhost", "")).as_bytes());
        assert!(rest(asked).starts_with("HTTP/1.1 200"), "{bound}");
        let metrics = server.http.get(format!("{}/metrics", server.url)).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        assert!(metrics.contains("log_sentinel_closed_connections_total{reason=\"made_room\"}"), "{metrics}");
        drop(silent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_does_not_delay_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let patient = [
        ("LOG_SENTINEL_SHUTDOWN_GRACE", "1h"),
        ("LOG_SENTINEL_HEADER_TIMEOUT", "1h"),
        ("LOG_SENTINEL_BODY_IDLE_MAX", "1h"),
    ];
    let server = start(dir.path(), &patient);
    let body = format!("{}\r\nhalf", head("POST /logs", "localhost", "content-length: 1000\r\n"));
    let halves: Vec<_> = [&server.url, &server.anomaly_url]
        .into_iter()
        .flat_map(|url| {
            [knock(url, b""), knock(url, b"GET /livez HTTP/1.1\r\nx"), knock(url, body.as_bytes())]
        })
        .collect();
    let grpc = knock(&format!("http://{}", address(&server.grpc_url)), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(server.count("*").await.unwrap(), 0);
    let began = Instant::now();
    assert!(server.terminate().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(30), "the grace is an hour, and nothing was to wait for");
    drop((halves, grpc));
}
