//! The two routers, without sockets. Knows no port.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Response, StatusCode};

use super::config::Config;
use super::error::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::state::Server;
use super::{admin, pages, routes};

/// The largest body that is read.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The server as two routers: what everybody sees, and the hooks for tests.
#[derive(Clone, Debug)]
pub struct App {
    /// The authorization server, its pages and its protected API.
    pub public: Router,
    /// `POST /approve`, `/deny` and `/expire`; never to be reachable from elsewhere.
    pub admin: Router,
}

/// A server that has forgotten everything. `origin` is where its own links lead, `http://127.0.0.1:8628`, unless the
/// configuration has another.
///
/// Call it within a tokio runtime: the server's life starts now, and its clock is tokio's.
#[must_use]
pub fn app(config: Config, origin: &str) -> App {
    let origin = config.origin().unwrap_or(origin).to_owned();
    let server = Arc::new(Server::new(config, &origin));
    App {
        public: Router::new().fallback(public).with_state(Arc::clone(&server)),
        admin: admin::router(server),
    }
}

/// Reads a request, has it answered, and turns the reply into bytes.
async fn public(State(server): State<Arc<Server>>, request: axum::extract::Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(endpoint) = server.config.endpoint_at(head.uri.path()) else {
        return pages::not_found(&server).into_response();
    };
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        let refusal = Refusal::invalid_request("The body is too large or was cut off.");
        let headers = server.config.policy().headers(endpoint.audience());
        return Reply::from(refusal.status(StatusCode::PAYLOAD_TOO_LARGE))
            .with_headers(headers)
            .into_response();
    };
    let from: Option<IpAddr> = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let query = head.uri.query().unwrap_or_default().to_owned();
    let request = Request { endpoint, method: head.method, query, headers: head.headers, body, from };
    routes::answer(&server, &request).await.into_response()
}
