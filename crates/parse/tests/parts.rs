//! Texts whose lines say something of those behind them, whole and in parts.

use event::{Event, Severity, Timestamp};
use jiff::tz::TimeZone;
use parse::{Before, Context, Format, Joining};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_default()
}

/// The events of a part of a file that was received then, and what it says of the next part.
fn part(text: &[u8], received: &str, before: &Before) -> (Vec<Event<'static>>, Before) {
    let (zone, joining) = (TimeZone::UTC, Joining::default());
    let context = Context {
        joining: Some(&joining),
        file: Some("/srv/app.log"),
        before: Some(before),
        ..Context::new(at(received), &zone, 4096)
    };
    let mut events = Vec::new();
    let before = parse::body(Format::Lines, text, &context, |record| {
        events.extend(record.ok().map(Event::into_owned));
    });
    (events, before)
}

const RECEIVED: &str = "2026-11-29T12:00:00Z";

fn read(text: &str) -> Vec<Event<'static>> {
    part(text.as_bytes(), RECEIVED, &Before::default()).0
}

fn times(events: &[Event<'_>]) -> Vec<String> {
    events.iter().map(|event| event.timestamp.to_string()).collect()
}

#[test]
fn what_was_read_says_something_of_the_next_part() {
    let (_, before) = part(b"2019-10-22 21:59:01 ERROR a\n", RECEIVED, &Before::default());
    let (events, _) = part(b"without\n00:10:00 INFO after midnight\n", "2026-11-29T18:00:00Z", &before);
    assert_eq!(times(&events), ["2019-10-22T21:59:01Z", "2019-10-23T00:10:00Z"]);
    // What is received as it is written is not of the time that another line has had.
    let (_, before) = part(b"2026-11-29 11:59:59 ERROR a\n", RECEIVED, &Before::default());
    let (events, _) = part(b"without\n", "2026-11-29T13:00:00Z", &before);
    assert_eq!(times(&events), ["2026-11-29T12:59:59Z"]);
    let (events, _) = part(b"17:00:00 INFO a\n", "2026-12-01T17:00:01Z", &before);
    assert_eq!(times(&events), ["2026-12-01T17:00:00Z"]);
    let kept = serde_json::to_string(&before).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Before>(&kept).ok(), Some(before));
}

#[test]
fn a_time_of_day_lies_on_the_latest_day_that_fits() {
    for (line, expected) in [
        ("11:59:01 INFO a", "2026-11-29T11:59:01Z"),
        ("12:30:00,250 INFO a", "2026-11-29T12:30:00.25Z"),
        ("[21:59:01] INFO a", "2026-11-28T21:59:01Z"),
        ("9:59:01 PM INFO a", "2026-11-28T21:59:01Z"),
        ("11:59 a", RECEIVED),
        ("10:20:30:40:50:60 is no time", RECEIVED),
        ("25:00:00 a", RECEIVED),
    ] {
        assert_eq!(times(&read(line)), [expected], "{line}");
    }
    let (zone, file) = (TimeZone::UTC, "/srv/2026-01-01/app-20191022.log");
    let context = Context { file: Some(file), ..Context::new(at(RECEIVED), &zone, 4096) };
    assert_eq!(parse::line(b"21:59:01 INFO a", &context).timestamp, at("2019-10-22T21:59:01Z"));
}

#[test]
fn columns_that_a_line_names_hold_for_those_behind_it() {
    let text = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2019-10-22 21:59:01\n\
        #Fields: time c-ip cs-username s-computername cs-method cs-uri-stem sc-status time-taken cs(User-Agent)\n\
        21:59:02 192.0.2.7 ann WEB01 GET /a 404 15 Mozilla/5.0+(X11)\n\
        00:00:01 192.0.2.7 - WEB01 POST /b 500 15 -\n\
        #Fields: date time cs-uri\n2019-10-23 00:00:02 http://a.example/?q=error\nno line of these columns\n";
    let events = read(text);
    assert!(
        times(&events[..4]).iter().all(|time| time == "2019-10-22T21:59:01Z"),
        "the date holds for all lines"
    );
    assert_eq!(
        times(&events[4..]),
        [
            "2019-10-22T21:59:02Z",
            "2019-10-23T00:00:01Z",
            "2019-10-23T00:00:01Z",
            "2019-10-23T00:00:02Z",
            "2019-10-23T00:00:02Z"
        ]
    );
    let (first, second) = (&events[4], &events[5]);
    assert_eq!((first.severity, second.severity), (Severity::Warn, Severity::Error));
    assert_eq!((first.host.as_deref(), second.host.as_deref()), (Some("WEB01"), Some("WEB01")));
    for (field, value) in [
        ("source.ip", "192.0.2.7"),
        ("user.name", "ann"),
        ("http.request.method", "GET"),
        ("url.path", "/a"),
        ("labels.time-taken", "15"),
        ("user_agent.original", "Mozilla/5.0+(X11)"),
    ] {
        assert_eq!(first.field(field).and_then(event::Value::as_str), Some(value), "{field}");
    }
    assert_eq!(first.field("http.response.status_code"), Some(&event::Value::Int(404)));
    assert_eq!(second.field("user.name"), None);
    let lines: Vec<_> = events.iter().filter_map(|event| event.original.as_deref()).collect();
    assert_eq!(lines.join("\n") + "\n", text);
    assert_eq!(events[7].message, "http://a.example/?q=error");
    let head = "#Version: 1.0\n#Fields: date time cs-uri\n";
    let dateless = read(&format!("{head}2019-10-22 21:59:01 /a\n2019-10-22 21:59:02 /b\n"));
    assert_eq!(times(&dateless)[..3], ["2019-10-22T21:59:01Z"; 3]);
    assert_eq!(times(&read(head)), [RECEIVED; 2], "no line is there yet");
    // In another part, and with tabs.
    let (_, before) = part(b"#Fields: date time x-edge-location sc-status\n", RECEIVED, &Before::default());
    let (events, _) = part(b"2019-10-22\t21:59:01\tFRA50\t503\n", RECEIVED, &before);
    assert_eq!(
        (times(&events), events[0].severity),
        (vec!["2019-10-22T21:59:01Z".to_owned()], Severity::Error)
    );
    let zeek = read(
        "#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\n1571781541.500000\tCx\t192.0.2.7\t4711\n",
    );
    assert_eq!(times(&zeek), ["2019-10-22T21:59:01.5Z"; 3], "the head is as old as the first line");
    assert_eq!(zeek[2].field("source.port"), Some(&event::Value::Int(4711)));
}

#[test]
fn entries_of_the_journals_export_format_are_events() {
    let one = "__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1571781541000000\nPRIORITY=3\n_HOSTNAME=web1\n\
        SYSLOG_IDENTIFIER=shop\nMESSAGE=failed\n\n";
    let message = "failed\n\n2020-01-01 00:00:00 in the message\n__CURSOR=no";
    let mut text = one.as_bytes().to_vec();
    text.extend(b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1571781542000000\nMESSAGE\n");
    text.extend((message.len() as u64).to_le_bytes());
    text.extend(format!("{message}\nPRIORITY=6\n\n{one}").bytes());
    let (events, _) = part(&text, RECEIVED, &Before::default());
    assert_eq!(times(&events), ["2019-10-22T21:59:01Z", "2019-10-22T21:59:02Z", "2019-10-22T21:59:01Z"]);
    let first = &events[0];
    assert_eq!(
        (first.severity, first.host.as_deref(), first.source.as_deref(), first.message.as_ref()),
        (Severity::Error, Some("web1"), Some("shop"), "failed")
    );
    assert_eq!(events[1].message, message);
    let originals = events.iter().filter_map(parse::original_bytes);
    let originals: Vec<u8> = originals.flat_map(|original| [original, b"\n".to_vec()].concat()).collect();
    assert_eq!(originals, text);
    // A reader of parts waits for the end of an entry.
    let joining = Joining::default();
    for end in one.len()..text.len() - 1 {
        let whole = joining.complete(&text[..end]).bytes;
        assert!(whole == one.len() || whole == text.len() - one.len(), "{end}: {whole}");
    }
    assert_eq!(joining.complete(&text).bytes, text.len());
}

#[test]
fn what_programs_say_in_the_journal_is_read_as_in_their_lines() {
    let entry = "__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1571781541000000\nPRIORITY=6\n_HOSTNAME=gate\n\
        SYSLOG_IDENTIFIER=sshd\nMESSAGE=Failed password for root from 192.0.2.7 port 40022 ssh2\n\n";
    let (events, _) = part(entry.as_bytes(), RECEIVED, &Before::default());
    let of = |path: &str| events[0].field(path).and_then(event::Value::as_str);
    assert_eq!(
        (of("source.ip"), of("user.name"), of("event.outcome")),
        (Some("192.0.2.7"), Some("root"), Some("failure"))
    );
}

#[test]
fn windows_events_are_events_however_they_are_spread() {
    let event = |second: u8| {
        format!(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>\n  <System>\n    <Provider Name='Disk'/>\n    \
             <EventID>7</EventID>\n    <Level>3</Level>\n    <TimeCreated SystemTime='2019-10-22T21:59:0{second}.0000000Z'/>\n    \
             <Computer>WEB01</Computer>\n  </System>\n  <EventData>\n    <Data>a\nb</Data>\n  </EventData>\n</Event>"
        )
    };
    let spread = format!("<?xml version='1.0'?>\n<Events>\n{}\n{}\n</Events>\n", event(1), event(2));
    let indented = spread.replace("\n<Event ", "\n  <Event ");
    let flat = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("");
    for text in [spread.clone(), indented, flat(&event(1)) + "\n" + &flat(&event(2)), flat(&spread)] {
        let events = read(&text);
        assert_eq!(times(&events), ["2019-10-22T21:59:01Z", "2019-10-22T21:59:02Z"], "{text}");
        for event in &events {
            assert_eq!(event.severity, Severity::Warn);
            assert_eq!((event.host.as_deref(), event.source.as_deref()), (Some("WEB01"), Some("Disk")));
            assert!(event.message.starts_with("Disk 7 data="), "{}", event.message);
        }
    }
    for broken in [
        "<Event >",
        "<Event ><System></Event>",
        "<Events><Event><a></Events>",
        "< a",
        "<Event><System><Provider Name='/></System></Event>",
    ] {
        assert!(!read(broken).is_empty(), "{broken} is kept as it is");
    }
}

/// What stands in a text, but for blanks.
fn originals(events: &[Event<'_>]) -> String {
    let texts = events.iter().filter_map(|event| event.original.as_deref());
    texts.flat_map(str::chars).filter(|character| !character.is_whitespace()).collect()
}

#[test]
fn a_line_that_looks_like_the_begin_of_an_entry_swallows_nothing() {
    let lines = "2019-10-22 21:59:01 INFO one\n".repeat(300);
    let entry = "__CURSOR=s=1\nPRIORITY=3\nMESSAGE=failed\n\n";
    let (joined, zone) = (Joining { bytes_max: 1024, ..Joining::default() }, TimeZone::UTC);
    for (text, count) in [
        (format!("__CURSOR=\n{lines}"), 301),
        (format!("{lines}__CURSOR=in a sentence\n{lines}{entry}"), 602),
        (format!("__CURSOR=1\nno name=1\n{lines}"), 302),
        (format!("__CURSOR=1\n__CURSOR=2\n{entry}{lines}"), 303),
        // An entry is no longer than an event may be.
        (format!("__CURSOR=1\n{}\n{lines}", "A=1\n".repeat(400)), 701),
        // A value whose length is beyond it, and one whose end is elsewhere.
        (format!("__CURSOR=1\nMESSAGE\n12345678 is text\n{lines}"), 303),
        (format!("__CURSOR=1\nA\n\u{3}\0\0\0\0\0\0\0text\n{lines}"), 303),
        (entry.replace('\n', "\r\n") + &lines, 301),
        ("__CURSOR=1\nMESSAGE=without an end".to_owned(), 1),
        ("__CURSOR=1\nMESSA".to_owned(), 2),
    ] {
        for joining in [Some(&joined), None] {
            let context = Context { joining, ..Context::new(at(RECEIVED), &zone, 1024) };
            let mut events = Vec::new();
            parse::body(Format::Lines, text.as_bytes(), &context, |record| events.extend(record.ok()));
            let expected: String = text.chars().filter(|character| !character.is_whitespace()).collect();
            assert_eq!(originals(&events), expected, "{:.60}", text);
            assert_eq!(events.len(), count, "{:.60}", text);
            let complete = joined.complete(text.as_bytes()).bytes;
            assert!(text.len() - complete <= joined.bytes_max, "{:.60}: {complete}", text);
        }
    }
    let (events, _) = part(entry.replace('\n', "\r\n").as_bytes(), RECEIVED, &Before::default());
    assert_eq!((events[0].message.as_ref(), events[0].severity), ("failed", Severity::Error));
}

#[test]
fn time_is_linear_in_what_looks_like_entries() {
    // Each of these would take hours if what follows were read again from every line.
    let jump = [b"__CURSOR=1\nA\n".as_slice(), &39_996_u64.to_le_bytes(), b"\n"].concat();
    let zone = TimeZone::UTC;
    let context = Context { joining: None, ..Context::new(at(RECEIVED), &zone, usize::MAX) };
    for piece in
        [b"__CURSOR=1\n".as_slice(), b"__CURSOR=1\nA=1\n", b"__CURSOR=1\nA\n", b"__CURSOR=1\r", &jump]
    {
        let text = piece.repeat(50_000);
        let mut count = 0;
        parse::body(Format::Lines, &text, &context, |_| count += 1);
        assert!(count > 0);
        let joining = Joining { bytes_max: usize::MAX, lines_max: usize::MAX, ..Joining::default() };
        assert!(joining.complete(&text).bytes <= text.len());
    }
}

#[test]
fn a_line_that_holds_an_event_of_windows_is_kept_whole() {
    let event = "<Event><System><Provider Name='Disk'/></System></Event>";
    for line in [
        "<38>Oct 22 21:59:01 web1 sshd[7]: Invalid user <Event></Event> from 192.0.2.7".to_owned(),
        format!("<38>Oct 22 21:59:01 web1 app[7]: {event}"),
        format!("<a>{event}</a>"),
        format!("{event} and more"),
        format!("{event} and {event}"),
        format!("<Events>{event}text</Events>"),
        format!("<EventsOfMine>{event}</EventsOfMine>"),
    ] {
        let events = read(&line);
        assert_eq!(events.len(), 1, "{line}");
        assert_eq!(events[0].original.as_deref(), Some(line.as_str()));
    }
    let events = read("<38>Oct 22 21:59:01 web1 sshd[7]: Invalid user <Event></Event> from 192.0.2.7");
    assert_eq!((events[0].host.as_deref(), events[0].source.as_deref()), (Some("web1"), Some("sshd")));
    assert_eq!(read(&format!("<?xml version='1.0'?><Events>{event} {event}</Events>")).len(), 2);
}

#[test]
fn columns_are_those_of_a_log_that_has_them() {
    let fields = "#Fields: level user action";
    let plain = "2019-10-22 21:59:01 started";
    // Within other lines nothing names columns.
    for text in [
        format!("{plain}\n{fields}\nerror ann left\n"),
        format!("# a comment\n{fields}\nerror ann left\n"),
        format!("{plain}\n{fields}\n{plain}\n{fields}\nerror ann left\n"),
    ] {
        let events = read(&text);
        assert_eq!(events.last().and_then(|event| event.field("user.name")), None, "{text}");
        assert_eq!(events.last().map(|event| event.message.as_ref()), Some("error ann left"), "{text}");
    }
    let (_, before) = part(format!("{plain}\n").as_bytes(), RECEIVED, &Before::default());
    let (events, _) = part(format!("{fields}\nerror ann left\n").as_bytes(), RECEIVED, &before);
    assert_eq!(events[1].field("user.name"), None, "the begin of a part is not that of a log");
    // A head within other lines, as a server writes it that starts again.
    let events = read(&format!("{plain}\n#Version: 1.0\n{fields}\nerror ann left\n"));
    assert!(events[3].field("user.name").is_some());
    // The first line with a time that they do not say shows that they are none.
    let events = read(&format!("{fields}\nerror ann left\n{plain}\nerror ann left\n"));
    assert_eq!(times(&events[2..3]), ["2019-10-22T21:59:01Z"]);
    assert_eq!((events[1].severity, events[3].field("user.name")), (Severity::Error, None));
    assert!(events[1].field("user.name").is_some());
    let events = read("#Fields: date time user\n10/22/2019 21:59:01 ann\n2019-10-22 21:59:01 ann\n");
    assert_eq!(times(&events[1..]), ["2019-10-22T21:59:01Z"; 2]);
    assert!(events.iter().all(|event| event.field("user.name").is_none()));
    // One line that was cut takes no good one with it.
    let events = read(
        "#Fields: date time user sc-status\n2019-10-22 21:59:01 an\n\0\0\n2019-10-22 21:59:02 ann 503\n",
    );
    assert_eq!(events[3].field("http.response.status_code"), Some(&event::Value::Int(503)));
}
