//! The six levels of `log.level`.

use std::fmt;

/// A normalised level, from least to most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// Finer than debug.
    Trace = 0,
    /// For developers.
    Debug = 1,
    /// Ordinary operation; what an event has whose level nothing tells.
    Info = 2,
    /// Unusual, not yet harmful. Also `notice` of syslog's neighbours above info.
    Warn = 3,
    /// Something failed.
    Error = 4,
    /// The program or the machine cannot go on.
    Fatal = 5,
}

impl Severity {
    /// All six, in rising order.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The normalised spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The level with this number, as `as u8` gives it.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Trace),
            1 => Some(Self::Debug),
            2 => Some(Self::Info),
            3 => Some(Self::Warn),
            4 => Some(Self::Error),
            5 => Some(Self::Fatal),
            _ => None,
        }
    }

    /// The level for a spelling of any common logger, whatever its case: `WARNING`, `err`, `crit`…
    pub fn from_name(name: &str) -> Option<Self> {
        // Most words that are asked for are none.
        let names: &[(&str, Self)] = match name.as_bytes().first()?.to_ascii_lowercase() {
            b'i' => &[
                ("info", Self::Info),
                ("inf", Self::Info),
                ("information", Self::Info),
                ("informational", Self::Info),
            ],
            b'e' => &[
                ("error", Self::Error),
                ("err", Self::Error),
                ("erro", Self::Error),
                ("eror", Self::Error),
                ("emerg", Self::Fatal),
                ("emergency", Self::Fatal),
            ],
            b'w' => &[("warn", Self::Warn), ("warning", Self::Warn), ("wrn", Self::Warn)],
            b'd' => &[
                ("debug", Self::Debug),
                ("dbg", Self::Debug),
                ("dbug", Self::Debug),
                ("debu", Self::Debug),
                ("dpanic", Self::Fatal),
            ],
            b't' => {
                &[("trace", Self::Trace), ("trc", Self::Trace), ("trac", Self::Trace), ("trce", Self::Trace)]
            }
            b'f' => &[
                ("fatal", Self::Fatal),
                ("ftl", Self::Fatal),
                ("fata", Self::Fatal),
                ("fail", Self::Error),
                ("failure", Self::Error),
                ("fine", Self::Debug),
                ("finer", Self::Trace),
                ("finest", Self::Trace),
            ],
            b'n' => &[("notice", Self::Info), ("note", Self::Info)],
            b'v' => &[("verbose", Self::Trace), ("vrb", Self::Trace)],
            b's' => &[("severe", Self::Error), ("silly", Self::Trace)],
            b'c' => &[("crit", Self::Fatal), ("critical", Self::Fatal)],
            b'a' => &[("alert", Self::Fatal)],
            b'p' => &[("panic", Self::Fatal)],
            _ => return None,
        };
        names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, severity)| *severity)
    }

    /// The level of a syslog severity, 0 (emergency) to 7 (debug), RFC 5424 section 6.2.1.
    pub const fn from_syslog(severity: u8) -> Self {
        match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 | 6 => Self::Info,
            _ => Self::Debug,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_common_loggers_are_known() {
        for (name, expected) in [
            ("WARNING", Some(Severity::Warn)),
            ("Err", Some(Severity::Error)),
            ("crit", Some(Severity::Fatal)),
            ("notice", Some(Severity::Info)),
            ("ERRO", Some(Severity::Error)),
            ("eror", Some(Severity::Error)),
            ("dbug", Some(Severity::Debug)),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(Severity::from_name(name), expected, "{name}");
        }
    }

    #[test]
    fn numbers_and_names_round_trip() {
        for severity in Severity::ALL {
            assert_eq!(Severity::from_u8(severity as u8), Some(severity));
            assert_eq!(Severity::from_name(severity.as_str()), Some(severity));
        }
        assert_eq!(Severity::from_u8(6), None);
    }
}
