//! A first acquaintance with a server of which nobody has written a target file: what its metadata says, which scope gets
//! codes, how its pages are walked through, and what comes with a token.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::hear::hear;
use super::link::Link;
use super::locate::{Metadata, discover, fill};
use super::preflight::ask;
use super::resolve::Resolved;
use super::session::Session;
use super::sign_in::what_is_asked;
use super::trouble::Trouble;
use crate::approval::{Guess, Pages, guess};
use crate::outcome::Outcome;
use crate::protocol::{Capability, Decision, Role};
use crate::target::{Client, Target};

/// How long the walk through the pages may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What the issuer of a target publishes.
pub struct Published {
    /// Where the endpoints are, by that and by what the target says itself; or what is missing.
    pub endpoints: Result<Resolved, Trouble>,
    /// The members of its metadata; none where there is none.
    pub members: Map<String, Value>,
    /// The issuer as it names itself.
    pub issuer: Option<String>,
}

/// What came of the acquaintance.
pub struct Acquaintance {
    /// The scope that got codes; none where it did without one.
    pub scope: Option<String>,
    /// Why there are no codes, where there are none.
    pub no_codes: Option<String>,
    /// How the pages are walked through, where there is a user to do so.
    pub guess: Option<Guess>,
    /// What came with the token.
    pub capabilities: Vec<Capability>,
}

/// Reads the metadata of a target's issuer.
///
/// # Errors
/// Nobody listens, or the metadata is of another host.
pub async fn published(link: &Link, target: &Target) -> Result<Published, Trouble> {
    let (mut endpoints, found) = discover(link, target, Metadata::AsPublished).await?;
    let filled = fill(&mut endpoints, target, &found);
    let issuer = found.documents.into_iter().find_map(|(_, named)| named);
    Ok(Published { endpoints: filled.map(|()| endpoints), members: found.members, issuer })
}

/// Asks for codes with each scope until one gets some, has the first user of the target approve, and polls for the token;
/// `tell` hears what is waited for.
pub async fn acquaint(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
    scopes: &[Option<String>],
    pages: &dyn Pages,
    tell: &mut dyn FnMut(&str),
) -> Acquaintance {
    let mut met = Acquaintance { scope: None, no_codes: None, guess: None, capabilities: Vec::new() };
    let Some(tv) = target.client(Role::Tv) else { return met };
    for scope in scopes {
        let tv = Client { scope: scope.clone(), ..tv.clone() };
        let asked = ask(link, endpoints, Role::Tv, &tv).await;
        let mut session = Session::new(Role::Tv, asked.exchange, scope.clone(), target.constants());
        let Some(codes) = session.codes.clone() else {
            let word = session.authorized.error_word().map(ToOwned::to_owned);
            met.no_codes.get_or_insert(word.unwrap_or_else(|| session.authorized.outcome().to_string()));
            continue;
        };
        (met.scope, met.no_codes) = (scope.clone(), None);
        let Some(user) = target.users.values().next() else { break };
        tell("walking through the pages, to see how a user decides");
        let ask = what_is_asked(user, &codes, Decision::Approve, Instant::now() + LIMIT);
        let guessed = guess(pages, ask).await;
        if guessed.is_approved
            && let Some(heard) = hear(link, endpoints, &tv, &mut session, tell).await
            && heard.last.outcome() == Outcome::Granted
        {
            let has = |member: &str| heard.last.members().is_some_and(|members| members.contains_key(member));
            let came = [(Capability::Refresh, "refresh_token"), (Capability::Openid, "id_token")];
            met.capabilities.extend(came.into_iter().filter(|(_, member)| has(member)).map(|(it, _)| it));
        }
        met.guess = Some(guessed);
        break;
    }
    met
}
