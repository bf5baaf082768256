//! The bodies of the fuzz targets on generated inputs, so that they run everywhere.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn compressed(bytes in vec(any::<u8>(), 0..60)) {
        body::compressed(&bytes);
    }

    #[test]
    fn headers(
        media_type in "(application|text)/(json|x-ndjson|plain|xml|[a-z+]{0,12})(;( )?(charset|format)=.{0,12})?|.{0,40}",
        encodings in vec("(gzip|x-gzip|deflate|zstd|identity|br)?(, (gzip|zstd))?|.{0,200}", 0..3),
    ) {
        body::headers(format!("{media_type}\n{}", encodings.join("\n")).as_bytes());
    }

    #[test]
    fn arriving(size in 1..20_u8, bytes in vec(any::<u8>(), 0..1500)) {
        body::arriving(&[vec![size], bytes].concat());
    }
}
