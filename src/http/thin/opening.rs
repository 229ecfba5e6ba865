//! How a connection comes about: from which address, and with TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::super::trust::Trust;
use super::{Failure, Unconnected};

/// A connection to a server.
pub enum Stream {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
    /// To a connection that others share.
    Bridged(DuplexStream),
}

/// Which version of HTTP the server is offered over TLS (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Connects to this address, from a port that the system chooses: at `source`, if given. No time limit and no name
/// resolution: both are the caller's.
///
/// # Errors
/// [`Failure::Connect`], which tells limits of our own from those of the server.
pub async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    tls: Option<(&TlsConnector, ServerName<'static>)>,
) -> Result<Stream, Failure> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(|error| unconnected(&error))?;
    if let Some(source) = source {
        leave_port_open(&socket)?;
        socket.bind(SocketAddr::new(source, 0)).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Unconnected::NoPort,
            _ => Unconnected::Source,
        })?;
    }
    let stream = socket.connect(address).await.map_err(|error| unconnected(&error))?;
    // A request is one write: without this, one that TLS makes two of would wait for an acknowledgement.
    stream.set_nodelay(true).map_err(|error| unconnected(&error))?;
    match tls {
        None => Ok(Stream::Plain(stream)),
        Some((connector, name)) => {
            let stream = connector.connect(name, stream).await.map_err(|_| Unconnected::Tls)?;
            Ok(Stream::Tls(Box::new(stream)))
        }
    }
}

/// TLS 1.2 or 1.3 to servers that this system or one of these authorities trusts, as the judging client trusts them. One
/// for all connections: they share its roots and its session tickets.
///
/// # Errors
/// When the TLS of this system cannot be set up.
pub fn trusting(trust: &Trust, spoken: Spoken) -> Result<TlsConnector, Failure> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if trust.anybody {
        Arc::new(Anybody(provider.signature_verification_algorithms))
    } else {
        let of_platform = Verifier::new_with_extra_roots(trust.ders.iter().cloned(), Arc::clone(&provider));
        Arc::new(of_platform.map_err(|_| Unconnected::Tls)?)
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Unconnected::Tls)?
        // The name is the library's for any verifier that is not its own; this one is the platform's.
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &trust.shown {
        None => config.with_no_client_auth(),
        Some(shown) => config
            .with_client_auth_cert(shown.chain.clone(), shown.key.clone_key())
            .map_err(|_| Unconnected::Tls)?,
    };
    config.alpn_protocols = vec![match spoken {
        Spoken::Http1 => b"http/1.1".to_vec(),
        Spoken::Http2 => b"h2".to_vec(),
    }];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Takes whatever certificate a server shows, and holds it to the signatures of the handshake alone.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Binding to an address takes no port yet, so that each server address has all ports of its own.
#[cfg(target_os = "linux")]
fn leave_port_open(socket: &TcpSocket) -> Result<(), Unconnected> {
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)
        .map_err(|error| unconnected(&error.into()))
}

#[cfg(not(target_os = "linux"))]
fn leave_port_open(_: &TcpSocket) -> Result<(), Unconnected> {
    Ok(())
}

fn unconnected(error: &io::Error) -> Unconnected {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Unconnected::Refused,
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => Unconnected::NoPort,
        _ if is_out_of_descriptors(error) => Unconnected::NoDescriptor,
        kind => Unconnected::Other(kind),
    }
}

/// ENFILE or EMFILE; the library has no kind for them.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Bridged(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Bridged(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Bridged(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Bridged(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
