//! Why a client gets no codes: a wrong id, a wrong secret, a wrong way to authenticate, no grant, a wrong scope.
//!
//! Most servers say `invalid_client` to all of the first three. So one more request is sent by an id that nobody has, and,
//! where there is a secret, one that sends it the other way.

use std::collections::BTreeMap;

use super::Doctor;
use super::clients::{answer, manner};
use crate::diagnosis::{Line, State};
use crate::exchange::Exchange;
use crate::outcome::Outcome;
use crate::protocol::{AuthMethod, DEVICE_CODE_GRANT, Endpoint, Role};
use crate::runner::preflight::{AskedBy, ask};
use crate::runner::resolve::Resolved;
use crate::target::Client;

impl Doctor<'_> {
    /// A client that has no codes.
    pub(super) async fn refused(&self, endpoints: &Resolved, asked: &AskedBy, client: &Client) -> Line {
        let AskedBy { role, exchange } = asked;
        let who = format!("{:?} ({})", client.id, manner(client));
        let line = |state, seen: String| Line::new("client", state, seen).detail(answer(self, exchange));
        let grant = format!("allow it the grant {DEVICE_CODE_GRANT} on the server");
        match (exchange.outcome(), exchange.error_word()) {
            (Outcome::Limited, _) => line(State::Failed, format!("{who} is told to wait"))
                .help("is there a rate limit? wait, or raise it for this machine"),
            (_, Some("unauthorized_client" | "unsupported_grant_type" | "access_denied"))
                if *role == Role::NoGrant =>
            {
                Line::new("client", State::Ok, format!("{who} may not use the grant, as it should be"))
            }
            (_, Some(word)) if *role == Role::NoGrant && word != "invalid_client" => {
                line(State::Warning, format!("{who} gets no codes, as it should be, and is told {word}"))
                    .help(
                        "unauthorized_client would say why (RFC 6749 §5.2); devgrant check judges the answer",
                    )
            }
            (_, Some("unauthorized_client")) => {
                line(State::Failed, format!("{who} may not use the device grant")).help(grant)
            }
            (_, Some("unsupported_grant_type")) => {
                line(State::Failed, "the server does not offer the device grant".to_owned())
                    .help("switch it on at the server")
            }
            (_, Some("invalid_client")) => self.unknown(endpoints, *role, client, exchange).await,
            (_, Some("invalid_scope")) => {
                let scope = client.scope.as_deref().unwrap_or_default();
                line(State::Failed, format!("{who} may not ask for the scope {scope:?}")).help(format!(
                    "change clients.{role}.scope in the target file, or what the server allows"
                ))
            }
            (Outcome::Broken | Outcome::Malformed | Outcome::Wordless, _) => {
                line(State::Failed, format!("{who} gets an answer that has no codes and no OAuth error"))
                    .help("is this the right address? devgrant check judges the answer")
            }
            _ => line(State::Failed, format!("{who} gets no codes")).help("devgrant check judges the answer"),
        }
    }

    /// `invalid_client`: the id, the secret, or the way it is sent.
    async fn unknown(&self, endpoints: &Resolved, role: Role, client: &Client, refusal: &Exchange) -> Line {
        let line = |state, seen: String| Line::new("client", state, seen).detail(answer(self, refusal));
        let id = &client.id;
        let other = match client.auth_method_at(Endpoint::DeviceAuthorization) {
            AuthMethod::Basic => Some((AuthMethod::Post, "post")),
            AuthMethod::Post => Some((AuthMethod::Basic, "basic")),
            AuthMethod::None => client.secret.is_some().then_some((AuthMethod::Basic, "basic")),
        };
        if let Some((method, word)) = other {
            let otherwise = Client { auth: Some(method), auth_at: BTreeMap::new(), ..client.clone() };
            let asked = ask(self.link, endpoints, role, &otherwise).await;
            if asked.exchange.outcome() == Outcome::Codes {
                let seen =
                    format!("{id:?} gets codes when its secret is sent by {word}, and not as it is written");
                return line(State::Failed, seen)
                    .help(format!("write auth: {word} at clients.{role} in the target file"));
            }
        }
        let nobody = Client { id: format!("nobody-{:08x}", rand::random::<u32>()), ..client.clone() };
        let asked = ask(self.link, endpoints, Role::Unknown, &nobody).await;
        let knows_the_id = said(&asked.exchange) != said(refusal);
        let (seen, help) = match (client.secret.is_some(), knows_the_id) {
            (true, true) => (
                format!("the server knows the client {id:?}, and refuses its secret"),
                format!("check clients.{role}.secret in the target file"),
            ),
            (true, false) => (
                format!("the server does not take the client {id:?} with its secret"),
                format!(
                    "it says the same of a client that nobody has: check clients.{role}.id and its secret in the \
                     target file"
                ),
            ),
            (false, true) => (
                format!("the server knows the client {id:?}, and not as a public one"),
                format!("give clients.{role} its secret, or register it without one"),
            ),
            (false, false) => (
                format!("the server does not know the client {id:?}"),
                format!(
                    "check clients.{role}.id in the target file: it is refused as one that nobody has is"
                ),
            ),
        };
        // The role is for a client that is known, and may not.
        let state = if role == Role::NoGrant { State::Warning } else { State::Failed };
        line(state, seen).help(help)
    }
}

/// What tells one refusal from another.
fn said(exchange: &Exchange) -> (u16, Option<&str>, Option<&str>) {
    let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
    let words = exchange.members().and_then(|members| members.get("error_description")?.as_str());
    (status, exchange.error_word(), words)
}
