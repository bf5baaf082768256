//! What can keep the program from starting.

use std::{io, net::SocketAddr, path::PathBuf};

use telemetry::metric;

/// Why the program could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder could not be made.
    #[error("cannot make the data folder {path}; mend that, or set LOG_SENTINEL_DATA to another folder")]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the data folder.
    #[error("LOG_SENTINEL_DATA")]
    InUse(#[from] disk::InUse),
    /// The journal could not be opened.
    #[error("cannot open the journal")]
    Journal(#[from] journal::OpenError),
    /// The index could not be opened.
    #[error("cannot open the index")]
    Index(#[from] index::IndexError),
    /// The models could not be opened.
    #[error("cannot open the anomaly models")]
    Anomaly(#[from] anomaly::OpenError),
    /// The pipeline could not be opened.
    #[error("cannot start reading the journal")]
    Pipeline(#[from] pipeline::PipelineError),
    /// Watched files.
    #[error("cannot watch files")]
    Tail(#[from] intake::tail::StartError),
    /// A port is taken, say.
    #[error("cannot listen on {addr}; stop what uses it, or set {setting} to another address")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The setting it came from.
        setting: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The operating system gave no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// Dead letters.
    #[error("cannot open the dead letters")]
    DeadLetters(#[source] journal::OpenError),
    /// What waits for the index.
    #[error("cannot open the verdicts of events that wait for the index")]
    Verdicts(#[source] journal::OpenError),
    /// A separate anomaly service.
    #[error("cannot use a separate anomaly service")]
    Remote(#[from] pipeline::remote::ConfigError),
    /// The anomaly service over gRPC.
    #[error("cannot serve the anomaly service over gRPC")]
    Grpc(#[from] api::GrpcError),
    /// The keys that were made.
    #[error("cannot tell who may ask")]
    Keys(#[from] access::OpenError),
    /// Others reach a listener that would ask nobody for a key.
    #[error(transparent)]
    Reach(crate::settings::SettingsError),
    /// A certificate.
    #[error(
        "cannot listen with TLS; correct the file, or the CERT_FILE, KEY_FILE or CLIENT_CA_FILE that names it"
    )]
    Tls(#[from] tls::TlsError),
    /// This installation's authority.
    #[error("cannot use this installation's authority")]
    Authority(#[from] tls::AuthorityError),
    /// The formats of the user's own.
    #[error(transparent)]
    Formats(#[from] crate::formats::FormatsError),
    /// Routes of alerts.
    #[error(transparent)]
    Alerts(#[from] crate::routes::AlertsError),
    /// Signals.
    #[error("cannot open what is kept of signals")]
    State(#[from] Box<state::OpenError>),
    /// What is kept of hosts cannot be opened.
    #[error(transparent)]
    Hosts(#[from] Box<fleet::FleetError>),
    /// What was said of signals.
    #[error("cannot read what was said of signals")]
    Opinions(#[source] Box<signal::StoreError>),
    /// The language model.
    #[error("cannot ask a language model")]
    Analyst(#[from] analyst::AnalystError),
    /// Metrics.
    #[error("cannot keep metrics")]
    Metrics(#[from] metric::InstallError),
}
