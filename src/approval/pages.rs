//! One page request and its answer, as the drivers ask for it. Knows no network.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};

/// The largest page that is read, in bytes.
pub const LARGEST_PAGE: usize = 4 << 20;

/// Asks a server for one page. Follows no redirect and keeps no cookie: the driver does, so that each case has its own.
pub trait Pages: Send + Sync {
    /// The answer to one request, with its whole body.
    fn fetch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, PageError>>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The address is neither https nor http on loopback.
    #[error("only https, and http on loopback, are opened")]
    NotAllowed,
    /// The page is larger than any page.
    #[error("the page is larger than {} MiB", LARGEST_PAGE >> 20)]
    TooLarge,
    /// The server could not be reached, or its answer broke off.
    #[error("{0}")]
    Unreachable(String),
}
