//! The body of the fuzz target on generated inputs, so that it runs everywhere.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

const PIECES: &[&str] = &[
    " ",
    "\n",
    "\0",
    ":",
    "(",
    ")",
    "-",
    "\\040",
    "\\999",
    "0",
    "1",
    "99999999999999999999999",
    "18446744073709551615",
    "-1",
    "NaN",
    "inf",
    "1e300",
    "cpu",
    "cpu0",
    "btime",
    "MemTotal:",
    "sda",
    "nvme0n1p",
    "eth0:",
    "Tcp:",
    "TCP:",
    "tw",
    "avg10=",
    "some",
    "full",
    "usage_usec",
    "read_bytes:",
    "root:x:0:0",
    "0A",
    "FF",
    "é",
    "\u{1b}",
    "--token",
    "x",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_kernel_says(pieces in vec(select(PIECES), 0..40), tail in vec(any::<u8>(), 0..24)) {
        body::kernel(&[pieces.concat().into_bytes(), tail].concat());
    }
}
