//! Why there is no answer.

use std::io;

/// Why an exchange has no answer. Holds no bytes of the server, so that it can be counted by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection.
    #[error("no connection: {0}")]
    Connect(#[from] Unconnected),
    /// A connection that had carried an answer was closed before any byte of this one: a server may do that at any
    /// time (RFC 9112 §9.3.1, §9.5), so it is no failure of the server. Bytes that nobody asked for count as closed.
    #[error("the idle connection had been closed")]
    ClosedIdle {
        /// Did any of the request go out? If not, sending it over another connection is no repetition.
        written: bool,
    },
    /// Closed within an answer, or before the first one of this connection.
    #[error("the connection was closed before the end of the answer")]
    ClosedEarly,
    /// Not HTTP/1.
    #[error("the answer is not HTTP: {0}")]
    Malformed(&'static str),
    /// A head or a body above its limit.
    #[error("the answer is too large")]
    TooLarge,
    /// Any other trouble of the stream.
    #[error("{0}")]
    Io(io::ErrorKind),
}

impl Failure {
    /// A word for counters and labels.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Connect(unconnected) => unconnected.kind(),
            Self::ClosedIdle { .. } => "closed_idle",
            Self::ClosedEarly => "closed_early",
            Self::Malformed(_) => "malformed",
            Self::TooLarge => "too_large",
            Self::Io(_) => "io",
        }
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unconnected {
    /// Nobody listens, or the server's queue refuses.
    #[error("refused")]
    Refused,
    /// This process may open no more files: the limit is ours, not the server's.
    #[error("no descriptor left")]
    NoDescriptor,
    /// No local port is left for this server: the limit is ours, not the server's.
    #[error("no local port left")]
    NoPort,
    /// The local address that connections should come from is not one of this machine.
    #[error("the source address is none of this machine")]
    Source,
    /// TLS did not come about: no common version, or a certificate that cannot be verified.
    #[error("TLS failed")]
    Tls,
    /// The server does not speak HTTP/2 where it was asked to.
    #[error("no HTTP/2")]
    NoHttp2,
    /// Anything else.
    #[error("{0}")]
    Other(io::ErrorKind),
}

impl Unconnected {
    /// A word for counters and labels.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Refused => "connect_refused",
            Self::NoDescriptor => "connect_no_descriptor",
            Self::NoPort => "connect_no_port",
            Self::Source => "connect_source",
            Self::Tls => "connect_tls",
            Self::NoHttp2 => "connect_no_http2",
            Self::Other(_) => "connect_other",
        }
    }

    /// Is it the generator that is at its limit, and not the server?
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::NoDescriptor | Self::NoPort | Self::Source)
    }
}
