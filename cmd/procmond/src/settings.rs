//! The settings file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use mask::Mask;
use process::{HashLimits, Scope};
use serde::Deserialize;

/// Settings with their defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Seconds between two scans, 1 to 3600.
    pub(crate) interval: u32,
    /// Where the agent connects.
    pub(crate) socket: PathBuf,
    /// Who may connect, by user name or number; the user that runs procmond always may.
    pub(crate) peers: Vec<String>,
    /// How much of the files that run is hashed.
    pub(crate) hash: Hash,
    /// Short names of processes that are not told.
    pub(crate) exclude: Vec<String>,
    /// Parts of names on command lines whose values are secret, beside those that are known.
    pub(crate) mask: Vec<String>,
    /// What waits for the agent at most, bytes.
    pub(crate) queue_bytes: usize,
    /// Ask the kernel to tell of starts and ends.
    pub(crate) kernel: bool,
    /// Where `/proc` is.
    pub(crate) proc: PathBuf,
}

/// See [`HashLimits`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hash {
    pub(crate) file_bytes: u64,
    pub(crate) scan_bytes: u64,
}

impl Default for Hash {
    fn default() -> Self {
        let HashLimits { file_bytes, scan_bytes, .. } = HashLimits::default();
        Self { file_bytes, scan_bytes }
    }
}

impl Hash {
    pub(crate) fn limits(self) -> HashLimits {
        HashLimits { file_bytes: self.file_bytes, scan_bytes: self.scan_bytes, ..HashLimits::default() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: 5,
            socket: "/run/log-sentinel/procmond.sock".into(),
            peers: vec!["log-sentinel".into()],
            hash: Hash::default(),
            exclude: Vec::new(),
            mask: Vec::new(),
            queue_bytes: 8 << 20,
            kernel: true,
            proc: "/proc".into(),
        }
    }
}

impl Settings {
    /// Of a file, or the defaults without one.
    pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("settings in {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        // An empty file says nothing, which is no mistake.
        let settings: Self =
            if text.trim().is_empty() { Self::default() } else { serde_yaml_ng::from_str(text)? };
        ensure!(
            (1..=3_600).contains(&settings.interval),
            "'interval' is {}: 1 to 3600 seconds",
            settings.interval
        );
        ensure!(
            settings.queue_bytes >= 2 * process::message::FRAME_BYTES,
            "'queue_bytes' is {}: at least {}",
            settings.queue_bytes,
            2 * process::message::FRAME_BYTES
        );
        Ok(settings)
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope {
            excluded: self.exclude.iter().cloned().collect(),
            mask: Mask::with_names(&self.mask),
            ..Scope::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_does_not_say_is_as_by_default_and_mistakes_are_named() {
        let settings = Settings::parse("interval: 2\nmask: [license]\nhash: { file_bytes: 1000 }\n").unwrap();
        assert_eq!((settings.interval, settings.hash.file_bytes, settings.kernel), (2, 1_000, true));
        assert!(Settings::parse("").is_ok());
        assert!(Settings::parse("intervall: 2").unwrap_err().to_string().contains("intervall"));
        assert!(Settings::parse("interval: 0").unwrap_err().to_string().contains("'interval' is 0"));
        assert!(Settings::parse("queue_bytes: 5").unwrap_err().to_string().contains("queue_bytes"));
    }
}
