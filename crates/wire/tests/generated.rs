//! The generated code is that of `proto/`. It is kept with the source, so that a build needs no generator.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path};

use protox::prost::Message;

const PROTO: &str = "../../proto";
const GENERATED: &str = "generated";
const DESCRIPTORS: &str = "log_sentinel.binpb";
/// `bytes` among the field types of `descriptor.proto`.
const TYPE_BYTES: i32 = 12;

/// Writes the types, clients and servers and the file descriptor set.
fn generate(folder: &Path) {
    let mut files = protox::compile(["log_sentinel/v1/anomaly.proto"], [PROTO]).unwrap();
    // As it is published, comments included: for those who ask the service what it offers.
    fs::write(folder.join(DESCRIPTORS), files.encode_to_vec()).unwrap();
    // A message inside a message looks on the wire like `bytes`. Taken as such, records are cut out of
    // what arrived without a copy, and one that cannot be read spoils no other: see `wire::record`.
    let fields = files.file.iter_mut().flat_map(|file| &mut file.message_type);
    for field in fields.flat_map(|message| &mut message.field) {
        if field.type_name.as_deref() == Some(".log_sentinel.v1.LogRecord") {
            field.r#type = Some(TYPE_BYTES);
            field.type_name = None;
        }
    }
    // A server answers calls that it does not have with UNIMPLEMENTED, as one of an older version does.
    tonic_prost_build::configure()
        .build_transport(false)
        .generate_default_stubs(true)
        .bytes(".log_sentinel.v1")
        .out_dir(folder)
        .compile_fds(files)
        .unwrap();
}

#[test]
fn the_generated_code_is_that_of_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(folder.path()), names(Path::new(GENERATED)));
    for name in names(folder.path()) {
        let read = |folder: &Path| fs::read(folder.join(&name)).unwrap();
        assert!(
            read(folder.path()) == read(Path::new(GENERATED)),
            "{GENERATED}/{} is not that of proto/: run `just proto`",
            name.display()
        );
    }
}

#[test]
#[ignore = "writes the code anew: `just proto`"]
fn write_the_generated_code() {
    generate(Path::new(GENERATED));
}
