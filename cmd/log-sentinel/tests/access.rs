//! Who gets in on the real ports of the real program: every route and every call with every kind of key, TLS and
//! certificates of clients, agents that enrol and are revoked.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const API_KEY: &str = "a-key-of-the-settings-0123456789";

/// The port of a server's address.
fn port(url: &str) -> &str {
    url.rsplit(':').next().unwrap()
}

/// What curl says: status and body.
fn curl(arguments: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
    (status.parse().unwrap_or_default(), body.to_owned() + &String::from_utf8_lossy(&output.stderr))
}

fn command(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(BINARY)
        .args(arguments)
        .env("LOG_SENTINEL_DATA", data)
        .envs(settings.iter().copied())
        .current_dir(data)
        .output()
        .unwrap()
}

/// Makes a key by the command: its id and itself.
fn make_key(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> (String, String) {
    let all = [&["keys", "create", "-o", "json"], arguments].concat();
    let output = command(data, &all, settings);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key: Json = serde_json::from_slice(&output.stdout).unwrap();
    (key["id"].as_str().unwrap().to_owned(), key["key"].as_str().unwrap().to_owned())
}

/// Who asks: a name, the headers that say so, and the scopes that they have.
struct Asker {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    scopes: &'static [&'static str],
    /// Whether they are anybody.
    known: bool,
}

fn asker(name: &'static str, key: &str, scopes: &'static [&'static str], known: bool) -> Asker {
    Asker { name, headers: vec![("authorization", format!("Bearer {key}"))], scopes, known }
}

/// Every kind of asker. One key is revoked, one has expired by the time this returns.
async fn askers(server: &Server, data: &Path) -> Vec<Asker> {
    let key = async |scopes: &[&str]| {
        let request = server.http.post(format!("{}/api/v1/keys", server.url)).bearer_auth(API_KEY);
        let body = json!({"scopes": scopes}).to_string();
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(response.status(), 201);
        let key: Json = response.json().await.unwrap();
        (key["id"].as_str().unwrap().to_owned(), key["key"].as_str().unwrap().to_owned())
    };
    let (ingest, read) = (key(&["ingest"]).await.1, key(&["read"]).await.1);
    let admin = key(&["admin"]).await.1;
    let (revoked_id, revoked) = key(&["ingest", "read", "admin"]).await;
    let gone = server.http.delete(format!("{}/api/v1/keys/{revoked_id}", server.url)).bearer_auth(API_KEY);
    assert_eq!(gone.send().await.unwrap().status(), 200);
    let arguments = ["--scopes", "ingest,read,admin", "--expires", "2s", "--url", &server.url];
    let expired = make_key(data, &arguments, &[("LOG_SENTINEL_API_KEY", API_KEY)]).1;
    eventually("the key expires", async || {
        let request = server.http.get(format!("{}/api/v1/session", server.url)).bearer_auth(&expired);
        (request.send().await.ok()?.status() == 401).then_some(())
    })
    .await;
    let request = server.http.post(format!("{}/api/v1/session", server.url)).bearer_auth(&read);
    let response = request.send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let token = response.json::<Json>().await.unwrap()["csrf_token"].as_str().unwrap().to_owned();
    let session = Asker {
        name: "session",
        headers: vec![("cookie", cookie.split(';').next().unwrap().to_owned()), ("x-csrf-token", token)],
        scopes: &["read"],
        known: true,
    };
    vec![
        Asker { name: "nobody", headers: vec![], scopes: &[], known: false },
        asker("ingest", &ingest, &["ingest"], true),
        asker("read", &read, &["read"], true),
        asker("admin", &admin, &["admin"], true),
        asker("wrong", &format!("ls_{}", "0".repeat(72)), &[], false),
        asker("part of one", &read[..40], &[], false),
        asker("revoked", &revoked, &[], false),
        asker("expired", &expired, &[], false),
        asker("API_KEYS", API_KEY, &["ingest", "read", "admin"], true),
        session,
    ]
}

/// A path without its variables.
fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "0" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_who_may_and_nobody_else() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("API_KEYS", API_KEY), ("LOG_SENTINEL_WRONG_KEYS_MAX", "100000")];
    let server = Server::start(Path::new(BINARY), data.path(), &settings).unwrap();
    let askers = askers(&server, data.path()).await;
    let mut asked = 0;
    for base in [&server.url, &server.anomaly_url] {
        let document: Json =
            server.http.get(format!("{base}/openapi.json")).send().await.unwrap().json().await.unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let scope = operation["x-scope"].as_str().unwrap();
                // What is sent there says whether signing in and enrolling work; signing out would end a sign-in.
                if path.ends_with("/session") && method != "get" || path.ends_with("/enrol") {
                    assert_eq!(scope, "none");
                    continue;
                }
                for asker in &askers {
                    let url = format!("{base}{}", filled(path));
                    let mut request = server.http.request(method.to_uppercase().parse().unwrap(), url);
                    if method != "get" {
                        // A body that no route takes: nothing changes where somebody may.
                        request = request.body("\u{1}").header("content-type", "application/json");
                    }
                    for (name, value) in &asker.headers {
                        request = request.header(*name, value);
                    }
                    let response = request.send().await.unwrap();
                    let status = response.status().as_u16();
                    let row = format!("{method} {path} ({scope}) by {}: {status}", asker.name);
                    asked += 1;
                    let may =
                        scope == "none" || asker.known && (scope == "any" || asker.scopes.contains(&scope));
                    match (may, asker.known) {
                        (true, _) => assert!(!matches!(status, 401 | 403 | 429), "{row}"),
                        (false, true) => {
                            assert_eq!(status, 403, "{row}");
                            let problem: Json = response.json().await.unwrap();
                            assert_eq!(problem["scope"], scope, "{row}");
                        }
                        (false, false) => {
                            assert_eq!(status, 401, "{row}");
                            assert_eq!(
                                response.headers()["content-type"],
                                "application/problem+json",
                                "{row}"
                            );
                            assert!(response.headers().contains_key("www-authenticate"), "{row}");
                        }
                    }
                }
            }
        }
    }
    assert!(asked > 500, "{asked} questions were asked");
    // A page that signed in cannot write without what only it can know.
    let session = &askers.last().unwrap().headers[0].1;
    let request = server.http.post(format!("{}/predict", server.anomaly_url)).header("cookie", session);
    let response = request.body("{}").send().await.unwrap();
    assert_eq!(response.json::<Json>().await.unwrap()["code"], "no_csrf_token");
    let tail = server
        .http
        .get(format!("{}/api/v1/tail", server.url))
        .header("cookie", session)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (tail.status().as_u16(), tail.headers()["content-type"].to_str().unwrap()),
        (200, "text/event-stream")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_locks_every_port_and_organizations_see_their_own() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    assert_eq!(server.count("").await.unwrap(), 0, "nobody is asked for a key");
    drop(server);
    let (id, all) = make_key(data.path(), &["--scopes", "ingest,read,admin", "--name", "mine"], &[]);
    let make = |organization| {
        make_key(data.path(), &["--scopes", "ingest,read", "--organization", organization], &[]).1
    };
    let (acme, other) = (make("ACME"), make("Other"));
    let server = Server::start(Path::new(BINARY), data.path(), &[]).unwrap();
    for (url, path) in [(&server.url, "/api/v1/search"), (&server.anomaly_url, "/model")] {
        assert_eq!(server.http.get(format!("{url}{path}")).send().await.unwrap().status(), 401, "{path}");
    }
    for (key, body) in [
        (&acme, r#"{"message":"ours","organization":{"name":"Other"}}"#),
        (&other, r#"{"message":"theirs","tenant_id":7}"#),
        (&all, r#"{"message":"of nobody"}"#),
    ] {
        let request =
            server.http.post(format!("{}/logs?wait=indexed", server.url)).bearer_auth(key).body(body);
        let response = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
    let get = async |key: &str, path: &str| {
        let response =
            server.http.get(format!("{}{path}", server.url)).bearer_auth(key).send().await.unwrap();
        (response.status().as_u16(), response.json::<Json>().await.unwrap())
    };
    for (key, expected) in
        [(&acme, vec!["ours"]), (&other, vec!["theirs"]), (&all, vec!["of nobody", "ours", "theirs"])]
    {
        for query in
            ["", "ours OR theirs OR nobody", "NOT nothing", "organization.name:* OR NOT organization.name:*"]
        {
            let (_, answer) = get(key, &format!("/api/v1/search?q={}", query.replace(' ', "%20"))).await;
            let hits = answer["hits"].as_array().unwrap();
            let mut found: Vec<_> = hits.iter().map(|hit| hit["message"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{query}: {answer}");
        }
        let (_, histogram) = get(key, "/api/v1/histogram?from=now-1h").await;
        let counts =
            histogram["buckets"].as_array().unwrap().iter().map(|bucket| bucket["count"].as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), expected.len() as u64);
        let (_, patterns) = get(key, "/api/v1/patterns").await;
        assert_eq!(patterns["total"], expected.len(), "{patterns}");
        let (_, values) = get(key, "/api/v1/fields?field=message").await;
        assert_eq!(values["total"], expected.len(), "{values}");
    }
    let hints = async |key| get(key, "/api/v1/search?q=tenant:8").await.1["hints"].clone();
    assert!(hints(&all).await[0].as_str().unwrap().ends_with("there is labels.tenant_id"));
    assert_eq!(hints(&acme).await, Json::Null, "what fields others have is not told");
    for path in ["/api/v1/fields", "/metrics", "/api/v1/dead-letters"] {
        let (status, problem) = get(&acme, path).await;
        assert_eq!((status, &problem["code"]), (403, &json!("of_one_organization")), "{path}");
    }
    // The command asks the process that holds the folder.
    let settings = [("LOG_SENTINEL_API_KEY", all.as_str())];
    let revoked = command(data.path(), &["keys", "revoke", &id, "--url", &server.url], &settings);
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    assert_eq!(get(&all, "/api/v1/search").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_enrol_over_tls_and_are_revoked() {
    let data = tempfile::tempdir().unwrap();
    let said = fs::File::create(data.path().join("said")).unwrap();
    let mut program = Command::new(BINARY);
    program.stderr(said);
    let own = ["", "ANOMALY_REST_", "ANOMALY_"]
        .map(|which| ["CERT_FILE", "CLIENT_CA_FILE"].map(|what| format!("LOG_SENTINEL_{which}{what}")));
    let optional =
        ["", "ANOMALY_REST_", "ANOMALY_"].map(|which| format!("LOG_SENTINEL_{which}CLIENT_CERTIFICATES"));
    let mut settings: Vec<(&str, &str)> = own.iter().flatten().map(|name| (name.as_str(), "own")).collect();
    settings.extend(optional.iter().map(|name| (name.as_str(), "optional")));
    settings.extend([("API_KEYS", API_KEY), ("LOG_SENTINEL_LOG_LEVEL", "debug")]);
    let state = data.path().join("state");
    let server = Server::start_with(program, &state, &settings).unwrap();
    let root = state.join("access/authority.pem").display().to_string();
    let trusting = ["--cacert", root.as_str()];
    let url = format!("https://localhost:{}", port(&server.url));
    let at = |path: &str| format!("{url}{path}");
    assert_eq!(curl(&[&at("/livez")]).0, 0, "nobody else trusts this authority");
    for version in ["--http1.1", "--http2"] {
        assert_eq!(curl(&[&trusting[..], &[version, &at("/livez")]].concat()).0, 200, "{version}");
    }
    let shown = Command::new("openssl")
        .args(["s_client", "-connect", &format!("localhost:{}", port(&server.url)), "-CAfile", &root])
        .args(["-alpn", "h2,http/1.1", "-verify_return_error"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("ALPN protocol: h2") && shown.contains("Verify return code: 0"), "{shown}");

    let asked = [("LOG_SENTINEL_API_KEY", API_KEY), ("LOG_SENTINEL_CA_FILE", root.as_str())];
    let agents = |arguments: &[&str]| {
        let output =
            command(data.path(), &[&["agents"], arguments, &["--url", &url, "-o", "json"]].concat(), &asked);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Json>(&output.stdout).unwrap()
    };
    let token = agents(&["add", "web-1"])["token"].as_str().unwrap().to_owned();
    let body = json!({"token": token}).to_string();
    let enrol_url = at("/api/v1/enrol");
    let enrol = [&trusting[..], &["-H", "content-type: application/json", "-d", &body, &enrol_url]].concat();
    let (status, answer) = curl(&enrol);
    assert_eq!(status, 201, "{answer}");
    let answer: Json = serde_json::from_str(&answer).unwrap();
    assert_eq!(curl(&enrol).0, 401, "a token is good once");
    let text = |member: &str| answer[member].as_str().unwrap().to_owned();
    let (cert, key_file) = (data.path().join("web-1.pem"), data.path().join("web-1.key"));
    fs::write(&cert, text("certificate")).unwrap();
    fs::write(&key_file, text("private_key")).unwrap();
    let (cert, key_file) = (cert.display().to_string(), key_file.display().to_string());
    let subject = Command::new("openssl").args(["x509", "-in", &cert, "-noout", "-text"]).output().unwrap();
    let subject = String::from_utf8_lossy(&subject.stdout).into_owned();
    let uri = format!("URI:urn:log-sentinel:key:{}", text("id"));
    assert!(subject.contains("CN = web-1") && subject.contains(&uri), "{subject}");

    let with_cert = ["--cert", cert.as_str(), "--key", key_file.as_str()];
    let logs = at("/logs");
    let post =
        [&trusting[..], &with_cert, &["-H", "content-type: text/plain", "-d", "a line", &logs]].concat();
    let search = at("/api/v1/search");
    let read = [&trusting[..], &with_cert, &[&search]].concat();
    assert_eq!(curl(&post).0, 200);
    let (status, problem) = curl(&read);
    assert!(status == 403 && problem.contains("'read'"), "{status} {problem}");
    let other = format!("Authorization: Bearer {API_KEY}");
    assert_eq!(
        curl(&[&read[..], &["-H", &other]].concat()).0,
        401,
        "a certificate and a key of somebody else"
    );
    let own_key = format!("X-API-Key: {}", text("key"));
    assert_eq!(curl(&[&post[..], &["-H", &own_key]].concat()).0, 200);

    let call =
        format!("https://localhost:{}/log_sentinel.v1.AnomalyService/GetModel", port(&server.grpc_url));
    let message = data.path().join("empty-message");
    fs::write(&message, [0; 5]).unwrap();
    let message = format!("@{}", message.display());
    let grpc = ["--http2", "-D", "-", "-H", "content-type: application/grpc", "-H", "te: trailers"];
    let grpc = [&trusting[..], &grpc, &["--data-binary", &message, "--output", "/dev/null", &call]].concat();
    // A refusal ends the stream before the message was read, which curl at times takes for a fault of the stream.
    let refusal = |arguments: &[&str]| {
        (0..10).map(|_| curl(arguments).1).find(|said| !said.contains("Stream error")).unwrap()
    };
    let refused = refusal(&grpc);
    assert!(refused.contains("grpc-status: 16"), "{refused}");
    let denied = refusal(&[&grpc[..], &with_cert].concat());
    assert!(denied.contains("grpc-status: 7"), "{denied}");
    let (status, allowed) = curl(&[&grpc[..], &["-H", &other]].concat());
    assert!(status == 200 && !allowed.contains("grpc-status: 16"), "{allowed}");

    assert_eq!(agents(&["list"])["agents"][0]["state"], "enrolled");
    agents(&["revoke", "web-1"]);
    let (status, problem) = curl(&post);
    assert!(status == 401 && problem.contains("revoked"), "{status} {problem}");

    // None of the secrets is anywhere but with those who have them.
    let metrics = curl(&[&trusting[..], &["-H", &other, &at("/metrics")]].concat()).1;
    let check = command(data.path(), &["check"], &asked);
    let kept = fs::read(state.join("access/keys")).unwrap();
    let told = [
        metrics.as_bytes(),
        &check.stdout,
        &check.stderr,
        &fs::read(data.path().join("said")).unwrap(),
        &kept,
    ]
    .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    for secret in [token, text("key"), API_KEY.to_owned(), text("private_key")] {
        assert!(told.iter().all(|told| !told.contains(&secret[..24])), "{secret} shows");
    }
}

/// A certificate for localhost that vouches for itself, and its key.
fn certificate(dir: &Path, name: &str) -> (String, String) {
    let path = |end: &str| dir.join(format!("{name}.{end}")).display().to_string();
    let (cert, key) = (path("pem"), path("key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "9",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            &key,
            "-out",
            &cert,
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (cert, key)
}

/// A client's certificate and key, which that one vouches for.
fn signed(dir: &Path, (root, root_key): (&str, &str)) -> (String, String) {
    let path = |end: &str| dir.join(format!("client.{end}")).display().to_string();
    let (cert, key, request, extensions) = (path("pem"), path("key"), path("csr"), path("ext"));
    fs::write(&extensions, "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n").unwrap();
    for arguments in [
        vec![
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=client",
            "-keyout",
            &key,
            "-out",
            &request,
        ],
        vec![
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            root,
            "-CAkey",
            root_key,
            "-CAcreateserial",
            "-days",
            "9",
        ]
        .into_iter()
        .chain(["-extfile", extensions.as_str(), "-out", cert.as_str()])
        .collect(),
    ] {
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    (cert, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_again_and_clients_must_have_one() {
    let data = tempfile::tempdir().unwrap();
    let files = data.path();
    let (first, first_key) = certificate(files, "first");
    let (second, second_key) = certificate(files, "second");
    let (root, root_key) = certificate(files, "root");
    let (client, client_key) = signed(files, (&root, &root_key));
    let (cert, key) = (files.join("cert.pem"), files.join("key.pem"));
    let put = |from: [&str; 2]| {
        for (from, to) in from.into_iter().zip([&cert, &key]) {
            fs::copy(from, to).unwrap();
        }
    };
    put([&first, &first_key]);
    let settings = [
        ("LOG_SENTINEL_CERT_FILE", cert.to_str().unwrap()),
        ("LOG_SENTINEL_KEY_FILE", key.to_str().unwrap()),
        ("LOG_SENTINEL_CLIENT_CA_FILE", &root),
    ];
    let server = Server::start(Path::new(BINARY), &files.join("state"), &settings).unwrap();
    let url = format!("https://localhost:{}/readyz", port(&server.url));
    let ask = |root: &str| curl(&["--cacert", root, "--cert", &client, "--key", &client_key, &url]);
    assert_eq!(curl(&["--cacert", &first, &url]).0, 0, "there is no connection without a certificate");
    assert_eq!(curl(&["--cacert", &first, "--cert", &second, "--key", &second_key, &url]).0, 0);
    assert_eq!(ask(&first).0, 200);

    fs::write(&cert, "-----BEGIN CERTIFICATE-----").unwrap();
    eventually("what does not load is said", async || {
        let (status, ready) = ask(&first);
        assert_eq!(status, 200, "the old one stays: {ready}");
        ready.contains("cert.pem").then_some(())
    })
    .await;
    put([&second, &second_key]);
    eventually("the new certificate serves", async || (ask(&second).0 == 200).then_some(())).await;
    assert_eq!(ask(&first).0, 0);
    eventually("all is well again", async || (!ask(&second).1.contains("cert.pem")).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_ends_when_its_key_does() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), data.path(), &[("API_KEYS", API_KEY)]).unwrap();
    let asking = [("LOG_SENTINEL_API_KEY", API_KEY)];
    let make = |more: &[&str]| {
        make_key(data.path(), &[&["--scopes", "read", "--url", server.url.as_str()], more].concat(), &asking)
    };
    let (revoked_id, revoked) = make(&[]);
    let (_, of_session) = make(&[]);
    let request = server.http.post(format!("{}/api/v1/session", server.url)).bearer_auth(&of_session);
    let response = request.send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let open = async |header: &str, value: &str| {
        let request = server.http.get(format!("{}/api/v1/tail", server.url)).header(header, value);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.chunk().await.unwrap().is_some(), "it lives");
        response
    };
    let bearer = |key: &str| format!("Bearer {key}");
    let expired = make(&["--expires", "10s"]).1;
    let tails = [
        open("authorization", &bearer(&revoked)).await,
        open("cookie", &cookie).await,
        open("authorization", &bearer(&expired)).await,
    ];
    let mut other = open("authorization", &bearer(API_KEY)).await;
    let gone = server.http.delete(format!("{}/api/v1/keys/{revoked_id}", server.url)).bearer_auth(API_KEY);
    assert_eq!(gone.send().await.unwrap().status(), 200);
    let out = server.http.delete(format!("{}/api/v1/session", server.url)).header("cookie", cookie);
    assert_eq!(out.send().await.unwrap().status(), 204);
    for mut tail in tails {
        let ended = async { while tail.chunk().await.unwrap().is_some() {} };
        tokio::time::timeout(testkit::WAIT_MAX, ended).await.unwrap();
    }
    assert_eq!(server.post_logs("text/plain", "a line").await.unwrap().0, 401);
    let request = server.http.post(format!("{}/logs", server.url)).bearer_auth(API_KEY).body("a line");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let mut seen = String::new();
    while !seen.contains("a line") {
        let chunk = tokio::time::timeout(testkit::WAIT_MAX, other.chunk()).await.unwrap().unwrap().unwrap();
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_shows_its_certificate_to_a_service_that_asks_for_one() {
    let files = tempfile::tempdir().unwrap();
    let (root, root_key) = certificate(files.path(), "root");
    let (client, client_key) = signed(files.path(), (&root, &root_key));
    let settings =
        [("LOG_SENTINEL_ANOMALY_CERT_FILE", "own"), ("LOG_SENTINEL_ANOMALY_CLIENT_CA_FILE", root.as_str())];
    let state = |name: &str| files.path().join(name);
    let service = Server::start_role(Path::new(BINARY), "anomaly", &state("service"), &settings).unwrap();
    let url = format!("https://localhost:{}", port(&service.grpc_url));
    let authority = state("service").join("access/authority.pem").display().to_string();
    let with = [
        ("LOG_SENTINEL_ANOMALY_URL", url.as_str()),
        ("LOG_SENTINEL_ANOMALY_CA_FILE", &authority),
        ("LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE", &client),
        ("LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE", &client_key),
        ("LOG_SENTINEL_ANOMALY_TIMEOUT", "20s"),
    ];
    for (name, settings, scored) in [("with", &with[..], true), ("without", &with[..2], false)] {
        let collector = Server::start_role(Path::new(BINARY), "collector", &state(name), settings).unwrap();
        let request = collector.http.post(format!("{}/logs?wait=indexed", collector.url)).body("a line");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let unscored = collector.count("sentinel.anomaly.state:unscored").await.unwrap();
        assert_eq!((collector.count("line").await.unwrap(), unscored == 0), (1, scored), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_reaches_whoever_still_sends() {
    let data = tempfile::tempdir().unwrap();
    let server =
        Server::start(Path::new(BINARY), &data.path().join("state"), &[("API_KEYS", API_KEY)]).unwrap();
    let body = data.path().join("body");
    fs::write(&body, vec![b'x'; 4 << 20]).unwrap();
    let body = format!("@{}", body.display());
    let logs = format!("{}/logs", server.url);
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        for _ in 0..10 {
            let post = [version, "-H", "content-type: text/plain", "--data-binary", &body, &logs];
            let (status, answer) = curl(&post);
            assert!(status == 401 && answer.contains("unauthorized"), "{version}: {status} {answer}");
        }
    }
}
