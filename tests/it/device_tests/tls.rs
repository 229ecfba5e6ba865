//! Whom the device talks to: over TLS, after it has seen a certificate that it can verify. Over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::{WantsServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::{ConfigBuilder, RootCertStore, ServerConfig};

use crate::binary::{Binary, Ended, Playing};

/// A certificate authority that the device is told to trust, or that it is not.
pub(crate) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a server shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Good,
    Expired,
    OfAnotherName,
    OfAnUnknownAuthority,
    SelfSigned,
}

pub(crate) fn config(shown: Shown, trusted: &CertifiedIssuer<'static, KeyPair>) -> ServerConfig {
    config_with(shown, trusted, ServerConfig::builder().with_no_client_auth())
}

/// The same for a server that wants to see a certificate of its clients.
pub(crate) fn config_for_clients_of(
    clients: &CertifiedIssuer<'static, KeyPair>,
    trusted: &CertifiedIssuer<'static, KeyPair>,
) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(clients.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    config_with(Shown::Good, trusted, ServerConfig::builder().with_client_cert_verifier(verifier))
}

/// A client's certificate of this authority and its key, in PEM.
pub(crate) fn client(of: &CertifiedIssuer<'static, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["tv".to_owned()]).unwrap().signed_by(&key, of).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn config_with(
    shown: Shown,
    trusted: &CertifiedIssuer<'static, KeyPair>,
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
) -> ServerConfig {
    let name = if shown == Shown::OfAnotherName { "other.example" } else { "127.0.0.1" };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if shown == Shown::Expired {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let certificate = match shown {
        Shown::SelfSigned => params.self_signed(&key),
        Shown::OfAnUnknownAuthority => params.signed_by(&key, &authority("unknown")),
        Shown::Good | Shown::Expired | Shown::OfAnotherName => params.signed_by(&key, trusted),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    builder.with_single_cert(vec![certificate.unwrap().der().clone()], key).unwrap()
}

/// Shows this certificate to whoever comes and refuses whatever is asked; keeps what was asked.
async fn server(config: ServerConfig) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not like the certificate ends the handshake.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or_default();
            if read > 0 {
                kept.lock().unwrap().push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            }
            let body = r#"{"error":"invalid_client"}"#;
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: \
                 close\r\n\r\n{body}",
                body.len()
            );
            // The other side may have gone.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, asked)
}

/// Logs in at a server with this certificate, by a target file that says where it is in these words.
async fn login(shown: Shown, at: fn(SocketAddr) -> String) -> (Ended, Vec<String>) {
    let trusted = authority("trusted");
    let (address, asked) = server(config(shown, &trusted)).await;
    let binary = Binary::new();
    let ca = binary.file("ca.pem", &trusted.pem());
    let target = binary
        .file("target.yaml", &format!("target: odd\n{}\nclients: {{ tv: {{ id: tv }} }}\n", at(address)));
    let ended = tokio::task::spawn_blocking(move || {
        let mut command = binary.command(&["login", "--target", &target]);
        // The roots of the system are these alone.
        command.env("SSL_CERT_FILE", &ca).env_remove("SSL_CERT_DIR");
        Playing::start(command).end()
    });
    let ended = ended.await.unwrap();
    let asked = asked.lock().unwrap().clone();
    (ended, asked)
}

#[tokio::test]
async fn certificates_are_verified_before_anything_is_asked() {
    let endpoints: fn(SocketAddr) -> String = |address| {
        format!(
            "endpoints: {{ device_authorization: \"https://{address}/d\", token: \"https://{address}/t\" }}"
        )
    };
    let issuer: fn(SocketAddr) -> String = |address| format!("issuer: https://{address}");
    for (at, asks) in [(endpoints, "POST /d "), (issuer, "GET /.well-known/oauth-authorization-server ")] {
        let (ended, asked) = login(Shown::Good, at).await;
        assert!(asked.first().is_some_and(|request| request.starts_with(asks)), "{asked:?}\n{}", ended.all());
        assert!(!ended.err.contains("certificate"), "{}", ended.all());
        for bad in [Shown::Expired, Shown::OfAnotherName, Shown::OfAnUnknownAuthority, Shown::SelfSigned] {
            let (ended, asked) = login(bad, at).await;
            assert_eq!(asked, Vec::<String>::new(), "{bad:?}");
            assert_eq!(ended.code, Some(3), "{bad:?}: {}", ended.all());
            assert!(ended.err.to_lowercase().contains("certificate"), "{bad:?}: {}", ended.all());
        }
    }
}
