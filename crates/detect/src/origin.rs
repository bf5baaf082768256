//! From where something was done, as it is counted.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use serde::{Deserialize, Serialize};

use crate::{Entity, EntityType};

/// An address, or the network of 64 bits that whoever has one IPv6 address usually has whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// One address; IPv4 is never in the clothes of IPv6.
    Address(IpAddr),
    /// All addresses of IPv6 that begin with these 64 bits.
    Network(u64),
}

impl Origin {
    /// As an address is counted.
    pub fn of(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }

    /// The network of an address of IPv6.
    pub fn network(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V6(address) => Some(Self::Network((address.to_bits() >> 64) as u64)),
            IpAddr::V4(_) => None,
        }
    }

    /// The neighbourhood that a user who was seen once is expected in again: 24 bits of IPv4, 48 of IPv6.
    pub fn neighbourhood(address: IpAddr) -> u64 {
        match address.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits() >> 8),
            IpAddr::V6(address) => 1 << 63 | (address.to_bits() >> 80) as u64,
        }
    }

    /// A neighbourhood in words: `192.0.2.0/24`, `2001:db8:1::/48`.
    pub fn neighbourhood_text(neighbourhood: u64) -> String {
        match u32::try_from(neighbourhood) {
            Ok(bits) => format!("{}/24", Ipv4Addr::from_bits(bits << 8)),
            Err(_) => format!("{}/48", Ipv6Addr::from_bits(u128::from(neighbourhood & !(1 << 63)) << 80)),
        }
    }

    /// As what a finding is about.
    pub fn entity(self) -> Entity {
        Entity::new(EntityType::SourceIp, self.to_string())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Network(bits) => write!(formatter, "{}/64", Ipv6Addr::from_bits(u128::from(*bits) << 64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbourhood_is_a_network_in_words() {
        for (address, expected) in [
            ("198.51.100.7", "198.51.100.0/24"),
            ("::ffff:255.255.255.255", "255.255.255.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
            ("ffff:ffff:ffff::1", "ffff:ffff:ffff::/48"),
        ] {
            let neighbourhood = Origin::neighbourhood(address.parse().unwrap());
            assert_eq!(Origin::neighbourhood_text(neighbourhood), expected, "{address}");
        }
    }
}
