//! What sshd says of one connection in several lines, counted once.
//!
//! A key that is not taken, and what PAM says before sshd does, are no failures yet: the connection may still end well.
//! They are held back until it does, or ends; a line that only repeats at the end what was told before is none.

use std::net::IpAddr;

use event::{Event, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::{
    Activity, Entity, EntityType, Kind, Protocol,
    activity::Said,
    table::{Occupancy, Table},
};

/// A connection that said nothing for so long is another one with the same process id: sshd gives those that do not
/// sign in two minutes.
const SILENT_NANOS_MAX: i64 = 3_600_000_000_000;

/// What is known of a connection whose end has not been seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Connection {
    address: Option<IpAddr>,
    user: Option<String>,
    /// Failures that were not told.
    held: u32,
    /// Failures were told.
    is_told: bool,
    last: Option<Timestamp>,
}

/// An sshd's process: the host, as a hash, and its number, since hosts count their own.
type Key = (u64, i64);

/// The connections that sshd and dropbear tell of, by host and process. So many sign-ins may go on at once as it holds;
/// beyond that it forgets some, and what was held back of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Connections {
    open: Table<Key, Connection>,
}

/// What an event says was done, with what its connection said before.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<'a> {
    /// What was done.
    pub activity: Activity<'a>,
    /// Failures of the same connection that only this event shows to be such.
    pub before: Option<Activity<'static>>,
}

impl Connections {
    /// For so many at a time.
    pub fn new(connections_max: usize) -> Self {
        Self { open: Table::new(connections_max) }
    }

    pub(crate) fn take_up(&mut self, kept: Self) {
        self.open.take_up(kept.open);
    }

    /// How full it is.
    pub fn occupancy(&self) -> Occupancy {
        self.open.occupancy(Entity::BYTES_MAX)
    }

    /// Reads an event. Those that are not of sshd or dropbear are read as by [`Activity::of`].
    pub fn read<'a>(&mut self, event: &'a Event<'_>) -> Told<'a> {
        let said = Said::of(event);
        let activity = said.activity(event);
        let is_ssh =
            matches!(event.source.as_deref(), Some("sshd" | "sshd-session" | "sshd-auth" | "dropbear"));
        let pid = match event.field("process.pid") {
            Some(Value::Int(pid)) if is_ssh => *pid,
            _ => return Told { activity, before: None },
        };
        let key = (arithmetic::hash(event.host.as_deref().unwrap_or_default().as_bytes()), pid);
        let mut connection = self.take(&key, event.timestamp);
        if said.ssh_event == "Connection from" {
            connection = Connection::default();
        }
        connection.last = Some(event.timestamp);
        let is_end = matches!(said.ssh_event, "Connection" | "Disconnected" | "Received" | "Disconnecting");
        let mut told = connection.see(&said, activity, is_end);
        told.activity.address = told.activity.address.or(connection.address);
        if is_end || !connection.is_known() {
            self.open.remove(&key);
        } else {
            *self.open.touch(&key) = connection;
        }
        told
    }

    fn take(&mut self, key: &Key, now: Timestamp) -> Connection {
        let found = self.open.get_mut(key).map(std::mem::take);
        let is_recent = |last: Timestamp| now.as_nanos().saturating_sub(last.as_nanos()) <= SILENT_NANOS_MAX;
        found.filter(|connection| connection.last.is_none_or(is_recent)).unwrap_or_default()
    }
}

impl Connection {
    /// Whether anything is known of it that a later line may leave out.
    fn is_known(&self) -> bool {
        self.address.is_some() || self.user.is_some() || self.is_told || self.held > 0
    }

    fn see<'a>(&mut self, said: &Said<'_>, activity: Activity<'a>, is_end: bool) -> Told<'a> {
        self.address = activity.address.or(self.address);
        let mut told = Told { activity, before: None };
        match told.activity.kind {
            // The end repeats what was told.
            Kind::SshFailure if is_end && self.is_told => told.activity.kind = Kind::None,
            Kind::SshFailure if is_end => told.activity.times = told.activity.times.max(self.held),
            Kind::SshFailure => {
                (self.is_told, self.held) = (true, 0);
            }
            Kind::SshSuccess => {
                let is_other = self.user.as_deref().is_some_and(|user| Some(user) != said.user);
                if is_other && self.held > 0 && !self.is_told {
                    told.before = Some(Activity {
                        kind: Kind::SshFailure,
                        protocol: Protocol::Ssh,
                        user: self.user.take().map(Into::into),
                        address: self.address,
                        times: self.held,
                        request: None,
                        sign: None,
                    });
                }
                *self = Self { address: self.address, last: self.last, ..Self::default() };
            }
            Kind::None | Kind::SshSuspicious if is_end && self.held > 0 && !self.is_told => {
                told.activity.kind = Kind::SshFailure;
                told.activity.protocol = Protocol::Ssh;
                told.activity.times = self.held;
                told.activity.user = told.activity.user.or_else(|| self.user.take().map(Into::into));
            }
            Kind::None if said.is_offered_key() || said.is_failure() => {
                // However many keys a client has, it tries to sign in once.
                self.held = match said.is_offered_key() {
                    true => self.held.max(1),
                    false => self.held.saturating_add(told.activity.times),
                };
                let user = said.user.map(|user| Entity::new(EntityType::User, user).value);
                self.user = user.or(self.user.take());
            }
            _ => {}
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event of sshd with what its parser found.
    fn said(second: i64, pid: i64, fields: &[(&'static str, &'static str)]) -> Event<'static> {
        let at = Timestamp::saturating_from_nanos(i128::from(second) * 1_000_000_000);
        let mut event = Event::new("", at);
        event.source = Some("sshd".into());
        event.host = Some("web1".into());
        event.set("process.pid", pid);
        for (path, value) in fields {
            event.set(*path, *value);
        }
        event
    }

    const KEY: &[(&str, &str)] = &[
        ("event.action", "ssh_login"),
        ("event.outcome", "failure"),
        ("event.category", "authentication"),
        ("labels.ssh.event", "Failed"),
        ("labels.ssh.method", "publickey"),
        ("user.name", "git"),
        ("source.ip", "192.0.2.7"),
    ];
    const PASSWORD: &[(&str, &str)] = &[
        ("event.action", "ssh_login"),
        ("event.outcome", "failure"),
        ("event.category", "authentication"),
        ("labels.ssh.event", "Failed"),
        ("labels.ssh.method", "password"),
        ("user.name", "git"),
        ("source.ip", "192.0.2.7"),
    ];
    const LOCKED: &[(&str, &str)] = &[
        ("event.outcome", "failure"),
        ("event.category", "authentication"),
        ("labels.ssh.event", "User"),
        ("user.name", "root"),
    ];
    const IN: &[(&str, &str)] = &[
        ("event.action", "ssh_login"),
        ("event.outcome", "success"),
        ("labels.ssh.event", "Accepted"),
        ("user.name", "git"),
        ("source.ip", "192.0.2.7"),
    ];
    const OUT: &[(&str, &str)] =
        &[("event.action", "ssh_disconnect"), ("labels.ssh.event", "Received"), ("source.ip", "192.0.2.7")];
    const TOO_MANY: &[(&str, &str)] = &[
        ("event.action", "ssh_login"),
        ("event.outcome", "failure"),
        ("labels.ssh.event", "Disconnecting"),
        ("user.name", "git"),
    ];

    fn kinds(lines: &[&[(&'static str, &'static str)]]) -> Vec<(Kind, u32)> {
        let mut connections = Connections::new(100);
        lines
            .iter()
            .map(|fields| {
                let event = said(1, 7, fields);
                let activity = connections.read(&event).activity;
                (activity.kind, activity.times)
            })
            .collect()
    }

    #[test]
    fn what_is_held_back_is_told_when_the_connection_ends() {
        let none = (Kind::None, 1);
        for (lines, expected) in [
            (vec![KEY, KEY, IN, OUT], vec![none, none, (Kind::SshSuccess, 1), none]),
            (vec![KEY, KEY, TOO_MANY], vec![none, none, (Kind::SshFailure, 1)]),
            (vec![LOCKED, OUT], vec![none, (Kind::SshFailure, 1)]),
            (vec![PASSWORD, OUT], vec![(Kind::SshFailure, 1), none]),
            (vec![PASSWORD, TOO_MANY], vec![(Kind::SshFailure, 1), none]),
            (vec![OUT], vec![none]),
        ] {
            assert_eq!(kinds(&lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_address_said_before_is_that_of_the_end() {
        let mut connections = Connections::new(100);
        connections.read(&said(1, 7, KEY));
        let end = said(2, 7, TOO_MANY);
        assert_eq!(connections.read(&end).activity.address, Some(IpAddr::from([192, 0, 2, 7])));
    }

    #[test]
    fn failures_of_another_user_are_told_when_one_gets_in() {
        let mut connections = Connections::new(100);
        connections.read(&said(1, 7, LOCKED));
        let event = said(2, 7, IN);
        let told = connections.read(&event);
        assert_eq!(told.activity.kind, Kind::SshSuccess);
        let before = told.before.unwrap();
        assert_eq!((before.kind, before.user.as_deref()), (Kind::SshFailure, Some("root")));
        assert_eq!(before.address, Some(IpAddr::from([192, 0, 2, 7])));
    }

    #[test]
    fn processes_and_their_silence_are_kept_apart() {
        let mut connections = Connections::new(100);
        connections.read(&said(1, 7, KEY));
        let other = said(2, 8, OUT);
        assert_eq!(connections.read(&other).activity.kind, Kind::None);
        let late = said(10_000, 7, OUT);
        assert_eq!(connections.read(&late).activity.kind, Kind::None);
    }

    #[test]
    fn what_is_held_back_is_held_back_over_a_restart() {
        let mut connections = Connections::new(100);
        connections.read(&said(1, 7, KEY));
        let kept = serde_json::to_vec(&connections).unwrap();
        let mut restarted = Connections::new(100);
        restarted.take_up(serde_json::from_slice(&kept).unwrap());
        let end = said(2, 7, TOO_MANY);
        assert_eq!(restarted.read(&end), connections.read(&end));
        assert_eq!(restarted.occupancy().keys, 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut connections = Connections::new(100);
        for pid in 0..1000 {
            connections.read(&said(1, pid, KEY));
        }
        assert_eq!((connections.occupancy().keys, connections.occupancy().evicted), (100, 900));
        let last = said(1, 999, OUT);
        assert_eq!(connections.read(&last).activity.kind, Kind::SshFailure);
    }
}
