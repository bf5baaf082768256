//! The agent's own program.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    process::{Command, Output},
};

fn call(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    fs::write(
        &file,
        "agent: { name: \"server1\", interval: 60 }\nserver: { url: \"http://localhost:8000/data\" }\n",
    )
    .unwrap();
    Command::new(env!("CARGO_BIN_EXE_log-sentinel-agent"))
        .args(["--config", file.to_str().unwrap()])
        .args(arguments)
        .env_clear()
        .env("LOG_SENTINEL_DATA", folder.path())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_file_of_the_agent_is_checked_as_by_the_whole_program() {
    let output = call(&["--check"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("server1") && said.contains("the configuration is usable"), "{said}");
}

#[test]
fn who_wants_signals_is_told_which_program_finds_them() {
    let output = call(&["-url", "http://localhost:9/ingest"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("by `log-sentinel agent`"), "{}", text(&output.stderr));
}

#[test]
fn an_option_that_it_has_not_is_refused() {
    let output = call(&["--cheque"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--check"), "{}", text(&output.stderr));
}
