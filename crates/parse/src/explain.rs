//! What was recognised in each event of a text, and why.

use std::{borrow::Cow, cell::RefCell};

use event::{Event, Severity, Value, field};

use crate::{
    Context,
    body::{self, Read},
    header, level_from_message, time, utf16,
};

/// What was recognised in a line, or in lines that are one event.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// Its first line, from 1.
    pub line: u64,
    /// What is made of it.
    pub event: Event<'a>,
    /// What its formats are called, from the outside in: that of a container's runtime before the program's own.
    pub formats: Vec<String>,
    /// Where its time comes from, in words.
    pub time: String,
    /// Where its level comes from, in words.
    pub level: String,
}

/// Reads a text as [`crate::body`] reads lines, and says of each event what was recognised and why.
pub fn explain<'a>(text: &'a [u8], context: &Context<'_>, mut take: impl FnMut(Explanation<'a>)) {
    let (Cow::Owned(decoded), true) = utf16::as_utf8(text) else {
        return explain_lines(text, context, &mut take);
    };
    explain_lines(&decoded, context, &mut |it: Explanation<'_>| {
        let Explanation { line, event, formats, time, level } = it;
        let mut event = event.into_owned();
        event.flag(field::UTF16);
        take(Explanation { line, event, formats, time, level });
    });
}

fn explain_lines<'a>(text: &'a [u8], context: &Context<'_>, take: &mut dyn FnMut(Explanation<'a>)) {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (mut line, mut counted) = (1, 0);
    let told = RefCell::<Vec<String>>::default();
    let mut tell = |name: &str| told.borrow_mut().push(name.to_owned());
    body::text(text, context, &mut tell, &mut |read| {
        let at = read.bytes.as_ptr().addr() - text.as_ptr().addr();
        line += memchr::memchr_iter(b'\n', &text[counted..at]).count() as u64;
        counted = at;
        let formats = told.take();
        let (time, level) = reasons(&read, &formats, context);
        take(Explanation { line, event: read.event, formats, time, level });
    });
}

fn reasons(read: &Read<'_>, formats: &[String], context: &Context<'_>) -> (String, String) {
    let event = &read.event;
    let text = event.original.as_deref().unwrap_or(&event.message);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let stamp = time::stamp(text, context);
    let format = formats.last().map_or("the format", String::as_str);
    let time = match &stamp {
        _ if event.has_flag(field::TIMESTAMP_REPLACED) => {
            let written =
                event.field("labels.timestamp").and_then(Value::as_str).unwrap_or("what stands there");
            format!("{written:?} is no time: that of the receipt")
        }
        _ if read.has_time_of_before => "none is recognised: that of the line before".to_owned(),
        _ if event.timestamp == context.received => "none is recognised: that of the receipt".to_owned(),
        Some(stamp) if stamp.at == Some(event.timestamp) && stamp.names_zone => format!("{:?}", stamp.text),
        Some(stamp) if stamp.at == Some(event.timestamp) => {
            let zone = context.zone.iana_name().unwrap_or("of LOG_SENTINEL_ZONE");
            format!("{:?}, which names no zone: {zone}", stamp.text)
        }
        _ => format!("as {format} has it"),
    };
    let word = stamp.as_ref().and_then(|stamp| {
        let found = header::level(stamp.rest).filter(|found| found.severity == event.severity)?;
        let end = stamp.rest.len() - found.rest.len();
        stamp.rest.get(found.between.len()..end)
    });
    let number = |path| match event.field(path) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let level = if let Some(code) = number("log.syslog.severity.code") {
        format!("severity {code} of the priority")
    } else if let Some(word) = word {
        format!("{:?} behind the time", word.trim_matches([' ', '[', ']', ':', '-', '|']))
    } else if let Some(status) = number("http.response.status_code") {
        format!("status {status}")
    } else if level_from_message(&event.message) == Some(event.severity) {
        "a word of the message that stands where a level does".to_owned()
    } else if event.severity == Severity::Info {
        "none is recognised: info".to_owned()
    } else {
        format!("as {format} has it")
    };
    (time, level)
}

#[cfg(test)]
mod tests {
    use event::Timestamp;

    use super::*;
    use crate::Joining;

    #[test]
    fn what_was_recognised_and_why() {
        let zone = jiff::tz::TimeZone::UTC;
        let joining = Joining::default();
        let received = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let context = Context { joining: Some(&joining), ..Context::new(received, &zone, 1 << 20) };
        let text = "\
<134>Oct 22 21:59:01 web1 sshd[7]: Failed password for root from 192.0.2.7 port 22 ssh2
2026-10-22 21:59:01 WARN slow
  at a.b.C(C.java:1)

192.0.2.7 - - [22/Oct/2026:23:59:01 +0200] \"GET / HTTP/1.1\" 404 5
2026-10-22T21:59:01Z stdout F {\"level\":\"error\",\"msg\":\"broken\"}
30 February 2026 21:59:01 gone
hello
";
        let mut seen = vec![];
        explain(text.as_bytes(), &context, |it| {
            seen.push(format!("{}: {} | {} | {}", it.line, it.formats.join(", "), it.time, it.level));
        });
        assert_eq!(
            seen,
            [
                "1: syslog | as syslog has it | severity 6 of the priority",
                "2: time stamp first | \"2026-10-22 21:59:01\", which names no zone: UTC | \"WARN\" behind the time",
                "5: access log | as access log has it | status 404",
                "6: a container's line, JSON | \"2026-10-22T21:59:01Z\" | as JSON has it",
                "7: time stamp first | \"30 February 2026 21:59:01\" is no time: that of the receipt | none is recognised: info",
                "8: plain text | none is recognised: that of the receipt | none is recognised: info",
            ]
        );
    }

    #[test]
    fn a_text_is_explained_as_it_is_read() {
        let (zone, joining) = (jiff::tz::TimeZone::UTC, Joining::default());
        let received = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let context = Context {
            joining: Some(&joining),
            file: Some("a.log"),
            ..Context::new(received, &zone, 1 << 20)
        };
        let text = "\u{feff}#Version: 1.0
#Fields: date time user sc-status
2019-10-22 21:59:01 ann 503
__CURSOR=1
__REALTIME_TIMESTAMP=1571781541000000
MESSAGE=failed

<Events><Event><System><Provider Name='Disk'/></System></Event>
<Event><System><Provider Name='Disk'/></System></Event></Events>
hello
";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for text in [text.as_bytes(), &wide] {
            let (mut explained, mut read) = (vec![], vec![]);
            let mut reasons = vec![];
            explain(text, &context, |it| {
                reasons.push(format!("{}: {} | {}", it.line, it.formats.join(", "), it.level));
                if it.event.message == "hello" {
                    assert_eq!(it.time, "none is recognised: that of the line before");
                }
                explained.push(it.event.into_owned());
            });
            crate::body(crate::Format::Lines, text, &context, |record| {
                read.push(record.unwrap().into_owned())
            });
            assert_eq!(format!("{explained:?}"), format!("{read:?}"));
            assert_eq!(
                reasons[2..],
                [
                    "3: columns that a line before names | status 503",
                    "4: journal export | none is recognised: info",
                    "8: Windows event in XML | none is recognised: info",
                    "9: Windows event in XML | none is recognised: info",
                    "10: plain text | none is recognised: info",
                ]
            );
        }
    }
}
