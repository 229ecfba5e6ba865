//! The protected API (RFC 6750, OpenID Connect Core §5.3). Knows no grant.

use axum::http::{HeaderValue, StatusCode, header};

use super::super::error::{ErrorCode, Refusal};
use super::super::form::Form;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::state::Server;
use super::super::terms::Terms;
use super::super::tokens::Kind;

/// Tells about the user of a token, or challenges (RFC 6750 §3).
pub(super) fn answer(server: &Server, request: &Request, terms: &Terms) -> Result<Reply, Refusal> {
    let Some(presented) = presented(request, terms)? else { return Ok(challenge()) };
    let tokens = server.tokens();
    let active =
        tokens.active(&presented, server.now(), terms.rules).filter(|token| token.kind == Kind::Access);
    let token = active.ok_or_else(|| {
        refusal(
            StatusCode::UNAUTHORIZED,
            ErrorCode::InvalidToken,
            "The access token is unknown, expired or revoked.",
            "",
        )
    })?;
    let reaches = terms.policy.api_scopes.iter().any(|scope| token.scopes.contains(scope));
    if terms.rules.broken(Rule::ApiWantsScope, !reaches) {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            ErrorCode::InsufficientScope,
            "The access token does not reach this far.",
            &format!(", scope=\"{}\"", terms.policy.api_scopes.join(" ")),
        ));
    }
    let name = &*token.consent.approval.user;
    let user = server.config.user(name);
    let profile = user.filter(|_| token.scopes.contains("profile")).map(|user| user.full_name.as_str());
    let email = user.filter(|_| token.scopes.contains("email")).map(|user| user.email.as_str());
    Ok(Reply::json(StatusCode::OK)
        .member("sub", name)
        .member_if("name", profile)
        .member_if("email", email)
        .member_if("email_verified", email.map(|_| true))
        .member("client_id", &*token.consent.client)
        .member("scope", token.scopes.to_string()))
}

/// The token of the header, the only place from which we take one (RFC 6750 §2.1).
fn presented(request: &Request, terms: &Terms) -> Result<Option<String>, Refusal> {
    let place =
        |bytes: &[u8]| Form::parse(bytes).ok().and_then(|form| form.first("access_token").map(str::to_owned));
    let elsewhere =
        place(request.query.as_bytes()).or_else(|| place(&request.body).filter(|_| request.is_form()));
    let strict = terms.rules.broken(Rule::OneTokenPlace, true);
    let Some(value) = request.headers.get(header::AUTHORIZATION) else {
        return Ok(elsewhere.filter(|_| !strict));
    };
    let malformed =
        |description| refusal(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, description, "");
    if strict && elsewhere.is_some() {
        return Err(malformed("Send the access token in one way, not in several."));
    }
    let text = value.to_str().map_err(|_| malformed("The Authorization header is malformed."))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim_start_matches(' ');
    // b64token of RFC 6750 §2.1.
    let body = token.trim_end_matches('=');
    if body.is_empty() || !body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
    {
        return Err(malformed("The Authorization header is malformed."));
    }
    Ok(Some(token.to_owned()))
}

/// Without a token nothing is said about errors (RFC 6750 §3.1).
fn challenge() -> Reply {
    Reply::empty(StatusCode::UNAUTHORIZED).header(header::WWW_AUTHENTICATE, bearer(""))
}

fn refusal(status: StatusCode, code: ErrorCode, description: &'static str, more: &str) -> Refusal {
    let error = format!(", error=\"{}\", error_description=\"{description}\"{more}", code.word());
    Refusal::new(code, description).status(status).header(header::WWW_AUTHENTICATE, bearer(&error))
}

fn bearer(more: &str) -> HeaderValue {
    let value = HeaderValue::from_str(&format!("Bearer realm=\"devgrant test server\"{more}"));
    // Our own words are visible ASCII, so there is no other case.
    value.unwrap_or(HeaderValue::from_static("Bearer realm=\"devgrant test server\""))
}
