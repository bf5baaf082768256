//! The generated types are those of `proto/`. They are kept with the source, so that a build needs no generator.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path};

const GENERATED: &str = "generated/log_sentinel.v1.rs";

fn generated() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let files = protox::compile(["log_sentinel/v1/process.proto"], ["../../proto"]).unwrap();
    tonic_prost_build::configure()
        .build_client(false)
        .build_server(false)
        .out_dir(folder.path())
        .compile_fds(files)
        .unwrap();
    fs::read(folder.path().join("log_sentinel.v1.rs")).unwrap()
}

#[test]
fn the_generated_types_are_those_of_the_protocol() {
    assert!(
        generated() == fs::read(GENERATED).unwrap(),
        "{GENERATED} is not that of proto/: run `just proto`"
    );
}

#[test]
#[ignore = "writes the types anew: `just proto`"]
fn write_the_generated_types() {
    fs::create_dir_all(Path::new(GENERATED).parent().unwrap()).unwrap();
    fs::write(GENERATED, generated()).unwrap();
}
