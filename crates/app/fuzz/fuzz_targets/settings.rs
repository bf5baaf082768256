#![no_main]
#![allow(dead_code)]

#[path = "../../src/settings/mod.rs"]
mod settings;

#[path = "../body.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::settings(bytes));
