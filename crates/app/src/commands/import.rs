//! `log-sentinel import`: files into a collector, over its ordinary intake.
//!
//! A file that was imported before, whole or in part, is known again by its content, and only what is new of it is
//! stored. Each request carries an `Idempotency-Key` made of the file's first line and of the place in the file;
//! where the collector knows the key for other lines, it says of which length and hash they were.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use event::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
use parse::{Before, utf16};

use super::{note, print};
use crate::{
    AppError, Instance, Role, Settings,
    chunks::Chunks,
    client::{Client, ClientError},
    formats, found,
    imported::Imported,
    settings::Certificates,
    unpacked::{Unpacked, unpacked},
    wording::{many, name},
};

/// A file is known again by no more of its first line.
const FIRST_LINE_BYTES: usize = 4 << 10;
/// The last lines of a part that say something of the next one are looked for among so many bytes and directives.
const TAIL_BYTES: usize = 64 << 10;
const DIRECTIVES: usize = 4;
/// How long the last request may wait for the index.
const INDEX_WAIT: &str = "300s";

/// Imports into the collector that runs, else into the data folder by an instance of its own, and says
/// what was found.
///
/// # Errors
/// When neither is there, or as [`run`].
pub(crate) async fn run_and_report(
    settings: &Settings,
    client: Client,
    named: bool,
    files: &[PathBuf],
    again: bool,
) -> Result<(), AppError> {
    let door = &formats::door(settings)?;
    let begun = intake::system_clock();
    if named || client.is_up().await {
        return told(&client, begun, &run(&client, door, files, again).await?).await;
    }
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    // Only the files named are wanted now; the watched ones wait for the next ordinary run.
    let mut alone = settings.clone();
    alone.listeners.addr = free;
    (alone.intake.tail.dir, alone.intake.tail.files) = (None, vec![]);
    let key = access::Secret::of_nobody()?.reveal().to_owned();
    (alone.listeners.access.api_keys, alone.listeners.tls) = (vec![key.clone()], Certificates::default());
    let instance = Instance::start(&alone, Role::Collector).await?;
    let client = Client::new(&instance.url(), Some(key));
    let outcome = async { told(&client, begun, &run(&client, door, files, again).await?).await }.await;
    instance.stop(settings.shutdown_grace).await;
    outcome
}

/// Says what was found; fails when a part of the files is missing.
async fn told(client: &Client, begun: Timestamp, imported: &Imported) -> Result<(), AppError> {
    print(&found::report(client, imported, begun, true).await?)?;
    if imported.damaged > 0 { Err(AppError::Damaged(imported.damaged)) } else { Ok(()) }
}

/// Sends every file, that which was last written longest ago first; `again` also what an earlier import has brought.
///
/// # Errors
/// When a file cannot be read, when none holds text, or when the collector refuses one for good.
pub(crate) async fn run(
    client: &Client,
    door: &intake::Config,
    files: &[PathBuf],
    again: bool,
) -> Result<Imported, AppError> {
    let mut imported = Imported { run: again.then(run_name).transpose()?, ..Imported::default() };
    for file in oldest_first(files) {
        let path = if is_stdin(file) { "standard input".to_owned() } else { name(&whole(file)) };
        let Opened { reader, size, modified } = open(file)?;
        let bar = progress(size, &name(file));
        lines(client, door, bar.wrap_read(reader), &path, modified, &mut imported)
            .await
            .inspect_err(|_| bar.abandon())?;
        bar.finish();
    }
    if imported.paths.is_empty() { Err(AppError::NothingTakenIn) } else { Ok(imported) }
}

/// Files of one log that was rotated come in the order in which they were written, however they are named: what an address
/// did before what is known of it already would not count. What tells no time keeps its place behind the others.
fn oldest_first(files: &[PathBuf]) -> Vec<&PathBuf> {
    let modified = |file: &&PathBuf| {
        let told = std::fs::metadata(file).and_then(|about| about.modified());
        (told.is_err() || is_stdin(file), told.ok())
    };
    let mut files: Vec<&PathBuf> = files.iter().collect();
    files.sort_by_cached_key(modified);
    files
}

/// Sends the lines of one reader, plain or compressed; no event is split, as far as `door` tells which lines are one.
///
/// # Errors
/// As [`run`].
pub(crate) async fn lines(
    client: &Client,
    door: &intake::Config,
    reader: impl Read + Send + 'static,
    path: &str,
    modified: Option<Timestamp>,
    imported: &mut Imported,
) -> Result<(), AppError> {
    let failed = |source| AppError::File { action: "read", path: path.into(), source };
    imported.paths.push(path.to_owned());
    let Unpacked { reader, missing } = unpacked(reader).map_err(failed)?;
    let mut reader = Chunks::new(reader, door.joining.clone());
    let mut file = None;
    let mut part = Part { offset: 0, before: Before::default() };
    loop {
        let mut chunk;
        (chunk, reader) = read(reader, path, Chunks::next).await?;
        if chunk.is_empty() {
            if let Some(why) = missing.get() {
                note(&format!("{path}: {why}; what stood behind that is not taken in"));
                imported.damaged += 1;
            }
            return Ok(());
        }
        if file.is_none()
            && let Some(why) = no_text(&chunk)
        {
            note(&format!("{path} is not taken in: {why}"));
            imported.paths.pop();
            return Ok(());
        }
        let file = file.get_or_insert_with(|| SameFile::new(&chunk, imported.run.as_deref()));
        // The line in which a damaged file ends goes by itself.
        let line = last_line(&chunk);
        let is_cut = missing.get().is_some() && reader.ends_within_line() && reader.is_at_end();
        if is_cut && line > 0 {
            reader.give_back(chunk.split_off(line));
        }
        if !chunk.iter().all(u8::is_ascii_whitespace) {
            let origin = Origin { path, modified, is_cut: is_cut && line == 0 };
            (chunk, reader) = store(client, &origin, file, &part, (chunk, reader), imported).await?;
        }
        let before = says(&chunk, &part.before, path, modified, door);
        part = Part { offset: part.offset + chunk.len() as u64, before };
    }
}

/// A path that names its file from wherever it is read; a link keeps its own name.
fn whole(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    }
}

/// The text of a file that is imported.
type Text = Chunks<io::BufReader<Box<dyn Read + Send>>>;

/// Reads without holding up others.
async fn read(
    mut reader: Text,
    path: &str,
    read: impl FnOnce(&mut Text) -> io::Result<Vec<u8>> + Send + 'static,
) -> Result<(Vec<u8>, Text), AppError> {
    let failed = |source| AppError::File { action: "read", path: path.into(), source };
    let (chunk, reader) = tokio::task::spawn_blocking(move || (read(&mut reader), reader))
        .await
        .map_err(|error| failed(io::Error::other(error)))?;
    Ok((chunk.map_err(failed)?, reader))
}

/// Why nothing is taken in of a file that begins so.
fn no_text(start: &[u8]) -> Option<String> {
    match body::Packing::of(start) {
        Some(packing) => {
            Some(format!("it holds {} data; unpack it, and import what was in it", packing.name()))
        }
        None if intake::tail::is_binary(start) => Some("it holds no text".to_owned()),
        None => None,
    }
}

/// Where the last line of a text begins.
fn last_line(text: &[u8]) -> usize {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}

/// What is told of the file that lines come from.
struct Origin<'p> {
    path: &'p str,
    modified: Option<Timestamp>,
    /// Their end is missing.
    is_cut: bool,
}

/// A place in a file, and what the lines before it say of those behind.
struct Part {
    offset: u64,
    before: Before,
}

/// What the lines of a text say of those behind, found by its end and its directives.
fn says(
    text: &[u8],
    before: &Before,
    path: &str,
    modified: Option<Timestamp>,
    door: &intake::Config,
) -> Before {
    let text = match utf16::order(text) {
        Some(order) => Cow::Owned(utf16::decoded(text, order).into_bytes()),
        None => Cow::Borrowed(text),
    };
    let lines = text.split(|byte| *byte == b'\n');
    let is_directive = |line: &&[u8]| line.starts_with(b"#") && line.len() <= FIRST_LINE_BYTES;
    let named: Vec<_> = lines.filter(is_directive).collect();
    let mut end = named[named.len().saturating_sub(DIRECTIVES)..].join(&b'\n');
    end.push(b'\n');
    let tail = &text[text.len().saturating_sub(TAIL_BYTES)..];
    // What is cut off is no line.
    let whole = if tail.len() < text.len() {
        tail.iter().position(|byte| *byte == b'\n').unwrap_or_default()
    } else {
        0
    };
    end.extend_from_slice(&tail[whole..]);
    let received = intake::system_clock();
    let context = parse::Context {
        near: modified.unwrap_or(received),
        file: Some(path),
        before: Some(before),
        joining: door.joining.as_ref(),
        formats: Some(&door.formats),
        ..parse::Context::new(received, &door.zone, door.line_bytes_max)
    };
    parse::body(parse::Format::Lines, &end, &context, |_| ())
}

/// How a file is known again, whatever its name: by its first line. Its parts are told apart by their place, and
/// the collector by what it was sent for a place whether a part is the same.
struct SameFile(String);

impl SameFile {
    fn new(start: &[u8], run: Option<&str>) -> Self {
        let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let first = hash(&line[..line.len().min(FIRST_LINE_BYTES)]);
        Self(run.map_or(first.clone(), |run| format!("{run}/{first}")))
    }

    fn key(&self, offset: u64) -> String {
        format!("import/{}/{offset}", self.0)
    }
}

/// A name that no import had before.
fn run_name() -> Result<String, AppError> {
    let id = event::JournalId::random().map_err(|error| AppError::Io(io::Error::other(error.to_string())))?;
    Ok(id.to_string())
}

/// As the collector hashes bodies: the first 16 bytes of BLAKE3.
fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

/// Sends what stands at a place of a file, unless an earlier import has brought it. Gives back what of the chunk is
/// stored then; the reader goes on behind that.
async fn store(
    client: &Client,
    origin: &Origin<'_>,
    file: &SameFile,
    Part { offset, before }: &Part,
    (mut chunk, mut reader): (Vec<u8>, Text),
    imported: &mut Imported,
) -> Result<(Vec<u8>, Text), AppError> {
    let mut key = file.key(*offset);
    loop {
        let earlier = match send(client, origin, before, &key, &chunk).await? {
            Sent::Taken { answer, replayed } => {
                let number = |name: &str| answer[name].as_u64().unwrap_or_default();
                let lines = lines_in(&chunk);
                if replayed {
                    imported.repeated += lines;
                } else {
                    imported.accepted += number("accepted");
                    imported.lines += lines;
                    imported.rejected += number("rejected_total");
                    imported.expired += answer["expired"]["records"].as_u64().unwrap_or_default();
                    imported.indexed = answer["indexed"].as_bool().unwrap_or_default();
                }
                return Ok((chunk, reader));
            }
            Sent::Differs(earlier) => earlier,
        };
        let (bytes, wanted) = (chunk.len(), earlier.bytes);
        // The parts of the earlier import may have been cut elsewhere.
        (chunk, reader) = read(reader, origin.path, move |reader| {
            reader.read_on(&mut chunk, wanted)?;
            Ok(chunk)
        })
        .await?;
        let known = earlier.part_of(&chunk);
        reader.give_back(chunk.split_off(known.unwrap_or(bytes)));
        if known.is_some() {
            imported.repeated += lines_in(&chunk);
            return Ok((chunk, reader));
        }
        if *offset == 0 {
            say_begun(client, origin.path).await?;
        }
        // Another file that begins with the same line.
        key = format!("import/{}/{offset}/{}", file.0, hash(&chunk));
    }
}

/// Says that a file which begins like one that was imported is stored whole, where events of its name are there.
async fn say_begun(client: &Client, path: &str) -> Result<(), AppError> {
    let query = found::scope(&[path.to_owned()]);
    let answer = client.get_json("/api/v1/search", &[("q", query.as_str()), ("limit", "0")]).await?;
    let there = answer["total"].as_u64().unwrap_or_default();
    if there > 0 {
        note(&format!(
            "{path} begins as it did in an earlier import and goes on otherwise: all of it is stored, beside {} of this \
             file that were there",
            many(there, "event", "events")
        ));
    }
    Ok(())
}

/// How many lines a text has, but for empty ones.
fn lines_in(text: &[u8]) -> u64 {
    // NULs are halves of characters in UTF-16.
    let is_written = |line: &&[u8]| line.iter().any(|byte| *byte != 0 && !byte.is_ascii_whitespace());
    text.split(|byte| *byte == b'\n').filter(is_written).count() as u64
}

/// What the collector was sent for a place before.
struct Earlier {
    bytes: usize,
    hash: String,
}

impl Earlier {
    /// How much of a chunk was in it; None when it was something else.
    fn part_of(&self, chunk: &[u8]) -> Option<usize> {
        let start = chunk.get(..self.bytes).filter(|start| !start.is_empty())?;
        if hash(start) == self.hash {
            return Some(start.len());
        }
        // Its last line had no newline then and was given one.
        let (_, line) = start.split_last()?;
        let whole = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let ended = [line, b"\n"].concat();
        (hash(&ended) == self.hash && whole > 0).then_some(whole)
    }
}

/// What became of a request.
enum Sent {
    /// It is stored, now or by an earlier request.
    Taken { answer: serde_json::Value, replayed: bool },
    /// Its key belongs to other lines.
    Differs(Earlier),
}

async fn send(
    client: &Client,
    origin: &Origin<'_>,
    before: &Before,
    key: &str,
    chunk: &[u8],
) -> Result<Sent, AppError> {
    let modified = origin.modified.map(|time| time.to_string());
    let mut query = vec![("path", origin.path), ("wait", "indexed"), ("timeout", INDEX_WAIT)];
    let before = serde_json::to_string(before).unwrap_or_default();
    query.extend(Some(before.as_str()).filter(|before| *before != "{}").map(|before| ("before", before)));
    query.extend(modified.as_deref().map(|time| ("modified", time)));
    query.extend(origin.is_cut.then_some(("cut", "true")));
    let headers = [("content-type", "text/plain"), ("idempotency-key", key)];
    let (mut failures, mut is_told) = (0, false);
    loop {
        match client.post_once(&query, &headers, chunk.to_vec()).await {
            Ok((answer, replayed)) => return Ok(Sent::Taken { answer, replayed }),
            Err(ClientError::Refused { status: 429, retry_after, detail, .. }) => {
                if !std::mem::replace(&mut is_told, true) {
                    note(&format!("waiting, since nothing can be taken in at present: {detail}"));
                }
                tokio::time::sleep(retry_after.unwrap_or(Duration::from_secs(1))).await;
            }
            Err(ClientError::Refused { status: 409, problem, .. })
                if problem["earlier_blake3"].is_string() =>
            {
                let bytes = problem["earlier_bytes"].as_u64().and_then(|bytes| bytes.try_into().ok());
                let hash = problem["earlier_blake3"].as_str().unwrap_or_default().to_owned();
                return Ok(Sent::Differs(Earlier { bytes: bytes.unwrap_or_default(), hash }));
            }
            Err(ClientError::Unreachable { .. } | ClientError::Answer { .. }) if failures < 5 => {
                failures += 1;
                tokio::time::sleep(Duration::from_secs(failures)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

struct Opened {
    reader: Box<dyn Read + Send>,
    size: Option<u64>,
    /// When the file was last written: time stamps without a year lie in the year before it.
    modified: Option<Timestamp>,
}

fn open(file: &Path) -> Result<Opened, AppError> {
    if is_stdin(file) {
        return Ok(Opened { reader: Box::new(io::stdin()), size: None, modified: None });
    }
    let failed = |source| AppError::File { action: "open", path: file.to_owned(), source };
    let opened = File::open(file).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; name its files")));
    }
    let modified = super::modified(&metadata);
    let size = metadata.is_file().then_some(metadata.len());
    Ok(Opened { reader: Box::new(opened), size, modified })
}

fn progress(size: Option<u64>, name: &str) -> ProgressBar {
    let bar = ProgressBar::new(size.unwrap_or_default());
    let template = match size {
        Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        None => "{msg} {spinner} {bytes} {bytes_per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_first_is_sent_first() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str, second| {
            let path = dir.path().join(name);
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(second)).unwrap();
            path
        };
        let [newest, middle, oldest] = [at("auth.log", 30), at("auth.log.1", 20), at("auth.log.2.gz", 10)];
        let (none, stdin) = (dir.path().join("none"), PathBuf::from("-"));
        let files = [stdin.clone(), newest.clone(), none.clone(), middle.clone(), oldest.clone()];
        assert_eq!(oldest_first(&files), [&oldest, &middle, &newest, &stdin, &none]);
    }

    #[tokio::test]
    async fn a_file_that_holds_no_text_is_not_sent() {
        let client = Client::new("http://127.0.0.1:1", None);
        let mut imported = Imported::default();
        let bytes: Vec<u8> =
            (0..20_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        lines(&client, &intake::Config::default(), io::Cursor::new(bytes), "wtmp", None, &mut imported)
            .await
            .unwrap();
        assert!(imported.paths.is_empty() && imported.accepted == 0, "{imported:?}");
        assert!(!intake::tail::is_binary(b"one line\n"));
    }

    #[test]
    fn lines_that_were_sent_before_are_known_when_the_file_has_grown() {
        let earlier = |text: &[u8]| Earlier { bytes: text.len(), hash: hash(text) };
        let file = b"one\ntwo\nthree\n";
        assert_eq!(earlier(b"one\ntwo\n").part_of(file), Some(8));
        assert_eq!(earlier(b"one\ntw\n").part_of(file), Some(4), "it ended within a line");
        assert_eq!(earlier(b"one\n2wo\n").part_of(file), None);
        assert_eq!(earlier(b"one\ntwo\nthree\nfour\n").part_of(file), None);
        assert_eq!(earlier(b"o\n").part_of(file), None);
        assert_eq!(earlier(b"").part_of(file), None);
    }

    #[test]
    fn a_part_in_two_bytes_a_character_and_in_a_format_of_ones_own_says_as_much() {
        let (pattern, time) =
            (r"^\{(?<time>[^}]+)\} (?<message>.*)".to_owned(), Some("%d.%m.%y %H:%M".to_owned()));
        let own = parse::Definition { name: "own".to_owned(), pattern, time, ..Default::default() };
        let formats = parse::Formats::new(vec![own], intake::system_clock()).unwrap();
        let own = intake::Config { formats: std::sync::Arc::new(formats), ..intake::Config::default() };
        let filler = "neither time nor columns\n".repeat(2 * TAIL_BYTES / 20);
        let head = "#Fields: date time cs-uri\n";
        for (text, door, time) in [
            (
                format!("{head}{filler}2019-10-22 21:59:02 /b\n"),
                intake::Config::default(),
                "2019-10-22T21:59:02Z",
            ),
            (format!("{head}{filler}{{22.10.19 21:59}} x\n"), own, "2019-10-22T21:59:00Z"),
        ] {
            let wide = "\u{feff}".encode_utf16().chain(text.encode_utf16());
            let wide: Vec<_> = wide.flat_map(u16::to_be_bytes).collect();
            for text in [text.as_bytes(), &wide] {
                let said = says(text, &Before::default(), "/a.log", None, &door);
                let said = serde_json::to_value(said).unwrap();
                assert_eq!((&said["columns"], &said["time"][0]), (&"date time cs-uri".into(), &time.into()));
            }
        }
    }

    #[test]
    fn a_part_says_what_its_end_and_its_directives_say() {
        let door = intake::Config::default();
        let says = |text: &str, before| says(text.as_bytes(), before, "/a.log", None, &door);
        let head = "#Fields: date time cs-uri\n";
        let long = "2019-10-22 21:59:01 /a\n".repeat(TAIL_BYTES / 10) + "2019-10-22 21:59:02 /b\n";
        let nothing = Before::default();
        let before = says(&format!("{head}{long}"), &nothing);
        for said in [&before, &says(&long, &before)] {
            let said = serde_json::to_value(said).unwrap();
            assert_eq!(
                (&said["columns"], &said["time"][0]),
                (&"date time cs-uri".into(), &"2019-10-22T21:59:02Z".into())
            );
        }
    }
}
