//! Lines of every format, and what must become of them.

use event::{Event, Timestamp};
use jiff::tz::TimeZone;
use parse::Context;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn context() -> Context<'static> {
    static UTC: TimeZone = TimeZone::UTC;
    Context::new(Timestamp::parse("2024-06-01T12:00:10Z").unwrap_or_default(), &UTC, 64 * 1024)
}

fn value(event: &Event<'_>, path: &str) -> Json {
    match path {
        "@timestamp" => event.timestamp.to_string().into(),
        "log.level" => event.severity.as_str().into(),
        "message" => event.message.as_ref().into(),
        "service.name" => event.source.as_deref().into(),
        "host.name" => event.host.as_deref().into(),
        path => event.field(path).map_or(Json::Null, event::Value::to_json),
    }
}

/// Every expected member must be there with that value; null means that it must be absent.
fn check(line: &str, expected: Json) {
    let event = parse::line(line.as_bytes(), &context());
    assert_eq!(event.original.as_deref(), Some(line));
    assert!(expected.as_object().is_some_and(|members| !members.is_empty()));
    for (path, expected) in expected.as_object().into_iter().flatten() {
        assert_eq!(&value(&event, path), expected, "{path} of {line}\n{event:?}");
    }
}

#[test]
fn seconds_since_1970_that_agree_with_the_date_after_them() {
    for (line, expected) in [
        (
            "- 1117838570 2005.06.03 R1 2005-06-03-15.42.50.363779 R1 RAS INFO cache error",
            "2005-06-03T22:42:50Z",
        ),
        ("1117838570 2005-06-03 node7 started", "2005-06-03T22:42:50Z"),
        ("ALERT 1117843200 2005/06/03 node7 stopped", "2005-06-04T00:00:00Z"),
        ("- 1117838570 2005.06.07 another day", "2024-06-01T12:00:10Z"),
        ("- 1117838570 requests", "2024-06-01T12:00:10Z"),
        ("- x 1117838570 2005.06.03", "2024-06-01T12:00:10Z"),
    ] {
        let event = parse::line(line.as_bytes(), &context());
        assert_eq!(event.timestamp, Timestamp::parse(expected).unwrap_or_default(), "{line}");
        assert_eq!(event.message, line);
    }
}

#[test]
fn syslog() {
    check(
        "Jun  1 12:00:00 web1 sshd[42]: Failed password for invalid user bob from 192.0.2.7 port 4711 ssh2",
        json!({
            "@timestamp": "2024-06-01T12:00:00Z", "host.name": "web1", "service.name": "sshd",
            "process.pid": 42, "user.name": "bob", "source.ip": "192.0.2.7", "source.port": 4711,
            "event.outcome": "failure", "event.category": ["authentication"], "event.action": "ssh_login",
            "message": "Failed password for invalid user bob from 192.0.2.7 port 4711 ssh2"
        }),
    );
    check(
        "<35>1 2024-06-01T12:00:00.5+02:00 gate audit 9 - [meta sequenceId=\"4\"] login refused",
        json!({
            "@timestamp": "2024-06-01T10:00:00.5Z", "host.name": "gate", "service.name": "audit",
            "process.pid": 9, "labels.meta.sequenceId": "4", "message": "login refused", "log.level": "error",
            "log.syslog.facility.code": 4, "log.syslog.severity.code": 3
        }),
    );
    check(
        "2024-06-01T12:00:00.123456+02:00 web1 cron[7]: job done",
        json!({"@timestamp": "2024-06-01T10:00:00.123456Z", "host.name": "web1", "process.name": "cron",
            "message": "job done"}),
    );
    check(
        "<13>Jun  1 12:00:00 203.0.113.9 no tag here",
        json!({"host.name": "203.0.113.9", "message": "no tag here", "log.level": "info"}),
    );
    check(
        "Jun  1 12:00:00 web1 sudo:    ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/bin/ls",
        json!({"user.name": "ann", "user.effective.name": "root", "process.command_line": "/bin/ls",
            "event.outcome": "success"}),
    );
    check(
        "Jun  1 12:00:00 web1 sshd[1]: pam_unix(sshd:auth): authentication failure; logname= uid=0 rhost=not_an/address",
        json!({"source.ip": null, "source.address": null, "event.outcome": "failure"}),
    );
}

#[test]
fn access_logs() {
    check(
        "198.51.100.3 - ann [01/Jun/2024:14:00:00 +0200] \"GET /a?b=c HTTP/1.1\" 404 12 \"-\" \"probe/1.0\"",
        json!({
            "@timestamp": "2024-06-01T12:00:00Z", "source.ip": "198.51.100.3", "user.name": "ann",
            "http.request.method": "GET", "url.path": "/a", "url.query": "b=c", "http.version": "1.1",
            "http.response.status_code": 404, "http.response.body.bytes": 12, "log.level": "warn",
            "user_agent.original": "probe/1.0", "http.request.referrer": null
        }),
    );
    check(
        "198.51.100.3 - - [01/Jun/2024:14:00:00 +0200] \"\\x16\\x03\" 400 -",
        json!({"http.request.method": null, "http.response.status_code": 400, "http.response.body.bytes": null}),
    );
    check(
        "198.51.100.3 - - [01/Jun/2024:14:00:00 +0200] \"GET / HTTP/1.1\" 200 1 \"-\" \"cut off/1",
        json!({"user_agent.original": "cut off/1", "http.response.status_code": 200}),
    );
}

#[test]
fn access_logs_within_syslog() {
    check(
        "Jun  1 12:00:02 web1 nginx[7]: 198.51.100.3 - - [01/Jun/2024:14:00:00 +0200] \"GET /a?b HTTP/2.0\" 404 12 \"-\" \"p/1\"",
        json!({
            "@timestamp": "2024-06-01T12:00:00Z", "host.name": "web1", "process.name": "nginx", "process.pid": 7,
            "source.ip": "198.51.100.3", "url.path": "/a", "http.response.status_code": 404, "user_agent.original": "p/1",
            "log.level": "warn"
        }),
    );
    check(
        "Jun  1 12:00:02 lb haproxy[9]: 198.51.100.3:4711 [01/Jun/2024:12:00:01.655] http-in static/srv1 10/0/30/69/109 \
         503 2750 - - ---- 1/1/1/1/0 0/0 {agent} \"GET /a HTTP/1.1\"",
        json!({
            "process.name": "haproxy", "source.ip": "198.51.100.3", "source.port": 4711, "url.path": "/a",
            "http.response.status_code": 503, "http.response.bytes": 2750, "log.level": "error"
        }),
    );
    check(
        "Jun  1 12:00:02 web1 shop[7]: 198.51.100.3 - - [01/Jun/2024:14:00:00 +0200] \"GET / HTTP/1.1\" 404 12",
        json!({"source.ip": null, "http.response.status_code": null}),
    );
}

#[test]
fn applications() {
    for (line, level, message) in [
        ("2024-06-01 11:59:59,747 - INFO  [Peer[id=1]/0:2181] - time out: 3200", "info", "time out: 3200"),
        ("[2024-06-01 11:59:59.747] [WARN] slow", "warn", "slow"),
        ("2024-06-01T11:59:59.747Z ERROR main: broken", "error", "main: broken"),
        ("240601 115959 143 INFO dfs.Node$X: Served", "info", "Served"),
    ] {
        check(line, json!({"log.level": level, "message": message}));
        let timestamp = parse::line(line.as_bytes(), &context()).timestamp;
        assert_eq!(&timestamp.to_string()[..19], "2024-06-01T11:59:59", "{line}");
    }
    check(
        "[Sat Jun 01 11:59:59.5 2024] [core:error] [pid 7:tid 8] [client 192.0.2.7:99] AH1: denied",
        json!({"log.level": "error", "process.pid": 7, "source.ip": "192.0.2.7", "source.port": 99}),
    );
    check(
        "2024/06/01 11:59:59 [error] 20#20: *9 refused, client: 192.0.2.7, server: x, request: \"GET /y HTTP/1.1\"",
        json!({"process.pid": 20, "source.ip": "192.0.2.7", "url.path": "/y", "log.level": "error"}),
    );
    check(
        "[   12.345678] usb 1-1: new device",
        json!({"service.name": "kernel", "message": "usb 1-1: new device"}),
    );
}

#[test]
fn structured_lines() {
    check(
        "{\"time\":\"2024-06-01T12:00:00Z\",\"level\":\"WARNING\",\"msg\":\"hot\",\"user\":{\"id\":7},\"x\":[1, 2]}",
        json!({"@timestamp": "2024-06-01T12:00:00Z", "log.level": "warn", "labels.level": "WARNING",
            "message": "hot", "user.id": "7", "labels.x": [1, 2]}),
    );
    check(
        "time=2024-06-01T12:00:00Z level=error msg=\"two words\" attempt=3",
        json!({"@timestamp": "2024-06-01T12:00:00Z", "log.level": "error", "message": "two words",
            "labels.attempt": "3"}),
    );
}

#[test]
fn plain_text() {
    for line in [
        "the answer x=42 is here",
        "  at com.example.Main(Main.java:7)",
        "",
        "[1,2]",
        "{broken",
        "\u{1}\u{0}",
    ] {
        check(line, json!({"message": line, "@timestamp": "2024-06-01T12:00:10Z"}));
    }
}

#[test]
fn damaged_lines_are_marked() {
    let mut context = context();
    let event = parse::line(b"caf\xe9\r\n", &context);
    assert_eq!((event.message.as_ref(), value(&event, "log.flags")), ("café", json!(["windows_1252"])));
    let event = parse::line(b"caf\xe9 caf\xc3\xa9", &context);
    assert_eq!(
        (event.message.as_ref(), value(&event, "log.flags"), value(&event, "labels.original_base64")),
        ("caf\u{fffd} café", json!(["invalid_utf8"]), json!("Y2Fm6SBjYWbDqQ=="))
    );
    context.line_bytes_max = 4;
    let event = parse::line("abc\u{e9}def".as_bytes(), &context);
    assert_eq!((event.message.as_ref(), value(&event, "log.flags")), ("abc", json!(["truncated"])));
}

fn starts() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "",
        "<13>1 ",
        "Jun  1 12:00:00 h p[1]: ",
        "{\"message\":",
        "192.0.2.1 - - [01/Jun/2024:14:00:00 +0200] \"",
        "2024-06-01 12:00:00 ",
        "[",
        "level=info ",
        "Jun 1 12:00:00 h sshd[1]: Failed password for ",
        "Jun 1 12:00:00 h sudo: ",
        "[Sat Jun 01 11:59:59 2024] [error] ",
        "2024-06-01 12:00:00 [error] 1#1: ",
        "2024-06-01 12:00:00 ",
        "2024-06-01T12:00:00Z 7 [Warning] ",
        "2024-06-01 12:00:00.1 spid7s     ",
        "2024-06-01 12:00:00 UTC [7] LOG:  ",
        "2024-06-01 12:00:00 UTC,\"a\",\"b\",7,",
        "E0601 12:00:00.000001  1 a.go:7] ",
        "06-01 12:00:00.000  1  2 D ",
        "7:M 01 Jun 2024 12:00:00.000 * ",
        "E, [2024-06-01T12:00:00.000000 #7] ",
        "type=A msg=audit(1717243200.000:7): ",
        "CEF:0|a|b|c|d|e|5|",
        "LEEF:1.0|a|b|c|d|",
        "date=2024-06-01 time=12:00:00 ",
        "<189>7: *Jun  1 12:00:00: %SYS-5-",
        "<30>Jun  1 12:00:00 (\"",
        "1717243200.123    7 192.0.2.7 TCP_MISS/200 ",
        "https 2024-06-01T12:00:00Z app/x ",
        "@4000000066",
        "** (",
        "[GIN] 2024/06/01 - 12:00:00 | ",
    ]);
    (start, ".{0,60}").prop_map(|(start, rest)| start.to_owned() + &rest)
}

#[test]
fn names_and_quoted_values_are_labels() {
    let line = r#"scan: msg: "a-result", scan-id: "7", title: "No "empty" words", severity: "high"."#;
    check(
        line,
        json!({
            "service.name": "scan", "process.name": "scan", "log.level": "info", "message": &line[6..],
            "labels.msg": "a-result", "labels.scan_id": "7", "labels.title": "No \"empty\" words", "labels.severity": "high",
        }),
    );
    for line in
        ["scan: msg: \"a", "a scan: msg: \"a\".", "scan: msg: \"a\", and so on", "scan: title: \"a\"."]
    {
        check(line, json!({ "message": line, "labels.msg": null, "labels.title": null }));
    }
}

#[test]
fn what_a_client_of_iis_calls_itself_stands_behind_its_address() {
    for (columns, expected) in [
        ("192.0.2.7 Big+Scanner/7.1 - 404 0 2 0", json!("Big+Scanner/7.1")),
        ("192.0.2.7 HTTP/1.1 curl/8.5 - 404 0 2 0", json!("curl/8.5")),
        (
            "192.0.2.7 Mozilla/5.0+(compatible;+Scanner;+https://example.org/scanner) https://example.org/ 404 0 2 0",
            json!("Mozilla/5.0+(compatible;+Scanner;+https://example.org/scanner)"),
        ),
        ("192.0.2.7 - https://example.org/ 404 0 2 0", json!(null)),
        ("192.0.2.7 https://example.org/ 404 0 2 0", json!(null)),
        ("192.0.2.7 404 0 2 0", json!(null)),
    ] {
        let line = format!("2024-06-01 12:00:00 192.0.2.4 GET /a - 80 - {columns}");
        check(&line, json!({ "source.ip": "192.0.2.7", "user_agent.original": expected }));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
        let event = parse::line(&bytes, &context());
        prop_assert_eq!(parse::original_bytes(&event), Some(bytes.clone()));
    }

    #[test]
    fn any_text_after_a_known_start_is_a_line(line in starts()) {
        let line = line.replace(['\n', '\r'], "");
        let event = parse::line(line.as_bytes(), &context());
        prop_assert_eq!(event.original.as_deref(), Some(line.as_str()));
        for (index, field) in event.fields.iter().enumerate() {
            prop_assert!(event.fields[..index].iter().all(|other| other.path != field.path));
        }
    }
}
