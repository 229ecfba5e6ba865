//! The client that everything goes out by: what a server is judged by must be what was sent, and nothing more.

use reqwest::ClientBuilder;

/// What every request of a client says it comes from.
pub(super) const USER_AGENT: &str = concat!("devgrant/", env!("CARGO_PKG_VERSION"));

/// HTTP/1.1, no compression, no proxy, no redirects, no retries.
pub(super) fn plain() -> ClientBuilder {
    reqwest::Client::builder()
        .http1_only()
        .no_gzip()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
}
