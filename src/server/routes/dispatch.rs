//! The one way from a request to its reply. Knows which handler a place has, and nothing else.

use axum::http::{HeaderValue, Method, StatusCode, header};

use super::super::endpoint::{Audience, Endpoint};
use super::super::error::{ErrorCode, Refusal};
use super::super::pages;
use super::super::reply::{Body, Reply};
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::state::Server;
use super::super::terms::Terms;
use super::{device_authorization, introspect, metadata, revoke, token, userinfo};

/// The methods of RFC 9110 §9.3 and PATCH; any other is unknown to us (§9.1).
const KNOWN_METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::CONNECT,
    Method::OPTIONS,
    Method::TRACE,
    Method::PATCH,
];

/// Answers a request.
pub(in super::super) async fn answer(server: &Server, request: &Request) -> Reply {
    let terms = server.terms_of(request);
    let taken = terms.effects.read(request);
    let request = &*taken;
    let delay = terms.effects.delay(request.endpoint);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let reply = match admit(request, &terms) {
        Ok(()) => handle(server, request, &terms).await.unwrap_or_else(Reply::from),
        Err(refusal) if request.endpoint.audience() == Audience::Person => pages::refused(server, &refusal),
        Err(refusal) => refusal.into(),
    };
    let mut reply = reply.with_headers(terms.policy.headers(request.endpoint.audience()));
    terms.effects.edit(request, &mut reply);
    if request.method == Method::HEAD {
        reply.body = Body::Empty;
    }
    reply
}

/// Whether the request is taken at all, and the place has its method.
fn admit(request: &Request, terms: &Terms) -> Result<(), Refusal> {
    if let Some(code) = terms.effects.refusal(request) {
        return Err(Refusal::new(code, "This request is not taken here."));
    }
    let methods = request.endpoint.methods();
    if !terms.rules.broken(Rule::MethodsAsDeclared, !methods.contains(&request.method)) {
        return Ok(());
    }
    if !KNOWN_METHODS.contains(&request.method) {
        return Err(Refusal::new(ErrorCode::InvalidRequest, "This method is not known here.")
            .status(StatusCode::NOT_IMPLEMENTED));
    }
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let refusal = Refusal::new(ErrorCode::InvalidRequest, "This method is not allowed here.")
        .status(StatusCode::METHOD_NOT_ALLOWED);
    Err(match HeaderValue::from_str(&names.join(", ")) {
        Ok(allow) => refusal.header(header::ALLOW, allow),
        // Method names are tokens, so there is no other case.
        Err(_) => refusal,
    })
}

async fn handle(server: &Server, request: &Request, terms: &Terms) -> Result<Reply, Refusal> {
    match request.endpoint {
        Endpoint::Activate => Ok(pages::activate(server, request, terms).await),
        Endpoint::Decision => Ok(pages::decision(server, request, terms).await),
        Endpoint::DeviceAuthorization => device_authorization::answer(server, request, terms),
        Endpoint::Introspection => introspect::answer(server, request, terms),
        Endpoint::Jwks => metadata::keys().await,
        Endpoint::Login => Ok(pages::login(server, request, terms)),
        Endpoint::Metadata | Endpoint::OpenIdMetadata => Ok(metadata::document(server, terms)),
        Endpoint::Revocation => revoke::answer(server, request, terms),
        Endpoint::SignOut => Ok(pages::sign_out(server, request, terms)),
        Endpoint::Stylesheet => Ok(pages::stylesheet()),
        Endpoint::Token => token::answer(server, request, terms).await,
        Endpoint::UserInfo => userinfo::answer(server, request, terms),
    }
}
