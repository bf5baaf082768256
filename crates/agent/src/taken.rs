//! The configuration that the server has given, kept beside the journal so that it holds from the first sample after a
//! restart on.
//!
//! ```text
//! configuration: sealed (magic "LSAGENTC", version 1) around a length and JSON {"version": n, "monitoring": {…}}
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use disk::sealed::{Reader, Writer};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

const MAGIC: &[u8; 8] = b"LSAGENTC";
const VERSION: u32 = 1;

/// What the server wants, in its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Given {
    pub(crate) version: u64,
    pub(crate) monitoring: Json,
}

impl Given {
    /// Of an answer; None where there is none, or none was ever set.
    pub(crate) fn of(answer: &Json) -> Option<Self> {
        let config = answer.get("config")?;
        let version = config.get("version")?.as_u64().filter(|version| *version > 0)?;
        let monitoring = config.get("monitoring").filter(|monitoring| monitoring.is_object())?;
        Some(Self { version, monitoring: monitoring.clone() })
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    pub(crate) fn new(data: &Path) -> Self {
        Self { path: data.join("configuration") }
    }

    /// What was kept. A file that cannot be read is as none: the server gives it again.
    pub(crate) fn read(&self) -> io::Result<Option<Given>> {
        let bytes = match std::fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let damaged = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
        let mut reader = Reader::sealed(&bytes, MAGIC, VERSION, "the agent's configuration")
            .map_err(|error| damaged(error.to_string()))?;
        let json = reader.bytes().map_err(|error| damaged(error.to_string()))?;
        serde_json::from_slice(json).map(Some).map_err(|error| damaged(error.to_string()))
    }

    pub(crate) fn keep(&self, given: &Given) -> io::Result<()> {
        let mut writer = Writer::sealed(MAGIC, VERSION);
        writer.bytes(&serde_json::to_vec(given)?);
        disk::replace(&self.path, &writer.seal())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_given_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::new(dir.path());
        assert_eq!(kept.read().unwrap(), None);
        let answer =
            json!({"status": "success", "config": {"version": 3, "monitoring": {"cpu": {"enabled": false}}}});
        let given = Given::of(&answer).unwrap();
        kept.keep(&given).unwrap();
        assert_eq!(Kept::new(dir.path()).read().unwrap(), Some(given));
        std::fs::write(dir.path().join("configuration"), "nonsense").unwrap();
        assert!(kept.read().is_err());
        for none in [json!({}), json!({"config": {"version": 0, "monitoring": {}}}), json!({"config": 7})] {
            assert_eq!(Given::of(&none), None);
        }
    }
}
