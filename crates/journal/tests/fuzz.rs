//! The body of the fuzz target on generated inputs, so that it runs everywhere.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn files(which: u8, how: u8, bytes in vec(any::<u8>(), 0..24)) {
        body::files(&[vec![which, how], bytes].concat());
    }
}
