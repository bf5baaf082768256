//! The body of the fuzz target on generated inputs, so that it runs everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

const PIECES: &[&str] = &[
    "a",
    "Root",
    "über",
    "10.0.0.1",
    "10.0.0.0/8",
    "192.168.*",
    "now-15m",
    "2024-06-01",
    "42",
    "-1",
    "true",
    "warn",
    " ",
    " ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    " TO ",
    " AND ",
    " OR ",
    " NOT ",
    "&&",
    "||",
    "!",
    "-",
    "*",
    "?",
    "\"",
    "\\",
    ":",
    ">",
    ">=",
    "<",
    "level:",
    "source.ip:",
    "source.port:",
    "@timestamp:",
    "labels.tags:",
    "message:",
    "user.name:",
    "host:",
    "sentinel.anomaly.is_anomaly:",
    "event.outcome:",
    "/",
    ".",
    "_",
    "İ",
    "\u{0}",
    "\n",
    "ß",
    "::1",
    "~\"",
    "message:~\"a.*\"",
    "\\d",
    "北京",
    "é",
    "e\u{301}",
    "\u{301}",
    "서",
    "ς１",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_queries(pieces in vec(select(PIECES), 0..12)) {
        body::query(&pieces.concat());
    }

    #[test]
    fn any_text(text in ".{0,40}") {
        body::query(&text);
    }
}
