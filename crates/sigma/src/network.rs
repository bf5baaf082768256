//! Networks in CIDR notation.

use std::net::IpAddr;

/// A network of IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    /// As an address of IPv6; IPv4 is mapped.
    bits: u128,
    mask: u128,
    is_v4: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(width);
        if length > width {
            return None;
        }
        let zeros = width - length;
        let mask = if zeros == 128 { 0 } else { u128::MAX << zeros };
        Some(Self { bits: number(address) & mask, mask, is_v4: address.is_ipv4() })
    }

    /// Whether a text is an address in the network. IPv4 in the clothes of IPv6 is IPv4.
    pub(crate) fn contains(self, text: &str) -> bool {
        let Ok(address) = text.trim().parse::<IpAddr>() else { return false };
        let address = address.to_canonical();
        address.is_ipv4() == self.is_v4 && number(address) & self.mask == self.bits
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.1", false),
            ("2001:db8::/32", "2001:db8:1::5", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("10.0.0.0/8", "10.0.0.x", false),
        ] {
            assert_eq!(Network::parse(network).unwrap().contains(address), expected, "{network} {address}");
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/", "2001:db8::/129"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
