//! Connections over real sockets: source addresses, TLS, and whose fault it is when there is none.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};

use super::*;
use crate::http::Trust;

const ANSWER: &[u8] = b"HTTP/1.1 400 B\r\ncontent-length: 2\r\n\r\n{}";

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Answers so many requests, in one piece each.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, times: usize) {
    for _ in 0..times {
        let mut request = [0; REQUEST.len()];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(ANSWER).await.unwrap();
        stream.flush().await.unwrap();
    }
}

async fn exchange(thin: &mut Thin<Stream>) -> Result<Seen, Failure> {
    thin.exchange(REQUEST, &Scratch::new(), |reply| Seen::new(&reply)).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_comes_from_where_it_should() {
    let (listener, address) = listener().await;
    let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
    let (stream, accepted) = tokio::join!(connect(address, Some(source), None), listener.accept());
    let (served, from) = accepted.unwrap();
    assert_eq!(from.ip(), source);
    let mut thin = Thin::new(stream.unwrap());
    let (seen, ()) = tokio::join!(
        async {
            exchange(&mut thin).await.unwrap();
            exchange(&mut thin).await
        },
        answer(served, 2)
    );
    assert_eq!(seen, Ok(Seen::of(400, "{}")));
    assert!(thin.is_reusable());
}

#[tokio::test]
async fn a_server_that_closes_an_idle_socket_is_noticed_before_anything_is_sent() {
    let (listener, address) = listener().await;
    let (stream, accepted) = tokio::join!(connect(address, None, None), listener.accept());
    let mut thin = Thin::new(stream.unwrap());
    let (seen, ()) = tokio::join!(exchange(&mut thin), answer(accepted.unwrap().0, 1));
    assert!(seen.is_ok() && thin.is_reusable());
    // The socket is closed by now; the runtime has to hear of it.
    while poll_fn(|cx| Poll::Ready(thin.is_silent(cx))).await {
        tokio::task::yield_now().await;
    }
    assert_eq!(exchange(&mut thin).await, Err(Failure::ClosedIdle { written: false }));
}

#[tokio::test]
async fn no_connection_says_whose_fault_it_is() {
    let (listener, address) = listener().await;
    let elsewhere = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    let failure = async |source| connect(address, source, None).await.err().unwrap();
    assert_eq!(failure(elsewhere).await, Failure::Connect(Unconnected::Source));
    drop(listener);
    assert_eq!(failure(None).await, Failure::Connect(Unconnected::Refused));
    for (unconnected, is_ours) in [
        (Unconnected::NoDescriptor, true),
        (Unconnected::NoPort, true),
        (Unconnected::Refused, false),
        (Unconnected::Tls, false),
    ] {
        assert_eq!(unconnected.is_ours(), is_ours);
        assert!(Failure::Connect(unconnected).kind().starts_with("connect_"));
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn over_tls_it_is_the_same_and_an_unknown_authority_is_not_trusted() {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let trust = Trust::from_pem(authority.pem().as_bytes()).unwrap();
    let connector = trusting(&trust, Spoken::Http1).unwrap();

    let (listener, address) = listener().await;
    let serving = tokio::spawn(async move {
        for times in [2, 0] {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust ends the handshake.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            answer(stream, times).await;
        }
    });
    let name = || ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let mut thin = Thin::new(connect(address, None, Some((&connector, name()))).await.unwrap());
    for _ in 0..2 {
        assert_eq!(exchange(&mut thin).await, Ok(Seen::of(400, "{}")));
        assert!(thin.is_reusable());
    }
    let distrusting = trusting(&Trust::default(), Spoken::Http1).unwrap();
    let refused = connect(address, None, Some((&distrusting, name()))).await.err();
    assert_eq!(refused, Some(Failure::Connect(Unconnected::Tls)));
    serving.await.unwrap();
}
