//! One page request and its answer, as the drivers ask for it. Knows no network.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use url::{Host, Url};

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

/// Whether passwords may go there: over https, or on this machine.
#[must_use]
pub fn may_take_passwords(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", _) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_opened_and_nothing_else() {
        for (url, allowed) in [
            ("https://as.example/device", true),
            ("http://127.0.0.1:4101/device", true),
            ("http://localhost/device", true),
            ("http://[::1]:80/", true),
            ("http://as.example/device", false),
            ("http://localhost.example/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(may_take_passwords(&Url::parse(url).unwrap()), allowed, "{url}");
        }
    }
}
