// What is done with each input of the fuzz target `files`; an ordinary test does the same.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock},
};

use event::{
    Analyzed, Batch, Event, EventId, JournalId, Position, Severity, Template, Timestamp, Variable,
    VariableKind, Verdict, VerdictState,
};
use index::{
    FieldValuesRequest, FollowRequest, HistogramRequest, Index, IndexError, Interval, Limits,
    PatternsRequest, SearchRequest, Selection,
    embedded::{Config, Embedded},
};
use query::Query;

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

const FILES: u32 = 3;
const ROWS: u32 = 20;
/// Bytes of a file's locator.
const LOCATOR: usize = 32;
const QUERIES: [&str; 8] = [
    "",
    "served",
    "\"bytes to\" 7*",
    "10.0.0.0/24",
    "level:error host:web-1",
    "user.name:(root OR admin) NOT labels.size:large",
    "sentinel.anomaly.score:>=0.5 sentinel.anomaly.reasons:*",
    "event.created:<1970-01-01T00:00:01Z",
];

fn config(dir: &Path) -> Config {
    Config { block_rows: 7, segment_rows: 40, ..Config::new(dir) }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn analyzed(number: u32, variables: &mut Vec<Variable>) -> Analyzed<'static> {
    let value = (u64::from(number) * 7919).to_string();
    let time = Timestamp::from_nanos(i64::from(number) * 1_000_000_007).unwrap();
    let mut event = Event::new(format!("served {value} bytes to 10.0.0.{}", number % 7), time);
    event.severity = if number.is_multiple_of(5) { Severity::Error } else { Severity::Info };
    event.host = Some(["web-1", "web-2"][number as usize % 2].into());
    event.source = (!number.is_multiple_of(4)).then(|| "nginx".into());
    event.original = Some(format!("{number} {}", event.message).into());
    event.set("user.name", ["root", "admin", "Müller"][number as usize % 3]);
    event.set("labels.size", if number > 9 { "large" } else { "small" });
    let from = variables.len() as u32;
    let spans = [
        (7, 7 + value.len(), VariableKind::Integer),
        (17 + value.len(), event.message.len(), VariableKind::Ip),
    ];
    variables.extend(spans.map(|(start, end, kind)| Variable { kind, start: start as u32, end: end as u32 }));
    let is_anomaly = number.is_multiple_of(9);
    let reasons = is_anomaly.then(|| format!("rare: {number}")).into_iter().collect();
    let score = number as f32 / 1000.0;
    Analyzed {
        id: EventId { journal: JournalId(1), position: Position { segment: 3, record: number } },
        event,
        shape: 1,
        variables: from..variables.len() as u32,
        template: Some(Arc::new(Template::new("served <integer> bytes to <ip>"))),
        verdict: Verdict { score, is_anomaly, state: VerdictState::Scored, reasons },
    }
}

/// The files of an index, and its documents by their key.
struct Honest {
    files: Vec<(OsString, Vec<u8>)>,
    documents: HashMap<String, String>,
}

fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let index = Embedded::open(config(dir.path())).unwrap();
        for file in 0..FILES {
            let mut batch =
                Batch { end: Position { segment: 3, record: (file + 1) * ROWS }, ..Batch::default() };
            for number in file * ROWS..(file + 1) * ROWS {
                batch.events.push(analyzed(number, &mut batch.variables));
            }
            run(index.write(&batch)).unwrap();
            run(index.commit()).unwrap();
        }
        let documents = everything(&index).unwrap();
        assert_eq!(documents.len() as u32, FILES * ROWS);
        drop(index);
        let entries = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
        files.sort();
        Honest { files, documents }
    })
}

fn everything(index: &Embedded) -> Result<HashMap<String, String>, IndexError> {
    let found = run(index.search(SearchRequest::new(Selection::all(), 1000), &Limits::none()))?;
    Ok(found.hits.iter().map(|hit| (format!("{:?}", hit.key), format!("{:?}", hit.document))).collect())
}

/// Asks in ways that read every part of a file.
fn ask_everything(index: &Embedded) -> Result<(), IndexError> {
    let limits = Limits::none();
    for text in QUERIES {
        let query = Query::parse(text, Timestamp::MAX).unwrap();
        let selection = Selection { query: query.clone(), ..Selection::all() };
        run(index.search(SearchRequest::new(selection.clone(), 9), &limits))?;
        let follow =
            FollowRequest { query, journal: JournalId(1), from: Position::default(), bytes_max: 1 << 20 };
        run(index.follow(follow, &limits))?;
        let by = Some("user.name".to_owned());
        let (interval, by_limit, buckets_max) =
            (Interval::Chosen { until: Timestamp::MAX, zone: jiff::tz::TimeZone::UTC }, 2, 1000);
        let request = HistogramRequest { selection: selection.clone(), interval, by, by_limit, buckets_max };
        run(index.histogram(request, &limits))?;
        for field in ["user.name", "message", "sentinel.anomaly.score"] {
            let field = field.to_owned();
            run(index.field_values(
                FieldValuesRequest { selection: selection.clone(), field, limit: 9 },
                &limits,
            ))?;
        }
        run(index.patterns(PatternsRequest { selection, limit: 3 }, &limits))?;
    }
    run(index.fields(&limits)).map(drop)
}

/// Reads LEB128 numbers; nothing past the end.
struct Numbers<'a>(&'a [u8], usize);

impl Numbers<'_> {
    fn next(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        while let Some(byte) = self.0.get(self.1) {
            self.1 += 1;
            number |= usize::from(byte & 127).checked_shl(shift).unwrap_or_default();
            shift += 7;
            if *byte < 128 {
                break;
            }
        }
        number
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }
}

/// A section of a block, and the place of its checksum in the footer.
struct Part {
    bytes: Range<usize>,
    checksum: usize,
}

/// The sections of a whole file, and its footer.
fn parts(whole: &[u8]) -> (Vec<Part>, Range<usize>) {
    let number = |at: usize| u32::from_le_bytes(*whole[at..].first_chunk().unwrap()) as usize;
    let start = number(8) + number(16);
    let mut numbers = Numbers(whole, start);
    numbers.skip(1);
    for _ in 0..numbers.next() {
        numbers.1 += 16;
        numbers.skip(2);
    }
    let replaced = numbers.next();
    numbers.skip(replaced + 3);
    let (mut sections, mut at) = (Vec::new(), LOCATOR);
    for _ in 0..numbers.next() {
        numbers.skip(3);
        for _ in 0..11 {
            let end = at + numbers.next();
            sections.push(Part { bytes: at..end, checksum: numbers.1 });
            (numbers.1, at) = (numbers.1 + 4, end);
        }
    }
    (sections, start..start + number(20))
}

/// Bytes of a whole file replaced, each by four bytes of `changes`, and the checksums that belong to them, as somebody
/// who means harm would write them.
fn sealed(whole: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] = if change[2] % 2 == 0 { change[3] } else { bytes[at] ^ 1 << (change[3] % 8) };
    }
    if !whole.starts_with(b"LSINDEX2") {
        let end = bytes.len() - 4;
        let checksum = crc32c::crc32c(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_le_bytes());
        return bytes;
    }
    let (sections, footer) = parts(whole);
    for Part { bytes: section, checksum } in sections {
        let own = crc32c::crc32c(&bytes[section]);
        bytes[checksum..checksum + 4].copy_from_slice(&own.to_le_bytes());
    }
    for locator in [0, bytes.len() - LOCATOR] {
        let own = crc32c::crc32c(&bytes[footer.clone()]);
        bytes[locator + 24..locator + 28].copy_from_slice(&own.to_le_bytes());
        let own = crc32c::crc32c(&bytes[locator..locator + 28]);
        bytes[locator + 28..locator + 32].copy_from_slice(&own.to_le_bytes());
    }
    bytes
}

/// Puts bytes, changes to what was there, or changes with right checksums in place of a file, opens the index and asks
/// everything: what it answers was written, and what it does not is told.
pub(crate) fn files(bytes: &[u8]) {
    let Honest { files, documents } = honest();
    let [which, how, bytes @ ..] = bytes else { return };
    let (place, whole) = &files[usize::from(*which) % files.len()];
    let content = match how % 3 {
        0 => sealed(whole, bytes),
        1 => changed(whole, bytes),
        _ => bytes.to_vec(),
    };
    let dir = tempfile::tempdir().unwrap();
    for (name, whole) in files {
        fs::write(dir.path().join(name), if name == place { &content } else { whole }).unwrap();
    }
    let Ok(index) = Embedded::open(config(dir.path())) else { return };
    let asked = ask_everything(&index);
    let found = everything(&index);
    if how % 3 == 0 {
        return;
    }
    asked.unwrap();
    let found = found.unwrap();
    let told = index.losses(None, None).events;
    assert_eq!(found.len() as u64 + told, u64::from(FILES * ROWS), "{told} events told lost");
    for (key, document) in found {
        assert_eq!(documents.get(&key), Some(&document));
    }
}
