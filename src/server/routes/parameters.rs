//! The parameters of a protocol request, admitted or refused (RFC 6749 §3.2, RFC 8628 §3.1). Knows no grant.

use super::super::endpoint::Endpoint;
use super::super::error::{ErrorCode, Refusal};
use super::super::form::{Form, Malformed};
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::scope::Scopes;
use super::super::state::Server;
use super::super::terms::Terms;

/// What must never stand in a URI.
const CREDENTIALS: [&str; 6] =
    ["client_secret", "client_assertion", "device_code", "password", "refresh_token", "token"];

/// The parameter that may be repeated (RFC 8707 §2).
const REPEATABLE: [&str; 1] = ["resource"];

/// The parameters of a protocol request.
pub(super) fn read(request: &Request, terms: &Terms) -> Result<Form, Refusal> {
    let rules = terms.rules;
    let query = Form::parse(request.query.as_bytes()).map_err(malformed)?;
    let exposed = CREDENTIALS.iter().any(|name| query.first(name).is_some());
    if rules.broken(Rule::NoCredentialsInUri, exposed) {
        return Err(Refusal::invalid_request(
            "Credentials and codes belong into the body, never into the URI.",
        ));
    }
    if rules.broken(Rule::FormBody, !request.is_form()) {
        return Err(Refusal::invalid_request("The body must be application/x-www-form-urlencoded."));
    }
    let mut form = Form::parse(&request.body).map_err(malformed)?;
    if rules.waived(Rule::ParametersInBody) {
        form = form.and(query);
    }
    if !rules.waived(Rule::EmptyIsOmitted) {
        form = form.without_empty();
    }
    if rules.broken(Rule::ParametersOnce, form.repeats(&REPEATABLE)) {
        return Err(Refusal::invalid_request("A parameter stands more than once."));
    }
    Ok(form)
}

/// A parameter that must be there.
pub(super) fn required<'form>(
    form: &'form Form,
    name: &'form str,
    missing: &'static str,
) -> Result<&'form str, Refusal> {
    form.first(name).ok_or(Refusal::invalid_request(missing))
}

/// The scopes a request asks for, if any (RFC 6749 §3.3).
pub(super) fn scopes(form: &Form, terms: &Terms) -> Result<Option<Scopes>, Refusal> {
    let Some(text) = form.first("scope") else { return Ok(None) };
    let known = |scopes: &Scopes| {
        scopes.iter().all(|token| terms.policy.scopes.iter().any(|scope| scope.token == token))
    };
    let scopes = Scopes::parse(text).ok();
    if terms.rules.broken(Rule::ScopeIsKnown, !scopes.as_ref().is_some_and(known)) {
        return Err(Refusal::new(ErrorCode::InvalidScope, "The scope is unknown or malformed."));
    }
    Ok(scopes)
}

/// Whether every resource that a request names is the one there is (RFC 8707 §2).
pub(super) fn resources(server: &Server, form: &Form, terms: &Terms) -> Result<(), Refusal> {
    let foreign = form.all("resource").any(|resource| resource != server.url(Endpoint::UserInfo));
    if terms.rules.broken(Rule::ResourceIsKnown, foreign) {
        return Err(Refusal::new(ErrorCode::InvalidTarget, "There is no such resource here."));
    }
    Ok(())
}

fn malformed(_: Malformed) -> Refusal {
    Refusal::invalid_request("The parameters are not form-urlencoded UTF-8.")
}
