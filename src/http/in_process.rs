//! Straight into an axum router, without a socket: virtual time works, and a run of half an hour takes milliseconds.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use tower::ServiceExt;

use super::transport::{Exchanger, LARGEST_BODY, Sent, Transport};
use crate::approval::{PageError, Pages};
use crate::compose::Composed;
use crate::exchange::{Answer, NoAnswer};

/// Requests into a router. Each way takes 3 to 30 ms of tokio's clock, drawn from a seed: without it every event
/// falls on a whole interval, and faults of whole seconds stay hidden.
#[derive(Clone)]
pub struct InProcess {
    router: Router,
    delays: Arc<Mutex<SmallRng>>,
}

impl InProcess {
    /// Requests into this router.
    #[must_use]
    pub fn new(router: Router, seed: u64) -> Self {
        Self { router, delays: Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))) }
    }

    async fn travel(&self) {
        let delay = self.delays.lock().unwrap_or_else(PoisonError::into_inner).random_range(3_000..30_000);
        tokio::time::sleep(Duration::from_micros(delay)).await;
    }

    async fn call(&self, mut request: http::Request<Body>) -> Result<http::Response<Bytes>, String> {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let host = request.uri().authority().map(ToString::to_string);
        if let Some(host) = host.and_then(|host| host.parse().ok()) {
            request.headers_mut().insert(http::header::HOST, host);
        }
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = path.into();
        }
        self.travel().await;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, LARGEST_BODY).await.map_err(|error| error.to_string())?;
        self.travel().await;
        Ok(http::Response::from_parts(parts, body))
    }

    async fn exchange(&self, composed: &Composed) -> Sent {
        let sent = Instant::now();
        let mut builder = http::Request::builder().method(composed.method.as_str()).uri(&composed.url);
        for (name, value) in &composed.headers {
            builder = builder.header(name, value);
        }
        let answer = match builder.body(Body::from(composed.body.clone())) {
            Err(error) => Err(NoAnswer::Ours(error.to_string())),
            Ok(request) => self.call(request).await.map_err(NoAnswer::CutOff).map(|response| Answer {
                status: response.status().as_u16(),
                headers: response
                    .headers()
                    .iter()
                    .map(|(name, value)| {
                        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                    })
                    .collect(),
                body: response.into_body().to_vec(),
            }),
        };
        Sent { answer, sent, done: Instant::now() }
    }
}

impl Exchanger for InProcess {
    fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent> {
        self.exchange(request).boxed()
    }
}

impl Transport for InProcess {
    fn race<'a>(&'a self, requests: &'a [Composed]) -> BoxFuture<'a, Vec<Sent>> {
        futures_util::future::join_all(requests.iter().map(|request| self.exchange(request))).boxed()
    }

    fn handshake<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), NoAnswer>> {
        std::future::ready(Err(NoAnswer::Ours("there is no TLS without a socket".to_owned()))).boxed()
    }

    fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer> {
        Ok(Arc::new(self.clone()))
    }
}

impl Pages for InProcess {
    fn fetch(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, PageError>> {
        async move { self.call(request.map(Body::from)).await.map_err(PageError::Unreachable) }.boxed()
    }
}
