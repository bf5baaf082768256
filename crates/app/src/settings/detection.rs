//! The group of settings of what is looked for in the stream.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use detect::Maintenance;
use event::Timestamp;

use super::value::Reader;

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Detection {
    pub is_on: bool,
    pub engine: detect::Config,
    /// Rules of the user's own beside those that come along.
    pub rules: rulebook::Config,
    /// What detectors remember.
    pub file: PathBuf,
    /// What becomes of what is found.
    pub signals: signal::Config,
    /// Signals that a report counts at most.
    pub report_signals_max: usize,
}

impl Detection {
    pub(super) fn read(reader: &mut Reader<'_>, data: &Path) -> Self {
        let engine = detect::Config {
            failures: u32::try_from(reader.count("LOG_SENTINEL_FAILED_LOGINS", 2, 16)).unwrap_or(5),
            keys_max: reader.count("LOG_SENTINEL_DETECTION_KEYS_MAX", 100, 1_000_000),
            own: reader.each("LOG_SENTINEL_OWN_ADDRESSES", network),
            maintenance: reader.each("LOG_SENTINEL_MAINTENANCE", maintenance),
        };
        Self {
            is_on: reader.flag("LOG_SENTINEL_DETECTION"),
            engine,
            rules: rulebook::Config {
                dir: reader.optional_path("LOG_SENTINEL_RULES_DIR"),
                history: data.join("rules").join("history"),
                is_strict: reader.flag("LOG_SENTINEL_RULES_STRICT"),
                off: reader.each("LOG_SENTINEL_RULES_OFF", |id| Ok(id.to_owned())),
                cost_max: reader.count("LOG_SENTINEL_RULE_COST_MAX", 100, 1_000_000_000) as u64,
                costs_max: reader.count("LOG_SENTINEL_RULES_COST_MAX", 1_000, 1_000_000_000) as u64,
            },
            file: data.join("detection").join("state"),
            signals: signal::Config {
                keep: reader.duration("LOG_SENTINEL_SIGNALS_KEEP"),
                signals_max: reader.count("LOG_SENTINEL_SIGNALS_MAX", 1_000, 100_000_000) as u64,
                ..signal::Config::default()
            },
            report_signals_max: reader.count("LOG_SENTINEL_REPORT_SIGNALS_MAX", 100, 1_000_000),
        }
    }
}

/// An address or a network, such as 10.0.0.0/8.
fn network(text: &str) -> Result<(IpAddr, u8), &'static str> {
    const EXPECTED: &str = "an address or a network, such as 192.0.2.7 or 10.0.0.0/8";
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().map_err(|_| EXPECTED)?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| EXPECTED)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    Some((address, bits.unwrap_or(most))).filter(|(_, bits)| *bits <= most).ok_or(EXPECTED)
}

/// A time of maintenance: from/to, and of one host `@host`.
fn maintenance(text: &str) -> Result<Maintenance, &'static str> {
    const EXPECTED: &str =
        "two times and perhaps a host, such as 2026-12-24T20:00:00Z/2026-12-25T06:00:00Z@db1";
    let (span, host) = match text.split_once('@') {
        Some((span, host)) => (span, Some(host.to_owned()).filter(|host| !host.is_empty())),
        None => (text, None),
    };
    let (from, to) = span.split_once('/').ok_or(EXPECTED)?;
    let time = |text| Timestamp::parse(text).map_err(|_| EXPECTED);
    let (from, to) = (time(from)?, time(to)?);
    if from >= to {
        return Err("times in their order");
    }
    Ok(Maintenance { from, to, host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_maintenance_are_checked() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network("192.0.2.7"), Ok((ip("192.0.2.7"), 32)));
        assert_eq!(network("10.0.0.0/8"), Ok((ip("10.0.0.0"), 8)));
        assert_eq!(network("2001:db8::/32"), Ok((ip("2001:db8::"), 32)));
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/", "ten", "10.0.0.0/x"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
        let night = maintenance("2026-12-24T20:00:00Z/2026-12-25T06:00:00Z@db1").unwrap();
        assert_eq!(night.host.as_deref(), Some("db1"));
        assert_eq!(maintenance("2026-12-24T20:00:00Z/2026-12-25T06:00:00Z").unwrap().host, None);
        for wrong in ["", "2026-12-24T20:00:00Z", "2026-12-25T06:00:00Z/2026-12-24T20:00:00Z", "a/b"] {
            assert!(maintenance(wrong).is_err(), "{wrong}");
        }
    }
}
