//! The client that everything goes out by: what a server is judged by must be what was sent, and nothing more.

use reqwest::ClientBuilder;

use super::roots::Roots;

/// What every request of a client says it comes from.
pub(super) const USER_AGENT: &str = concat!("devgrant/", env!("CARGO_PKG_VERSION"));

/// HTTP/1.1, no compression, no proxy, no redirects, no retries; trusts the authorities of the platform and these,
/// and shows the certificate among them.
pub(super) fn plain(roots: &Roots) -> ClientBuilder {
    let builder = reqwest::Client::builder()
        .tls_certs_merge(roots.certificates.iter().cloned())
        .tls_danger_accept_invalid_certs(roots.anybody)
        .http1_only()
        .no_gzip()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never());
    match &roots.shown {
        Some(shown) => builder.identity(shown.identity.clone()),
        None => builder,
    }
}
