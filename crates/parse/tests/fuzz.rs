//! The bodies of the fuzz targets on generated inputs, so that they run everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

const PIECES: &[&str] = &[
    "{\"message\":\"a\"}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "\u{b}",
    "\u{feff}",
    "null",
    "7",
    "\"message\"",
    "\"level\":\"warn\"",
    "\"timestamp\":",
    "\"2024-06-01T12:00:10Z\"",
    "1e999",
    "\\",
    "\\u0000",
    "\\ud800",
    "[{}]",
    "[[]]",
    "é",
    "\u{0}",
    "oops",
    "<13>1 ",
    "Jun  1 12:00:00 web-1 sshd[1]: ",
    "key=value ",
    "\u{1e}",
    "{\"index\":",
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}]}]}]}",
    "{\"event\":{\"a\":1},\"time\":7}",
    "\u{1b}[31m",
    "2026-10-22T21:59:01Z stdout P ",
    "2026-10-22T21:59:01Z stderr F ",
    "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-10-22T21:59:01Z\"}",
    "Traceback (most recent call last):",
    "ValueError: x",
    "\tat a.B(C.java:7)",
    "#0 {main}",
    "thread 'main' panicked at a.rs:1:2:",
    "panic: x",
    "{\n",
    "}\n",
    "Failed login attempt ",
    "for user ",
    "from 192.0.2.7",
    "[2001:db8::7]:22 ",
    "invalid password",
    "web-1  | ",
    "{\"ID\":\"1714557600.2:1\",\"SYSCALL\":{},\"LOGIN\":[{}]}",
    "\"event\":\"user.login\",\"success\":false",
    "'",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => select(PIECES).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn bodies(bytes in bytes()) {
        body::json(&bytes);
    }

    #[test]
    fn joined(bytes in bytes()) {
        body::joined(&bytes);
    }

    #[test]
    fn lines(bytes in bytes()) {
        body::line(&bytes);
    }
}
