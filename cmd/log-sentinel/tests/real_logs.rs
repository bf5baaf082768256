//! Real logs, line by line: what goes in comes back as `event.original`.
//!
//! The samples that the repository carries always; every `*.log.gz` of the folder that
//! `LOG_SENTINEL_TEST_LOGS` names too, which continuous integration sets.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::read::MultiGzDecoder;
use testkit::{Server, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

fn logs() -> Vec<PathBuf> {
    // As the program names them.
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/app/samples");
    let mut folders = vec![samples.canonicalize().unwrap()];
    #[expect(clippy::disallowed_methods, reason = "a test's own switch, not a setting of the program")]
    folders.extend(std::env::var("LOG_SENTINEL_TEST_LOGS").map(PathBuf::from));
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut logs: Vec<PathBuf> = files.filter(|path| path.to_str().unwrap().ends_with(".log.gz")).collect();
    logs.sort();
    // The same file under two paths is one import.
    let mut seen = HashSet::new();
    logs.retain(|log| seen.insert(text_of(log)));
    assert!(logs.len() >= 2);
    logs
}

fn text_of(log: &Path) -> Vec<u8> {
    let mut text = vec![];
    MultiGzDecoder::new(fs::File::open(log).unwrap()).read_to_end(&mut text).unwrap();
    text
}

fn lines(text: &[u8]) -> HashMap<String, u64> {
    let mut lines = HashMap::new();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            *lines.entry(String::from_utf8_lossy(line).into_owned()).or_insert(0) += 1;
        }
    }
    lines
}

/// The lines of all events that a query finds and that were analyzed.
async fn found(server: &Server, query: &str) -> HashMap<String, u64> {
    // What the journal holds and the index does not yet is found too, without template and score.
    let query = format!("{query} AND NOT sentinel.anomaly.state:unscored");
    let (mut found, mut cursor) = (HashMap::<String, u64>::new(), String::new());
    loop {
        let mut parameters = vec![("q", query.as_str()), ("limit", "10000")];
        if !cursor.is_empty() {
            parameters.push(("cursor", &cursor));
        }
        let answer = server.get("/api/v1/search", &parameters).await.unwrap();
        for hit in answer["hits"].as_array().unwrap() {
            let original = hit["event"]["original"].as_str().unwrap_or_else(|| panic!("no original: {hit}"));
            for (line, count) in lines(original.as_bytes()) {
                *found.entry(line).or_insert(0) += count;
            }
            assert!(hit["sentinel"]["anomaly"]["score"].is_number(), "{hit}");
            assert!(hit["sentinel"]["template"]["id"].is_string(), "{hit}");
        }
        match answer["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return found,
        }
    }
}

/// Compares every stored line of a file with the file, as a multiset, once there are as many.
async fn compare(server: &Server, path: &str, expected: &HashMap<String, u64>) {
    let query = format!("log.file.path:\"{path}\"");
    let total: u64 = expected.values().sum();
    let found = eventually(&query, async || {
        let found = found(server, &query).await;
        (found.values().sum::<u64>() >= total).then_some(found)
    })
    .await;
    for (line, count) in expected {
        assert_eq!(found.get(line), Some(count), "{path}: {line:?}");
    }
    assert_eq!(found.len(), expected.len(), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_files_come_back_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("state"), &[]).unwrap();
    for log in logs() {
        let output = Command::new(BINARY).args(["import", "--url", &server.url]).arg(&log).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.starts_with("Took in "), "{said}");
        compare(&server, log.to_str().unwrap(), &lines(&text_of(&log))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_files_come_back_line_by_line_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let watched = dir.path().join("watched/below");
    let settings = [("LOG_SENTINEL_DIR", dir.path().join("watched").to_str().unwrap().to_owned())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let start = || Server::start(Path::new(BINARY), &dir.path().join("state"), &settings).unwrap();
    let server = start();
    // The folder appears only now, half of each file at first.
    fs::create_dir_all(&watched).unwrap();
    let mut files = vec![];
    for log in logs() {
        let text = text_of(&log);
        let path = watched.join(log.file_stem().unwrap());
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        files.push((path, text));
    }
    eventually("the first half is taken in", async || {
        (server.count("*").await.unwrap() > 1000).then_some(())
    })
    .await;
    assert!(server.terminate().unwrap().success());
    for (path, text) in &files {
        fs::write(path, text).unwrap();
    }
    let server = start();
    for (path, text) in &files {
        compare(&server, path.to_str().unwrap(), &lines(text)).await;
    }
}
