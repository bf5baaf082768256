//! The group of settings of scoring: in this process, for others, or by a separate anomaly service.

use std::path::{Path, PathBuf};

use api::{AnomalyConfig, GrpcConfig};
use pipeline::remote;

use super::{intake::Intake, listeners::Listeners, value::Reader};

/// How events are scored.
#[derive(Debug, Clone)]
pub(crate) struct Analysis {
    pub service: anomaly::Config,
    /// The service over HTTP.
    pub http: AnomalyConfig,
    pub grpc: GrpcConfig,
    /// The separate service that scores instead, where there is one.
    pub remote: Option<remote::Config>,
    /// The authority that signed its certificate.
    pub remote_ca_file: Option<PathBuf>,
    /// The certificate that is shown to it, and its key.
    pub remote_identity: Option<(PathBuf, PathBuf)>,
}

impl Analysis {
    pub(super) fn read(reader: &mut Reader<'_>, data: &Path, listeners: &Listeners, intake: &Intake) -> Self {
        let service = anomaly::Config {
            events_min: reader.count("LOG_SENTINEL_MODEL_EVENTS_MIN", 100, 10_000_000),
            false_positive_rate: reader.share("LOG_SENTINEL_FALSE_POSITIVE_RATE", 1e-6, 0.1),
            template: template::Config {
                templates_max: reader.count("LOG_SENTINEL_TEMPLATES_MAX", 100, 10_000_000),
                ..template::Config::default()
            },
            sessions_max: reader.count("LOG_SENTINEL_SESSIONS_MAX", 16, 1_000_000),
            session_keys: reader.session_keys("LOG_SENTINEL_SESSION_KEYS"),
            waits_for_training: false,
            ..anomaly::Config::new(data.join("models"))
        };
        let http = AnomalyConfig {
            body: intake.body.clone(),
            line_bytes_max: intake.door.line_bytes_max,
            zone: intake.door.zone.clone(),
            ..AnomalyConfig::default()
        };
        let grpc = GrpcConfig {
            in_flight_bytes_max: intake.body.in_flight_bytes_max,
            idle_max: intake.body.idle_max,
            connections: listeners.connections,
            ..GrpcConfig::default()
        };
        let remote_ca_file = reader.optional_path("LOG_SENTINEL_ANOMALY_CA_FILE");
        const SHOWN: [&str; 2] =
            ["LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE", "LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE"];
        reader.need_each_other(SHOWN[0], SHOWN[1]);
        let remote_identity = reader.optional_path(SHOWN[0]).zip(reader.optional_path(SHOWN[1]));
        let deadline = reader.duration("LOG_SENTINEL_ANOMALY_TIMEOUT");
        let remote = reader.url("LOG_SENTINEL_ANOMALY_URL").map(|url| remote::Config {
            api_key: listeners.own_key(),
            ca_file: remote_ca_file.clone(),
            identity: remote_identity.clone(),
            deadline,
            ..remote::Config::new(url)
        });
        Self { service, http, grpc, remote, remote_ca_file, remote_identity }
    }
}
