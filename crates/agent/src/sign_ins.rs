//! Failed sign-ins over SSH, by address, since they were last asked for.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

use detect::{Activity, Kind};
use event::{Event, Position, Timestamp};
use jiff::tz::TimeZone;
use journal::Journal;

use crate::follower::Follower;

/// More addresses are counted in the sum only.
const ADDRESSES_MAX: usize = 1000;
/// Longer lines are cut.
const LINE_BYTES_MAX: usize = 16 << 10;
/// Read of the journal at a time, and at most for one sample.
const READ_BYTES: usize = 1 << 20;
const READS_MAX: usize = 8;

/// Where sign-ins are read.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file, such as `/var/log/auth.log`.
    File(Follower),
    /// The events that this agent takes in, from this position on.
    Journal(Journal, Position),
}

impl Source {
    /// A file, from its present end on.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File(Follower::at_end(path))
    }

    /// What comes into a journal from now on.
    pub(crate) fn journal(journal: Journal) -> Self {
        let end = journal.end();
        Self::Journal(journal, end)
    }

    /// What has come since the last time.
    ///
    /// # Errors
    /// When it cannot be read, in words.
    pub(crate) fn read(&mut self, now: Timestamp) -> Result<Failures, String> {
        let mut failures = Failures::default();
        match self {
            Self::File(follower) => {
                let zone = TimeZone::UTC;
                let context = parse::Context::new(now, &zone, LINE_BYTES_MAX);
                let mut take = |lines: &[u8]| {
                    parse::body(parse::Format::Lines, lines, &context, |record| {
                        if let Ok(event) = &record {
                            failures.count(event);
                        }
                    });
                };
                follower.read(&mut take).map_err(|error| error.to_string())?;
            }
            Self::Journal(journal, position) => {
                for _ in 0..READS_MAX {
                    let records = journal.read(*position, READ_BYTES).map_err(|error| error.to_string())?;
                    *position = records.end();
                    if records.is_empty() {
                        break;
                    }
                    for (_, record) in records.iter() {
                        if let Ok(event) = event::codec::decode(record) {
                            failures.count(&event);
                        }
                    }
                }
            }
        }
        Ok(failures)
    }
}

/// How often it was tried in vain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    pub(crate) all: u64,
    pub(crate) by_address: BTreeMap<IpAddr, u64>,
}

impl Failures {
    fn count(&mut self, event: &Event<'_>) {
        let activity = Activity::of(event);
        if activity.kind != Kind::SshFailure {
            return;
        }
        let times = u64::from(activity.times);
        self.all += times;
        if let Some(address) = activity.address
            && (self.by_address.len() < ADDRESSES_MAX || self.by_address.contains_key(&address))
        {
            *self.by_address.entry(address).or_default() += times;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn failures_are_counted_by_address_from_the_start_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.log");
        let line = |address: &str| {
            format!("Nov 30 10:00:00 h sshd[1]: Failed password for root from {address} port 22 ssh2\n")
        };
        std::fs::write(&path, line("192.0.2.1")).unwrap();
        let mut source = Source::file(path.clone());
        let now = Timestamp::parse("2026-11-30T10:00:00Z").unwrap();
        assert_eq!(source.read(now).unwrap(), Failures::default());
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        let more = [line("192.0.2.7"), line("192.0.2.7"), line("192.0.2.8")].concat();
        let other = "Nov 30 10:00:01 h sshd[1]: Accepted password for bob from 192.0.2.9 port 22 ssh2\n";
        write!(file, "{more}{other}").unwrap();
        let failures = source.read(now).unwrap();
        assert_eq!(failures.all, 3);
        assert_eq!(failures.by_address["192.0.2.7".parse::<IpAddr>().as_ref().unwrap()], 2);
        assert_eq!(source.read(now).unwrap(), Failures::default());
    }
}
