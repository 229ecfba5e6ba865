//! Where a target's endpoints are, by its file and by the metadata of its issuer (RFC 8414).

use serde_json::{Map, Value};
use url::Url;

use super::link::Link;
use super::preflight::send;
use super::resolve::{Resolved, well_known};
use super::trouble::{Trouble, somebody_is_there};
use crate::compose::plain_get;
use crate::protocol::{Endpoint, Role};
use crate::suite::MetadataDocument;
use crate::target::Target;

/// The most of an issuer's name that is shown.
const LONGEST_ISSUER: usize = 200;

/// Which metadata may say where the endpoints are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// What is published, whatever issuer it names: that is for checks to judge, where the host is the same.
    AsPublished,
    /// Only what names the very issuer that it was asked of, to the code point (RFC 8414 §3.3, §4).
    OfItsIssuer,
}

/// What the metadata documents of an issuer say.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    /// The members of all of them; the first document wins.
    pub(super) members: Map<String, Value>,
    /// Those that were found, each with its address and the issuer that it names.
    pub(super) documents: Vec<(String, Option<String>)>,
    /// Those that were left aside, in words.
    foreign: Vec<String>,
}

/// Where the endpoints are, by the target file and the issuer's metadata.
///
/// # Errors
/// Nobody listens, the metadata is of another host, or an endpoint is nowhere to be found.
pub async fn locate(link: &Link, target: &Target, metadata: Metadata) -> Result<Resolved, Trouble> {
    let (mut endpoints, found) = discover(link, target, metadata).await?;
    fill(&mut endpoints, target, &found)?;
    Ok(endpoints)
}

/// Completes the endpoints with what the target file and the metadata say.
pub(super) fn fill(endpoints: &mut Resolved, target: &Target, found: &Discovered) -> Result<(), Trouble> {
    endpoints.fill(target, &found.members).map_err(|message| {
        let nowhere = target.issuer.as_deref().filter(|_| endpoints.metadata(None).is_none());
        nowhere.map_or_else(|| incomplete(message), |issuer| nothing_at(issuer, &found.foreign))
    })
}

pub(super) fn incomplete(message: String) -> Trouble {
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
            help: AS_THE_SERVER_DOES.to_owned(),
        };
    }
    let places = well_known(issuer).into_iter().map(|(_, url)| format!("no metadata at {url}"));
    Trouble {
        detail: Some(places.collect::<Vec<_>>().join("\n")),
        ..incomplete(format!("the issuer {issuer} publishes no metadata"))
    }
}

const AS_THE_SERVER_DOES: &str =
    "write the issuer in the target file exactly as the server does, if it is the right one";

/// The metadata of an issuer on another host: most likely it is another server's, and what it names is not what is meant.
fn of_another_host(url: &str, named: &str, issuer: &str) -> Option<Trouble> {
    let host = |text: &str| Url::parse(text).ok()?.host_str().map(ToOwned::to_owned);
    let (theirs, ours) = (host(named)?, host(issuer)?);
    (theirs != ours).then(|| Trouble {
        message: "the metadata names an issuer on another host".to_owned(),
        detail: Some(format!("the target file   {issuer}\n{url}   {}", quoted(named))),
        help: format!("{AS_THE_SERVER_DOES}; or tell the server its own address"),
    })
}

/// As a literal, so that nothing in it can move a terminal's cursor.
pub(super) fn quoted(issuer: &str) -> String {
    format!("{:?}", issuer.chars().take(LONGEST_ISSUER).collect::<String>())
}

/// Tries the well-known places of the issuer in order; both documents are kept where both are there.
///
/// # Errors
/// Nobody listens, or the metadata is of another host.
pub(super) async fn discover(
    link: &Link,
    target: &Target,
    metadata: Metadata,
) -> Result<(Resolved, Discovered), Trouble> {
    let (mut endpoints, mut found) = (Resolved::default(), Discovered::default());
    let Some(issuer) = target.issuer.as_deref() else { return Ok((endpoints, found)) };
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
        let composed = plain_get(link.at(Endpoint::Metadata, &url));
        let exchange = send(link, Endpoint::Metadata, Role::Tv, composed).await;
        somebody_is_there(link, &exchange).await?;
        let is_good = exchange.answer.as_ref().is_ok_and(|answer| answer.status == 200);
        let Some(document) = exchange.members().filter(|_| is_good) else { continue };
        let named = document.get("issuer").and_then(Value::as_str);
        match metadata {
            Metadata::OfItsIssuer if named != Some(issuer) => {
                found.foreign.push(named.map_or_else(
                    || format!("{url} names no issuer"),
                    |named| format!("{url} names the issuer {}", quoted(named)),
                ));
                continue;
            }
            Metadata::OfItsIssuer => {}
            Metadata::AsPublished => {
                if let Some(trouble) = named.and_then(|named| of_another_host(&url, named, issuer)) {
                    return Err(trouble);
                }
            }
        }
        found.documents.push((url.clone(), named.map(ToOwned::to_owned)));
        *slot = Some(url);
        for (name, value) in document {
            found.members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok((endpoints, found))
}
