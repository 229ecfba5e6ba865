//! A request as data, with its body read. Knows nothing of what it asks for.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, Method, header};
use bytes::Bytes;

use super::endpoint::Endpoint;

/// One request to the public server.
#[derive(Clone, Debug)]
pub struct Request {
    /// The place it came to.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Its query, without the question mark; empty if there is none.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
    /// Where it came from, if the transport says so.
    pub from: Option<IpAddr>,
}

impl Request {
    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the body says to be a form. Parameters such as `charset` change nothing (RFC 6749 App. B).
    #[must_use]
    pub fn is_form(&self) -> bool {
        let essence = self.header(&header::CONTENT_TYPE).and_then(|value| value.split(';').next());
        essence
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}
