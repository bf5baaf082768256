//! Generates the types of `proto/` without `protoc`.

use std::{env, error::Error, fs, path::Path};

use protox::prost::Message;

const PROTO: &str = "../../proto";
/// `bytes` among the field types of `descriptor.proto`.
const TYPE_BYTES: i32 = 12;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PROTO}");
    let mut files = protox::compile(["log_sentinel/v1/anomaly.proto"], [PROTO])?;
    // As it is published, comments included: for those who ask the service what it offers.
    #[expect(clippy::disallowed_methods, reason = "cargo says so where a build script writes")]
    let out_dir = env::var("OUT_DIR")?;
    let descriptors = Path::new(&out_dir).join("log_sentinel.binpb");
    fs::write(descriptors, files.encode_to_vec())?;
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
        .compile_fds(files)?;
    Ok(())
}
