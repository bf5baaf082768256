//! The body of the fuzz target on generated inputs, so that it runs everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

const PIECES: &[&str] = &[
    "a",
    "=",
    ":",
    ": ",
    "://",
    "http://",
    "\"",
    "'",
    "\\",
    "$",
    "${HOME}",
    "$A",
    " ",
    "\t",
    "#",
    " #",
    "\n",
    "\0",
    "{",
    "}",
    "[",
    "]",
    ",",
    "@",
    "?",
    "/",
    "|",
    ">",
    "- ",
    "&a ",
    "*a",
    "!!str ",
    "%",
    "~",
    "null",
    "7",
    "export ",
    "LOG_SENTINEL_",
    "API_KEYS",
    "é",
    "\u{feff}",
    "\u{85}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn settings(which: u8, pieces in vec(select(PIECES), 0..12)) {
        body::settings(&[&[which], pieces.concat().as_bytes()].concat());
    }
}
