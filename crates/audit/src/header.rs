//! The first line of each file: whose record it is, and on what it hangs.

use blake3::Hash;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::{
    hex,
    key::PublicKey,
    line::{Kind, Line},
};

/// The format that this program writes.
pub(crate) const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) installation: String,
    pub(crate) file: u32,
    previous: String,
    key: String,
}

/// A header in its place.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) seq: u64,
    pub(crate) previous: Hash,
    pub(crate) key: VerifyingKey,
    pub(crate) header: Header,
    /// It is as it was written, whether or not it belongs here.
    pub(crate) is_whole: bool,
}

impl Header {
    pub(crate) fn new(installation: &str, file: u32, previous: &Hash, key: &VerifyingKey) -> Self {
        Self {
            version: VERSION,
            installation: installation.to_owned(),
            file,
            previous: previous.to_hex().to_string(),
            key: PublicKey(*key).to_hex(),
        }
    }

    /// Its members as they stand in a line. Every text in it is hexadecimal digits.
    pub(crate) fn members(&self) -> String {
        format!(
            r#""audit":{{"version":{},"installation":"{}","file":{},"previous":"{}","key":"{}"}}"#,
            self.version, self.installation, self.file, self.previous, self.key
        )
    }

    /// The header that this line is.
    pub(crate) fn parse(line: &[u8]) -> Option<Placed> {
        #[derive(Deserialize)]
        struct Members {
            audit: Header,
        }

        let placed = Line::parse(line).filter(|line| line.kind == Kind::Header)?;
        let Members { audit: header } = serde_json::from_slice(line).ok()?;
        hex::decode::<16>(&header.installation)?;
        let previous = Hash::from_bytes(hex::decode(&header.previous)?);
        let key = PublicKey::from_hex(&header.key)?.0;
        let is_whole = placed.follows(&previous).is_some();
        Some(Placed { seq: placed.seq, previous, key, header, is_whole })
    }
}
