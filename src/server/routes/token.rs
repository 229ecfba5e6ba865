//! The token endpoint: polls (RFC 8628 §3.4, §3.5) and refreshes (RFC 6749 §6). Knows no page.

use axum::http::StatusCode;

use super::super::config::{Client, Grant};
use super::super::error::{ErrorCode, Refusal};
use super::super::faults::Operation;
use super::super::form::Form;
use super::super::id_token::IdToken;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::session::{PollKind, PollOutcome};
use super::super::signing;
use super::super::state::Server;
use super::super::terms::Terms;
use super::super::tokens::{Issued, NoRefresh, Present};
use super::parameters;

/// Gives tokens, or says why not.
pub(super) async fn answer(server: &Server, request: &Request, terms: &Terms) -> Result<Reply, Refusal> {
    let form = parameters::read(request, terms)?;
    let client = server.client(request, &form, terms)?;
    let grant_type = parameters::required(&form, "grant_type", "grant_type is missing.")?;
    let grant = [Grant::DeviceCode, Grant::RefreshToken].into_iter().find(|grant| grant.name() == grant_type);
    let grant = grant
        .ok_or(Refusal::new(ErrorCode::UnsupportedGrantType, "This grant type is not supported here."))?;
    if terms.rules.broken(Rule::GrantAllowedForTokens, !client.may_use(grant)) {
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, "This client may not use this grant."));
    }
    parameters::resources(server, &form, terms)?;
    match grant {
        Grant::DeviceCode => poll(server, client, &form, terms).await,
        Grant::RefreshToken => {
            Ok(success(server, terms, &refresh(server, client, &form, terms)?, None).await)
        }
    }
}

/// One device access token request. No client's `scope` counts here: it was part of the first request.
async fn poll(server: &Server, client: &Client, form: &Form, terms: &Terms) -> Result<Reply, Refusal> {
    let device_code = parameters::required(form, "device_code", "device_code is missing.")?;
    let now = server.present();
    let (outcome, nonce, torn) = {
        let mut sessions = server.sessions();
        let may_tear = terms.effects.tear_anything();
        let before = may_tear.then(|| sessions.with_device_code(device_code).cloned()).flatten();
        let outcome = sessions.poll(device_code, &client.id, now.moment, terms);
        let wait = operation(outcome.kind()).and_then(|operation| terms.effects.tear(operation));
        let session = wait.and_then(|_| sessions.with_device_code(device_code));
        let after = session.zip(before).map(|(session, before)| std::mem::replace(session, before));
        let granted = (outcome.kind() == PollKind::Granted).then(|| sessions.with_device_code(device_code));
        let nonce = granted.flatten().and_then(|session| session.asked.nonce.clone());
        (outcome, nonce, wait.zip(after))
    };
    if let Some((wait, after)) = torn {
        tokio::time::sleep(wait).await;
        server.sessions().put_back(after);
    }
    let kind = outcome.kind();
    if kind == PollKind::Used {
        server.tokens().replayed(device_code, terms.rules);
    }
    let answered = match (terms.effects.replacement(kind), outcome) {
        (Some(code), _) => Err(Refusal::new(code, "So it is, on purpose.")),
        (None, outcome) => issue(server, client, form, now, terms, outcome),
    };
    let mut reply = match answered {
        Ok(issued) => success(server, terms, &issued, nonce.as_deref()).await,
        Err(refusal) => refusal.into(),
    };
    terms.effects.respond(kind, &mut reply);
    Ok(reply)
}

/// What a poll of this outcome does to its session.
const fn operation(outcome: PollKind) -> Option<Operation> {
    match outcome {
        PollKind::Granted => Some(Operation::Redeem),
        PollKind::Pending | PollKind::SlowDown => Some(Operation::Wait),
        PollKind::Denied | PollKind::Expired | PollKind::Foreign | PollKind::Unknown | PollKind::Used => None,
    }
}

/// The token of an approved session, or why there is none.
fn issue(
    server: &Server,
    client: &Client,
    form: &Form,
    now: Present,
    terms: &Terms,
    outcome: PollOutcome,
) -> Result<Issued, Refusal> {
    match outcome {
        PollOutcome::Granted(approval, approved) => {
            let scopes = if terms.rules.waived(Rule::PollKeepsScope) {
                parameters::scopes(form, terms)?.unwrap_or(approved)
            } else {
                approved
            };
            let code = form.first("device_code").unwrap_or_default();
            Ok(server.tokens().issue(&mut rand::rng(), now, terms, client, approval, scopes, code))
        }
        PollOutcome::Denied => Err(Refusal::new(ErrorCode::AccessDenied, "The user denied access.")),
        PollOutcome::Expired => Err(Refusal::new(ErrorCode::ExpiredToken, "The device code has expired.")),
        PollOutcome::Pending => {
            Err(Refusal::new(ErrorCode::AuthorizationPending, "The user has not decided yet."))
        }
        PollOutcome::SlowDown => Err(Refusal::new(
            ErrorCode::SlowDown,
            "The user has not decided yet; wait longer between polls from now on.",
        )),
        PollOutcome::Foreign | PollOutcome::Unknown | PollOutcome::Used => Err(Refusal::new(
            ErrorCode::InvalidGrant,
            "The device code is unknown, used, or was issued to another client.",
        )),
    }
}

fn refresh(server: &Server, client: &Client, form: &Form, terms: &Terms) -> Result<Issued, Refusal> {
    let refresh_token = parameters::required(form, "refresh_token", "refresh_token is missing.")?;
    let wanted = parameters::scopes(form, terms)?;
    let now = server.present();
    let issued = server.tokens().refresh(&mut rand::rng(), now, terms, client, refresh_token, wanted);
    issued.map_err(|why| match why {
        NoRefresh::InvalidToken => Refusal::new(
            ErrorCode::InvalidGrant,
            "The refresh token is unknown, expired, revoked, used, or was issued to another client.",
        ),
        NoRefresh::ScopeTooWide => {
            Refusal::new(ErrorCode::InvalidScope, "The scope is more than the user approved.")
        }
    })
}

/// The ID token that goes with an access token.
async fn id_token(server: &Server, terms: &Terms, issued: &Issued, nonce: Option<&str>) -> Option<String> {
    let keys = signing::keys().await?;
    let algorithm = server.config.client(&issued.consent.client)?.id_token_algorithm;
    let lifetime = i64::try_from(terms.policy.id_token_lifetime.as_secs()).unwrap_or(i64::MAX);
    let half_digest = signing::half_digest(&issued.access_token);
    let token = IdToken::new(&server.origin, issued, nonce, lifetime, &half_digest);
    let mut token = keys.head(token, algorithm);
    terms.effects.forge(&mut token);
    keys.sign(&token, algorithm)
}

/// A successful response (RFC 6749 §5.1), with an ID token if `openid` is among the scopes (OpenID Connect Core
/// §3.1.3.3).
async fn success(server: &Server, terms: &Terms, issued: &Issued, nonce: Option<&str>) -> Reply {
    let id_token =
        if issued.scopes.contains("openid") { id_token(server, terms, issued, nonce).await } else { None };
    Reply::json(StatusCode::OK)
        .member("access_token", &*issued.access_token)
        .member("token_type", "Bearer")
        .member("expires_in", issued.expires_in.as_secs())
        .member_if("refresh_token", issued.refresh_token.as_deref())
        .member("scope", issued.scopes.to_string())
        .member_if("id_token", id_token)
}
