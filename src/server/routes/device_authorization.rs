//! The device authorization endpoint (RFC 8628 §3.1, §3.2). Knows nothing of polls.
//!
//! ```json
//! {"device_code":"4bcW…","user_code":"WDJB-MJHT","verification_uri":"http://127.0.0.1:8628/activate",
//!  "verification_uri_complete":"http://127.0.0.1:8628/activate?user_code=WDJB-MJHT","expires_in":600,"interval":5}
//! ```

use std::sync::Arc;

use axum::http::StatusCode;

use super::super::config::Grant;
use super::super::endpoint::Endpoint;
use super::super::error::{ErrorCode, Refusal, whole_seconds_up};
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::scope::Scopes;
use super::super::session::Asked;
use super::super::state::Server;
use super::super::terms::Terms;
use super::parameters;

/// Gives both codes, or says why not.
pub(super) fn answer(server: &Server, request: &Request, terms: &Terms) -> Result<Reply, Refusal> {
    let form = parameters::read(request, terms)?;
    let client = server.client(request, &form, terms)?;
    if terms.rules.broken(Rule::GrantAllowedForCodes, !client.may_use(Grant::DeviceCode)) {
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, "This client may not use the device grant."));
    }
    let scopes = parameters::scopes(&form, terms)?;
    parameters::resources(server, &form, terms)?;
    let asked = Asked {
        client: Arc::clone(&client.id),
        // The default is a scope of our own, so it has the form of one.
        scopes: scopes.or_else(|| Scopes::parse(terms.policy.default_scope).ok()).unwrap_or_default(),
        interval: client.interval.unwrap_or(terms.policy.interval),
        lifetime: client.lifetime.unwrap_or(terms.policy.lifetime),
        nonce: form.first("nonce").map(Into::into),
        from: request.from,
    };
    let page = server.url(Endpoint::Activate);
    let mut sessions = server.sessions();
    let (now, wall) = (server.now(), server.wall_milliseconds());
    let Ok(session) = sessions.issue(&mut rand::rng(), now, wall, terms, asked) else {
        return Ok(Reply::json(StatusCode::INTERNAL_SERVER_ERROR));
    };
    Ok(Reply::json(StatusCode::OK)
        .member("device_code", &*session.device_code)
        .member("user_code", &*session.user_code)
        .member("verification_uri", page.as_str())
        .member("verification_uri_complete", format!("{page}?user_code={}", session.user_code))
        .member("expires_in", session.asked.lifetime.as_secs())
        .member("interval", whole_seconds_up(session.asked.interval)))
}
