//! The bodies of the fuzz targets on generated inputs, so that they run everywhere.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

const PIECES: &[&str] = &[
    "q",
    "from",
    "to",
    "limit",
    "cursor",
    "interval",
    "by",
    "by_limit",
    "field",
    "source",
    "older",
    "newer",
    "top",
    "=",
    "=",
    "=",
    "&",
    "&",
    "%",
    "%00",
    "%ff",
    "+",
    ":",
    "*",
    "0",
    "7",
    "-1",
    "9999999999999999999999",
    "now-15m",
    "2024-06-01",
    "2024-06-01T12:00:00Z",
    "1ms",
    "1h",
    "99999999999999w",
    "level:error",
    "host.name",
    "user.name",
    "(",
    "\"",
    " OR ",
    "é",
    "\u{0}",
];
const HOSTS: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "127.9.9.9",
    "[::1]",
    "::1",
    "logs.example",
    "logs.example.org",
    "[2001:db8::1]",
    "evil.example",
    ":8080",
    ":80",
    ":443",
    ":8443",
    ":",
    "@",
    ".",
    "/",
    "?",
    "#",
    " ",
    "\t",
    "%",
    "null",
    "LOCALHOST",
    "é",
    ",",
];

fn header(prefixes: &'static [&'static str]) -> impl Strategy<Value = String> {
    (select(prefixes), vec(select(HOSTS), 0..4))
        .prop_map(|(prefix, pieces)| format!("{prefix}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn parameters(which: u8, pieces in vec(select(PIECES), 0..12)) {
        body::parameters(&[&[which], pieces.concat().as_bytes()].concat());
    }

    #[test]
    fn origins(
        host in header(&["", "", "localhost"]),
        origin in prop_oneof![Just(String::new()), header(&["", "http://", "https://", "HTTP://", "file://", "http:"])],
        site in "|||same-origin|same-site|cross-site|none|[a-z-]{0,9}",
    ) {
        body::origins(format!("{host}\n{origin}\n{site}").as_bytes());
    }
}
