//! HTTP/2 under the connections of the load engine: many of them over one connection to the server (RFC 9113 §5).
//!
//! Each of the many speaks HTTP/1.1 to hyper within this thread, and hyper speaks HTTP/2 to the server. So everything
//! above is the same for both versions, at the price of a second framing: the figures are about the server, not about
//! what a request costs here.

use std::time::Duration;

use http::uri::{Parts, Scheme, Uri};
use http::{Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::{Failure, LARGEST_HEAD, Stream, Unconnected};

/// What one way holds before it waits, in bytes.
const BUFFER: usize = 16 << 10;

/// How often an idle connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(10);

/// A connection that many requests share.
#[derive(Clone)]
pub struct SharedConnection {
    sender: SendRequest<Incoming>,
    scheme: Scheme,
}

impl SharedConnection {
    /// Begins to speak HTTP/2 over a new stream; without TLS, the server must expect it (RFC 9113 §3.3).
    ///
    /// # Errors
    /// When the server does not speak it: over TLS it did not choose it, without TLS the preface failed.
    pub async fn over(stream: Stream) -> Result<Self, Failure> {
        let scheme = match &stream {
            Stream::Tls(stream) if stream.get_ref().1.alpn_protocol() != Some(b"h2") => {
                return Err(Unconnected::NoHttp2.into());
            }
            Stream::Tls(_) => Scheme::HTTPS,
            Stream::Plain(_) | Stream::Bridged(_) => Scheme::HTTP,
        };
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX))
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Unconnected::NoHttp2)?;
        // Whoever sends hears of its end.
        tokio::spawn(connection);
        Ok(Self { sender, scheme })
    }

    /// May requests still go over it?
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// A stream of its own for one request after the other.
    #[must_use]
    pub fn stream(&self) -> Stream {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        let shared = self.clone();
        tokio::spawn(async move {
            let passing = service_fn(move |request| shared.clone().pass(request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(theirs), passing);
            // An error has closed the stream, which is how the other end hears of it.
            let _ = connection.await;
        });
        Stream::Bridged(ours)
    }

    async fn pass(mut self, mut request: Request<Incoming>) -> Result<Response<Incoming>, hyper::Error> {
        let host = request.headers_mut().remove(header::HOST);
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = host.and_then(|host| host.as_bytes().try_into().ok());
        parts.path_and_query = request.uri().path_and_query().cloned();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
        *request.version_mut() = Version::HTTP_2;
        self.sender.ready().await?;
        let mut response = self.sender.send_request(request).await?;
        *response.version_mut() = Version::HTTP_11;
        Ok(response)
    }
}
