//! What listeners show and ask for over TLS.

use std::path::PathBuf;

use super::value::Reader;

/// PEM, or what this installation's authority makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pem<T> {
    /// `own`.
    Own,
    /// Files.
    Files(T),
}

/// What a listener shows and asks for over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Certificate and key.
    pub shown: Pem<(PathBuf, PathBuf)>,
    /// The roots of clients' certificates, and whether clients must have one.
    pub clients: Option<(Pem<PathBuf>, tls::Clients)>,
}

/// Of each listener; None speaks no TLS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Certificates {
    pub collector: Option<Tls>,
    pub anomaly: Option<Tls>,
    pub anomaly_grpc: Option<Tls>,
    /// What commands trust beside the authorities of the public web.
    pub ca_file: Option<PathBuf>,
}

impl Certificates {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            collector: listener(reader, ""),
            anomaly: listener(reader, "ANOMALY_REST_"),
            anomaly_grpc: listener(reader, "ANOMALY_"),
            ca_file: reader.optional_path("LOG_SENTINEL_CA_FILE"),
        }
    }

    /// Whether port 8080 shows a certificate of this installation's authority.
    pub(crate) fn shows_own(&self) -> bool {
        self.collector.as_ref().is_some_and(|tls| tls.shown == Pem::Own)
    }

    /// Each with the beginning of its settings' names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &Tls)> {
        let all = [("", &self.collector), ("ANOMALY_REST_", &self.anomaly), ("ANOMALY_", &self.anomaly_grpc)];
        all.into_iter().filter_map(|(name, tls)| Some((name, tls.as_ref()?)))
    }
}

fn listener(reader: &mut Reader<'_>, which: &str) -> Option<Tls> {
    let name = |what: &str| format!("LOG_SENTINEL_{which}{what}");
    let [cert, key] = [name("CERT_FILE"), name("KEY_FILE")].map(|name| reader.optional_path(&name));
    let roots = reader.optional_path(&name("CLIENT_CA_FILE"));
    let clients = match reader.one_of(&name("CLIENT_CERTIFICATES"), &["optional", "required"]).as_str() {
        "optional" => tls::Clients::Optional,
        _ => tls::Clients::Required,
    };
    let own = |path: &PathBuf| path.as_os_str() == "own";
    let shown = match cert {
        Some(cert) if own(&cert) => {
            if key.is_some() {
                reader.problem(format!(
                    "{} is own, whose key is made as well: unset {}",
                    name("CERT_FILE"),
                    name("KEY_FILE")
                ));
            }
            Pem::Own
        }
        cert => {
            reader.need_each_other(&name("CERT_FILE"), &name("KEY_FILE"));
            let Some(files) = cert.zip(key) else {
                if roots.is_some() {
                    reader.problem(format!(
                        "{} needs {}: clients show certificates over TLS only",
                        name("CLIENT_CA_FILE"),
                        name("CERT_FILE")
                    ));
                }
                return None;
            };
            Pem::Files(files)
        }
    };
    let roots = roots.map(|roots| if own(&roots) { Pem::Own } else { Pem::Files(roots) });
    Some(Tls { shown, clients: roots.map(|roots| (roots, clients)) })
}
