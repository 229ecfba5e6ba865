//! The client that everything goes out by: what a server is judged by must be what was sent, and nothing more.

use reqwest::ClientBuilder;

use super::trust::Trust;

/// What every request of a client says it comes from.
pub(super) const USER_AGENT: &str = concat!("devgrant/", env!("CARGO_PKG_VERSION"));

/// HTTP/1.1, no compression, no proxy, no redirects, no retries; trusts the authorities of the platform and these,
/// and shows the certificate among them.
pub(super) fn plain(trust: &Trust) -> ClientBuilder {
    let builder = reqwest::Client::builder()
        .tls_certs_merge(trust.certificates.iter().cloned())
        .tls_danger_accept_invalid_certs(trust.anybody)
        .http1_only()
        .no_gzip()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never());
    match &trust.shown {
        Some(shown) => builder.identity(shown.identity.clone()),
        None => builder,
    }
}
