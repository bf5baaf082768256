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
    (
        "Python, where a line was logged",
        "2026-10-22 21:59:01,500 INFO shop: here\nStack (most recent call last):\n  File \"a.py\", line 7, in f\n    log.info(\"here\", stack_info=True)",
    ),
    (
        "Python, a wrong source below a header",
        "2026-10-22 21:59:01,500 ERROR shop: failed\n  File \"a.py\", line 3\n    print \"x\"\n    ^^^^^\nSyntaxError: invalid",
    ),
    (
        "Python, a group of exceptions",
        "2026-10-22 21:59:01,500 ERROR shop: failed\n  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in <module>\n  | ExceptionGroup: x (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | ValueError: x\n    +------------------------------------",
    ),
    (
        "Python's logging itself",
        "--- Logging error ---\nTraceback (most recent call last):\n  File \"/usr/lib/python3.13/logging/__init__.py\", line 1152, in emit\n    msg = self.format(record)\nTypeError: not all arguments converted during string formatting\nCall stack:\n  File \"a.py\", line 3, in <module>\n    log.info(\"a\", 1)\nMessage: 'a'\nArguments: (1,)",
    ),
    (
        "PostgreSQL's parts",
        "2026-10-22 21:59:01.123 UTC [7] ann@shop ERROR:  duplicate key\n2026-10-22 21:59:01.123 UTC [7] ann@shop DETAIL:  Key (id)=(7) already exists.\n2026-10-22 21:59:01.123 UTC [7] ann@shop STATEMENT:  INSERT INTO a\n\tVALUES (7)",
    ),
    (
        "PostgreSQL's parts, lines counted",
        "2026-10-22 21:59:01 UTC [7-9] ERROR:  no such table\n2026-10-22 21:59:01 UTC [7-10] HINT:  Perhaps you meant b.",
    ),
    (
        "Rails",
        "Started GET \"/a\" for 192.0.2.7 at 2026-10-22 21:59:01 +0000\nProcessing by A#show as HTML\n  Parameters: {\"id\"=>\"7\"}\n  A Load (0.3ms)  SELECT 1\nRedirected to http://a/b\nCompleted 302 Found in 12ms (ActiveRecord: 0.3ms)",
    ),
    (
        "Rails, an exception",
        "Started GET \"/a\" for 192.0.2.7 at 2026-10-22 21:59:01 +0000\nProcessing by A#show as HTML\nCompleted 404 Not Found in 3ms\n\n\n  \nActiveRecord::RecordNotFound (Couldn't find A with 'id'=7):\n  \napp/controllers/a_controller.rb:7:in 'A#show'\nactionpack (7.1.2) lib/a/b.rb:65:in 'process'",
    ),
    (
        "Rails, an exception by a logger",
        "F, [2026-10-22T21:59:01.123456 #7] FATAL -- :   \nActionController::RoutingError (No route matches [GET] \"/x\"):\n  \nactionpack (7.1.2) lib/a/b.rb:65:in 'call'\napp/a.rb:3:in 'f'",
    ),
    ("Ruby by itself", "a.rb:3:in 'f': no stock (RuntimeError)\n\tfrom a.rb:7:in '<main>'"),
    (
        "Ruby, with its source",
        "a.rb:3:in '<main>': undefined local variable or method 'x' for main (NameError)\n\nx\n^\nDid you mean?  y",
    ),
    (
        "Node.js",
        "node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError: Cannot find module '/srv/x.js'\nRequire stack:\n- /srv/a.js\n    at f (node:internal/modules/cjs/loader:1077:15) {\n  code: 'MODULE_NOT_FOUND'\n}\n\nNode.js v18.19.0",
    ),
    (
        "Node.js, a source line at the margin",
        "/srv/a.js:3\nthrow new Error(\"no stock\");\n^\n\nError: no stock\n    at Object.<anonymous> (/srv/a.js:3:7)\n\nNode.js v22.1.0",
    ),
    (
        "AddressSanitizer",
        "=================================================================\n==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010\nREAD of size 4 at 0x602000000010 thread T0\n    #0 0x4f in main /srv/a.c:7\n\n0x602000000010 is located 0 bytes inside of 4-byte region\nfreed by thread T0 here:\n    #0 0x4e in free\n\nSUMMARY: AddressSanitizer: heap-use-after-free /srv/a.c:7 in main\nShadow bytes around the buggy address:\n  0x0c047fff7fb0: 00 00\n=>0x0c047fff8000: fa fa[fd]fa\nShadow byte legend (one shadow byte represents 8 application bytes):\n  Addressable:           00\n==7==ABORTING",
    ),
    (
        "ThreadSanitizer",
        "==================\nWARNING: ThreadSanitizer: data race (pid=7)\n  Write of size 4 at 0x7b by thread T1:\n    #0 f /srv/a.c:7\n\n  Previous write of size 4 at 0x7b by main thread:\n    #0 main /srv/a.c:9\n\nSUMMARY: ThreadSanitizer: data race /srv/a.c:7 in f\n==================",
    ),
    (
        "Java, a message of several lines",
        "2026-10-22 21:59:01 ERROR shop.Order - failed\njava.lang.IllegalStateException: no stock:\norder 7\n- item 3\n\tat shop.Order.place(Order.java:7)\nCaused by: a.b.Closed: one\ntwo\n\tat a.B.c(B.java:1)",
    ),
    (
        "Java, a message of several lines in the header",
        "2026-10-22 21:59:01 ERROR shop.Order - java.lang.IllegalStateException: no stock:\norder 7\n\tat shop.Order.place(Order.java:7)",
    ),
    (
        "Python, a message of several lines",
        "2026-10-22 21:59:01,500 ERROR shop: failed\nTraceback (most recent call last):\n  File \"a.py\", line 7, in f\n    g()\nValidationError: 1 error for Order\nitem\n  field required",
    ),
    (
        "a container's trace with an empty line",
        "2026-10-22T21:59:01Z stderr F panic: boom\n2026-10-22T21:59:01Z stderr F \n2026-10-22T21:59:01Z stderr F goroutine 1 [running]:\n2026-10-22T21:59:01Z stderr F main.main()\n2026-10-22T21:59:01Z stderr F \t/srv/a.go:3 +0x1d",
    ),
    (
        "Docker's trace with an empty line",
        "{\"log\":\"Traceback (most recent call last):\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"  File \\\"a.py\\\", line 7, in f\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"KeyError: 'x'\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"During handling of the above exception, another exception occurred:\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"Traceback (most recent call last):\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}\n{\"log\":\"ValueError: y\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-22T21:59:01Z\"}",
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
    assert_eq!(
        halves("PostgreSQL's parts").unwrap_or_default()[0].message,
        "duplicate key\nDETAIL:  Key (id)=(7) already exists.\nSTATEMENT:  INSERT INTO a\n\tVALUES (7)"
    );
    assert_eq!(
        halves("a container's trace with an empty line").unwrap_or_default()[0].message,
        "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/a.go:3 +0x1d"
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
        "2026-10-22T21:59:01Z stdout F a\n2026-10-22T21:59:01Z stdout F \n2026-10-22T21:59:01Z stdout F b",
        "starting\na.rb:3:in 'f': no stock (RuntimeError)\na.rb:3:in 'f': no stock (RuntimeError)",
        "==========================\nMy program\n==========================",
        "2026-10-22 21:59:01.123 UTC [7] ERROR:  a\n2026-10-22 21:59:01.123 UTC [8] DETAIL:  b",
        "2026-10-22 21:59:01.123 UTC [7] ERROR:  a\n2026-10-22 21:59:01.123 UTC [7] LOG:  b",
        "Started the server\nListening",
        "2026-10-22 21:59:01 INFO a\nserver listening",
        "listening at /srv/a.js:3 for you\nand now",
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
fn a_wrong_source_of_python_begins_indented() {
    let error = "  File \"a.py\", line 3\n    print \"x\"\n          ^\nSyntaxError: Missing parentheses";
    for (before, expected) in [("", 2), ("usage: a.py\n\n", 3)] {
        let events = read(&format!("{before}{error}\n{error}\n"), &Joining::default());
        assert_eq!(events.len(), expected, "{before:?}: {events:#?}");
        assert_eq!(events[expected - 1].original.as_deref(), Some(error));
    }
}

#[test]
fn a_message_of_several_lines_ends_with_a_level_and_with_its_frames() {
    let exception = "2026-10-22 21:59:01 ERROR a\njava.lang.IllegalStateException: b\nmore\n";
    for (end, expected) in [("INFO c", "INFO c"), ("\tat a.B.c(B.java:1)\nc", "c")] {
        let events = read(&format!("{exception}{end}\nd"), &Joining::default());
        let last = events.iter().rev().take(2).map(|event| event.original.as_deref());
        assert_eq!(events.len(), 3, "{end}");
        assert_eq!(last.collect::<Vec<_>>(), [Some("d"), Some(expected)]);
    }
}

#[test]
fn an_event_ends_at_the_bound_and_its_rest_is_marked() {
    let lines = "2026-10-22 21:59:01 ERROR x\n".to_owned() + &"\tat a.B\n".repeat(9);
    let stamp = Timestamp::parse("2026-10-22T21:59:01Z").unwrap_or_default();
    let bounds = (1..12).map(|lines_max| Joining { lines_max, ..Joining::default() });
    let bounds = bounds.chain((28..120).map(|bytes_max| Joining { bytes_max, ..Joining::default() }));
    for joining in bounds {
        // As many lines as fit, with their ends.
        let mut expected: Vec<String> = Vec::new();
        for line in lines.split_inclusive('\n') {
            match expected.last_mut() {
                Some(event)
                    if event.lines().count() < joining.lines_max
                        && event.len() + line.len() <= joining.bytes_max =>
                {
                    event.push_str(line);
                }
                _ => expected.push(line.to_owned()),
            }
        }
        let events = read(&lines, &joining);
        let originals: Vec<_> = events.iter().filter_map(|event| event.original.as_deref()).collect();
        let expected: Vec<_> = expected.iter().map(|text| text.trim_end()).collect();
        assert_eq!(originals, expected, "{joining:?}");
        let marks: Vec<_> = events.iter().map(|event| event.has_flag("rest")).collect();
        assert!(!marks[0] && marks[1..].iter().all(|mark| *mark), "{marks:?}");
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
        ("{\"a\":1}\n{\"b", 8),
        ("2026-10-22 21:59:01 a\n2026-10-22 21:59:02 b", 0),
        ("2026-10-22 21:59:01 a\n2026-10-22 21:59:02 and no line of a container's runtime", 22),
    ] {
        assert_eq!(joining.complete(text.as_bytes()).bytes, complete, "{text:?}");
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
