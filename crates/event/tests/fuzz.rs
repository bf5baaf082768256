//! The bodies of the fuzz targets on generated inputs, so that they run everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn records(bytes in vec(any::<u8>(), 0..60)) {
        body::codec(&bytes);
    }

    #[test]
    fn times(text in "[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.,][0-9]{1,12})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?|[-+0-9.eE]{0,24}|.{0,20}") {
        body::timestamp(text.as_bytes());
    }
}
