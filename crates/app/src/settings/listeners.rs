//! The group of settings of the listeners: where they are, and who may talk to them.

use std::net::SocketAddr;

use api::{AccessConfig, Connections};

use super::value::Reader;

/// Where the program listens, and to whom.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    pub addr: SocketAddr,
    pub anomaly_addr: SocketAddr,
    pub anomaly_grpc_addr: SocketAddr,
    pub access: AccessConfig,
    pub connections: Connections,
}

impl Listeners {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let trusts_network = reader.flag("LOG_SENTINEL_TRUST_NETWORK");
        let listeners = Self {
            addr: reader.address("LOG_SENTINEL_ADDR"),
            anomaly_addr: reader.address("LOG_SENTINEL_ANOMALY_ADDR"),
            anomaly_grpc_addr: reader.address("LOG_SENTINEL_ANOMALY_GRPC_ADDR"),
            access: AccessConfig {
                allowed_hosts: reader.hosts("LOG_SENTINEL_ALLOWED_HOSTS"),
                api_keys: reader.list("API_KEYS"),
            },
            connections: Connections {
                max: reader.count("LOG_SENTINEL_CONNECTIONS_MAX", 1, 1_000_000),
                per_address_max: reader.count("LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX", 1, 1_000_000),
                header_timeout: reader.duration("LOG_SENTINEL_HEADER_TIMEOUT"),
                write_timeout: reader.duration("LOG_SENTINEL_WRITE_TIMEOUT"),
            },
        };
        listeners.check(reader, trusts_network);
        listeners
    }

    /// The key with which the program talks to others of its kind.
    pub(crate) fn own_key(&self) -> Option<String> {
        self.access.api_keys.first().cloned()
    }

    /// What others can reach has keys, and no two listen at the same place.
    fn check(&self, reader: &mut Reader<'_>, trusts_network: bool) {
        let listeners = [
            ("LOG_SENTINEL_ADDR", self.addr),
            ("LOG_SENTINEL_ANOMALY_ADDR", self.anomaly_addr),
            ("LOG_SENTINEL_ANOMALY_GRPC_ADDR", self.anomaly_grpc_addr),
        ];
        for (name, addr) in listeners {
            if !addr.ip().is_loopback() && self.access.api_keys.is_empty() && !trusts_network {
                reader.problem(format!(
                    "{name} is {addr}, which others can reach, and no API_KEYS are set. Set API_KEYS, or \
                     LOG_SENTINEL_TRUST_NETWORK=true if everything on that network may read and write logs"
                ));
            }
        }
        for (at, (name, addr)) in listeners.iter().enumerate() {
            if let Some((other, _)) =
                listeners[..at].iter().find(|(_, other)| other == addr && addr.port() != 0)
            {
                reader.problem(format!("{other} and {name} are both {addr}"));
            }
        }
    }
}
