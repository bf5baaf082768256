//! `/proc/net/{tcp,tcp6,udp,udp6}`: sockets of one network namespace, by inode.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use crate::kind::Listening;

/// Transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// Sockets of the network by their inodes, with where they listen if they do.
pub(crate) type Table = HashMap<u64, Option<Listening>>;

/// Lines of another form are passed over. TCP sockets count in state LISTEN; UDP ones that are not connected and have a port below
/// the ephemeral ones: a client that waits for its answer is no service.
pub(crate) fn table(protocol: Protocol, text: &[u8]) -> Table {
    String::from_utf8_lossy(text).lines().skip(1).filter_map(|line| socket(protocol, line)).collect()
}

/// The first ephemeral port by default, from ip_sysctl.
const EPHEMERAL: u16 = 32_768;

fn socket(protocol: Protocol, line: &str) -> Option<(u64, Option<Listening>)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, remote, state) = (fields.get(1)?, fields.get(2)?, *fields.get(3)?);
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let listens = match protocol {
        Protocol::Tcp => state == "0A",
        Protocol::Udp => state == "07" && remote.ends_with(":0000") && port < EPHEMERAL,
    };
    let inode: u64 = fields.get(9)?.parse().ok()?;
    let name = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    if inode == 0 {
        return None;
    }
    let place = || Some(Listening { protocol: name.into(), address: address_of(address)?, port });
    Some((inode, if listens && port != 0 { place() } else { None }))
}

/// Words of four bytes in the machine's own order.
fn address_of(hex: &str) -> Option<Arc<str>> {
    let words: Vec<[u8; 4]> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    let address = match words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(*word)),
        [a, b, c, d] => {
            let bytes: [u8; 16] = [*a, *b, *c, *d].concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(address.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &[u8] = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100 0 0 10 0\n\
        1: 0100007F:1F91 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100 0 0 10 0\n";
    const TCP6: &[u8] = b"head\n0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 9 1 0\n";

    #[test]
    fn sockets_that_listen_are_found_by_inode() {
        let listening = table(Protocol::Tcp, TCP);
        assert_eq!(listening.len(), 2);
        assert_eq!(listening[&778], None, "it is connected");
        assert_eq!(
            listening[&777],
            Some(Listening { protocol: "tcp".into(), address: "127.0.0.1".into(), port: 8080 })
        );
        assert_eq!(&*table(Protocol::Tcp, TCP6)[&9].as_ref().unwrap().address, "::1");
        assert!(table(Protocol::Udp, TCP).values().all(Option::is_none));
    }
}
