//! Before the first check: where the endpoints are, whether anybody is there, and what the target can do.
//!
//! Only what makes the whole run meaningless stops it: nobody listens, every client is refused by name, a configured
//! path is not there. Everything else, a 500 included, runs and is judged.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use url::Url;

use super::link::{Label, Link};
use super::resolve::{Resolved, well_known};
use super::session::Codes;
use crate::compose::{At, Composed, form_post, plain_get};
use crate::device::DEFAULT_INTERVAL;
use crate::exchange::{Exchange, NoAnswer};
use crate::outcome::Outcome;
use crate::plan::Found;
use crate::protocol::{Capability, DEVICE_CODE_GRANT, Endpoint, Role};
use crate::suite::{Edits, MetadataDocument};
use crate::target::{Client, Target};

/// So many other codes are tried on a server that does not know one of its own.
const OTHER_CODES: usize = 12;

/// The name under which preflight's exchanges are recorded.
const CASE: &str = "preflight";

/// The most of an issuer's name that is shown.
const LONGEST_ISSUER: usize = 200;

/// What preflight came to.
pub struct Preflight {
    /// Where the endpoints are.
    pub endpoints: Resolved,
    /// What the target can do.
    pub found: Found,
    /// What a reader of the report should know.
    pub notes: Vec<String>,
}

/// Why nothing can be judged. `Display` is the sentence alone, `Debug` is [`Trouble::text`]: a test that unwraps shows
/// everything.
#[derive(thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// One sentence.
    pub message: String,
    /// What was sent and what came, in a few lines.
    pub detail: Option<String>,
    /// What to do next.
    pub help: String,
}

impl Trouble {
    /// Everything, for people: the sentence, what was seen, what to do next.
    #[must_use]
    pub fn text(&self) -> String {
        format!("error: {}", self.words())
    }

    /// The same without the word `error`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut lines = vec![self.message.clone()];
        if let Some(detail) = &self.detail {
            lines.push(String::new());
            lines.extend(detail.lines().map(|line| format!("  {line}").trim_end().to_owned()));
            lines.push(String::new());
        }
        lines.push(format!("help: {}", self.help));
        lines.join("\n")
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
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
    let mut notes = Vec::new();
    let plain_http = is_plain_loopback(&endpoints.token);
    let looks_away = target.tls.as_ref().is_some_and(|tls| tls.insecure);
    let unassessed = if looks_away {
        Some("tls: { insecure: true }: no certificate was looked at, transport is not assessed")
    } else if !link.shared().has_tls() {
        Some("in this process, without a socket: transport is not assessed")
    } else if plain_http {
        Some("plain http on loopback: transport is not assessed")
    } else {
        None
    };
    notes.extend(unassessed.map(ToOwned::to_owned));

    let asked = ask_with_every_client(link, target, &endpoints).await;
    let mine = asked.iter().find(|asked| asked.role == Role::Tv).map(|asked| asked.exchange.clone());
    let Some(mine) = mine else {
        return Err(refused_by_us("no request could be sent"));
    };
    somebody_is_there(&endpoints.device_authorization, &mine)?;
    path_is_there(&endpoints.device_authorization, "device_authorization", &mine)?;
    some_client_is_known(&endpoints.device_authorization, &asked)?;

    let codes = Codes::read(&mine);
    let mut capabilities: BTreeSet<Capability> = target.declared().into_iter().collect();
    if let Some(codes) = &codes {
        let polled = poll_once(link, target, &endpoints, tv, codes).await;
        somebody_is_there(&endpoints.token, &polled)?;
        path_is_there(&endpoints.token, "token", &polled)?;
        clients_are_known_at_both(link, target, &endpoints, &asked, &polled).await?;
        if matches!(polled.outcome(), Outcome::Pending | Outcome::SlowDown) {
            capabilities.insert(Capability::Polling);
        }
        if codes.verification_uri_complete.is_some() && !target.lacks.contains(&Capability::CompleteUri) {
            capabilities.insert(Capability::CompleteUri);
        }
    } else {
        // Without codes nothing can be polled: the checks about the device authorization response say why.
        capabilities.insert(Capability::Polling);
    }
    for (there, capability) in [
        (endpoints.api.is_some(), Capability::Api),
        (endpoints.revocation.is_some(), Capability::Revocation),
        (endpoints.introspection.is_some(), Capability::Introspection),
        (endpoints.metadata(None).is_some(), Capability::Metadata),
    ] {
        if there && !target.lacks.contains(&capability) {
            capabilities.insert(capability);
        }
    }
    let lifetime_of = |exchange: Option<&Arc<Exchange>>| {
        exchange.and_then(|exchange| Codes::read(exchange)?.lifetime).unwrap_or(Duration::from_secs(600))
    };
    let lifetime = lifetime_of(Some(&mine));
    if lifetime <= Duration::from_secs(60) {
        capabilities.insert(Capability::ShortCodes);
    }
    let pace = asked.iter().find(|asked| asked.role == Role::Pace).map(|asked| &asked.exchange);
    let found = Found {
        capabilities,
        constants: target.constants(),
        interval: codes.and_then(|codes| codes.interval).unwrap_or(DEFAULT_INTERVAL),
        lifetime,
        pace_lifetime: pace.map_or(lifetime, |exchange| lifetime_of(Some(exchange))),
        plain_http,
        unassessed_transport: unassessed,
    };
    Ok(Preflight { endpoints, found, notes })
}

/// Which metadata may say where the endpoints are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// What is published, whatever issuer it names: that is for checks to judge.
    AsPublished,
    /// Only what names the very issuer that it was asked of, to the code point (RFC 8414 §3.3, §4).
    OfItsIssuer,
}

/// Where the endpoints are, by the target file and the issuer's metadata.
///
/// # Errors
/// Nobody listens, or an endpoint is nowhere to be found.
pub async fn locate(link: &Link, target: &Target, metadata: Metadata) -> Result<Resolved, Trouble> {
    let mut endpoints = Resolved::default();
    let found = match &target.issuer {
        Some(issuer) => discover(link, target, issuer, metadata, &mut endpoints).await?,
        None => Discovered::default(),
    };
    if let Err(message) = endpoints.fill(target, &found.members) {
        let nowhere = target.issuer.as_deref().filter(|_| endpoints.metadata(None).is_none());
        return Err(nowhere.map_or_else(|| incomplete(message), |issuer| nothing_at(issuer, &found.foreign)));
    }
    Ok(endpoints)
}

fn incomplete(message: String) -> Trouble {
    let help = "is the issuer right? without metadata, write endpoints.device_authorization and endpoints.token in the \
                target file";
    Trouble { message, detail: None, help: help.to_owned() }
}

/// The issuer has no metadata, or none that may be used.
fn nothing_at(issuer: &str, foreign: &[String]) -> Trouble {
    if !foreign.is_empty() {
        return Trouble {
            message: format!(
                "the metadata names another issuer than {issuer}: it must not be used (RFC 8414 §3.3)"
            ),
            detail: Some(foreign.join("\n")),
            help: "write the issuer in the target file exactly as the server does, if it is the right one"
                .to_owned(),
        };
    }
    let places = well_known(issuer).into_iter().map(|(_, url)| format!("no metadata at {url}"));
    Trouble {
        detail: Some(places.collect::<Vec<_>>().join("\n")),
        ..incomplete(format!("the issuer {issuer} publishes no metadata"))
    }
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
    let asked = ask(link, target, endpoints, Role::Tv, client).await;
    somebody_is_there(&endpoints.device_authorization, &asked.exchange)?;
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

struct AskedBy {
    role: Role,
    exchange: Arc<Exchange>,
}

async fn ask_with_every_client(link: &Link, target: &Target, endpoints: &Resolved) -> Vec<AskedBy> {
    let asks = target.clients.iter().map(|(role, client)| ask(link, target, endpoints, *role, client));
    futures_util::future::join_all(asks).await
}

async fn ask(link: &Link, target: &Target, endpoints: &Resolved, role: Role, client: &Client) -> AskedBy {
    let scope = client.scope.as_deref().map(|scope| ("scope", scope));
    let params: Vec<(&str, &str)> = scope.into_iter().collect();
    let at = At::of(target, Endpoint::DeviceAuthorization, &endpoints.device_authorization);
    let composed = form_post(at, &params, client, &Edits::default());
    AskedBy { role, exchange: send(link, Endpoint::DeviceAuthorization, role, composed).await }
}

/// Whether polls are understood decides over most of the checks. So a server error is looked at twice, and a server that
/// does not know a code of its own is asked about others: some lose a part of them.
async fn poll_once(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
    tv: &Client,
    codes: &Codes,
) -> Arc<Exchange> {
    let mut polled = poll_with(link, target, endpoints, Role::Tv, tv, &codes.device_code).await;
    if polled.outcome() == Outcome::Broken {
        polled = poll_with(link, target, endpoints, Role::Tv, tv, &codes.device_code).await;
    }
    for _ in 0..OTHER_CODES {
        if polled.error_word() != Some("invalid_grant") {
            break;
        }
        let asked = ask(link, target, endpoints, Role::Tv, tv).await;
        let Some(codes) = Codes::read(&asked.exchange) else { break };
        polled = poll_with(link, target, endpoints, Role::Tv, tv, &codes.device_code).await;
    }
    polled
}

async fn poll_with(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
    role: Role,
    client: &Client,
    device_code: &str,
) -> Arc<Exchange> {
    let params = [("grant_type", DEVICE_CODE_GRANT), ("device_code", device_code)];
    let composed =
        form_post(At::of(target, Endpoint::Token, &endpoints.token), &params, client, &Edits::default());
    send(link, Endpoint::Token, role, composed).await
}

async fn send(link: &Link, endpoint: Endpoint, client: Role, composed: Composed) -> Arc<Exchange> {
    let label = Label { case: CASE, endpoint, client, on_pace_from: None };
    link.exchange_patiently(link.shared(), label, composed).await
}

/// What the metadata documents of an issuer say.
#[derive(Default)]
struct Discovered {
    /// The members of all of them; the first document wins.
    members: Map<String, serde_json::Value>,
    /// The documents that were left aside, each with the issuer that it names.
    foreign: Vec<String>,
}

/// Tries the well-known places of the issuer in order; both documents are kept where both are there.
async fn discover(
    link: &Link,
    target: &Target,
    issuer: &str,
    metadata: Metadata,
    endpoints: &mut Resolved,
) -> Result<Discovered, Trouble> {
    let mut found = Discovered::default();
    for (document, url) in well_known(issuer) {
        let slot = match document {
            MetadataDocument::Oauth => &mut endpoints.oauth_metadata,
            MetadataDocument::Openid => &mut endpoints.openid_metadata,
            // Its place is said in the documents themselves.
            MetadataDocument::Jwks => continue,
        };
        if slot.is_some() {
            continue;
        }
        let composed = plain_get(At::of(target, Endpoint::Metadata, &url));
        let exchange = send(link, Endpoint::Metadata, Role::Tv, composed).await;
        somebody_is_there(&url, &exchange)?;
        let is_good = exchange.answer.as_ref().is_ok_and(|answer| answer.status == 200);
        let Some(document) = exchange.members().filter(|_| is_good) else { continue };
        let named = document.get("issuer").and_then(serde_json::Value::as_str);
        if metadata == Metadata::OfItsIssuer && named != Some(issuer) {
            let named: Option<String> = named.map(|named| named.chars().take(LONGEST_ISSUER).collect());
            // As a literal, so that nothing in it can move a terminal's cursor.
            found.foreign.push(named.map_or_else(
                || format!("{url} names no issuer"),
                |named| format!("{url} names the issuer {named:?}"),
            ));
            continue;
        }
        *slot = Some(url);
        for (name, value) in document {
            found.members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(found)
}

fn somebody_is_there(url: &str, exchange: &Exchange) -> Result<(), Trouble> {
    let origin = Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization());
    let trouble = match &exchange.answer {
        Err(NoAnswer::Refused) => format!("nobody listens at {origin}"),
        Err(error @ (NoAnswer::Unreachable(_) | NoAnswer::Tls(_))) => format!("{origin}: {error}"),
        Err(NoAnswer::Ours(error)) => return Err(refused_by_us(error)),
        Ok(_) | Err(_) => return Ok(()),
    };
    let help = match &exchange.answer {
        Err(NoAnswer::Tls(_)) => {
            "is the certificate good? an authority of your own is trusted with --ca FILE, or tls: { ca: FILE } in the target file"
        }
        _ => "is the server running, and is the address in the target file right?",
    };
    Err(Trouble { message: trouble, detail: None, help: help.to_owned() })
}

fn refused_by_us(error: &str) -> Trouble {
    Trouble {
        message: format!("the first request could not be sent: {error}"),
        detail: None,
        help: "this is trouble on this machine, not the server's".to_owned(),
    }
}

fn path_is_there(url: &str, key: &str, exchange: &Exchange) -> Result<(), Trouble> {
    let is_missing = exchange.outcome() == Outcome::Wordless
        && exchange.answer.as_ref().is_ok_and(|answer| answer.status == 404);
    if !is_missing {
        return Ok(());
    }
    Err(Trouble {
        message: format!("there is nothing at the {} endpoint", key.replace('_', " ")),
        detail: Some(format!("POST {url} was answered 404")),
        help: format!("check endpoints.{key} in the target file, or the metadata that names it"),
    })
}

/// The client is refused by name: `invalid_client` or `unauthorized_client`.
fn is_refused_by_name(exchange: &Exchange) -> bool {
    matches!(exchange.error_word(), Some("invalid_client" | "unauthorized_client"))
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
        let exchange = poll_with(link, target, endpoints, asked.role, client, &codes.device_code).await;
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
    let Ok(url) = Url::parse(url) else { return false };
    url.scheme() == "http"
        && match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}
