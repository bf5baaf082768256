//! How often keys were used to send something, and how often wrong ones came, until that is told: a first use soon,
//! further ones together.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event::Timestamp;

use crate::{Caller, Kind};

/// Of more addresses only so many are named.
const ADDRESSES_MAX: usize = 8;

/// How often somebody sent something since that was last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Who; None stands for all who sent wrong keys and tokens.
    pub caller: Option<Caller>,
    /// Requests, calls, tries.
    pub requests: u64,
    /// When the first of them came.
    pub from: Timestamp,
    /// When the last of them came.
    pub to: Timestamp,
    /// Where they came from; of more than eight addresses the first.
    pub addresses: Vec<IpAddr>,
}

/// What is not told yet, by the id of the key; as many as there are keys.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<Option<Arc<str>>, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    waits: Option<Use>,
    told: Option<Timestamp>,
}

impl Uses {
    /// Counts a use of a key.
    pub(crate) fn used(&self, caller: &Caller, address: Option<IpAddr>, now: Timestamp) {
        if caller.kind == Kind::Open {
            return;
        }
        let mut table = self.table();
        // Nearly always it is there: its id is not copied then.
        let entry = table.entry(Some(Arc::clone(&caller.id))).or_default();
        entry.count(|| Some(caller.clone()), address, now);
    }

    /// Counts a wrong key or token.
    pub(crate) fn wrong(&self, address: Option<IpAddr>, now: Timestamp) {
        self.table().entry(None).or_default().count(|| None, address, now);
    }

    /// What is due: of each key what was never told, or last so long ago. What was told stays told.
    pub(crate) fn take(&self, now: Timestamp, interval: Duration) -> Vec<Use> {
        let before = now.saturating_sub(interval);
        let mut due = vec![];
        self.table().retain(|_, entry| {
            // A clock that was set back must not keep it.
            let is_due = entry.told.is_none_or(|told| told <= before || told > now);
            if is_due && let Some(waits) = entry.waits.take() {
                entry.told = Some(now);
                due.push(waits);
                return true;
            }
            !is_due
        });
        due.sort_by_key(|one: &Use| one.from);
        due
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Option<Arc<str>>, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn count(&mut self, caller: impl FnOnce() -> Option<Caller>, address: Option<IpAddr>, now: Timestamp) {
        let waits = self.waits.get_or_insert_with(|| Use {
            caller: caller(),
            requests: 0,
            from: now,
            to: now,
            addresses: vec![],
        });
        waits.requests += 1;
        waits.to = now;
        if let Some(address) = address
            && waits.addresses.len() < ADDRESSES_MAX
            && !waits.addresses.contains(&address)
        {
            waits.addresses.push(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scopes;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000).unwrap()
    }

    fn caller(id: &str) -> Caller {
        Caller { id: id.into(), name: "n".into(), scopes: Scopes::ALL, organization: None, kind: Kind::Key }
    }

    #[test]
    fn a_first_use_is_told_at_once_and_further_ones_together() {
        let (uses, [one, other]) = (Uses::default(), ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().ok()));
        let told = |now, interval| -> Vec<(Option<String>, u64, usize)> {
            let told = uses.take(at(now), interval);
            told.into_iter()
                .map(|one| {
                    (one.caller.map(|caller| caller.id.to_string()), one.requests, one.addresses.len())
                })
                .collect()
        };
        uses.used(&caller("a"), one, at(1));
        uses.used(&Caller::open(), one, at(1));
        assert_eq!(told(2, HOUR), [(Some("a".to_owned()), 1, 1)]);
        for second in 3..1000 {
            uses.used(&caller("a"), if second % 2 == 0 { one } else { other }, at(second));
        }
        uses.used(&caller("b"), None, at(1000));
        uses.wrong(one, at(1001));
        assert_eq!(told(1002, HOUR), [(Some("b".to_owned()), 1, 0), (None, 1, 1)]);
        assert_eq!(told(3601, HOUR), []);
        assert_eq!(told(3602, HOUR), [(Some("a".to_owned()), 997, 2)]);
        uses.used(&caller("a"), None, at(3603));
        assert_eq!(told(3604, Duration::ZERO), [(Some("a".to_owned()), 1, 0)], "at a stop all is told");
        assert_eq!(told(3605, Duration::ZERO), []);
        assert!(uses.table().is_empty(), "who is silent takes no room");
    }
}
