// What is done with each input of the fuzz targets; ordinary tests do the same.

use template::{Config, Miner, Operations};

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

const CHECKSUM: usize = 16;
const CONFIG: Config = Config { shapes_max: 50, templates_max: 20 };

/// With the checksum that belongs to it, as somebody who means harm would write it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(CHECKSUM));
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(&checksum.as_bytes()[..CHECKSUM]);
    bytes
}

fn saved() -> Vec<u8> {
    let mut miner = Miner::new(CONFIG);
    for number in 0..6 {
        miner.mine(&format!("served {number} bytes to 10.0.0.{number} in {number} ms"), &mut Vec::new());
        miner.mine(&format!("user{number} logged in"), &mut Vec::new());
    }
    miner.save()
}

/// Reads bytes, and changes to saved templates, as saved templates; what loads can be worked with and saved.
pub(crate) fn miner(bytes: &[u8]) {
    let saved = saved();
    for file in
        [bytes.to_vec(), sealed(bytes.to_vec()), changed(&saved, bytes), sealed(changed(&saved, bytes))]
    {
        let Ok(mut miner) = Miner::load(&file, CONFIG) else { continue };
        miner.mine("served 17 bytes to 10.0.0.1 in 5 ms", &mut Vec::new());
        miner.mine("a line that is new", &mut Vec::new());
        let again = miner.save();
        assert!(Miner::load(&again, CONFIG).is_ok());
    }
}

/// Reads bytes, and changes to the file of no operations, as operations on templates.
pub(crate) fn operations(bytes: &[u8]) {
    let saved = Operations::default().save();
    for file in
        [bytes.to_vec(), sealed(bytes.to_vec()), changed(&saved, bytes), sealed(changed(&saved, bytes))]
    {
        let Ok(operations) = Operations::load(&file) else { continue };
        let again = operations.save();
        let mut miner = Miner::new(CONFIG);
        miner.set_operations(operations);
        miner.mine("served 17 bytes to 10.0.0.1 in 5 ms", &mut Vec::new());
        assert_eq!(Operations::load(&again).map(|found| found.save()), Ok(again));
    }
}
