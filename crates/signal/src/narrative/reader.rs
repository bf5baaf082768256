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

impl System {
    /// The system that the text of an `/etc/os-release` names by its `ID` and `ID_LIKE`.
    ///
    /// ```
    /// use signal::narrative::System;
    /// assert_eq!(System::of_os_release("ID=ubuntu\nID_LIKE=debian\n"), System::Debian);
    /// ```
    pub fn of_os_release(text: &str) -> Self {
        let named = |name: &str| {
            let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches(['"', '\'']).to_ascii_lowercase()
        };
        let (own, like) = (named("ID"), named("ID_LIKE"));
        let mut names = own.split_whitespace().chain(like.split_whitespace());
        names
            .find_map(|name| match name {
                "debian" | "ubuntu" => Some(Self::Debian),
                "rhel" | "fedora" | "centos" | "rocky" | "almalinux" => Some(Self::RedHat),
                _ => None,
            })
            .unwrap_or_default()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_by_their_own_file() {
        for (text, expected) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", System::Debian),
            ("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Debian),
            ("NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n", System::RedHat),
            ("ID=\"ol\"\r\nID_LIKE='fedora'\r\n", System::RedHat),
            ("ID=arch\n", System::Unknown),
            ("VERSION_ID=debian\nID=alpine\n", System::Unknown),
            ("", System::Unknown),
            ("ID=\u{0}\u{1b}[2J", System::Unknown),
        ] {
            assert_eq!(System::of_os_release(text), expected, "{text:?}");
        }
    }
}
