//! The group of settings of the listeners: where they are, who may talk to them, and what they show.

use std::{net::SocketAddr, time::Duration};

use api::Connections;

use super::{certificates::Certificates, error::SettingsError, secret::Secret, value::Reader};

/// Where the program listens, and to whom.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    pub addr: SocketAddr,
    pub anomaly_addr: SocketAddr,
    pub anomaly_grpc_addr: SocketAddr,
    pub allowed_hosts: Vec<String>,
    pub access: access::Config,
    /// Keys that may be made.
    pub keys_max: usize,
    /// How long the token of a new agent is good.
    pub token_life: Duration,
    pub tls: Certificates,
    pub connections: Connections,
    trusts_network: bool,
    command_key: Option<Secret>,
}

impl Listeners {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let command_key = reader.string("LOG_SENTINEL_API_KEY");
        let listeners = Self {
            addr: reader.address("LOG_SENTINEL_ADDR"),
            anomaly_addr: reader.address("LOG_SENTINEL_ANOMALY_ADDR"),
            anomaly_grpc_addr: reader.address("LOG_SENTINEL_ANOMALY_GRPC_ADDR"),
            allowed_hosts: reader.hosts("LOG_SENTINEL_ALLOWED_HOSTS"),
            access: access::Config {
                api_keys: reader.list("API_KEYS"),
                wrong_keys_max: reader.count("LOG_SENTINEL_WRONG_KEYS_MAX", 1, 1_000_000) as u32,
                sign_ins_max: reader.count("LOG_SENTINEL_SIGN_INS_MAX", 1, 1_000_000),
                sign_in_life: reader.duration("LOG_SENTINEL_SIGN_IN_TIME"),
            },
            keys_max: reader.count("LOG_SENTINEL_KEYS_MAX", 1, 1_000_000),
            token_life: reader.duration("LOG_SENTINEL_TOKEN_TIME"),
            tls: Certificates::read(reader),
            connections: Connections {
                max: reader.count("LOG_SENTINEL_CONNECTIONS_MAX", 1, 1_000_000),
                per_address_max: reader.count("LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX", 1, 1_000_000),
                header_timeout: reader.duration("LOG_SENTINEL_HEADER_TIMEOUT"),
                write_timeout: reader.duration("LOG_SENTINEL_WRITE_TIMEOUT"),
            },
            trusts_network: reader.flag("LOG_SENTINEL_TRUST_NETWORK"),
            command_key: (!command_key.is_empty()).then_some(Secret(command_key)),
        };
        listeners.check(reader);
        listeners
    }

    /// The key with which the program talks to others of its kind.
    pub(crate) fn own_key(&self) -> Option<String> {
        self.access.api_keys.first().cloned()
    }

    /// The key with which commands ask.
    pub(crate) fn command_key(&self) -> Option<String> {
        self.command_key.as_ref().map(|key| key.0.clone()).or_else(|| self.own_key())
    }

    fn all(&self) -> [(&'static str, SocketAddr); 3] {
        [
            ("LOG_SENTINEL_ADDR", self.addr),
            ("LOG_SENTINEL_ANOMALY_ADDR", self.anomaly_addr),
            ("LOG_SENTINEL_ANOMALY_GRPC_ADDR", self.anomaly_grpc_addr),
        ]
    }

    /// No two listen at the same place.
    fn check(&self, reader: &mut Reader<'_>) {
        let listeners = self.all();
        for (at, (name, addr)) in listeners.iter().enumerate() {
            if let Some((other, _)) =
                listeners[..at].iter().find(|(_, other)| other == addr && addr.port() != 0)
            {
                reader.problem(format!("{other} and {name} are both {addr}"));
            }
        }
    }

    /// What others can reach asks for keys; `has_keys` says whether some have been made in the data folder.
    ///
    /// # Errors
    /// Each listener where nobody would be asked.
    pub(crate) fn check_reach(&self, has_keys: bool) -> Result<(), SettingsError> {
        if has_keys || self.trusts_network || !self.access.api_keys.is_empty() {
            return Ok(());
        }
        let open = self.all().into_iter().filter(|(_, addr)| !addr.ip().is_loopback());
        let problems: Vec<_> = open
            .map(|(name, addr)| {
                format!(
                    "{name} is {addr}, which others can reach, and there are no keys. Set API_KEYS, make a key \
                     (log-sentinel keys create --scopes ingest,read,admin), or set LOG_SENTINEL_TRUST_NETWORK=true if \
                     everything on that network may read and write logs"
                )
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(SettingsError { problems }) }
    }
}
