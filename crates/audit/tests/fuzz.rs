//! The body of the fuzz target on generated inputs, so that it runs everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn bytes(bytes in vec(any::<u8>(), 0..300)) {
        body::files(&bytes);
    }

    #[test]
    fn lines(text in r#"(\{"seq":[0-9]{1,20},"time":"[-0-9TZ:.]{0,30}",("(audit|actor|checkpoint)":[\{\}"a-z0-9:,]{0,40})?(,"hash":"[0-9a-f]{0,66}"\})?\n?){0,4}"#) {
        body::files(text.as_bytes());
    }

    #[test]
    fn checkpoints(text in "(log-sentinel-audit-checkpoint/1 installation=[0-9a-f]{31,32} record=[0-9]{1,21} hash=[0-9a-f]{64} time=[-0-9TZ:]{1,20} every=[0-9]{1,3} signature=[0-9a-f]{127,128}\n?){0,2}") {
        body::files(text.as_bytes());
    }
}
