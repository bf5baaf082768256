//! Lines that are one event, and lines that are not.

use event::{Event, Timestamp};
use jiff::tz::TimeZone;
use parse::{Context, Format, Joining, Pattern};

fn read(text: &str, joining: &Joining) -> Vec<Event<'static>> {
    let (received, zone) = (Timestamp::parse("2026-11-29T12:00:00Z").unwrap_or_default(), TimeZone::UTC);
    let context =
        Context { joining: Some(joining), file: Some("a.log"), ..Context::new(received, &zone, 64 * 1024) };
    let mut events = Vec::new();
    parse::body(Format::Lines, text.as_bytes(), &context, |record| {
        events.extend(record.ok().map(Event::into_owned));
    });
    events
}

/// One trace of each kind, as programs print it; where it begins is the event's first line.
const TRACES: &[(&str, &str)] = &[
    (
        "Java",
        "2026-10-22 21:59:01 ERROR shop.Order - failed\njava.lang.IllegalStateException: no stock\n\tat shop.Order.place(Order.java:7)\n\tat shop.Main.main(Main.java:3)\nCaused by: java.io.IOException: closed\n\tat shop.Net.read(Net.java:9)\n\t... 2 more",
    ),
    (
        "Java, classes of all names",
        "2026-10-22 21:59:01 ERROR shop.Order - failed\ncom.example.PaymentDeclined: no funds\n\tat a.B.c(B.java:1)\nWrapped by: com.example.Http$NotFound: 404\n\tat a.B.d(B.java:2)\n\t[CIRCULAR REFERENCE: x]",
    ),
    (
        "java.util.logging with a trace",
        "Oct 22, 2026 9:59:01 PM com.example.Main run\nSEVERE: failed\njava.lang.RuntimeException: boom\n\tat a.B.main(B.java:1)",
    ),
    (
        "Go, a panic that was recovered",
        "2026/10/22 21:59:01 http: panic serving 192.0.2.7:5000: boom\ngoroutine 7 [running]:\nnet/http.(*conn).serve.func1()\n\t/go/server.go:1 +0x1\npanic({0x6a1e20, 0x75b1d0})\n\t/go/panic.go:7 +0x2\nmain.f(...)\n\t/srv/a.go:7",
    ),
    (
        "PHP, chained",
        "[22-Oct-2026 21:59:01 UTC] PHP Fatal error:  Uncaught Exception: a in /srv/a.php:3\nStack trace:\n#0 {main}\n\nNext RuntimeException: b in /srv/a.php:5\nStack trace:\n#0 {main}",
    ),
    (
        "anyhow",
        "2026-10-22T21:59:01Z ERROR shop: failed\nCaused by:\n    0: no stock\nLocation:\n    src/main.rs:7",
    ),
    (
        "Java's main",
        "Exception in thread \"main\" java.lang.RuntimeException: boom\n\tat a.B.main(B.java:1)\nCaused by: a.C: x\n\t... 1 more",
    ),
    (
        "Python",
        "2026-10-22 21:59:01,500 ERROR shop: failed\nTraceback (most recent call last):\n  File \"a.py\", line 7, in f\n    g()\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 9, in h\n    raise ValueError(\"x\")\nValueError: x",
    ),
    (
        "Python alone",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nshop.errors.NoStock",
    ),
    (
        "Go",
        "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/srv/a.go:7\nmain.main()\n\t/srv/a.go:3 +0x1d\nexit status 2",
    ),
    (
        "Rust",
        "thread 'main' panicked at src/main.rs:2:5:\nno stock\nstack backtrace:\n   0: rust_begin_unwind\n   1: shop::main\nnote: run with `RUST_BACKTRACE=full` for more",
    ),
    (
        ".NET",
        "2026-10-22 21:59:01.5 [ERR] failed\nSystem.InvalidOperationException: no stock\n   at Shop.Order.Place() in Order.cs:line 7\n   --- End of inner exception stack trace ---\n   at Shop.Main()",
    ),
    ("the .NET console", "fail: Shop.Orders[13]\n      Payment failed\n      System.Exception: x"),
    ("Ruby", "2026-10-22 21:59:01 ERROR failed\na.rb:3:in `f': boom (RuntimeError)\n\tfrom a.rb:7:in `main'"),
    (
        "PHP",
        "[22-Oct-2026 21:59:01 UTC] PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3\nStack trace:\n#0 /srv/a.php(7): f()\n#1 {main}\n  thrown in /srv/a.php on line 3",
    ),
    (
        "Laravel",
        "[2026-10-22 21:59:01] local.ERROR: boom {\"exception\":\"[object] (Exception(code: 0): boom at /srv/a.php:3)\n[stacktrace]\n#0 /srv/a.php(7): f()\n#1 {main}\n\"}",
    ),
    ("JavaScript", "Error: boom\n    at f (/srv/a.js:1:2)\n    at main (/srv/a.js:3:4)"),
    ("an object that was printed", "2026-10-22 21:59:01 INFO state {\n  a: 1,\n  b: 2\n}"),
    ("java.util.logging", "Oct 22, 2026 9:59:01 PM com.example.Main run\nSEVERE: boom"),
    (
        "the slow log of MySQL",
        "# Time: 2026-10-22T21:59:01.5Z\n# User@Host: root[root] @ localhost []\n# Query_time: 3.1  Lock_time: 0.0\nSET timestamp=1792706341;\nSELECT 1;",
    ),
    (
        "JSON",
        "{\n  \"time\": \"2026-10-22T21:59:01Z\",\n  \"tags\": [\n    \"a\"\n  ],\n  \"message\": \"m\"\n}",
    ),
    ("PostgreSQL", "2026-10-22 21:59:01.5 UTC [7] LOG:  statement: SELECT 1\n\tFROM a\n\tWHERE b"),
    (
        "a container's trace",
        "2026-10-22T21:59:01Z stderr F java.lang.Error: x\n2026-10-22T21:59:01Z stderr F \tat a.B.c(B.java:1)",
    ),
    (
        "a container's halves",
        "2026-10-22T21:59:01Z stdout P first half, \n2026-10-22T21:59:01Z stdout F second half",
    ),
    (
        "Docker's halves",
        "{\"log\":\"very\",\"stream\":\"stdout\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\" long\\n\",\"stream\":\"stdout\",\"time\":\"2026-10-22T21:59:02Z\"}",
    ),
];

#[test]
fn a_trace_is_one_event() {
    let joining = Joining::default();
    for (name, trace) in TRACES {
        for (before, behind) in
            [("", ""), ("2026-10-22 21:58:00 INFO before\n", "\n2026-10-22 22:00:00 INFO behind")]
        {
            for newline in ["\n", "\r\n"] {
                let text = [before, trace, behind].concat().replace('\n', newline);
                let events = read(&text, &joining);
                let expected = if before.is_empty() { 1 } else { 3 };
                let found: Vec<_> = events.iter().map(|event| event.original.as_deref()).collect();
                assert_eq!(events.len(), expected, "{name}: {found:#?}");
                let event = &events[expected / 2];
                assert_eq!(event.original.as_deref(), Some(trace.replace('\n', newline).as_str()), "{name}");
            }
        }
    }
    let halves =
        |name: &str| TRACES.iter().find(|(known, _)| *known == name).map(|(_, trace)| read(trace, &joining));
    assert_eq!(halves("a container's halves").unwrap_or_default()[0].message, "first half, second half");
    assert_eq!(halves("Docker's halves").unwrap_or_default()[0].message, "very long");
    assert_eq!(
        halves("a container's trace").unwrap_or_default()[0].message,
        "java.lang.Error: x\n\tat a.B.c(B.java:1)"
    );
    assert_eq!(halves("Python alone").unwrap_or_default()[0].severity.as_str(), "error");
}

#[test]
fn two_traces_are_two_events() {
    let joining = Joining::default();
    for (name, trace) in TRACES {
        let events = read(&format!("{trace}\n{trace}\n"), &joining);
        assert!(
            events.len() == 2,
            "{name}: {:#?}",
            events.iter().map(|event| &event.message).collect::<Vec<_>>()
        );
    }
}

#[test]
fn lines_that_are_no_continuation_are_events() {
    let joining = Joining::default();
    for text in [
        "one\ntwo\nthree",
        "2026-10-22 21:59:01 INFO a\n  2026-10-22 21:59:02 INFO b",
        "2026-10-22 21:59:01 INFO a\n\t[22/Oct/2026:21:59:02 +0000] b",
        "  indented from the start\n  and again",
        "{\"message\":\"a\"}\n  {\"message\":\"b\"}",
        "a\n\n  behind an empty line",
        "2026-10-22T21:59:01Z stdout P a\n2026-10-22T21:59:01Z stderr F b",
        "Oct 22 21:59:01 h a[1]: x\nOct 22 21:59:01 h a[1]: \tat y",
        "{ not JSON\nnext",
        "2026-10-22 21:59:01 INFO one\r2026-10-22 21:59:02 INFO two\r",
        "10 %\r20 %",
        "<Event type=\"x\"> began\n2026-10-22 21:59:01 INFO a\n<13>Oct 22 21:59:02 h a[1]: b",
    ] {
        let expected = text.split(['\n', '\r']).filter(|line| !line.is_empty()).count();
        let events = read(text, &joining);
        assert_eq!(
            events.len(),
            expected,
            "{text:?}: {:?}",
            events.iter().map(|event| &event.original).collect::<Vec<_>>()
        );
    }
}

#[test]
fn an_event_ends_at_the_bound_and_its_rest_is_marked() {
    let lines = "2026-10-22 21:59:01 ERROR x\n".to_owned() + &"\tat a.B\n".repeat(9);
    for joining in
        [Joining { lines_max: 4, ..Joining::default() }, Joining { bytes_max: 60, ..Joining::default() }]
    {
        let events = read(&lines, &joining);
        assert!(events.len() > 1 && events.len() < 6, "{}", events.len());
        let marks: Vec<_> = events.iter().map(|event| event.has_flag("rest")).collect();
        assert!(!marks[0] && marks[1..].iter().all(|mark| *mark), "{marks:?}");
        let stamp = Timestamp::parse("2026-10-22T21:59:01Z").unwrap_or_default();
        assert!(events.iter().all(|event| event.timestamp == stamp), "the rest has the time of its event");
    }
}

#[test]
fn a_pattern_of_the_users_own_decides() {
    let start = Pattern::new(r"^\d+;").ok();
    assert!(start.is_some());
    let joining = Joining { start, ..Joining::default() };
    let events = read("1;a\nb\n2026-10-22 21:59:01 c\n2;d", &joining);
    assert_eq!(
        events.iter().map(|event| event.message.as_ref()).collect::<Vec<_>>(),
        ["1;a\nb\n2026-10-22 21:59:01 c", "2;d"]
    );
    assert!(Pattern::new("(").is_err_and(|error| !error.is_empty()));
    let none = Joining { presets: false, ..Joining::default() };
    assert_eq!(read("a\n\tat b", &none).len(), 2);
}

#[test]
fn what_is_complete_needs_nothing_further() {
    let joining = Joining::default();
    for (text, complete) in [
        ("", 0),
        ("2026-10-22 21:59:01 a\n", 0),
        ("2026-10-22 21:59:01 a\n2026-10-22 21:59:02 b\n", 22),
        ("2026-10-22 21:59:01 a\n\tb\n", 0),
        ("2026-10-22 21:59:01 a\n\tb\n\n", 0),
        ("{\"a\":1}\n", 8),
        ("{\"a\":1}\n{\n\"b\":1\n", 8),
    ] {
        assert_eq!(joining.complete(text.as_bytes()), complete, "{text:?}");
    }
}

#[test]
fn a_line_without_a_time_in_a_file_has_that_of_the_line_before() {
    let events =
        read("first\n2019-10-22 21:59:01 ERROR a\nb\n2019-10-22 21:59:02 ERROR c", &Joining::default());
    let times: Vec<_> = events.iter().map(|event| event.timestamp.to_string()).collect();
    assert_eq!(
        times,
        ["2026-11-29T12:00:00Z", "2019-10-22T21:59:01Z", "2019-10-22T21:59:01Z", "2019-10-22T21:59:02Z"]
    );
}
