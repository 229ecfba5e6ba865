//! Before the first check: where the endpoints are, whether anybody is there, and what the target can do.
//!
//! Only what makes the whole run meaningless stops it: no connection or no TLS, a configured path that is not there, every
//! client refused by name, metadata of another host; before a run with decisions, a sign-in that is refused (`sign_in`).
//! Everything else, a 500 included, runs and is judged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::link::{Label, Link};
use super::locate::{Metadata, incomplete, locate};
use super::resolve::Resolved;
use super::session::Codes;
use super::trouble::{Trouble, is_refused_by_name, path_is_there, refused_by_us, somebody_is_there};
use crate::approval::may_take_passwords;
use crate::compose::{Composed, form_post};
use crate::device::DEFAULT_INTERVAL;
use crate::exchange::Exchange;
use crate::outcome::Outcome;
use crate::plan::Found;
use crate::protocol::{Capability, DEVICE_CODE_GRANT, Endpoint, Role};
use crate::suite::Edits;
use crate::target::{Client, Target};

/// So many other codes are tried on a server that does not know one of its own.
const OTHER_CODES: usize = 12;

/// The name under which preflight's exchanges are recorded.
pub(super) const CASE: &str = "preflight";

/// The lifetime of codes where the server announces none.
const NO_LIFETIME: Duration = Duration::from_secs(600);

/// What preflight came to.
pub struct Preflight {
    /// Where the endpoints are.
    pub endpoints: Resolved,
    /// What the target can do.
    pub found: Found,
    /// What a reader of the report should know.
    pub notes: Vec<String>,
}

/// Finds the endpoints, asks for codes once with every client, and polls once.
///
/// # Errors
/// Nobody listens, the configuration is wrong, or we are in trouble ourselves.
pub async fn preflight(link: &Link, target: &Target) -> Result<Preflight, Trouble> {
    let tv = target.clients.get(&Role::Tv).ok_or_else(|| Trouble {
        message: "the target file names no client tv".to_owned(),
        detail: None,
        help: "add clients.tv: the public client that checks use unless they say otherwise".to_owned(),
    })?;
    let endpoints = locate(link, target, Metadata::AsPublished).await?;
    let asked = ask_with_every_client(link, target, &endpoints).await;
    let Some(mine) = answer_to(&asked, Role::Tv) else {
        return Err(refused_by_us("no request could be sent"));
    };
    somebody_is_there(link, mine).await?;
    path_is_there("device_authorization", mine)?;
    some_client_is_known(&endpoints.device_authorization, &asked)?;

    let mut polled = None;
    if let Some(codes) = &Codes::read(mine) {
        let first = poll_once(link, &endpoints, tv, codes).await;
        somebody_is_there(link, &first).await?;
        path_is_there("token", &first)?;
        clients_are_known_at_both(link, target, &endpoints, &asked, &first).await?;
        polled = Some(first);
    }
    let found = Looked { target, endpoints: &endpoints, asked: &asked, polled: polled.as_deref() }
        .found(link.shared().has_tls());
    let notes = found.unassessed_transport.map(ToOwned::to_owned).into_iter().collect();
    Ok(Preflight { endpoints, found, notes })
}

/// What was asked of a target before anything is judged.
pub(super) struct Looked<'a> {
    pub(super) target: &'a Target,
    pub(super) endpoints: &'a Resolved,
    /// One device authorization request of every client.
    pub(super) asked: &'a [AskedBy],
    /// One poll with a code of `tv`, where it has one.
    pub(super) polled: Option<&'a Exchange>,
}

impl Looked<'_> {
    /// What the target can do, declared or seen; `has_tls` says whether there is TLS on the way to it.
    pub(super) fn found(&self, has_tls: bool) -> Found {
        let Self { target, endpoints, asked, polled } = self;
        let plain_http = is_plain_loopback(&endpoints.token);
        let looks_away = target.tls.as_ref().is_some_and(|tls| tls.insecure);
        let unassessed_transport = if looks_away {
            Some("tls: { insecure: true }: no certificate was looked at, transport is not assessed")
        } else if !has_tls {
            Some("in this process, without a socket: transport is not assessed")
        } else if plain_http {
            Some("plain http on loopback: transport is not assessed")
        } else {
            None
        };
        let codes_of = |role| answer_to(asked, role).and_then(|exchange| Codes::read(exchange));
        let codes = codes_of(Role::Tv);
        let lifetime_of =
            |codes: Option<Codes>| codes.and_then(|codes| codes.lifetime).unwrap_or(NO_LIFETIME);
        let lifetime = lifetime_of(codes.clone());
        let has_complete_uri = codes.as_ref().is_some_and(|codes| codes.verification_uri_complete.is_some());
        let is_polled = polled.map_or(
            // Without codes nothing can be polled: the checks about the device authorization response say why.
            codes.is_none(),
            |polled| matches!(polled.outcome(), Outcome::Pending | Outcome::SlowDown),
        );
        let mut capabilities: BTreeSet<Capability> = target.declared().into_iter().collect();
        for (there, capability) in [
            (endpoints.api.is_some(), Capability::Api),
            (endpoints.revocation.is_some(), Capability::Revocation),
            (endpoints.introspection.is_some(), Capability::Introspection),
            (endpoints.metadata(None).is_some(), Capability::Metadata),
            (has_complete_uri, Capability::CompleteUri),
        ] {
            if there && !target.lacks.contains(&capability) {
                capabilities.insert(capability);
            }
        }
        for (there, capability) in
            [(is_polled, Capability::Polling), (lifetime <= Duration::from_secs(60), Capability::ShortCodes)]
        {
            if there {
                capabilities.insert(capability);
            }
        }
        let pace_lifetime =
            answer_to(asked, Role::Pace).map_or(lifetime, |exchange| lifetime_of(Codes::read(exchange)));
        Found {
            capabilities,
            constants: target.constants(),
            interval: codes.and_then(|codes| codes.interval).unwrap_or(DEFAULT_INTERVAL),
            lifetime,
            pace_lifetime,
            plain_http,
            unassessed_transport,
        }
    }
}

/// What came of the request of a client.
pub(super) fn answer_to(asked: &[AskedBy], role: Role) -> Option<&Arc<Exchange>> {
    asked.iter().find(|asked| asked.role == role).map(|asked| &asked.exchange)
}

/// What the server announces to `tv`: the interval, 5 s where it names none (RFC 8628 §3.2), and the lifetime of its codes.
///
/// # Errors
/// It gives no codes.
pub async fn announced(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
) -> Result<(Duration, Duration), Trouble> {
    let client =
        target.client(Role::Tv).ok_or_else(|| incomplete("the target names no client tv".to_owned()))?;
    let asked = ask(link, endpoints, Role::Tv, client).await;
    somebody_is_there(link, &asked.exchange).await?;
    let codes = Codes::read(&asked.exchange);
    let times = codes.and_then(|codes| Some((codes.interval.unwrap_or(DEFAULT_INTERVAL), codes.lifetime?)));
    times.ok_or_else(|| Trouble {
        message: format!(
            "the device authorization endpoint gives {} no codes with a lifetime: {}",
            client.id,
            asked.exchange.outcome()
        ),
        detail: asked.exchange.error_word().map(|word| format!("error: {word:?}")),
        help: "is the client registered, with its secret and its scope as in the target file? devgrant check says more"
            .to_owned(),
    })
}

/// A device authorization request of a client, and what came of it.
pub(super) struct AskedBy {
    pub(super) role: Role,
    pub(super) exchange: Arc<Exchange>,
}

pub(super) async fn ask_with_every_client(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
) -> Vec<AskedBy> {
    let asks = target.clients.iter().map(|(role, client)| ask(link, endpoints, *role, client));
    futures_util::future::join_all(asks).await
}

pub(super) async fn ask(link: &Link, endpoints: &Resolved, role: Role, client: &Client) -> AskedBy {
    let scope = client.scope.as_deref().map(|scope| ("scope", scope));
    let params: Vec<(&str, &str)> = scope.into_iter().collect();
    let composed = form_post(
        link.at(Endpoint::DeviceAuthorization, &endpoints.device_authorization),
        &params,
        client,
        &Edits::default(),
    );
    AskedBy { role, exchange: send(link, Endpoint::DeviceAuthorization, role, composed).await }
}

/// Whether polls are understood decides over most of the checks. So a server error is looked at twice, and a server that
/// does not know a code of its own is asked about others: some lose a part of them.
pub(super) async fn poll_once(
    link: &Link,
    endpoints: &Resolved,
    tv: &Client,
    codes: &Codes,
) -> Arc<Exchange> {
    let mut polled = poll_with(link, endpoints, Role::Tv, tv, &codes.device_code).await;
    if polled.outcome() == Outcome::Broken {
        polled = poll_with(link, endpoints, Role::Tv, tv, &codes.device_code).await;
    }
    for _ in 0..OTHER_CODES {
        if polled.error_word() != Some("invalid_grant") {
            break;
        }
        let asked = ask(link, endpoints, Role::Tv, tv).await;
        let Some(codes) = Codes::read(&asked.exchange) else { break };
        polled = poll_with(link, endpoints, Role::Tv, tv, &codes.device_code).await;
    }
    polled
}

pub(super) async fn poll_with(
    link: &Link,
    endpoints: &Resolved,
    role: Role,
    client: &Client,
    device_code: &str,
) -> Arc<Exchange> {
    let params = [("grant_type", DEVICE_CODE_GRANT), ("device_code", device_code)];
    let composed = form_post(link.at(Endpoint::Token, &endpoints.token), &params, client, &Edits::default());
    send(link, Endpoint::Token, role, composed).await
}

pub(super) async fn send(link: &Link, endpoint: Endpoint, client: Role, composed: Composed) -> Arc<Exchange> {
    let label = Label { case: CASE, endpoint, client, on_pace_from: None };
    link.exchange_patiently(link.shared(), label, composed).await
}

fn refused_line(asked: &AskedBy, endpoint: &str) -> String {
    let status = asked.exchange.answer.as_ref().map_or(0, |answer| answer.status);
    let error = asked.exchange.error_word().unwrap_or_default();
    format!("POST {endpoint} as {} was answered {status} {error}", asked.role)
}

fn some_client_is_known(url: &str, asked: &[AskedBy]) -> Result<(), Trouble> {
    let may_be_known: Vec<&AskedBy> = asked.iter().filter(|asked| asked.role != Role::NoGrant).collect();
    if !may_be_known.iter().all(|asked| is_refused_by_name(&asked.exchange)) {
        return Ok(());
    }
    Err(Trouble {
        message: "the device authorization endpoint knows none of the configured clients".to_owned(),
        detail: Some(
            may_be_known.iter().map(|asked| refused_line(asked, url)).collect::<Vec<_>>().join("\n"),
        ),
        help: "are they registered for the device grant? check clients in the target file".to_owned(),
    })
}

/// A client that gets codes and may not poll is most often a mistake of registration, when it is so for all of them.
async fn clients_are_known_at_both(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
    asked: &[AskedBy],
    first: &Arc<Exchange>,
) -> Result<(), Trouble> {
    if !is_refused_by_name(first) {
        return Ok(());
    }
    let mut lines = Vec::new();
    for asked in asked.iter().filter(|asked| asked.role != Role::NoGrant) {
        let (Some(client), Some(codes)) = (target.clients.get(&asked.role), Codes::read(&asked.exchange))
        else {
            continue;
        };
        let exchange = poll_with(link, endpoints, asked.role, client, &codes.device_code).await;
        if !is_refused_by_name(&exchange) {
            return Ok(());
        }
        lines.push(refused_line(&AskedBy { role: asked.role, exchange }, &endpoints.token));
    }
    Err(Trouble {
        message: "the token endpoint knows none of the configured clients, while the device authorization endpoint \
                  gives them codes"
            .to_owned(),
        detail: Some(lines.join("\n")),
        help: "are they registered for the device grant? check clients in the target file".to_owned(),
    })
}

/// Is this plain http on this machine?
fn is_plain_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "http" && may_take_passwords(&url))
}
