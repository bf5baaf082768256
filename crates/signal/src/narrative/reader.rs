//! For whom a narrative is written, and what else is known when it is.

use event::Timestamp;
use jiff::tz::TimeZone;

/// A language that narratives are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Portuguese as it is written in Brazil.
    Portuguese,
}

/// The family of Linux distributions that a host runs, which decides where its logs are and by which commands its
/// firewall is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum System {
    /// Debian, Ubuntu and their kin.
    Debian,
    /// Red Hat Enterprise Linux, Fedora, Rocky, Alma and their kin.
    RedHat,
    /// Not known: commands are those that any Linux with systemd takes.
    #[default]
    Unknown,
}

/// What is known of earlier signals about the same main entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// How many there were before this one.
    pub count: u64,
    /// When the latest of them was last seen.
    pub last: Option<Timestamp>,
    /// How many of them somebody called expected.
    pub expected: u64,
}

/// For whom a narrative is written.
#[derive(Debug, Clone)]
pub struct Reader {
    /// In which language.
    pub language: Language,
    /// In which zone times are told; its name stands beside them.
    pub zone: TimeZone,
    /// For which system commands are written.
    pub system: System,
    /// What came before, as [`crate::Store::history`] gives it; where nobody asked, nothing is said of it.
    pub history: Option<History>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { language: Language::default(), zone: TimeZone::UTC, system: System::default(), history: None }
    }
}
