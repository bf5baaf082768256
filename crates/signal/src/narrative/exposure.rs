//! Where an address is, as seen from those who run the host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposure {
    /// Anywhere on the internet.
    Internet,
    /// In a private network: one's own, a VPN, or behind a provider's address translation.
    Private,
    /// On the host itself.
    Loopback,
}

/// An address, or a network of IPv6 as detectors count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) address: IpAddr,
    /// The length of the network's prefix; None for one address.
    pub(super) prefix: Option<u8>,
}

impl Place {
    /// The place that a text names. Only what parses is one, so that its text is safe anywhere.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok().filter(|prefix| *prefix <= 128)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        Some(Self { address: address.to_canonical(), prefix })
    }

    pub(super) fn exposure(self) -> Exposure {
        match self.address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.prefix {
            Some(prefix) => write!(formatter, "{}/{prefix}", self.address),
            None => self.address.fmt(formatter),
        }
    }
}

/// Whether a text names an address, or a network, that is anywhere on the internet.
pub(crate) fn is_of_internet(text: &str) -> bool {
    Place::parse(text).is_some_and(|place| place.exposure() == Exposure::Internet)
}

fn of_v4(address: Ipv4Addr) -> Exposure {
    let [first, second, ..] = address.octets();
    // 100.64.0.0/10 is shared by a provider's customers (RFC 6598), and by some VPNs.
    let is_shared = first == 100 && (64..128).contains(&second);
    match () {
        () if address.is_loopback() || address.is_unspecified() => Exposure::Loopback,
        () if address.is_private() || address.is_link_local() || is_shared => Exposure::Private,
        () => Exposure::Internet,
    }
}

fn of_v6(address: Ipv6Addr) -> Exposure {
    match () {
        () if address.is_loopback() || address.is_unspecified() => Exposure::Loopback,
        () if address.is_unique_local() || address.is_unicast_link_local() => Exposure::Private,
        () => Exposure::Internet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_addresses_are() {
        for (text, expected) in [
            ("198.51.100.7", Exposure::Internet),
            ("100.63.255.255", Exposure::Internet),
            ("2001:db8::1", Exposure::Internet),
            ("2001:db8:1:2::/64", Exposure::Internet),
            ("10.1.2.3", Exposure::Private),
            ("172.31.0.1", Exposure::Private),
            ("192.168.7.7", Exposure::Private),
            ("169.254.1.1", Exposure::Private),
            ("100.64.0.1", Exposure::Private),
            ("fd00::1", Exposure::Private),
            ("fe80::1", Exposure::Private),
            ("::ffff:10.0.0.1", Exposure::Private),
            ("127.0.0.1", Exposure::Loopback),
            ("::1", Exposure::Loopback),
        ] {
            assert_eq!(Place::parse(text).map(Place::exposure), Some(expected), "{text}");
        }
        for text in ["", "gate", "192.0.2.7; reboot", "2001:db8::/129", "2001:db8::/64;id", "fe80::1%eth0"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
