//! Over the network, with reqwest: HTTP/1.1, no compression, no proxy, no redirects, no retries.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::{Client, Method, Request, Url};
use tokio::time::Instant;

use super::client::{USER_AGENT, plain};
use super::transport::{Exchanger, LARGEST_BODY, Sent, Transport};
use super::trust::Trust;
use crate::compose::Composed;
use crate::exchange::{Answer, NoAnswer};

/// An idle connection is not used again after this: many servers close theirs after 5 s, and a request that meets
/// the close would look like a cut-off answer.
const IDLE: Duration = Duration::from_secs(2);

/// The longest that setting up a connection may take.
const CONNECT: Duration = Duration::from_secs(4);

/// Requests over the network.
#[derive(Clone)]
pub struct Wire {
    client: Client,
    limit: Duration,
    trust: Trust,
}

/// When a connection carries another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// If it comes soon.
    Soon,
    /// Until the server closes it.
    Always,
    /// Never.
    Never,
}

impl Wire {
    /// Connections of its own; an answer must be complete within `limit`.
    ///
    /// # Errors
    /// When the TLS of this system cannot be set up.
    pub fn new(limit: Duration) -> Result<Self, NoAnswer> {
        Self::trusting(limit, Trust::default())
    }

    /// The same, with authorities that are trusted beside those of the platform.
    ///
    /// # Errors
    /// When the TLS of this system cannot be set up.
    pub fn trusting(limit: Duration, trust: Trust) -> Result<Self, NoAnswer> {
        Self::build(limit, trust, Reuse::Soon)
    }

    /// The same, with connections that are used again as this says.
    ///
    /// # Errors
    /// When the TLS of this system cannot be set up.
    pub fn reusing(limit: Duration, reuse: Reuse) -> Result<Self, NoAnswer> {
        Self::build(limit, Trust::default(), reuse)
    }

    /// What the requests go out by.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The same by a client of somebody else's.
    #[must_use]
    pub fn over(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }

    fn build(limit: Duration, trust: Trust, reuse: Reuse) -> Result<Self, NoAnswer> {
        let builder = match reuse {
            Reuse::Soon => plain(&trust).pool_idle_timeout(IDLE),
            Reuse::Always => plain(&trust).pool_idle_timeout(None),
            Reuse::Never => plain(&trust).pool_max_idle_per_host(0),
        };
        let client = builder
            .tcp_nodelay(true)
            .connect_timeout(CONNECT.min(limit))
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| NoAnswer::Ours(chain(&error)))?;
        Ok(Self { client, limit, trust })
    }

    async fn exchange(&self, request: Result<Request, NoAnswer>, sent: Instant) -> Sent {
        let answer = match request {
            Err(ours) => Err(ours),
            Ok(request) => match tokio::time::timeout_at(sent + self.limit, self.read(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(NoAnswer::TimedOut(self.limit)),
            },
        };
        Sent { answer, sent, done: Instant::now() }
    }

    async fn read(&self, request: Request) -> Result<Answer, NoAnswer> {
        let mut response = self.client.execute(request).await.map_err(|error| self.no_answer(&error))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(&error))? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(NoAnswer::TooLarge(LARGEST_BODY));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    /// Whose trouble it is that no answer came.
    fn no_answer(&self, error: &reqwest::Error) -> NoAnswer {
        let text = chain(error);
        let io = io_kind(error);
        if error.is_builder() {
            NoAnswer::Ours(text)
        } else if matches!(io, Some(std::io::ErrorKind::ConnectionRefused)) {
            NoAnswer::Refused
        } else if is_out_of_sockets(error) {
            NoAnswer::Ours(text)
        } else if error.is_connect() && error.is_timeout() {
            NoAnswer::Unreachable(format!("no connection within {} s", CONNECT.min(self.limit).as_secs()))
        } else if error.is_timeout() {
            NoAnswer::TimedOut(self.limit)
        } else if error.is_connect() {
            let lower = text.to_lowercase();
            if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake") {
                NoAnswer::Tls(text)
            } else {
                NoAnswer::Unreachable(text)
            }
        } else {
            NoAnswer::CutOff(text)
        }
    }
}

impl Exchanger for Wire {
    fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent> {
        async move { self.exchange(build(request, None), Instant::now()).await }.boxed()
    }
}

impl Transport for Wire {
    fn race<'a>(&'a self, requests: &'a [Composed]) -> BoxFuture<'a, Vec<Sent>> {
        async move {
            // A client of its own: none of its connections is in use, so each request gets a new one.
            let Ok(racing) = Self::trusting(self.limit, self.trust.clone()) else {
                return Vec::new();
            };
            let gate = super::race::Gate::new(requests.len());
            let runners = requests.iter().map(|request| {
                let racing = racing.clone();
                let built = build(request, Some(&gate));
                let gate = gate.clone();
                async move {
                    let answered = racing.exchange(built, Instant::now()).await;
                    Sent { sent: gate.opened_at().unwrap_or(answered.sent), ..answered }
                }
            });
            let (answers, ()) =
                futures_util::future::join(futures_util::future::join_all(runners), gate.open_when_ready())
                    .await;
            answers
        }
        .boxed()
    }

    fn handshake<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), NoAnswer>> {
        async move {
            let url = Url::parse(url).map_err(|error| NoAnswer::Ours(error.to_string()))?;
            let request = Request::new(Method::HEAD, url);
            self.read(request).await.map(|_| ())
        }
        .boxed()
    }

    fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer> {
        Ok(Arc::new(Self::trusting(self.limit, self.trust.clone())?))
    }
}

/// The request as reqwest wants it; with a gate, its body's last byte waits there.
fn build(composed: &Composed, gate: Option<&Arc<super::race::Gate>>) -> Result<Request, NoAnswer> {
    let ours = |error: &dyn std::fmt::Display| NoAnswer::Ours(error.to_string());
    let method: Method = composed.method.parse().map_err(|error| ours(&error))?;
    let url = Url::parse(&composed.url).map_err(|error| ours(&error))?;
    let mut request = Request::new(method, url);
    for (name, value) in &composed.headers {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).map_err(|error| ours(&error))?;
        let value =
            reqwest::header::HeaderValue::from_bytes(value.as_bytes()).map_err(|error| ours(&error))?;
        request.headers_mut().append(name, value);
    }
    if !composed.body.is_empty() || composed.method == "POST" {
        *request.body_mut() = Some(match gate {
            Some(gate) => reqwest::Body::wrap(gate.body(composed.body.clone())),
            None => composed.body.clone().into(),
        });
    }
    Ok(request)
}

/// The kind of the first I/O error in the chain of causes.
fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = inner.source();
    }
    None
}

/// Our own limits: too many open files, no local port left.
fn is_out_of_sockets(error: &reqwest::Error) -> bool {
    let text = chain(error);
    text.contains("Too many open files") || text.contains("Cannot assign requested address")
}

/// The whole chain of causes, without the address: its query may hold what nobody should read.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_builder() { "bad request of ours".to_owned() } else { String::new() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let part = inner.to_string();
        if !text.ends_with(&part) {
            text = if text.is_empty() { part } else { format!("{text}: {part}") };
        }
        cause = inner.source();
    }
    if text.is_empty() { "no reason given".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
