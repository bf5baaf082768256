//! Imports: what is sent of files, and what is told of it.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::{Value as Json, json};

use super::{Answer, Asked, Said, Service, said_of};

/// A collector that keeps what it was sent by key, as the real one does, and finds a signal.
async fn collector() -> Service {
    let kept: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
    Service::start(move |asked| match asked.line.split(' ').nth(1).unwrap() {
        "/logs" => taken(&mut kept.lock().unwrap(), asked),
        "/api/v1/histogram" => {
            json!({"buckets": [{"t": "2024-06-01T00:00:00Z"}, {"t": "2024-06-03T00:00:00Z"}]}).into()
        }
        "/api/v1/patterns" => json!({"distinct": 3}).into(),
        "/api/v1/search" => json!({"total": 5, "hits": []}).into(),
        "/api/v1/signals" => {
            let signal = |title: &str, received: &str, rank: f64| {
                json!({"id": "0123456789", "title": title, "received": received, "rank": rank, "severity": "low",
                    "what": "What.", "why": "Why.", "next": []})
            };
            let far = "2200-01-01T00:00:00Z";
            let old = signal("old", "2020-01-01T00:00:00Z", 9.0);
            json!({"signals": [signal("lesser", far, 1.0), old, signal("graver", far, 2.0)]}).into()
        }
        _ => json!({}).into(),
    })
    .await
}

fn taken(kept: &mut HashMap<String, Vec<u8>>, asked: &Asked) -> Answer {
    let answer = json!({"accepted": asked.body.split(|byte| *byte == b'\n').count() - 1, "indexed": true,
        "rejected_total": 0, "expired": {"records": 0}});
    match kept.get(asked.header("idempotency-key")) {
        None => {
            kept.insert(asked.header("idempotency-key").to_owned(), asked.body.to_vec());
            answer.into()
        }
        Some(same) if same[..] == asked.body[..] => Answer::from(answer).with("idempotent-replayed", "true"),
        Some(other) => {
            let hash = blake3::hash(other).to_hex()[..32].to_owned();
            (409, json!({"earlier_bytes": other.len(), "earlier_blake3": hash})).into()
        }
    }
}

async fn import(service: &Service, more: &[&str], files: &[&PathBuf]) -> Said {
    let files = files.iter().map(|file| file.to_str().unwrap());
    let words: Vec<&str> =
        ["import", "--url", &service.url].into_iter().chain(more.iter().copied()).chain(files).collect();
    said_of(&words).await
}

/// The bodies that were sent.
fn sent(service: &Service) -> Vec<String> {
    let asked = service.asked().into_iter().filter(|asked| asked.line.starts_with("POST /logs "));
    asked.map(|asked| String::from_utf8(asked.body.to_vec()).unwrap()).collect()
}

/// A folder, and a way to write its files; each was last written so many seconds after 1970.
fn folder() -> (tempfile::TempDir, impl Fn(&str, &[u8], u64) -> PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().canonicalize().unwrap();
    let write = move |name: &str, bytes: &[u8], seconds| {
        let path = at.join(name);
        std::fs::write(&path, bytes).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        path
    };
    (dir, write)
}

#[tokio::test]
async fn files_are_sent_the_oldest_first_and_what_was_found_is_told() {
    let (service, (_dir, write)) = (collector().await, folder());
    let new = write("b.log", b"2024-06-01 12:00:00 new\nlast without end", 2_000);
    let old = write("a.log", b"2024-06-01 12:00:00 old\n\n", 1_000);
    let said = import(&service, &[], &[&new, &old]).await;
    assert_eq!(
        sent(&service),
        ["2024-06-01 12:00:00 old\n\n", "2024-06-01 12:00:00 new\nlast without end\n"]
    );
    let asked = service.asked();
    let expected =
        format!("POST /logs path={} wait=indexed timeout=300s modified=1970-01-01T00:16:40Z", old.display());
    assert_eq!(asked[0].line, expected);
    assert!(asked[0].header("idempotency-key").starts_with("import/"));
    assert!(asked[0].header("idempotency-key").ends_with("/0"));
    assert_eq!(asked[0].header("content-type"), "text/plain");
    assert_eq!((&*said.failed, &*said.noted), ("", ""));
    assert_eq!(
        said.printed,
        "Took in 4 events (3 lines) from 2 files, 2024-06-01 to 2024-06-03: 3 templates.\n\n\
         2 signals, the gravest first:\n\n\
         1. graver [low]\n   What.\n   Why.\n   Look closer: log-sentinel signals show 01234567\n\n\
         2. lesser [low]\n   What.\n   Why.\n   Look closer: log-sentinel signals show 01234567\n\
         `log-sentinel signals` lists them all.\n"
    );
    let scope = format!("log.file.path:(\"{}\" OR \"{}\")", old.display(), new.display());
    let lines = service.lines();
    assert!(lines.contains(&format!("GET /api/v1/histogram q={scope} interval=1d")), "{lines:?}");
    assert!(lines.contains(&format!("GET /api/v1/patterns q={scope} limit=1")), "{lines:?}");
    assert!(
        lines.contains(&"GET /api/v1/signals limit=1000 wait=detected timeout=300s".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn of_a_file_that_has_grown_what_is_new_is_sent() {
    let (service, (_dir, write)) = (collector().await, folder());
    let file = write("a.log", b"one\ntwo\n", 1);
    import(&service, &[], &[&file]).await;
    write("a.log", b"one\ntwo\nthree\n", 2);
    let grown = import(&service, &[], &[&file]).await;
    assert_eq!(sent(&service)[1..], ["one\ntwo\nthree\n", "three\n"]);
    let took = "Took in 1 line from 1 file, 2024-06-01 to 2024-06-03: 3 templates. 2 lines were already there and not stored \
                again.\n";
    assert!(grown.printed.starts_with(took), "{}", grown.printed);
    let same = import(&service, &[], &[&file]).await;
    assert!(same.printed.contains(" 3 lines were already there"), "{}", same.printed);
    let again = import(&service, &["--again"], &[&file]).await;
    assert!(again.printed.starts_with("Took in 3 lines from 1 file"), "{}", again.printed);
    assert_eq!(sent(&service).last().unwrap(), "one\ntwo\nthree\n");
}

#[tokio::test]
async fn another_file_that_begins_alike_is_sent_whole() {
    let (service, (_dir, write)) = (collector().await, folder());
    import(&service, &[], &[&write("a.log", b"one\ntwo\n", 1)]).await;
    let other = write("a.log", b"one\nother\n", 2);
    let said = import(&service, &[], &[&other]).await;
    assert_eq!(sent(&service)[1..], ["one\nother\n", "one\nother\n"]);
    let noted = format!(
        "{} begins as it did in an earlier import and goes on otherwise: all of it is stored, beside 5 events of this file \
         that were there\n",
        other.display()
    );
    assert_eq!(said.noted, noted);
    assert!(said.printed.starts_with("Took in 2 lines from 1 file"), "{}", said.printed);
}

#[tokio::test]
async fn what_holds_no_text_or_is_damaged_is_named() {
    let (service, (_dir, write)) = (collector().await, folder());
    let archive = write("a.zip", b"PK\x03\x04 and so on", 1);
    let said = import(&service, &[], &[&archive]).await;
    assert_eq!((&*said.failed, sent(&service).len()), ("nothing was taken in", 0));
    let why = "is not taken in: it holds zip data; unpack it, and import what was in it\n";
    assert_eq!(said.noted, format!("{} {why}", archive.display()));
    let text = "2024-06-01 12:00:00 a line\n".repeat(2_000);
    let mut packed = lz4_flex::frame::FrameEncoder::new(vec![]);
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let whole = write("b.lz4", &packed, 2);
    let damaged = write("c.lz4", &packed[..packed.len() - 5], 3);
    let said = import(&service, &[], &[&whole]).await;
    assert_eq!((&*said.failed, sent(&service).concat()), ("", text));
    let said = import(&service, &[], &[&damaged]).await;
    let expected = "1 file is damaged: what could be read was taken in, the rest is missing";
    assert_eq!(said.failed, expected, "{}", said.noted);
    assert!(said.noted.contains("the lz4 data is damaged behind "), "{}", said.noted);
    assert!(said.noted.ends_with("what stood behind that is not taken in\n"), "{}", said.noted);
    let gone = write("d.log", b"", 4);
    std::fs::remove_file(&gone).unwrap();
    let said = import(&service, &[], &[&gone]).await;
    assert_eq!(said.failed, format!("cannot open {}", gone.display()));
    let folder = gone.parent().unwrap().to_owned();
    assert_eq!(import(&service, &[], &[&folder]).await.failed, format!("cannot open {}", folder.display()));
}

#[tokio::test]
async fn a_collector_that_is_full_is_waited_for_and_one_that_refuses_is_not() {
    let (_dir, write) = folder();
    let file = write("a.log", b"one\n", 1);
    let full = || Answer::from((429, json!({"detail": "full"}))).with("retry-after", "0");
    let taken = json!({"accepted": 0, "rejected_total": 2, "indexed": false, "expired": {"records": 1}});
    let service = Service::giving([full(), full(), taken.into(), json!({}).into()]).await;
    let said = import(&service, &[], &[&file]).await;
    assert_eq!(said.noted, "waiting, since nothing can be taken in at present: full\n", "said once");
    let took = "Took in 0 events (1 line) from 1 file: 0 templates. 2 lines could not be taken in. 1 line is older than \
                LOG_SENTINEL_RETENTION allows and will be deleted when it next runs.\n\nNothing stands out.\n";
    assert_eq!((said.printed.as_str(), said.failed.as_str()), (took, ""));
    for refusal in [(409, json!({"detail": "no"})), (413, json!({"detail": "no"}))] {
        let service = Service::giving([refusal]).await;
        assert_eq!(import(&service, &[], &[&file]).await.failed, "no");
        assert_eq!(sent(&service).len(), 1);
    }
}

#[tokio::test]
async fn what_is_said_of_columns_goes_along_with_the_next_part() {
    let (service, (_dir, write)) = (collector().await, folder());
    let head = "#Fields: date time cs-uri\n";
    let text = format!("{head}{}", "2019-10-22 21:59:01 /a\n".repeat(200_000));
    let file = write("a.log", text.as_bytes(), 1);
    import(&service, &[], &[&file]).await;
    let parts: Vec<Asked> =
        service.asked().into_iter().filter(|asked| asked.line.starts_with("POST")).collect();
    assert_eq!(parts.len(), 2);
    assert!(!parts[0].line.contains(" before="), "{}", parts[0].line);
    let before: Json = {
        let (_, before) = parts[1].line.split_once(" before=").unwrap();
        serde_json::from_str(before.split_once(" modified=").unwrap().0).unwrap()
    };
    assert_eq!(before["columns"], "date time cs-uri");
    let place = format!("/{}", parts[0].body.len());
    assert!(parts[1].header("idempotency-key").ends_with(&place), "{place}");
    assert!(sent(&service).concat() == text);
}
