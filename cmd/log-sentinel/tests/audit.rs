//! `log-sentinel audit`, on a record of format version 1: what it prints, and its exit status.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn fixture() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/audit/tests/fixtures/v1"))
}

/// A data folder whose record is the fixture.
fn data() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("audit")).unwrap();
    for entry in fs::read_dir(fixture()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), data.path().join("audit").join(entry.file_name())).unwrap();
    }
    data
}

fn audit(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_log-sentinel"));
    command.current_dir(data).arg("audit").args(arguments).arg("--data").arg(data).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_exit_status_tells_a_sound_record_a_tampered_one_and_one_that_cannot_be_read() {
    let data = data();
    let path = |name: &str| fixture().join(name).to_str().unwrap().to_owned();
    let (key, kept) = (path("key.pub"), path("kept.log"));
    let (first, second) = (path("0000000000.ndjson"), path("0000000001.ndjson"));
    let check = |arguments: &[&str], status: i32, said: &str| {
        let output = audit(data.path(), arguments);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    };
    check(&["verify"], 0, "8 records, 3 checkpoints");
    check(&["verify", "--key", &key, "--against", &kept], 0, "agree up to record 12");
    check(&["verify", fixture().to_str().unwrap()], 0, "as it was written");
    check(&["verify", "--from", &second, "--key", &key], 0, "lines 10 to 13 in 1 file");
    check(&["verify", "--from", &first, "--against", &kept], 1, "cut tail");
    check(&["verify", "--from", &key], 2, "no file of an audit record");
    check(&["verify", "--key", &kept], 2, "no public key");
    check(&["verify", "--against", &key], 2, "no checkpoint");
    check(&["verify", "nowhere"], 2, "no audit record");
    let file = data.path().join("audit/0000000000.ndjson");
    fs::write(&file, fs::read_to_string(&file).unwrap().replacen("refused", "done", 1)).unwrap();
    check(&["verify"], 1, "edit at");
    check(&["verify"], 1, "line 5, record 5");
}

#[test]
fn records_are_shown_chosen_and_exported() {
    let data = data();
    let printed = |arguments: &[&str]| {
        let output = audit(data.path(), arguments);
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = printed(&["show", "-n", "2", "--action", "model"]);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(shown.contains("key k1") && shown.contains("refused"), "{shown}");
    let shown = printed(&["show", "--actor", "::1"]);
    assert!(shown.contains(r"größer\u{202e}"), "{shown}");
    let lines = fs::read_to_string(fixture().join("0000000000.ndjson")).unwrap();
    let exported = printed(&["export", "--from", "2023-11-14T22:13:21Z", "--to", "2023-11-14T22:13:23Z"]);
    assert_eq!(exported.lines().collect::<Vec<_>>(), lines.lines().skip(3).take(2).collect::<Vec<_>>());
    let cef = printed(&["export", "--format", "cef"]);
    assert_eq!(cef.lines().filter(|line| line.starts_with("CEF:0|Log Sentinel|")).count(), 8, "{cef}");
}
