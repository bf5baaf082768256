//! The bodies of the fuzz targets on generated inputs, so that they run everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn saved_templates(bytes in vec(any::<u8>(), 0..60)) {
        body::miner(&bytes);
    }

    #[test]
    fn saved_operations(bytes in vec(any::<u8>(), 0..60)) {
        body::operations(&bytes);
    }
}
