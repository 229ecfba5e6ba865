//! Straight into an axum router or another tower service, without a socket: virtual time works, and a run of half an
//! hour takes milliseconds.

use std::any::Any;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use super::transport::{Exchanger, LARGEST_BODY, Sent, Transport};
use crate::approval::{PageError, Pages};
use crate::compose::Composed;
use crate::exchange::{Answer, NoAnswer};

/// How long an answer may take, in tokio's time. A service that answers at all answers at once; one that waits for a
/// socket or a thread lets a paused clock run to here.
const LIMIT: Duration = Duration::from_secs(10);

/// Requests into a service. Each way takes 3 to 30 ms of tokio's clock, drawn from a seed: without it every event
/// falls on a whole interval, and faults of whole seconds stay hidden.
#[derive(Clone)]
pub struct InProcess {
    service: BoxCloneSyncService<Request<Body>, Response<Body>, String>,
    delays: Arc<Mutex<SmallRng>>,
}

impl InProcess {
    /// Requests into this service, an axum `Router` most often.
    #[must_use]
    pub fn new<S, B>(service: S, seed: u64) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let service = service
            .map_response(|response: Response<B>| response.map(Body::new))
            .map_err(|error: S::Error| error.into().to_string());
        Self { service: BoxCloneSyncService::new(service), delays: delays(seed) }
    }

    /// The same with other delays.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { delays: delays(seed), ..self }
    }

    async fn travel(&self) {
        let delay = self.delays.lock().unwrap_or_else(PoisonError::into_inner).random_range(3_000..30_000);
        tokio::time::sleep(Duration::from_micros(delay)).await;
    }

    async fn call(&self, mut request: Request<Body>) -> Result<Response<Bytes>, NoAnswer> {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let host = request.uri().authority().map(ToString::to_string);
        if let Some(host) = host.and_then(|host| host.parse().ok()) {
            request.headers_mut().insert(http::header::HOST, host);
        }
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = path.into();
        }
        self.travel().await;
        let answered = async {
            let (parts, body) = self.service.clone().oneshot(request).await?.into_parts();
            let body = axum::body::to_bytes(body, LARGEST_BODY).await.map_err(|error| error.to_string())?;
            Ok(Response::from_parts(parts, body))
        };
        // A panic ends one connection of a real server, and not the server.
        let answered = AssertUnwindSafe(answered).catch_unwind();
        let response = match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(answered)) => answered.map_err(NoAnswer::CutOff),
            Ok(Err(panic)) => Err(NoAnswer::CutOff(format!("the server panicked: {}", said(&*panic)))),
            Err(_) => Err(NoAnswer::TimedOut(LIMIT)),
        };
        self.travel().await;
        response
    }

    async fn exchange(&self, composed: &Composed) -> Sent {
        let sent = Instant::now();
        let mut builder = Request::builder().method(composed.method.as_str()).uri(&composed.url);
        for (name, value) in &composed.headers {
            builder = builder.header(name, value);
        }
        let answer = match builder.body(Body::from(composed.body.clone())) {
            Err(error) => Err(NoAnswer::Ours(error.to_string())),
            Ok(request) => self.call(request).await.map(|response| Answer {
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

fn delays(seed: u64) -> Arc<Mutex<SmallRng>> {
    Arc::new(Mutex::new(SmallRng::seed_from_u64(seed)))
}

/// What a panic says; most say a text.
fn said(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it did not say why")
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

    fn has_tls(&self) -> bool {
        false
    }

    fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer> {
        Ok(Arc::new(self.clone()))
    }
}

impl Pages for InProcess {
    fn fetch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, PageError>> {
        let unreachable = |error: NoAnswer| PageError::Unreachable(error.to_string());
        async move { self.call(request.map(Body::from)).await.map_err(unreachable) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use super::*;
    use crate::exchange::Manner;

    fn get(path: &str) -> Composed {
        Composed {
            method: "GET".to_owned(),
            url: format!("https://as.example{path}"),
            headers: Vec::new(),
            body: Vec::new(),
            manner: Manner::default(),
        }
    }

    /// A tower service that is no router: it answers with the path it was asked for, fails, panics or hangs.
    #[derive(Clone)]
    struct Odd;

    impl Service<Request<Body>> for Odd {
        type Response = Response<String>;
        type Error = std::io::Error;
        type Future = BoxFuture<'static, Result<Response<String>, std::io::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Body>) -> Self::Future {
            async move {
                match request.uri().path() {
                    "/fails" => Err(std::io::Error::other("out of luck")),
                    "/panics" => panic!("out of mind"),
                    "/hangs" => std::future::pending().await,
                    path => Ok(Response::new(format!("{path} at {:?}", request.headers()["host"]))),
                }
            }
            .boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn any_service_answers_and_what_it_does_wrong_is_an_answer_that_did_not_come() {
        let server = InProcess::new(Odd, 1);
        let answered = server.send(&get("/good")).await;
        assert_eq!(answered.answer.ok().unwrap().body, b"/good at \"as.example\"");
        assert!(answered.done > answered.sent, "both ways take time");
        let trouble = async |path| server.send(&get(path)).await.answer.err().unwrap().to_string();
        assert_eq!(trouble("/fails").await, "the answer was cut off: out of luck");
        assert_eq!(trouble("/panics").await, "the answer was cut off: the server panicked: out of mind");
        assert_eq!(trouble("/hangs").await, "no answer within 10 s");
    }
}
