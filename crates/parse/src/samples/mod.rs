//! Every format has samples; the page of formats is made of them.

mod access;
mod application;
mod syslog;

use std::fmt::Write;

use event::{Event, Timestamp};

use crate::{
    Context,
    formats::{self, Sample},
    windows,
};

const RECEIVED: &str = "2026-11-22T12:00:00Z";

fn read(line: &'static str) -> Event<'static> {
    static UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;
    crate::line(line.as_bytes(), &Context::new(Timestamp::parse(RECEIVED).unwrap(), &UTC, 1 << 20))
}

fn tables() -> [(&'static str, Vec<&'static Sample>); 4] {
    [
        ("Formats of one program", formats::samples().chain(windows::SAMPLES).collect()),
        ("Syslog", syslog::SAMPLES.iter().collect()),
        ("Loggers and frameworks", application::SAMPLES.iter().collect()),
        ("Access logs", access::SAMPLES.iter().collect()),
    ]
}

#[test]
fn samples_are_read_as_they_say() {
    let mut wrong = String::new();
    for [of, line, time, level, host, program, message] in
        tables().into_iter().flat_map(|(_, samples)| samples).copied()
    {
        let event = read(line);
        let expected_time = if time.is_empty() { RECEIVED } else { time };
        for (what, found, expected) in [
            ("time", event.timestamp.to_string(), expected_time),
            ("level", event.severity.to_string(), level),
            ("host", event.host.as_deref().unwrap_or_default().to_owned(), host),
            ("program", event.source.as_deref().unwrap_or_default().to_owned(), program),
            ("message", event.message.to_string(), message),
            ("original", event.original.as_deref().unwrap_or_default().to_owned(), line),
        ] {
            if found != expected {
                writeln!(wrong, "{of}: the {what} of {line}\n  is       {found}\n  and not  {expected}")
                    .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");

const HEAD: &str = "# Formats

What is read from a line, with a sample of every format. This page is made of the samples in `crates/parse` that the tests
check (`just formats` writes it anew). The lines were received on 22 November 2026 by a service in the zone UTC.

- **Time.** The first time stamp of the line. A zone that it names
  counts (`+02:00`, `GMT+3`, `CEST`, `Europe/Berlin`), else `LOG_SENTINEL_ZONE`. Abbreviations mean what they mean in
  `LOG_SENTINEL_ZONE` where that zone uses them; of those that several zones share, CST, EST, MST and AST are North American,
  IST is India's and BST is British Summer Time elsewhere. A stamp without a year is of the latest year in which it lies no
  more than a day after the receipt, or after the file was last written. `05/11/2026` is the 11 May, unless it is received
  within a day of the 5 November; `05.11.2026` and `05-11-2026` are the 5 November. A stamp that is no date (30 February) is
  replaced and flagged `timestamp_replaced`; a line without one has the time of its receipt, in a file that of the line before
  it. A time of day alone (`21:59:01`) lies on the day of the lines before, else on that in the file's name, else it is the
  latest one that is no more than an hour after the receipt, or after the file was last written.
- **Level.** From a priority of syslog, the status of a request, or a word that stands where a level stands: after the time
  stamp, in brackets, before a colon at the start, after `level=`. No word of a sentence is a level. What kernels say without
  one (panic, out of memory, I/O error) has one too.
- **Program** is `service.name`. Where a line names none, the stem of its file's name stands there.
- **Message** is what follows the header, whole; of access logs, audit records and key=value lines it is the line.
- `event.original` is always the line itself.

Some texts are more than lines: the columns that `#Fields:` of a W3C log names (IIS, CloudFront) or `#fields` of Zeek hold for the
lines behind it, and `#Date:` for those without a date; entries of the journal's export format (`journalctl -o export`) and
events of Windows in XML, also many in one `<Events>` document, are one event each. Columns are named where a text begins,
directly behind another such line (`#Version:`), or in a log that has some; they count for a line whose time they say or that
has none, and no longer once a line has a time that they do not say. An entry has its end, and is no longer than an event may
be. What stands around an event of Windows is blanks, `<?xml …?>` and `<Events>`. All else is lines.
";

/// The page, as the samples make it.
fn page() -> String {
    let mut page = HEAD.to_owned();
    let cell = |text: &str| match text {
        "" => String::new(),
        text => format!("`{}`", text.replace('|', "\\|").replace('\t', "→")),
    };
    for (title, samples) in tables() {
        write!(page, "\n## {title}\n\n| format | line | time | level | host | program | message |\n|---|---|---|---|---|---|---|\n")
            .unwrap();
        for [of, line, time, level, host, program, message] in samples {
            let message = if message == line { "the line".to_owned() } else { cell(message) };
            let time = if time.is_empty() { "receipt" } else { time };
            let (line, host, program) = (cell(line), cell(host), cell(program));
            writeln!(page, "| {of} | {line} | {time} | {level} | {host} | {program} | {message} |").unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_formats_is_made_of_the_samples() {
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page(), "docs/formats.md is not what the samples make; `just formats` writes it anew");
}

#[test]
#[ignore = "writes docs/formats.md"]
fn write_the_page_of_formats() {
    std::fs::write(PAGE, page()).unwrap();
}
