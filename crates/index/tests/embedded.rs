//! The contract suite on the embedded index.

#![expect(clippy::unwrap_used, reason = "a test ends at its first failure")]

mod contract;

use async_trait::async_trait;
use contract::{Factory, block_on, random};
use index::{
    Index,
    embedded::{Config, Embedded},
};
use proptest::prelude::*;
use tempfile::TempDir;

/// Blocks of four rows, so that a few events fill several.
struct OnDisk;

fn open(place: &TempDir) -> Embedded {
    Embedded::open(Config { block_rows: 4, segment_rows: 12, ..Config::new(place.path()) }).unwrap()
}

#[async_trait]
impl Factory for OnDisk {
    type Place = TempDir;

    fn place(&self) -> TempDir {
        tempfile::tempdir().unwrap()
    }

    async fn open(&self, place: &TempDir) -> Box<dyn Index> {
        Box::new(open(place))
    }
}

#[test]
fn the_embedded_index_keeps_the_contract() {
    block_on(contract::check(&OnDisk));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_index_equals_the_scan(events in random::events(), query in random::queries(), commit: bool) {
        let place = OnDisk.place();
        block_on(random::equals_scan(&open(&place), events, query, commit));
    }
}
