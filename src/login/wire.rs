//! Exchanges over the network. What a request looks like on the wire is pinned by a test.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::exchange::{Exchanger, Failure, LONGEST_BODY, Reply, Request};
use super::text::plain;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a whole exchange may take.
const WHOLE: Duration = Duration::from_secs(30);

/// HTTP/1.1 by reqwest: no proxy, no redirects, no compression, no repetition, a new connection for every exchange.
#[derive(Debug, Clone)]
pub struct Wire(reqwest::Client);

/// Why there can be no exchanges at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot set up HTTP: {0}")]
pub struct WireError(String);

impl Wire {
    /// With the time-outs of a patient device.
    pub fn new() -> Result<Self, WireError> {
        Self::with_timeouts(CONNECT, WHOLE)
    }

    /// With these time-outs for connecting and for a whole exchange.
    pub fn with_timeouts(connect: Duration, whole: Duration) -> Result<Self, WireError> {
        reqwest::Client::builder()
            .user_agent(concat!("devgrant/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A connection that the server closes just then would look like a failure, or be tried again unseen.
            .pool_max_idle_per_host(0)
            .connect_timeout(connect)
            .timeout(whole)
            .build()
            .map(Self)
            .map_err(|error| WireError(reason(error)))
    }

    async fn exchange(&self, request: &Request) -> Result<Reply, Failure> {
        let builder = match request.body() {
            Some(body) => self
                .0
                .post(request.url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body.expose().to_owned()),
            None => self.0.get(request.url.clone()),
        };
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        if let Some(authorization) = &request.authorization {
            let mut value = HeaderValue::from_str(authorization.expose())
                .map_err(|_| Failure::Connect("the credentials do not fit into a header".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut response = builder.headers(headers).send().await.map_err(failure)?;
        let header = |name: HeaderName| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (content_type, retry_after) = (header(CONTENT_TYPE), header(RETRY_AFTER));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > LONGEST_BODY {
                return Err(Failure::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status: response.status().as_u16(), content_type, retry_after, body })
    }
}

impl Exchanger for Wire {
    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        self.exchange(request).await
    }
}

fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::TimedOut
    } else if error.is_connect() {
        Failure::Connect(reason(error))
    } else {
        Failure::CutOff(reason(error))
    }
}

/// What is at the bottom of an error, without the address.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    plain(&deepest.to_string(), 200)
}

#[cfg(test)]
mod tests;
