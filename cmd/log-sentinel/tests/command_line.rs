//! The command line as a person uses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value as Json;
use testkit::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_log-sentinel");

/// Runs the program in a folder of its own, without any setting of the outside.
fn run(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir).envs(settings.iter().copied());
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn rules_are_tested_as_their_files_say_and_one_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let shipped = run(dir.path(), &["rules", "test"], &[]);
    assert!(
        shipped.status.success() && said(&shipped).ends_with(" tests hold, 0 do not\n"),
        "{}",
        said(&shipped)
    );

    let rule = "title: A reader of passwords\nid: 5f0f5c1e-0000-4000-8000-000000000002\nlogsource: {product: linux}\n\
                detection:\n  words: ['/etc/shadow']\n  condition: words\nlevel: high\ntests:\n- name: fires\n  lines: \
                ['Nov 20 10:00:00 web-1 cat[1]: /etc/shadow']\n  findings: 1\n";
    fs::create_dir(dir.path().join("own")).unwrap();
    fs::write(dir.path().join("own/good.yml"), rule).unwrap();
    let good = run(dir.path(), &["rules", "test", "own"], &[]);
    assert!(good.status.success() && said(&good) == "1 tests hold, 0 do not\n", "{}", said(&good));

    fs::write(dir.path().join("own/misled.yaml"), rule.replace("findings: 1", "findings: 2")).unwrap();
    fs::write(
        dir.path().join("own/wrong.yml"),
        rule.replace("words: ['/etc/shadow']", "words: {message|nearly: x}"),
    )
    .unwrap();
    let bad = run(dir.path(), &["rules", "test", "own"], &[]);
    assert_eq!(bad.status.code(), Some(1));
    for expected in
        ["misled.yaml: rule", "1 found, 2 expected", "own/wrong.yml:5: rule", "1 tests hold, 2 do not"]
    {
        assert!(said(&bad).contains(expected), "{expected:?} in:\n{}", said(&bad));
    }

    let explained = said(&run(dir.path(), &["rules", "explain", "of passwords", "own/good.yml"], &[]));
    assert!(
        explained.starts_with("A reader of passwords\n") && explained.contains("level          high"),
        "{explained}"
    );
    let covered = said(&run(dir.path(), &["rules", "coverage"], &[]));
    assert!(covered.contains("T1562.004    "), "{covered}");
}

#[test]
fn the_demo_says_what_is_in_the_logs_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let sample = run(dir.path(), &["demo"], &[]);
    let sample = said(&sample);
    for expected in [
        "Took in 17,121 lines from 2 files, 2015-05-17 to 2017-04-20",
        "signals, the gravest first:",
        "311 attempts to get in over SSH from 24.151.103.17, and a login that succeeded [high]",
    ] {
        assert!(sample.contains(expected), "{expected:?} in:\n{sample}");
    }
    let lines: String = (0..40)
        .map(|n| {
            format!(
                "Jun  1 12:00:{n:02} web-1 sshd[42]: Failed password for root from 192.0.2.7 port {} ssh2\n",
                50_000 + n
            )
        })
        .chain([
            "Jun  1 12:01:00 web-1 sshd[43]: Accepted password for root from 192.0.2.7 port 50100 ssh2\n"
                .to_owned(),
        ])
        .collect();
    fs::write(dir.path().join("other.log"), lines).unwrap();
    let other = said(&run(dir.path(), &["demo", "other.log"], &[]));
    for expected in [
        "Took in 41 lines from 1 file",
        "Login from 192.0.2.7 on web-1 after 40 failed logins [high]",
        "192.0.2.7 failed to log in over SSH 40 times on web-1",
    ] {
        assert!(other.contains(expected), "{expected:?} in:\n{other}");
    }
    assert!(!other.contains("24.151.103.17"), "{other}");
    // Nothing of it is kept.
    assert!(!dir.path().join(".local").exists());
}

#[test]
fn wrong_settings_are_refused_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    for (settings, arguments, expected) in [
        (vec![("LOG_SENTINEL_ADRR", "127.0.0.1:1")], vec![], "did you mean LOG_SENTINEL_ADDR?"),
        (vec![("LOG_SENTINEL_ADDR", "0.0.0.0:0")], vec![], "API_KEYS"),
        (vec![("LOG_SENTINEL_QUERY_TIMEOUT", "soon")], vec!["check"], "such as 30s"),
        (vec![], vec!["--adr", "127.0.0.1:1"], "--addr"),
        (vec![], vec!["--config", "missing.yaml"], "missing.yaml"),
    ] {
        let output = run(dir.path(), &arguments, &settings);
        assert!(!output.status.success(), "{settings:?} {arguments:?}");
        assert!(said(&output).contains(expected), "{expected:?} in:\n{}", said(&output));
    }
}

#[test]
fn check_shows_every_origin_and_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".env"), "LOG_SENTINEL_LOG_LEVEL=warn\nAPI_KEYS=hunter2-is-a-key\n").unwrap();
    fs::write(dir.path().join("log-sentinel.yaml"), "retention: 30d\n").unwrap();
    let output =
        run(dir.path(), &["check", "--addr", "127.0.0.1:9"], &[("LOG_SENTINEL_ZONE", "Europe/Berlin")]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let elastic = run(dir.path(), &["check"], &[("ELASTIC_HOSTS", "http://localhost:9200")]);
    assert!(
        said(&elastic).contains("ELASTIC_HOSTS is set (environment) and has no effect"),
        "{}",
        said(&elastic)
    );
    for (name, value, origin) in [
        ("LOG_SENTINEL_ADDR", "127.0.0.1:9", "flag"),
        ("LOG_SENTINEL_ZONE", "Europe/Berlin", "environment"),
        ("LOG_SENTINEL_LOG_LEVEL", "warn", ".env"),
        ("LOG_SENTINEL_RETENTION", "30d", "log-sentinel.yaml"),
        ("API_KEYS", "********", ".env"),
    ] {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        assert!(line.contains(value) && line.ends_with(origin), "{line}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!dir.path().join(".local").exists());
}

#[test]
fn completions_are_scripts() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = run(dir.path(), &["completions", shell], &[]);
        assert!(output.status.success() && said(&output).contains("log-sentinel"), "{shell}");
    }
}

#[tokio::test]
async fn import_and_query_work_with_and_without_a_running_collector() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("state");
    let data_setting = [("LOG_SENTINEL_DATA", data.to_str().unwrap())];
    // Without: straight into the data folder, from standard input.
    let mut child = Command::new(BINARY)
        .args(["import", "-"])
        .env_clear()
        .envs(data_setting)
        .env("LOG_SENTINEL_ADDR", "127.0.0.1:1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"one line\n{\"level\":\"WARN\",\"message\":\"two\"}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(said(&output).starts_with("Took in 2 lines"), "{}", said(&output));

    let server = Server::start(Path::new(BINARY), &data, &[]).unwrap();
    fs::write(dir.path().join("app.log"), "level=error msg=\"three\" code=7\n").unwrap();
    let output = run(dir.path(), &["import", "app.log", "--url", &server.url], &[]);
    assert!(said(&output).contains("Took in 1 line from 1 file"), "{}", said(&output));

    let query =
        |arguments: &[&str]| run(dir.path(), &[&["query", "--url", &server.url], arguments].concat(), &[]);
    let text = said(&query(&["level:>=warn"]));
    assert!(
        text.contains("warn")
            && text.contains("two")
            && text.contains("three")
            && text.contains("2 of 2 events"),
        "{text}"
    );
    let lines = query(&["-o", "ndjson"]).stdout;
    let documents: Vec<Json> = lines
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(documents.len(), 3);
    assert!(
        documents.iter().all(|document| document["_id"].is_string() && document["@timestamp"].is_string())
    );
    let json: Json = serde_json::from_slice(&query(&["-o", "json", "--limit", "1"]).stdout).unwrap();
    assert_eq!((json["total"].as_u64(), json["hits"].as_array().unwrap().len()), (Some(3), 1));
    let wrong = query(&["level:("]);
    assert!(!wrong.status.success() && said(&wrong).contains("column"), "{}", said(&wrong));
    // One process at a time on a data folder.
    let second =
        run(dir.path(), &["run", "--addr", "127.0.0.1:0", "--anomaly-addr", "127.0.0.1:0"], &data_setting);
    assert!(
        !second.status.success() && said(&second).contains("in use by another process"),
        "{}",
        said(&second)
    );
}

#[tokio::test]
async fn the_journal_can_be_read_and_verified_beside_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("state");
    let server = Server::start(Path::new(BINARY), &data, &[]).unwrap();
    let (status, _) =
        server.post_logs("application/json", r#"{"message":"kept","level":"fatal"}"#).await.unwrap();
    assert_eq!(status, 200);
    let setting = [("LOG_SENTINEL_DATA", data.to_str().unwrap())];
    let cat = run(dir.path(), &["journal", "cat"], &setting);
    let document: Json = serde_json::from_slice(&cat.stdout).unwrap();
    assert_eq!(
        (document["message"].as_str(), document["log"]["level"].as_str()),
        (Some("kept"), Some("fatal"))
    );
    let verify = run(dir.path(), &["journal", "verify"], &setting);
    assert!(
        verify.status.success() && said(&verify).starts_with("1 record in 1 segment"),
        "{}",
        said(&verify)
    );
}

fn line(n: usize) -> String {
    format!(
        "2024-06-01T12:{:02}:{:02}Z host-{} app: request {n} took {} ms\n",
        n / 60 % 60,
        n % 60,
        n % 7,
        n % 91
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_imported_again_or_grown_stores_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("data"), &[]).unwrap();
    let import = |name: &str| said(&run(dir.path(), &["import", name, "--url", &server.url], &[]));
    let text: String = (0..3000).map(line).collect();
    fs::write(dir.path().join("a.log"), &text).unwrap();
    assert!(import("a.log").contains("Took in 3,000 lines"));
    let again = import("a.log");
    assert!(again.contains("3,000 lines were already there"), "{again}");
    fs::rename(dir.path().join("a.log"), dir.path().join("b.log")).unwrap();
    assert!(import("b.log").contains("3,000 lines were already there"), "known by content, not by name");
    let grown = text.clone() + &(3000..3100).map(line).collect::<String>();
    fs::write(dir.path().join("b.log"), &grown).unwrap();
    let more = import("b.log");
    assert!(more.contains("Took in 100 lines") && more.contains("3,000 lines were already there"), "{more}");
    let packed = flate2::read::GzEncoder::new(grown.as_bytes(), flate2::Compression::fast());
    let packed: Vec<u8> = std::io::Read::bytes(packed).map(Result::unwrap).collect();
    fs::write(dir.path().join("b.log.gz"), packed).unwrap();
    let packed = import("b.log.gz");
    assert!(packed.contains("lines were already there") && packed.contains("Took in 0 lines"), "{packed}");
    let other = line(0) + "2024-06-01T12:00:00Z host app: another file with the same first line\n";
    fs::write(dir.path().join("c.log"), other).unwrap();
    assert!(import("c.log").contains("Took in 2 lines"));
    assert!(import("c.log").contains("2 lines were already there"));
    assert_eq!(server.count("*").await.unwrap(), 3102);
    let forced = said(&run(dir.path(), &["import", "c.log", "--again", "--url", &server.url], &[]));
    assert!(forced.contains("Took in 2 lines"), "{forced}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_parts_are_cut_elsewhere_stores_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("data"), &[]).unwrap();
    let import = |name: &str, settings: &[(&str, &str)]| {
        said(&run(dir.path(), &["import", name, "--url", &server.url], settings))
    };
    // Events of many long lines: where parts end depends on what belongs together.
    let event = |n: usize| line(n) + &format!("\tat {}\n", "x".repeat(8000)).repeat(60);
    let text: String = (0..25).map(event).collect();
    let wide: Vec<u8> = "\u{feff}wide\n"
        .encode_utf16()
        .chain(text[..3 << 20].encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let alone = ("LOG_SENTINEL_JOIN_LINES", "false");
    let each = ("LOG_SENTINEL_EVENT_START", "at");
    for (name, text, settings) in [
        ("a.log", text.clone().into_bytes(), [&[alone][..], &[], &[each]]),
        ("b.log", format!("another\n{text}").into_bytes(), [&[], &[each], &[alone]]),
        ("c.log", wide, [&[], &[alone], &[]]),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
        let first = import(name, settings[0]);
        assert!(first.contains("Took in ") && !first.contains("already there"), "{first}");
        let stored = server.count("*").await.unwrap();
        for settings in &settings[1..] {
            let again = import(name, settings);
            assert!(again.contains("Took in 0 lines"), "{name} {settings:?}: {again}");
            assert_eq!(server.count("*").await.unwrap(), stored, "{name} {settings:?}");
        }
    }
    // Ends amid an event, before its first part would be full; the next one is not.
    let amid = format!("amid\n{text}");
    let end = (4 << 20) - 10;
    let end = amid[..end].rfind('\n').unwrap() + 1;
    fs::write(dir.path().join("d.log"), &amid[..end]).unwrap();
    import("d.log", &[]);
    fs::write(dir.path().join("d.log"), &amid).unwrap();
    let grown = import("d.log", &[]);
    let lines = |text: &str| text.lines().count();
    assert!(grown.contains(&format!("{} lines were already there", lines(&amid[..end]))), "{grown}");
    assert!(grown.contains(&format!("({} lines)", lines(&amid[end..]))), "{grown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_taken_in_as_far_as_it_goes_and_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("data"), &[]).unwrap();
    let import = |name: &str| run(dir.path(), &["import", name, "--url", &server.url], &[]);
    let text: String = (0..3000).map(line).collect();
    let packed = flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::fast());
    let packed: Vec<u8> = std::io::Read::bytes(packed).map(Result::unwrap).collect();
    fs::write(dir.path().join("cut.log.gz"), &packed[..packed.len() / 2]).unwrap();
    let cut = import("cut.log.gz");
    assert_eq!(cut.status.code(), Some(1), "{}", said(&cut));
    assert!(said(&cut).contains("1 file is damaged: what could be read was taken in"), "{}", said(&cut));
    let stored = server.count("*").await.unwrap();
    assert!((1..3000).contains(&stored), "{stored}");
    assert_eq!(server.count("log.flags:incomplete").await.unwrap(), 1, "the line in which it ends");
    fs::write(dir.path().join("whole.log.gz"), &packed).unwrap();
    assert!(import("whole.log.gz").status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_name_in_two_folders_are_two() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Path::new(BINARY), &dir.path().join("data"), &[]).unwrap();
    for (folder, number) in [("x", 1), ("y", 2)] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        fs::write(dir.path().join(folder).join("app.log"), line(number)).unwrap();
        let path = format!("{folder}/app.log");
        assert!(run(dir.path(), &["import", &path, "--url", &server.url], &[]).status.success());
        let whole = dir.path().canonicalize().unwrap().join(path);
        let query = format!("log.file.path:\"{}\"", whole.display());
        assert_eq!(server.count(&query).await.unwrap(), 1, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_too_old_to_stay_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        Server::start(Path::new(BINARY), &dir.path().join("data"), &[("LOG_SENTINEL_RETENTION", "30d")])
            .unwrap();
    let text: String = (0..50).map(line).collect();
    let (status, answer) = server.post_logs("text/plain", text.clone()).await.unwrap();
    assert_eq!(
        (status, &answer["accepted"], &answer["expired"]["records"]),
        (200, &50.into(), &50.into()),
        "{answer}"
    );
    let (_, answer) = server.post_logs("text/plain", "of today\n").await.unwrap();
    assert!(answer.get("expired").is_none(), "{answer}");
    fs::write(dir.path().join("old.log"), text).unwrap();
    let report = said(&run(dir.path(), &["import", "old.log", "--url", &server.url], &[]));
    assert!(report.contains("50 lines are older than LOG_SENTINEL_RETENTION"), "{report}");
}

const FORMATS: &str = r"
formats:
  - name: payroll
    pattern: '^(?<time>\S+ \S+) \{(?<level>\w+)\} (?<program>\w+) took=(?<took_ms>\d+): (?<message>.*)'
    time: '%d.%m.%y %H:%M:%S'
    zone: Europe/Berlin
    levels: { GRAVE: error }
    examples: ['22.10.26 23:59:01 {GRAVE} payd took=70: no money']
";

#[test]
fn lines_are_explained_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("formats.yaml"), FORMATS).unwrap();
    let lines = "22.10.26 23:59:01 {GRAVE} payd took=70: no money\n\x1b[2Jhello\n";
    fs::write(dir.path().join("some.log"), lines).unwrap();
    let formats = ("LOG_SENTINEL_FORMATS_FILE", "formats.yaml");
    let words = said(&run(dir.path(), &["parse", "some.log", "--explain"], &[formats]));
    for expected in [
        "line 1: payroll\n  time         2026-10-22T21:59:01Z  (as payroll has it)\n  level        error  (as payroll has it)",
        "program      payd",
        "labels.took_ms 70",
        "line 2: terminal colours, in it plain text\n",
        "(none is recognised: that of the line before)",
    ] {
        assert!(words.contains(expected), "{expected:?} in:\n{words}");
    }
    assert!(!words.contains('\x1b'), "what a log holds must not steer a terminal");
    let json = run(dir.path(), &["parse", "some.log", "--explain", "-o", "json"], &[]);
    let first: Json =
        serde_json::from_slice(json.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!(
        first["formats"],
        serde_json::json!(["time stamp first"]),
        "without the file the format is not known"
    );
    assert_eq!(first["event"]["event"]["original"], "22.10.26 23:59:01 {GRAVE} payd took=70: no money");
    assert!(!dir.path().join(".local").exists(), "nothing is taken in");
}

#[test]
fn wrong_formats_are_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("formats: 7", "formats.yaml is no list of formats"),
        ("formats:\n  - name: x\n    patern: y", "unknown field `patern`"),
        (&FORMATS.replace("took=70", "took=x"), "format payroll: the example"),
        (&FORMATS.replace("'^(", "'^(("), "format payroll: its pattern is no regular expression"),
    ] {
        fs::write(dir.path().join("formats.yaml"), text).unwrap();
        for command in ["check", "run"] {
            let output = run(dir.path(), &[command], &[("LOG_SENTINEL_FORMATS_FILE", "formats.yaml")]);
            assert!(
                !output.status.success() && said(&output).contains(expected),
                "{command}: {}",
                said(&output)
            );
        }
    }
}
