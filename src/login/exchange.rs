//! One request and its answer, as far as a device cares.

use std::future::Future;

use url::Url;

use crate::secret::Secret;

/// The longest answer that is read (RFC 6749 §5.1 sets no sizes; a device has to set its own).
pub const LONGEST_BODY: usize = 1 << 20;

/// A request: a POST of a form, or a GET without one.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it goes, its query untouched (RFC 6749 §3.2).
    pub url: Url,
    /// The value of the Authorization header.
    pub authorization: Option<Secret>,
    /// The parameters of the body, in order; a GET has none.
    pub form: Option<Vec<(&'static str, Secret)>>,
}

impl Request {
    /// The body as it goes over the wire (RFC 6749 appendix B).
    #[must_use]
    pub fn body(&self) -> Option<Secret> {
        self.form.as_ref().map(|form| {
            let pairs = form.iter().map(|(name, value)| (name, value.expose()));
            Secret::new(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
        })
    }
}

/// An answer that came in whole.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The value of Content-Type.
    pub content_type: Option<String>,
    /// The value of Retry-After.
    pub retry_after: Option<String>,
    /// The body, at most [`LONGEST_BODY`]. Has the secrets.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why no whole answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection: refused, no such name, no TLS.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The connection ended before the answer did.
    #[error("the connection broke: {0}")]
    CutOff(String),
    /// Connecting or reading took too long.
    #[error("timed out")]
    TimedOut,
    /// The answer went on and on.
    #[error("the answer is longer than 1 MiB")]
    TooLong,
}

/// Sends requests and brings answers; never follows, never repeats.
pub trait Exchanger {
    /// One exchange.
    fn send(&self, request: &Request) -> impl Future<Output = Result<Reply, Failure>> + Send;
}
