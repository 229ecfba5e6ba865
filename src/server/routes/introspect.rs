//! Token introspection (RFC 7662). Knows no session: a device code is no token.

use axum::http::StatusCode;

use super::super::endpoint::Endpoint;
use super::super::error::Refusal;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::state::Server;
use super::super::terms::Terms;
use super::super::tokens::Kind;
use super::parameters;

/// Tells about a token, to any client that can authenticate. `token_type_hint` is not needed (§2.1).
pub(super) fn answer(server: &Server, request: &Request, terms: &Terms) -> Result<Reply, Refusal> {
    let form = parameters::read(request, terms)?;
    server.client(request, &form, terms)?;
    let value = parameters::required(&form, "token", "token is missing.")?;
    let tokens = server.tokens();
    let reply = Reply::json(StatusCode::OK);
    let Some(token) = tokens.active(value, server.now(), terms.rules) else {
        // Nothing else is said about a token that is not active (§2.2).
        return Ok(reply.member("active", false));
    };
    Ok(reply
        .member("active", true)
        .member("scope", token.scopes.to_string())
        .member("client_id", &*token.consent.client)
        .member("username", &*token.consent.approval.user)
        .member_if("token_type", (token.kind == Kind::Access).then_some("Bearer"))
        .member("exp", token.ends)
        .member("iat", token.issued)
        .member("sub", &*token.consent.approval.user)
        .member("aud", server.url(Endpoint::UserInfo))
        .member("iss", server.origin.as_str()))
}
