//! Rules through the real program: what they would have told of what is past, over the API, and what is
//! found in what the machine itself shows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");
const HERON: &str = "00000000-0000-4000-8000-000000000001";

fn rule() -> String {
    format!(
        "title: A heron at the gate\nid: {HERON}\nlogsource: {{product: linux}}\n\
         detection:\n  words: [heron]\n  condition: words\nlevel: high\n"
    )
}

/// Runs the program without any setting of the outside; gives what it printed.
async fn told(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> (bool, String, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir).stdin(Stdio::null());
    command.envs(settings.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// Two days with a heron every three hours: six of eight a day at one gate.
fn lines() -> String {
    let line = |number: u32| {
        let (day, hour) = (1 + number / 8, number % 8 * 3);
        let gate = if number.is_multiple_of(4) { "gate-2" } else { "gate-1" };
        format!("2026-11-{day:02}T{hour:02}:00:00Z {gate} birds[7]: a heron came\n")
    };
    (0..16).map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_would_have_told_is_the_same_of_files_and_of_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("heron.yml"), rule()).unwrap();
    fs::write(dir.path().join("birds.log"), lines()).unwrap();
    let settings = [("LOG_SENTINEL_RULES_DIR", rules.to_str().unwrap())];

    let files = ["rules", "backtest", "heron", "--logs", "birds.log", "-o", "json"];
    let (is_well, of_files, said) = told(dir.path(), &files, &settings).await;
    assert!(is_well, "{said}");
    let of_files: Json = serde_json::from_str(&of_files).unwrap();
    let row = &of_files["rules"][0];
    assert_eq!(of_files["events"], 16, "{of_files}");
    assert_eq!((&row["rule"], &row["findings"], &row["events"]), (&HERON.into(), &16.into(), &16.into()));
    assert_eq!(
        (&row["entities"][0]["value"], &row["entities"][0]["findings"]),
        (&"gate-1".into(), &12.into())
    );
    assert!(row["file"].as_str().unwrap().ends_with("heron.yml"), "{row}");
    assert_eq!(row["examples"][0]["message"], "a heron came");

    let server = Server::start(Path::new(BINARY), &dir.path().join("state"), &[]).unwrap();
    let (status, answer) = server.post_logs("text/plain", lines()).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let stored =
        ["rules", "backtest", "heron", "--from", "2026-01-01T00:00:00Z", "-o", "json", "--url", &server.url];
    let of_store = eventually("all is stored", async || {
        let (is_well, text, said) = told(dir.path(), &stored, &settings).await;
        assert!(is_well, "{said}");
        let json: Json = serde_json::from_str(&text).unwrap();
        (json["events"] == 16).then_some(json)
    })
    .await;
    for member in ["findings", "events", "a_day", "entities", "title", "severity", "proposal"] {
        assert_eq!(of_store["rules"][0][member], row[member], "{member}");
    }
    assert!(of_store["rules"][0]["examples"][0]["id"].is_string(), "{of_store}");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_told_with_a_filter_that_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("heron.yml"), rule()).unwrap();
    fs::write(dir.path().join("birds.log"), lines()).unwrap();
    let settings = [("LOG_SENTINEL_RULES_DIR", rules.to_str().unwrap())];
    let noise = ["rules", "noise", "--logs", "birds.log"];
    let (is_well, text, said) = told(dir.path(), &noise, &settings).await;
    assert!(is_well, "{said}");
    for expected in [
        "16 events from 2026-11-01T00:00:00Z",
        "A heron at the gate",
        "host gate-1 (12)",
        "75 % about host gate-1",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let json: Json =
        serde_json::from_str(&told(dir.path(), &[&noise[..], &["-o", "json"]].concat(), &settings).await.1)
            .unwrap();
    let row = json["rules"].as_array().unwrap().iter().find(|row| row["rule"] == HERON).unwrap();
    fs::write(rules.join("quiet.yml"), row["proposal"]["filter"].as_str().unwrap()).unwrap();
    let (_, text, said) =
        told(dir.path(), &["rules", "backtest", HERON, "--logs", "birds.log"], &settings).await;
    assert!(text.contains("A heron at the gate: 4 findings"), "{text}{said}");

    let (is_well, _, said) =
        told(dir.path(), &["rules", "backtest", "no such rule", "--logs", "birds.log"], &settings).await;
    assert!(!is_well && said.contains("no such rule"), "{said}");
    let (is_well, _, said) = told(dir.path(), &["rules", "noise", "--logs", "none.log"], &settings).await;
    assert!(!is_well && said.contains("none.log"), "{said}");
    let quiet = ["rules", "backtest", "rules/heron.yml", "--logs", "empty.log"];
    fs::write(dir.path().join("empty.log"), "").unwrap();
    let (is_well, text, said) = told(dir.path(), &quiet, &settings).await;
    assert!(
        is_well && text.contains("no events") && text.contains("would have told nothing"),
        "{text}{said}"
    );
}

async fn ask(server: &Server, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let mut request = server.http.request(method.parse().unwrap(), format!("{}{path}", server.url));
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// What is told of the heron.
async fn heron(server: &Server) -> Json {
    let (status, rule) = ask(server, "GET", &format!("/api/v1/rules/{HERON}"), &Json::Null).await;
    assert_eq!(status, 200, "{rule}");
    rule
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_written_tried_counted_and_rolled_back_over_the_api() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let settings = [("LOG_SENTINEL_RULES_DIR", rules.to_str().unwrap())];
    let server = Server::start(Path::new(BINARY), &dir.path().join("state"), &settings).unwrap();
    let (_, all) = ask(&server, "GET", "/api/v1/rules", &Json::Null).await;
    let listed = all["rules"].as_array().unwrap();
    assert!(
        listed.len() > 30 && listed.iter().all(|rule| rule["origin"] == "shipped" && rule["state"] == "on"),
        "{all}"
    );

    // Nothing is written of what is wrong, and it is said where.
    let file = "/api/v1/rule-files/birds%2Fheron.yml";
    let wrong = rule().replace("words: [heron]", "words: {message|nearly: heron}");
    let (status, refused) = ask(&server, "PUT", file, &json!({"text": wrong})).await;
    assert_eq!(
        (status, &refused["code"], &refused["line"]),
        (400, &json!("bad_rule"), &json!(5)),
        "{refused}"
    );
    assert!(!rules.join("birds/heron.yml").exists());
    let (_, checked) = ask(&server, "POST", "/api/v1/rules/check", &json!({"text": wrong})).await;
    assert_eq!(
        (&checked["faults"][0]["line"], checked["faults"].as_array().unwrap().len()),
        (&json!(5), 1),
        "{checked}"
    );
    for name in ["..%2Fheron.yml", "heron.txt", "%2Fetc%2Fheron.yml"] {
        let (status, refused) =
            ask(&server, "PUT", &format!("/api/v1/rule-files/{name}"), &json!({"text": rule()})).await;
        assert_eq!((status, &refused["code"]), (400, &json!("bad_rule_file")), "{name} {refused}");
    }

    let (status, written) = ask(&server, "PUT", file, &json!({"text": rule()})).await;
    assert_eq!((status, &written["kept"]), (200, &Json::Null), "{written}");
    assert_eq!(heron(&server).await["source"], rule());
    let event = json!({"message": "a heron came", "source": "birds", "host": "gate-1"}).to_string();
    eventually("the rule finds it", async || {
        let (status, answer) = server.post_logs("application/json", event.clone()).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        let rule = heron(&server).await;
        (rule["matches"].as_u64() >= Some(1) && rule["findings"] == 1 && rule["state"] == "on").then_some(())
    })
    .await;

    // On what is past: the rule that is there, and a text that is not.
    let crane = rule().replace("heron", "crane").replace("000001", "000002");
    for (body, findings) in
        [(json!({"rule": HERON}), 1), (json!({"text": rule()}), 1), (json!({"text": crane}), 0)]
    {
        let (status, tried) = ask(&server, "POST", "/api/v1/rules/dry-run", &body).await;
        assert_eq!((status, tried["rules"].as_array().unwrap().len()), (200, findings), "{tried}");
        assert!(tried["events"].as_u64() >= Some(1), "{tried}");
    }
    let (status, _) = ask(&server, "POST", "/api/v1/rules/dry-run", &json!({"rule": "none"})).await;
    assert_eq!(status, 404);

    let (_, written) =
        ask(&server, "PUT", file, &json!({"text": rule().replace("level: high", "level: low")})).await;
    assert_eq!(written["kept"], 1, "{written}");
    let low = heron(&server).await;
    assert_eq!(low["level"], "low");
    assert!(low["matches"].as_u64() >= Some(1), "what was counted stays: {low}");
    let (status, back) = ask(&server, "POST", &format!("{file}/roll-back"), &json!({"version": 1})).await;
    assert_eq!((status, &back["kept"]), (200, &json!(2)), "{back}");
    assert_eq!(heron(&server).await["level"], "high");

    fs::write(rules.join("wrong.yml"), wrong.replace(HERON, "another")).unwrap();
    let (_, reloaded) = ask(&server, "POST", "/api/v1/rules/reload", &Json::Null).await;
    assert_eq!(
        (&reloaded["is_taken"], &reloaded["refused"][0]["line"]),
        (&json!(true), &json!(5)),
        "{reloaded}"
    );
    let (_, all) = ask(&server, "GET", "/api/v1/rules", &Json::Null).await;
    let broken: Vec<_> =
        all["rules"].as_array().unwrap().iter().filter(|rule| rule["state"] == "broken").collect();
    assert_eq!((broken.len(), &broken[0]["file"]), (1, &json!("wrong.yml")), "{broken:?}");

    let (status, _) = ask(&server, "DELETE", file, &Json::Null).await;
    assert_eq!((status, rules.join("birds/heron.yml").exists()), (200, false));
    let (status, _) = ask(&server, "GET", &format!("/api/v1/rules/{HERON}"), &Json::Null).await;
    assert_eq!(status, 404);
    let (_, kept) = ask(&server, "GET", &format!("{file}?version=3"), &Json::Null).await;
    assert_eq!(kept["text"], rule(), "{kept}");
    assert!(server.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_this_machine_become_signals_also_those_made_while_it_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for folder in ["etc/sudoers.d", "etc/cron.d", "var/log", "home/ann/.ssh"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n")
        .unwrap();
    fs::write(root.join("etc/group"), "sudo:x:27:\n").unwrap();
    fs::write(root.join("var/log/auth.log"), "").unwrap();
    let data = dir.path().join("state");
    let settings = [
        ("LOG_SENTINEL_SYSTEM", "true"),
        ("LOG_SENTINEL_SYSTEM_ROOT", root.to_str().unwrap()),
        ("LOG_SENTINEL_SYSTEM_INTERVAL", "1s"),
    ];
    let found = async |server: &Server, kind: &str| {
        eventually("the change is a signal", async || {
            let answer = server.get("/api/v1/signals", &[("kind", kind)]).await.unwrap();
            answer["signals"].as_array().unwrap().first().cloned()
        })
        .await
    };
    let server = Server::start(Path::new(BINARY), &data, &settings).unwrap();
    // Each line is new, whichever look was the first.
    let mut lines = String::new();
    let signal = eventually("the change is a signal", async || {
        lines.push_str("* * * * * root echo \n");
        lines = lines.replace("echo", "echo again");
        fs::write(root.join("etc/cron.d/job"), &lines).unwrap();
        let answer = server.get("/api/v1/signals", &[("kind", "cron_changed")]).await.unwrap();
        answer["signals"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!(signal["rule"], "cron_changed", "{signal}");
    fs::write(root.join("etc/sudoers.d/ann"), "ann ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    found(&server, "sudoers_changed").await;
    assert!(server.terminate().unwrap().success());

    fs::write(root.join("home/ann/.ssh/authorized_keys"), "ssh-ed25519 AAAAGeheim eve@elsewhere\n").unwrap();
    fs::write(root.join("etc/group"), "sudo:x:27:ann\n").unwrap();
    let server = Server::start(Path::new(BINARY), &data, &settings).unwrap();
    let key = found(&server, "ssh_key_added").await;
    let account = found(&server, "account_changed").await;
    assert_eq!(
        (&account["rule"], &account["severity"]),
        (&json!("administrator_made"), &json!("high")),
        "{account}"
    );
    let whole = server.get(&format!("/api/v1/signals/{}", key["id"].as_str().unwrap()), &[]).await.unwrap();
    assert!(whole.to_string().contains("eve@elsewhere") && !whole.to_string().contains("Geheim"), "{whole}");
    assert!(server.terminate().unwrap().success());
}
