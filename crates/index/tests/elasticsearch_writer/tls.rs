//! Encrypted connections: trusted by the authority's file, and refused without.

use std::{sync::Arc, time::Duration};

use index::elasticsearch::Config;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use super::{alone, check_complete, config, open, scripted::Server};

/// A certificate for a name, as PEM, and what a server needs to use it.
fn certificate(name: &str) -> (String, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    (made.cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authority_decides_who_is_trusted() {
    let (_alone, stored, dead) = alone().await;
    let dir = tempfile::tempdir().unwrap();
    let (pem, acceptor) = certificate("127.0.0.1");
    let (other_pem, _) = certificate("127.0.0.1");
    let (right, wrong, broken) =
        (dir.path().join("ca.pem"), dir.path().join("other.pem"), dir.path().join("broken.pem"));
    std::fs::write(&right, pem).unwrap();
    std::fs::write(&wrong, other_pem).unwrap();
    std::fs::write(&broken, "not a certificate").unwrap();
    let server = Server::start_at("127.0.0.1:0".parse().unwrap(), Some(acceptor)).await;
    let url = format!("https://{}", server.address);
    let with = |ca_file: Option<&std::path::Path>| Config {
        ca_file: ca_file.map(Into::into),
        request_timeout: Duration::from_secs(30),
        ..config(vec![url.clone()])
    };
    for ca_file in [None, Some(&*wrong)] {
        let setting = open(with(ca_file));
        setting.health("degraded", &["ELASTIC_CA_FILE", "not trusted"]).await;
    }
    let setting = open(with(Some(&right)));
    setting.write(0..3).await;
    setting.written(3).await;
    setting.health("ok", &[]).await;
    check_complete(&server, &setting, 3, (stored, dead));
    let error = index::elasticsearch::Cluster::new(&with(Some(&broken))).unwrap_err();
    assert!(error.to_string().contains("broken.pem"), "{error}");
}
