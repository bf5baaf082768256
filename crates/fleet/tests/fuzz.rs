//! The body of the fuzz target on generated inputs, so that it runs everywhere.
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use event::varint;
use proptest::{collection::vec, prelude::*};

/// Numbers as chunks have them, most of them small.
fn numbers() -> impl Strategy<Value = Vec<u64>> {
    vec(prop_oneof![6 => 0..12_u64, 2 => 0..100_000_u64, 1 => any::<u64>()], 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_bytes_are_in_a_chunk(bytes in vec(any::<u8>(), 0..64)) {
        body::chunk(&bytes);
    }

    #[test]
    fn whatever_numbers_are_in_a_chunk(numbers in numbers(), is_packed in any::<bool>()) {
        let mut plain = Vec::new();
        numbers.iter().for_each(|number| varint::put(&mut plain, *number));
        let packed = if is_packed { zstd::bulk::compress(&plain, 1).expect("packed") } else { plain };
        body::chunk(&[&[1 + u8::from(is_packed)], &packed[..]].concat());
    }
}
