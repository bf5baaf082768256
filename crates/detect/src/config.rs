//! What detectors go by.

use std::net::IpAddr;

use event::Timestamp;

use crate::{EntityType, Finding};

/// What detectors go by.
#[derive(Debug, Clone)]
pub struct Config {
    /// So many failed logins of one address within ten minutes are guessing; 2 to 16.
    pub failures: u32,
    /// Keys that each table of addresses holds.
    pub keys_max: usize,
    /// Networks whose addresses are our own, with the bits that count: what they do is never an attack.
    pub own: Vec<(IpAddr, u8)>,
    /// When things are expected to be out of order.
    pub maintenance: Vec<Maintenance>,
}

impl Default for Config {
    fn default() -> Self {
        Self { failures: 5, keys_max: 10_000, own: Vec::new(), maintenance: Vec::new() }
    }
}

impl Config {
    /// Whether an address is one of our own.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.own.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let ignored = 32u32.saturating_sub((*bits).into());
                (network.to_bits() ^ address.to_bits()).checked_shr(ignored).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let ignored = 128u32.saturating_sub((*bits).into());
                (network.to_bits() ^ address.to_bits()).checked_shr(ignored).unwrap_or(0) == 0
            }
            _ => false,
        })
    }
}

/// A time at which nothing is found, on one host or on all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub to: Timestamp,
    /// The host; None for all.
    pub host: Option<String>,
}

impl Maintenance {
    pub(crate) fn covers(&self, finding: &Finding) -> bool {
        let of_host = |host: &String| {
            finding.entities.iter().any(|entity| entity.r#type == EntityType::Host && entity.value == *host)
        };
        self.from <= finding.last && finding.last <= self.to && self.host.as_ref().is_none_or(of_host)
    }
}
