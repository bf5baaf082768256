//! The bodies of the fuzz targets on generated inputs, so that they run everywhere.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn models(bytes in vec(any::<u8>(), 0..24)) {
        body::model(&bytes);
    }

    #[test]
    fn windows(bytes in vec(any::<u8>(), 0..24)) {
        body::window(&bytes);
    }

    #[test]
    fn starters(bytes in vec(any::<u8>(), 0..24)) {
        body::starter(&bytes);
    }
}
