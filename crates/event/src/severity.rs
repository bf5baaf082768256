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
        const BYTES_MAX: usize = 13;
        let mut lower = [0; BYTES_MAX];
        let lower = lower.get_mut(..name.len())?;
        for (lower, byte) in lower.iter_mut().zip(name.bytes()) {
            *lower = byte.to_ascii_lowercase();
        }
        Some(match &*lower {
            b"trace" | b"trc" | b"trac" | b"trce" | b"finer" | b"finest" | b"verbose" | b"vrb" | b"silly" => {
                Self::Trace
            }
            b"debug" | b"dbg" | b"dbug" | b"debu" | b"fine" => Self::Debug,
            b"info" | b"inf" | b"information" | b"informational" | b"notice" | b"note" => Self::Info,
            b"warn" | b"warning" | b"wrn" => Self::Warn,
            b"error" | b"err" | b"erro" | b"eror" | b"fail" | b"failure" | b"severe" => Self::Error,
            b"fatal" | b"ftl" | b"fata" | b"emerg" | b"emergency" | b"dpanic" | b"crit" | b"critical"
            | b"alert" | b"panic" => Self::Fatal,
            _ => return None,
        })
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
