//! What a model was trained with, in files: packed beside it, and carried elsewhere with it.
//!
//! `learned.bin` beside a model is sealed as `disk::sealed` describes, magic `LSLEARND`; the body: u64 bytes unpacked, and
//! the state of the service (`Service::snapshot`) as one frame of zstd.
//!
//! A model that is carried elsewhere is sealed with the models' magic, version 3; the body: `model.bin`, then
//! `learned.bin` (each u32 length, bytes). Where a model has no `learned.bin`, what is carried is its `model.bin`.

use std::io::Read as _;

use disk::sealed::{Reader, SealedError, Writer};

use crate::{
    error::ModelError,
    model::{MAGIC as MODEL_MAGIC, VERSION as MODEL_VERSION},
};

const MAGIC: &[u8; 8] = b"LSLEARND";
const VERSION: u32 = 1;
const WHAT: &str = "what the model was trained with";
/// The version of a model that is carried elsewhere together with what it was trained with.
const CARRIED: u32 = MODEL_VERSION + 1;
/// Fast: it is done while a training is waited for.
const LEVEL: i32 = 1;
/// No more is unpacked of what others say is a state.
const UNPACKED_MAX: u64 = 512 << 20;

pub(crate) fn pack(state: &[u8]) -> Result<Vec<u8>, ModelError> {
    let packed = zstd::bulk::compress(state, LEVEL).map_err(|source| ModelError::Io {
        action: "pack",
        path: "what the model was trained with".into(),
        source,
    })?;
    let mut out = Writer::sealed(MAGIC, VERSION);
    out.u64(state.len() as u64);
    out.raw(&packed);
    Ok(out.seal())
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, SealedError> {
    let mut input = Reader::sealed(bytes, MAGIC, VERSION, WHAT)?;
    let length = input.u64()?;
    if length > UNPACKED_MAX {
        return Err(input.damaged());
    }
    let mut state = Vec::new();
    let read = zstd::stream::Decoder::new(input.rest())
        .and_then(|decoder| decoder.take(length + 1).read_to_end(&mut state));
    if read.is_err() || state.len() as u64 != length { Err(input.damaged()) } else { Ok(state) }
}

/// A model and what it was trained with as one file.
pub(crate) fn carry(model: &[u8], learned: Option<&[u8]>) -> Vec<u8> {
    let Some(learned) = learned else { return model.to_vec() };
    let mut out = Writer::sealed(MODEL_MAGIC, CARRIED);
    out.bytes(model);
    out.bytes(learned);
    out.seal()
}

/// The model and what it was trained with, where the file holds it.
pub(crate) fn open(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), SealedError> {
    let (mut input, version) = Reader::sealed_since(bytes, MODEL_MAGIC, 1..=CARRIED, "the model")?;
    if version < CARRIED {
        return Ok((bytes, None));
    }
    let (model, learned) = (input.bytes()?, input.bytes()?);
    input.end()?;
    Ok((model, Some(learned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_what_is_altered_is_refused() {
        let state: Vec<u8> = (0..50_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let packed = pack(&state).unwrap();
        assert!(packed.len() < state.len() / 2);
        assert_eq!(unpack(&packed).unwrap(), state);
        for at in (0..packed.len()).step_by(packed.len() / 50) {
            assert!(unpack(&packed[..at]).is_err(), "cut to {at}");
            let mut flipped = packed.clone();
            flipped[at] ^= 1;
            assert!(unpack(&flipped).is_err(), "flipped at {at}");
        }
        let mut bomb = Writer::sealed(MAGIC, VERSION);
        bomb.u64(10);
        bomb.raw(&zstd::bulk::compress(&vec![0; 1 << 20], 1).unwrap());
        assert!(unpack(&bomb.seal()).is_err(), "more comes out than it says");
    }
}
