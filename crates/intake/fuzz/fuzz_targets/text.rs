#![no_main]

#[path = "../body.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: (u8, bool, &[u8])| {
    let (turn, is_big_endian, bytes) = input;
    body::text(usize::from(turn), is_big_endian, bytes);
});
