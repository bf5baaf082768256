//! Connections of TCP (`/proc/net/snmp`, `/proc/net/sockstat`, `/proc/net/tcp`; the numbers of states are those of
//! `include/net/tcp_states.h` of the kernel).

use std::time::Duration;

use super::{
    kernel::Kernel,
    number::{lines, number, words},
};
use crate::{rate::per_second, reading::Tcp};

/// With more sockets than this, states are not counted one by one: the list of them would cost more than all the rest.
const SOCKETS_MAX: u64 = 4096;
const STATES: [&str; 12] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait_1",
    "fin_wait_2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "new_syn_recv",
];

/// Connections at present, and segments sent again since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segments {
    established: u64,
    again: u64,
}

pub(crate) fn parse_snmp(bytes: &[u8]) -> Option<Segments> {
    let mut rows = lines(bytes).filter(|line| line.starts_with(b"Tcp:"));
    let (names, values) = (rows.next()?, rows.next()?);
    let of = |wanted: &[u8]| {
        words(names).zip(words(values)).find(|(name, _)| *name == wanted).and_then(|(_, v)| number(v))
    };
    Some(Segments { established: of(b"CurrEstab")?, again: of(b"RetransSegs")? })
}

/// Sockets of TCP in use, and those that wait out their time.
pub(crate) fn parse_sockstat(bytes: &[u8]) -> Option<(u64, u64)> {
    let line = lines(bytes).find_map(|line| line.strip_prefix(b"TCP:"))?;
    let of = |wanted: &[u8]| words(line).skip_while(|word| *word != wanted).nth(1).and_then(number);
    Some((of(b"inuse")?, of(b"tw")?))
}

/// How many lines of `/proc/net/tcp` are in each state.
pub(crate) fn count_states(bytes: &[u8]) -> [u64; 12] {
    let mut counts = [0; 12];
    for line in lines(bytes).skip(1) {
        let state = words(line).nth(3).and_then(|word| std::str::from_utf8(word).ok());
        let state =
            state.and_then(|hex| usize::from_str_radix(hex, 16).ok()).and_then(|state| state.checked_sub(1));
        if let Some(count) = state.and_then(|state| counts.get_mut(state)) {
            *count += 1;
        }
    }
    counts
}

/// Reads what there is, and what of it is new.
pub(crate) fn read(
    kernel: &mut Kernel,
    before: &mut Option<Segments>,
    elapsed: Duration,
) -> std::io::Result<Option<Tcp>> {
    let Some(now) = parse_snmp(kernel.of_namespace("net/snmp")?) else { return Ok(None) };
    let sockets = kernel.of_namespace("net/sockstat").ok().and_then(parse_sockstat);
    let states = match sockets {
        Some((used, waiting)) if used.saturating_add(waiting) <= SOCKETS_MAX => {
            let mut counts = count_states(kernel.of_namespace("net/tcp")?);
            // A kernel without IPv6 has no such file.
            let six = kernel.of_namespace("net/tcp6").map(count_states).unwrap_or_default();
            counts.iter_mut().zip(six).for_each(|(count, six)| *count += six);
            STATES.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
        }
        Some((_, waiting)) => vec![("established", now.established), ("time_wait", waiting)],
        None => vec![("established", now.established)],
    };
    let retransmits_s = before.and_then(|before| per_second(before.again, now.again, elapsed));
    *before = Some(now);
    Ok(Some(Tcp { states, retransmits_s }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_segments_are_read() {
        let snmp = b"Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm CurrEstab InSegs OutSegs RetransSegs\nTcp: 1 7 100 200 3\n";
        assert_eq!(parse_snmp(snmp), Some(Segments { established: 7, again: 3 }));
        let sockstat = b"sockets: used 200\nTCP: inuse 12 orphan 0 tw 5 alloc 20 mem 1\n";
        assert_eq!(parse_sockstat(sockstat), Some((12, 5)));
        let tcp = b"  sl  local_address rem_address   st tx_queue\n   0: 0100007F:1F90 00000000:0000 0A 0\n\
               1: 0100007F:1F90 0100007F:9999 01 0\n   2: x y 01 0\n   3: x y FF\n";
        let counts = count_states(tcp);
        assert_eq!((counts[0], counts[9]), (2, 1));
    }
}
