//! Token revocation (RFC 7009). Knows no session.

use axum::http::StatusCode;

use super::super::error::{ErrorCode, Refusal};
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::state::Server;
use super::super::terms::Terms;
use super::parameters;

/// Revokes a token. `token_type_hint` is not needed: both kinds are in one place (RFC 7009 §2.1).
pub(super) fn answer(server: &Server, request: &Request, terms: &Terms) -> Result<Reply, Refusal> {
    let form = parameters::read(request, terms)?;
    let client = server.client(request, &form, terms)?;
    let token = parameters::required(&form, "token", "token is missing.")?;
    let is_misled =
        form.first("token_type_hint") == Some("access_token") && server.tokens().is_refresh_token(token);
    if is_misled && terms.rules.waived(Rule::HintIsNoMatter) {
        return Ok(Reply::empty(StatusCode::OK));
    }
    match server.tokens().revoke(token, client, terms.rules) {
        Ok(()) => Ok(Reply::empty(StatusCode::OK)),
        Err(_) => Err(Refusal::new(ErrorCode::InvalidGrant, "The token was issued to another client.")),
    }
}
