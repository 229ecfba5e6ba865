//! Hooks for tests: decide or end a session without a browser. Knows no page and no client.
//!
//! ```text
//! POST /approve {"user_code": "WDJB-MJHT", "user": "alice"}    -> {"user_code": "WDJB-MJHT", "state": "approved"}
//! POST /deny    {"device_code": "4bcW…"}                       -> {"user_code": "WDJB-MJHT", "state": "denied"}
//! POST /expire  {"user_code": "WDJB-MJHT"}                     -> {"user_code": "WDJB-MJHT", "state": "expired"}
//! ```

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::post;
use serde::Deserialize;

use super::reply::Reply;
use super::session::{Approval, Decision, Settled};
use super::state::Server;
use crate::secret::Secret;

/// What a hook is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    user_code: Option<String>,
    device_code: Option<Secret>,
    user: Option<String>,
}

/// What a hook does.
#[derive(Clone, Copy)]
enum Hook {
    Approve,
    Deny,
    Expire,
}

pub(super) fn router(server: Arc<Server>) -> Router {
    let hook = |hook: Hook| {
        post(move |State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes| async move {
            let reply: Response<Body> =
                run(&server, hook, &headers, &body).unwrap_or_else(|reply| reply).into_response();
            reply
        })
    };
    Router::new()
        .route("/approve", hook(Hook::Approve))
        .route("/deny", hook(Hook::Deny))
        .route("/expire", hook(Hook::Expire))
        .fallback(async || {
            error(StatusCode::NOT_FOUND, "no such hook: POST to /approve, /deny or /expire").into_response()
        })
        .method_not_allowed_fallback(async || {
            error(StatusCode::METHOD_NOT_ALLOWED, "hooks are used with POST").into_response()
        })
        .with_state(server)
}

fn run(server: &Server, hook: Hook, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Reply> {
    let order = read(headers, body)?;
    let user = match &order.user {
        Some(name) => server.config.user(name),
        None => server.config.users().first(),
    };
    let user = user.ok_or_else(|| error(StatusCode::NOT_FOUND, "no such user here"))?;
    let now = server.present();
    let terms = server.terms_of_hooks();
    let mut sessions = server.sessions();
    let session = match (&order.user_code, &order.device_code) {
        (Some(user_code), None) => sessions.with_user_code(user_code, terms.rules),
        (None, Some(device_code)) => sessions.with_device_code(device_code.expose()),
        _ => return Err(error(StatusCode::BAD_REQUEST, "give either user_code or device_code")),
    };
    let session = session.ok_or_else(|| error(StatusCode::NOT_FOUND, "no such code here"))?;
    let state = match hook {
        Hook::Approve => {
            let approval = Approval { user: user.name.as_str().into(), signed_in: now.wall };
            session.decide(now.moment, Decision::Approve(approval), &terms).map(|()| "approved")
        }
        Hook::Deny => session.decide(now.moment, Decision::Deny, &terms).map(|()| "denied"),
        Hook::Expire => {
            session.expires = session.expires.min(now.moment);
            Ok("expired")
        }
    };
    let state = state.map_err(|settled| match settled {
        Settled::Decided => error(StatusCode::CONFLICT, "this session is decided already"),
        Settled::Expired => error(StatusCode::CONFLICT, "this session has expired"),
    })?;
    Ok(Reply::json(StatusCode::OK).member("user_code", &*session.user_code).member("state", state))
}

/// Only JSON that says so: a page in a browser cannot send that here without being asked for permission first.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Order, Reply> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send JSON, with Content-Type: application/json",
        ));
    }
    serde_json::from_slice(body).map_err(|_| {
        error(
            StatusCode::BAD_REQUEST,
            "send one JSON object with user_code or device_code, and user if you like",
        )
    })
}

fn error(status: StatusCode, message: &str) -> Reply {
    Reply::json(status).member("error", message)
}
