//! How grave something is.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Worth knowing.
    #[serde(rename = "info")]
    Informational,
    /// Worth a look some day.
    #[serde(rename = "low")]
    Low,
    /// Worth a look today.
    #[serde(rename = "medium")]
    Medium,
    /// Worth a look now.
    #[serde(rename = "high")]
    High,
    /// Somebody is in, or something is breaking.
    #[serde(rename = "critical")]
    Critical,
}

impl Level {
    /// Its name as a severity of signals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Every level, from the least grave.
    pub const ALL: &[Self] = &[Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];
}

/// No level has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.iter().copied().find(|level| level.as_str() == name).ok_or(UnknownLevel)
    }
}
