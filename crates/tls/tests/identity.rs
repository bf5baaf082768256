//! What a listener shows, what it asks for, and what becomes of files that change.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, io, path::Path, sync::Arc};

use event::Timestamp;
use tls::{Authority, Clients, Files, Identity, Issued, peer_certificate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

fn now() -> Timestamp {
    // The library that verifies reads the clock of the machine.
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::saturating_from_nanos(since.as_nanos() as i128)
}

fn authority(dir: &Path) -> Authority {
    Authority::open(dir, now()).unwrap()
}

fn files(dir: &Path, clients: Option<Clients>) -> Files {
    let (cert_file, key_file) = authority(dir).serve_as(&["localhost".to_owned()], now()).unwrap();
    Files { cert_file, key_file, clients: clients.map(|clients| (Authority::certificate_file(dir), clients)) }
}

/// The certificate that the server showed, and the hash of the one that it saw; or why there is no connection.
async fn connect(
    identity: &Identity,
    root: &str,
    client: Option<&Issued>,
) -> io::Result<(Vec<u8>, Option<blake3::Hash>)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(issued.private_key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let (near, far) = tokio::io::duplex(1 << 16);
    let server = async {
        let mut stream = identity.accept(far).await?;
        stream.write_all(b"x").await?;
        Ok::<_, io::Error>(peer_certificate(&stream))
    };
    let client = async {
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, near).await?;
        stream.read_u8().await?;
        Ok::<_, io::Error>(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
    };
    let (seen, shown) = tokio::join!(server, client);
    Ok((shown?, seen?))
}

#[tokio::test]
async fn clients_certificates_are_asked_for_verified_and_recognised() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = authority(dir.path()).certificate().to_owned();
    assert_eq!(authority(dir.path()).certificate(), root, "it is made once");
    let mine = authority(dir.path()).agent("web-1", "0123456789abcdef", now()).unwrap();
    let foreign = authority(other.path()).agent("web-1", "0123456789abcdef", now()).unwrap();
    let identity = |clients| Identity::open(files(dir.path(), clients)).unwrap();
    for (clients, shown, expected) in [
        (None, None, Some(None)),
        (None, Some(&mine), Some(None)),
        (Some(Clients::Optional), None, Some(None)),
        (Some(Clients::Optional), Some(&mine), Some(Some(mine.digest))),
        (Some(Clients::Optional), Some(&foreign), None),
        (Some(Clients::Required), None, None),
        (Some(Clients::Required), Some(&mine), Some(Some(mine.digest))),
        (Some(Clients::Required), Some(&foreign), None),
    ] {
        let found = connect(&identity(clients), &root, shown).await;
        assert_eq!(found.ok().map(|(_, seen)| seen), expected, "{clients:?}");
    }
    let stranger = authority(other.path()).certificate().to_owned();
    assert!(connect(&identity(None), &stranger, None).await.is_err(), "the server is not theirs");
}

#[tokio::test]
async fn a_certificate_that_does_not_load_leaves_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = authority(dir.path()).certificate().to_owned();
    let identity = Identity::open(files(dir.path(), None)).unwrap();
    let (first, _) = connect(&identity, &root, None).await.unwrap();
    assert!(!identity.reload().unwrap());

    let good = fs::read(dir.path().join("server.pem")).unwrap();
    for bad in [&b"no PEM at all"[..], b"", &good[..good.len() / 2]] {
        fs::write(dir.path().join("server.pem"), bad).unwrap();
        let error = identity.reload().unwrap_err().to_string();
        assert!(error.contains("server.pem"), "{error}");
        assert_eq!(connect(&identity, &root, None).await.unwrap().0, first);
    }
    fs::write(dir.path().join("server.pem"), &good).unwrap();
    assert!(!identity.reload().unwrap(), "it is the one that serves");
    // Another certificate without its key.
    let key = fs::read(dir.path().join("server.key")).unwrap();
    files(dir.path(), None);
    let new_key = fs::read(dir.path().join("server.key")).unwrap();
    fs::write(dir.path().join("server.key"), key).unwrap();
    assert!(identity.reload().is_err());
    assert_eq!(connect(&identity, &root, None).await.unwrap().0, first);
    fs::write(dir.path().join("server.key"), new_key).unwrap();
    assert!(identity.reload().unwrap());
    assert_ne!(connect(&identity, &root, None).await.unwrap().0, first);
}

#[cfg(unix)]
#[test]
fn the_authoritys_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("access");
    files(&dir, None);
    for entry in fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    fs::write(dir.join("authority.key"), "something else").unwrap();
    let error = Authority::open(&dir, now()).unwrap_err().to_string();
    assert!(error.contains("authority.key") && !error.contains("something else"), "{error}");
}
