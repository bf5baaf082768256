//! Network interfaces (proc(5), `/proc/net/dev`).

use std::time::Duration;

use super::number::{lines, number, text, words};
use crate::{rate::per_second, reading::Interface};

/// More interfaces are left out.
const INTERFACES_MAX: usize = 256;

/// Its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) name: String,
    bytes: (u64, u64),
    packets: (u64, u64),
    errors: u64,
    drops: u64,
}

pub(crate) fn parse(bytes: &[u8]) -> Vec<Counters> {
    let line = |line: &[u8]| {
        let colon = memchr::memrchr(b':', line)?;
        let (name, rest) = line.split_at(colon);
        let fields: Vec<Option<u64>> = words(rest.get(1..)?).map(number).collect();
        let at = |index: usize| fields.get(index).copied().flatten();
        Some(Counters {
            name: text(name),
            bytes: (at(0)?, at(8)?),
            packets: (at(1)?, at(9)?),
            errors: at(2)?.saturating_add(at(10)?),
            drops: at(3)?.saturating_add(at(11)?),
        })
    };
    lines(bytes).filter_map(line).take(INTERFACES_MAX).collect()
}

/// Whether it leads out of this machine, by the names that programs give to those that do not.
pub(crate) fn is_real(name: &str) -> bool {
    const INNER: [&str; 10] =
        ["veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "vnet", "ifb", "dummy"];
    name != "lo" && !INNER.iter().any(|prefix| name.starts_with(prefix))
}

impl Counters {
    pub(crate) fn since(&self, before: &[Self], elapsed: Duration) -> Option<Interface> {
        let before = before.iter().find(|other| other.name == self.name)?;
        Some(Interface {
            name: self.name.clone(),
            in_bytes_s: per_second(before.bytes.0, self.bytes.0, elapsed)?,
            out_bytes_s: per_second(before.bytes.1, self.bytes.1, elapsed)?,
            in_packets_s: per_second(before.packets.0, self.packets.0, elapsed)?,
            out_packets_s: per_second(before.packets.1, self.packets.1, elapsed)?,
            errors: self.errors,
            drops: Some(self.drops),
            bytes: self.bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

    #[test]
    fn interfaces_have_rates() {
        let before = format!(
            "{HEAD}  eth0: 1000 10 1 2 0 0 0 0 500 5 0 0 0 0 0 0\n    lo:1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
        );
        let after = format!("{HEAD}  eth0:5000 30 2 5 0 0 0 0 2500 25 1 1 0 0 0 0\n");
        let [before, after] = [before, after].map(|text| parse(text.as_bytes()));
        assert_eq!(before.len(), 2);
        let eth0 = after[0].since(&before, Duration::from_secs(2)).unwrap();
        assert_eq!((eth0.in_bytes_s, eth0.out_bytes_s, eth0.in_packets_s), (2000.0, 1000.0, 10.0));
        assert_eq!((eth0.errors, eth0.drops, eth0.bytes), (3, Some(6), (5000, 2500)));
        // One of that name that came anew counts from its beginning.
        assert_eq!(before[0].since(&after, Duration::from_secs(2)), None);
        assert!(is_real("eth0") && is_real("wlp3s0") && !is_real("lo") && !is_real("veth1a"));
    }
}
