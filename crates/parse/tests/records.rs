//! Structured records of common loggers and protocols: time, level, host, program, message.

use event::{Event, Timestamp, Value};
use jiff::tz::TimeZone;
use parse::{Context, Format};
use serde_json::json;

const AT: &str = "2026-10-22T21:59:01.5Z";

fn read(format: Format, body: &str) -> Vec<Event<'static>> {
    let (received, zone) = (Timestamp::parse("2026-11-29T12:00:00Z").unwrap_or_default(), TimeZone::UTC);
    let context = Context::new(received, &zone, 64 * 1024);
    let mut events = Vec::new();
    parse::body(format, body.as_bytes(), &context, |record| match record {
        Ok(event) => events.push(event.into_owned()),
        Err(problem) => panic!("{body}: {problem:?}"),
    });
    events
}

/// What a record must say: time, level, host, program, message; an empty text where it says nothing.
struct Said(&'static str, &'static str, &'static str, &'static str, &'static str);

#[track_caller]
fn check(name: &str, event: &Event<'_>, Said(time, level, host, source, message): &Said) {
    let stamp =
        if time.is_empty() { event.observed_timestamp } else { Timestamp::parse(time).unwrap_or_default() };
    let found = (
        event.timestamp.to_string(),
        event.severity.as_str(),
        event.host.as_deref().unwrap_or_default(),
        event.source.as_deref().unwrap_or_default(),
        event.message.as_ref(),
    );
    assert_eq!(found, (stamp.to_string(), *level, *host, *source, *message), "{name}");
}

#[test]
fn loggers() {
    for (name, record, said) in [
        (
            "Serilog, compact",
            r#"{"@t":"2026-10-22T21:59:01.5Z","@mt":"Hello {User}","@m":"Hello ann","@l":"Error","User":"ann"}"#,
            Said(AT, "error", "", "", "Hello ann"),
        ),
        (
            "Serilog",
            r#"{"Timestamp":"2026-10-22T23:59:01.5+02:00","Level":"Warning","MessageTemplate":"b {X}","RenderedMessage":"b 1","Properties":{"MachineName":"h1"}}"#,
            Said(AT, "warn", "", "", "b 1"),
        ),
        (
            ".NET",
            r#"{"Timestamp":"2026-10-22T21:59:01.5Z","EventId":0,"LogLevel":"Critical","Category":"Shop","Message":"boom"}"#,
            Said(AT, "fatal", "", "", "boom"),
        ),
        (
            "MongoDB",
            r#"{"t":{"$date":"2026-10-22T21:59:01.500+00:00"},"s":"E","c":"NETWORK","id":12,"ctx":"listener","msg":"Listening failed","attr":{"port":1}}"#,
            Said(AT, "error", "", "", "Listening failed"),
        ),
        (
            "zap",
            r#"{"level":"error","ts":1792706341.5,"logger":"shop","caller":"a.go:1","msg":"boom"}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "logrus",
            r#"{"level":"warning","time":"2026-10-22T21:59:01.5Z","msg":"slow"}"#,
            Said(AT, "warn", "", "", "slow"),
        ),
        (
            "pino",
            r#"{"level":50,"time":1792706341500,"pid":7,"hostname":"h1","msg":"boom"}"#,
            Said(AT, "error", "h1", "", "boom"),
        ),
        (
            "bunyan",
            r#"{"name":"shop","hostname":"h1","pid":7,"level":40,"msg":"slow","time":"2026-10-22T21:59:01.500Z","v":0}"#,
            Said(AT, "warn", "h1", "shop", "slow"),
        ),
        (
            "python-json-logger",
            r#"{"asctime":"2026-10-22 21:59:01,500","levelname":"ERROR","name":"shop","message":"boom"}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "Python's numbers",
            r#"{"levelno":40,"message":"boom","created":1792706341.5}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "structlog",
            r#"{"event":"order placed","level":"info","timestamp":"2026-10-22T21:59:01.5Z"}"#,
            Said(AT, "info", "", "", "order placed"),
        ),
        (
            "Monolog",
            r#"{"message":"boom","context":{},"level":400,"level_name":"ERROR","channel":"app","datetime":"2026-10-22T21:59:01.500000+00:00"}"#,
            Said(AT, "error", "", "app", "boom"),
        ),
        (
            "Logback",
            r#"{"@timestamp":"2026-10-22T21:59:01.5Z","@version":"1","message":"boom","logger_name":"a.B","level":"ERROR","level_value":40000,"HOSTNAME":"h1"}"#,
            Said(AT, "error", "h1", "", "boom"),
        ),
        (
            "Log4j",
            r#"{"instant":{"epochSecond":1792706341,"nanoOfSecond":500000000},"thread":"main","level":"ERROR","message":"boom"}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "Rust's tracing",
            r#"{"timestamp":"2026-10-22T21:59:01.5Z","level":"ERROR","fields":{"message":"boom","order":7},"target":"shop"}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "hclog",
            r#"{"@level":"warn","@message":"slow","@module":"agent","@timestamp":"2026-10-22T21:59:01.5Z"}"#,
            Said(AT, "warn", "", "", "slow"),
        ),
        (
            "slog",
            r#"{"time":"2026-10-22T21:59:01.5Z","level":"ERROR+2","msg":"boom"}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "GELF",
            r#"{"version":"1.1","host":"web1","short_message":"boom","full_message":"boom\nmore","timestamp":1792706341.5,"level":3,"_user":"ann"}"#,
            Said(AT, "error", "web1", "", "boom"),
        ),
        (
            "ECS",
            r#"{"@timestamp":"2026-10-22T21:59:01.5Z","log":{"level":"error"},"message":"boom","service":{"name":"shop"},"host":{"name":"h1"}}"#,
            Said(AT, "error", "h1", "shop", "boom"),
        ),
        (
            "capitals",
            r#"{"@Timestamp":"2026-10-22T21:59:01.5Z","LEVEL":"ERROR","Message":"boom","Host":"h1"}"#,
            Said(AT, "error", "h1", "", "boom"),
        ),
        (
            "dotted",
            r#"{"@timestamp":"2026-10-22T21:59:01.5Z","log.level":"WARN","host.name":"h1","service.name":"shop","message":"slow"}"#,
            Said(AT, "warn", "h1", "shop", "slow"),
        ),
        (
            "PostgreSQL",
            r#"{"timestamp":"2026-10-22 21:59:01.500 UTC","pid":7,"dbname":"shop","error_severity":"FATAL","message":"no role"}"#,
            Said(AT, "fatal", "", "", "no role"),
        ),
        (
            "the journal",
            r#"{"__REALTIME_TIMESTAMP":"1792706341500000","PRIORITY":"3","MESSAGE":"disk hot","_HOSTNAME":"db1","SYSLOG_IDENTIFIER":"smartd","_PID":"812"}"#,
            Said(AT, "error", "db1", "smartd", "disk hot"),
        ),
        (
            "the journal, not printable",
            r#"{"__REALTIME_TIMESTAMP":"1792706341500000","PRIORITY":"6","MESSAGE":[72,101,108,108,111,13],"_HOSTNAME":"db1"}"#,
            Said(AT, "info", "db1", "", "Hello\r"),
        ),
        (
            "Google Cloud",
            r#"{"textPayload":"boom","severity":"ERROR","timestamp":"2026-10-22T21:59:01.5Z","resource":{"type":"k8s_container"}}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "Google Cloud, structured",
            r#"{"jsonPayload":{"message":"boom","order":7},"severity":"WARNING","timestamp":"2026-10-22T21:59:01.5Z"}"#,
            Said(AT, "warn", "", "", "boom"),
        ),
        (
            "OpenTelemetry",
            r#"{"Timestamp":"1792706341500000000","SeverityText":"ERROR","SeverityNumber":17,"Body":"boom"}"#,
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "rsyslog",
            r#"{"timestamp":"2026-10-22T21:59:01.5+00:00","host":"h1","severity":"err","facility":"daemon","programname":"sshd","procid":"7","message":"boom"}"#,
            Said(AT, "error", "h1", "sshd", "boom"),
        ),
        (
            "Fluent Bit",
            r#"{"date":1792706341.5,"log":"hello there\n","stream":"stdout"}"#,
            Said(AT, "info", "", "", "hello there"),
        ),
        (
            "Windows",
            r#"{"Event":{"System":{"Provider":{"Name":"Service Control Manager"},"EventID":7036,"Level":2,"TimeCreated":{"SystemTime":"2026-10-22T21:59:01.5Z"},"Computer":"pc1"},"RenderingInfo":{"Message":"It stopped"}}}"#,
            Said(AT, "error", "pc1", "Service Control Manager", "It stopped"),
        ),
        (
            "Windows, within another record",
            r#"{"timestamp":"2026-10-22T21:59:01.5Z","message":"m","win":{"system":{"eventID":"7","level":"4"}}}"#,
            Said(AT, "info", "", "", "m"),
        ),
        (
            "Windows, within another record, a fault",
            r#"{"timestamp":"2026-10-22T21:59:01.5Z","message":"m","win":{"system":{"eventID":"7","level":"2"}}}"#,
            Said(AT, "error", "", "", "m"),
        ),
        (
            "not Windows, within another record",
            r#"{"timestamp":"2026-10-22T21:59:01.5Z","message":"m","filesystem":{"level":"4"}}"#,
            Said(AT, "warn", "", "", "m"),
        ),
        (
            "date and time apart",
            r#"{"date":"2026-10-22","time":"21:59:01.5","level":"notice","message":"m"}"#,
            Said(AT, "info", "", "", "m"),
        ),
        (
            "a duration called time, and a time",
            r#"{"time":0.005,"asctime":"2026-10-22 21:59:01.5","message":"m"}"#,
            Said(AT, "info", "", "", "m"),
        ),
    ] {
        for format in [Format::Json, Format::Ndjson, Format::Lines] {
            let events = read(format, record);
            assert_eq!(events.len(), 1, "{name}");
            check(name, &events[0], &said);
        }
    }
}

#[test]
fn what_is_no_level_and_no_time_stays_a_label() {
    let events = read(
        Format::Json,
        r#"{"kind":"Event","level":"Metadata","requestReceivedTimestamp":"2026-10-22T21:59:01.5Z","verb":"get","t":5,"s":"E","date":20261022}"#,
    );
    let event = &events[0];
    assert_eq!((event.timestamp.to_string(), event.severity.as_str()), (AT.to_owned(), "info"));
    for (path, value) in [
        ("labels.level", json!("Metadata")),
        ("labels.t", json!(5)),
        ("labels.s", json!("E")),
        ("labels.date", json!(20_261_022)),
    ] {
        assert_eq!(event.field(path).map(Value::to_json), Some(value), "{path}");
    }
    assert!(!event.has_flag("timestamp_replaced"));
}

#[test]
fn requests_have_the_fields_of_requests() {
    let events = read(
        Format::Ndjson,
        concat!(
            r#"{"time_iso8601":"2026-10-22T21:59:01+00:00","remote_addr":"192.0.2.7","status":"500","request":"GET /a?b HTTP/1.1"}"#,
            "\n",
            r#"{"ClientAddr":"192.0.2.7:4711","DownstreamStatus":404,"RequestMethod":"GET","RequestPath":"/x","level":"info","msg":"","time":"2026-10-22T21:59:01Z"}"#,
            "\n",
            r#"{"method":"POST","path":"/y","response_code":200,"start_time":"2026-10-22T21:59:01Z","downstream_remote_address":"192.0.2.7:4711"}"#,
            "\n",
            r#"{"level":"info","ts":1792706341,"msg":"handled request","request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/z"},"status":503}"#,
        ),
    );
    let expected = [("error", "GET", 500), ("info", "GET", 404), ("info", "POST", 200), ("info", "GET", 503)];
    for (event, (level, method, status)) in events.iter().zip(expected) {
        assert_eq!(event.severity.as_str(), level, "{event:?}");
        assert_eq!(event.timestamp.to_string(), "2026-10-22T21:59:01Z");
        for (path, value) in [
            ("source.ip", json!("192.0.2.7")),
            ("http.request.method", json!(method)),
            ("http.response.status_code", json!(status)),
        ] {
            assert_eq!(event.field(path).map(Value::to_json), Some(value), "{path} of {event:?}");
        }
    }
    assert!(events[1].message.contains("404"), "an empty message says nothing");
    let events = read(
        Format::Json,
        r#"{"message":"m","status":"ok","path":"/srv/a","src_ip":"192.0.2.7","src_port":22}"#,
    );
    for (path, value) in [
        ("labels.status", json!("ok")),
        ("labels.path", json!("/srv/a")),
        ("source.ip", json!("192.0.2.7")),
        ("source.port", json!(22)),
    ] {
        assert_eq!(events[0].field(path).map(Value::to_json), Some(value), "{path}");
    }
}

#[test]
fn a_level_within_a_url_is_none() {
    let events = read(
        Format::Json,
        r#"{"request":"POST /api/ds/query?level=error&x=1 HTTP/2.0","status":200,"time":"2026-10-22T21:59:01Z"}"#,
    );
    assert_eq!(events[0].severity.as_str(), "info");
    let events = read(Format::Json, r#"{"record":{"level":"error"},"n":1}"#);
    assert_eq!(events[0].severity.as_str(), "error");
}

#[test]
fn envelopes_give_their_records() {
    let otlp = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"h1"}}]},"scopeLogs":[{"scope":{"name":"a.B"},"logRecords":[{"timeUnixNano":"1792706341500000000","severityNumber":17,"severityText":"Error","body":{"stringValue":"boom"},"attributes":[{"key":"order","value":{"intValue":"7"}}],"traceId":"0af7651916cd43dd8448eb211c80319c"},{"observedTimeUnixNano":"1792706341500000000","severityNumber":13,"body":{"kvlistValue":{"values":[{"key":"message","value":{"stringValue":"slow"}},{"key":"ms","value":{"doubleValue":1.5}}]}}}]}]}]}"#;
    for format in [Format::Json, Format::Ndjson, Format::Lines] {
        let events = read(format, otlp);
        assert_eq!(events.len(), 2);
        check("OTLP", &events[0], &Said(AT, "error", "h1", "shop", "boom"));
        check("OTLP", &events[1], &Said(AT, "warn", "h1", "shop", "slow"));
        assert_eq!(events[0].field("labels.order"), Some(&Value::Int(7)));
        assert_eq!(
            events[0].field("trace.id").map(Value::to_json),
            Some(json!("0af7651916cd43dd8448eb211c80319c"))
        );
        assert_eq!(events[1].field("labels.ms"), Some(&Value::Float(1.5)));
    }
    let loki = r#"{"streams":[{"stream":{"app":"shop","host":"h1","level":"warn"},"values":[["1792706341500000000","one"],["1792706341500000000","two",{"k":"v"}]]}]}"#;
    let events = read(Format::Json, loki);
    check("Loki", &events[0], &Said(AT, "warn", "h1", "shop", "one"));
    check("Loki", &events[1], &Said(AT, "warn", "h1", "shop", "two"));
    assert_eq!(events[1].field("labels.k").map(Value::to_json), Some(json!("v")));
    let hec = concat!(
        r#"{"time":1792706341.5,"host":"h1","source":"shop","sourcetype":"_json","event":{"level":"error","message":"boom","action":"x"},"fields":{"dc":"a"}}"#,
        r#"{"time":"1792706341.5","event":"plain"}"#
    );
    let events = read(Format::Json, hec);
    check("HEC", &events[0], &Said(AT, "error", "h1", "shop", "boom"));
    check("HEC", &events[1], &Said(AT, "info", "", "", "plain"));
    assert_eq!(events[0].field("labels.dc").map(Value::to_json), Some(json!("a")));
    let events = read(
        Format::Json,
        r#"{"@timestamp":"2026-10-22T21:59:01.5Z","event":{"action":"login"},"message":"m"}"#,
    );
    assert_eq!(
        events[0].field("event.action").map(Value::to_json),
        Some(json!("login")),
        "ECS is no envelope"
    );
    let cloud_watch = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/x","logStream":"s","logEvents":[{"id":"1","timestamp":1792706341500,"message":"ERROR boom"}]}"#;
    check("CloudWatch", &read(Format::Json, cloud_watch)[0], &Said(AT, "error", "", "/aws/x", "ERROR boom"));
    let trail = r#"{"Records":[{"eventTime":"2026-10-22T21:59:01.5Z","eventName":"ConsoleLogin","sourceIPAddress":"192.0.2.7"},{"eventTime":"2026-10-22T21:59:01.5Z","eventName":"B"}]}"#;
    let events = read(Format::Json, trail);
    assert_eq!((events.len(), events[0].timestamp.to_string()), (2, AT.to_owned()));
    assert_eq!(events[0].field("source.ip").map(Value::to_json), Some(json!("192.0.2.7")));
}

#[test]
fn a_record_within_a_record_is_opened() {
    let docker = r#"{"log":"{\"level\":\"error\",\"msg\":\"boom\",\"time\":\"2026-10-22T21:59:00Z\",\"order\":7}\n","stream":"stderr","time":"2026-10-22T21:59:01.5Z"}"#;
    for format in [Format::Json, Format::Lines] {
        let events = read(format, docker);
        check("Docker", &events[0], &Said(AT, "error", "", "", "boom"));
        assert_eq!(events[0].field("labels.order"), Some(&Value::Int(7)));
        assert_eq!(
            events[0].field("labels.nested.timestamp").map(Value::to_json),
            Some(json!("2026-10-22T21:59:00Z"))
        );
    }
    for (line, said) in [
        (
            "<14>Oct 22 21:59:01.5 web1 app[7]: @cee: {\"level\":\"error\",\"msg\":\"boom\"}",
            Said(AT, "error", "web1", "app", "boom"),
        ),
        (
            "<14>Oct 22 21:59:01.5 web1 app[7]: {\"level\":\"warn\",\"message\":\"slow\",\"host\":\"inner\"}",
            Said(AT, "warn", "web1", "app", "slow"),
        ),
        (
            "2026-10-22T21:59:01.5Z stdout F {\"level\":\"error\",\"msg\":\"boom\"}",
            Said(AT, "error", "", "", "boom"),
        ),
        (
            "2026-10-22T23:59:01.5+02:00 stdout F level=warn msg=\"slow disk\"",
            Said(AT, "warn", "", "", "slow disk"),
        ),
        (
            "2026-10-22T21:59:01.5Z stderr F hello from the app",
            Said(AT, "info", "", "", "hello from the app"),
        ),
        ("2026-10-22T21:59:01.5Z stdout F ", Said(AT, "info", "", "", "")),
        (
            "\u{1b}[0m{\"level\":\"error\",\"msg\":\"boom\",\"ts\":1792706341.5}\u{1b}[0m",
            Said(AT, "error", "", "", "boom"),
        ),
        ("t=2026-10-22T21:59:01.5+0000 lvl=error msg=\"boom\"", Said(AT, "error", "", "", "boom")),
        ("level=error msg=\"boom\" retry time=2026-10-22T21:59:01.5Z", Said(AT, "error", "", "", "boom")),
        ("level=error msg=it\"s time=2026-10-22T21:59:01.5Z", Said(AT, "error", "", "", "it\"s")),
    ] {
        let events = read(Format::Lines, line);
        check(line, &events[0], &said);
        assert_eq!(events[0].original.as_deref(), Some(line));
    }
}

#[test]
fn a_record_is_found_by_the_file_that_held_it() {
    let (received, zone) = (Timestamp::parse("2026-11-29T12:00:00Z").unwrap_or_default(), TimeZone::UTC);
    let body = br#"{"message":"boom","log":{"file":{"path":"/var/log/x.log"}}}"#;
    for (file, expected) in [
        (None, [Some("/var/log/x.log"), None]),
        (Some("/srv/all.ndjson"), [Some("/srv/all.ndjson"), Some("/var/log/x.log")]),
        (Some("/var/log/x.log"), [Some("/var/log/x.log"), None]),
    ] {
        let context = Context { file, ..Context::new(received, &zone, 64 * 1024) };
        parse::body(Format::Json, body, &context, |record| {
            let event = record.unwrap_or_else(|problem| panic!("{problem:?}"));
            let paths = ["log.file.path", "labels.log.file.path"]
                .map(|path| event.field(path).and_then(Value::as_str));
            assert_eq!(paths, expected, "{file:?}");
        });
    }
}

/// What a record's message says of a sign-in, a command or a request is read as it would be of the line itself.
#[test]
fn lines_within_records() {
    let sshd = "Failed password for root from 192.0.2.7 port 50022 ssh2";
    let line = format!("Jun  1 12:00:00 web-1 sshd[4242]: {sshd}");
    let request = r#"192.0.2.7 - - [01/Jun/2026:12:00:00 +0000] \"GET /wp-login.php HTTP/1.1\" 404 12"#;
    for (name, record, expected) in [
        (
            "the program is the source",
            format!(r#"{{"message":"{sshd}","source":"sshd","host":"web-1"}}"#),
            [("source.ip", "192.0.2.7"), ("event.outcome", "failure"), ("user.name", "root")],
        ),
        (
            "the log is the source",
            format!(r#"{{"message":"{sshd}","source":"auth","level":"ERROR"}}"#),
            [("source.ip", "192.0.2.7"), ("event.outcome", "failure"), ("user.name", "root")],
        ),
        (
            "a line as a shipper took it",
            format!(r#"{{"message":"{line}","log":{{"file":{{"path":"/var/log/auth.log"}}}}}}"#),
            [("source.ip", "192.0.2.7"), ("event.outcome", "failure"), ("process.pid", "4242")],
        ),
        (
            "a line with its priority",
            format!(r#"{{"message":"<38>{line}"}}"#),
            [("source.ip", "192.0.2.7"), ("event.outcome", "failure"), ("process.name", "sshd")],
        ),
        (
            "a request",
            format!(r#"{{"message":"{request}","service":"nginx"}}"#),
            [("source.ip", "192.0.2.7"), ("http.response.status_code", "404"), ("url.path", "/wp-login.php")],
        ),
    ] {
        let events = read(Format::Json, &record);
        for (path, value) in expected {
            let found = events[0].field(path).map(|found| found.to_json().to_string());
            assert_eq!(found.as_deref().map(|found| found.trim_matches('"')), Some(value), "{name}: {path}");
        }
    }
    let kept = &read(Format::Json, &format!(r#"{{"message":"{line}"}}"#))[0];
    assert_eq!(
        (kept.message.as_ref(), kept.source.as_deref()),
        (line.as_str(), Some("sshd")),
        "the message stays"
    );
    let typed = &read(Format::Json, &format!(r#"{{"message":"{line}","source":"shop"}}"#))[0];
    assert_eq!(typed.field("source.ip"), None, "what somebody typed into another program");
    let said = r#"{"message":"Failed password for root from 192.0.2.7 port 50022 ssh2","source":"shop"}"#;
    assert_eq!(read(Format::Json, said)[0].field("source.ip"), None, "a program that signs nobody in");
}

/// Numbers mean what the program that writes them means: those of syslog would make an alert of its information.
#[test]
fn nextcloud_counts_its_levels_from_debug() {
    for (number, expected) in [(0, "debug"), (1, "info"), (2, "warn"), (3, "error"), (4, "fatal")] {
        let line = format!(
            r#"{{"reqId":"a","level":{number},"time":"2024-05-01T10:00:00+00:00","remoteAddr":"192.0.2.7","message":"x"}}"#
        );
        let zone = jiff::tz::TimeZone::UTC;
        let received = event::Timestamp::parse("2024-05-01T12:00:00Z").unwrap_or_default();
        let event = parse::line(line.as_bytes(), &parse::Context::new(received, &zone, 1 << 20));
        assert_eq!(event.severity.as_str(), expected, "{line}");
    }
}
