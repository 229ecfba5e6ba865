//! Names, connections, TLS, and what the metadata says beside the target file.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use url::{Host, Url};

use super::Doctor;
use crate::approval::may_take_passwords;
use crate::compose::plain_get;
use crate::diagnosis::{Line, State};
use crate::exchange::NoAnswer;
use crate::protocol::{AuthMethod, DEVICE_CODE_GRANT, Endpoint, Role};
use crate::runner::locate::{Discovered, Metadata, discover, fill, quoted};
use crate::runner::preflight::send;
use crate::runner::resolve::{Resolved, absolute, well_known};
use crate::runner::trouble::{Trouble, somebody_is_there};
use crate::target::Target;
use crate::timing::show;

/// How long a name may take.
const RESOLVING: Duration = Duration::from_secs(10);

impl Doctor<'_> {
    /// Where the endpoints are, if they could be found.
    pub(super) async fn network(&mut self) -> Option<Resolved> {
        let mut seen = BTreeSet::new();
        let mut all_there = true;
        for url in places(self.look.target) {
            if seen.insert(url.origin().ascii_serialization()) {
                all_there &= self.place(&url).await;
            }
        }
        if !all_there {
            self.skip(&["metadata"], "needs a connection");
            return None;
        }
        self.metadata().await
    }

    /// One name, its connection, its certificate; whether it can be reached.
    async fn place(&mut self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return true };
        if let Host::Domain(name) = host {
            let line = resolved(name, port).await;
            let is_known = line.state == State::Ok;
            self.put(line);
            if !is_known {
                self.skip(&["host", "tls"], &format!("needs the address of {name}"));
                return false;
            }
        }
        let composed = plain_get(self.link.at(Endpoint::Metadata, url.as_str()));
        let exchange = send(self.link, Endpoint::Metadata, Role::Tv, composed).await;
        let at = format!("{host}:{port}");
        let is_https = url.scheme() == "https";
        let speaks = match somebody_is_there(self.link, &exchange).await {
            Ok(()) => Ok(()),
            Err(trouble) => {
                let tls = is_https && matches!(exchange.answer, Err(NoAnswer::Tls(_)));
                if tls {
                    self.put(Line::new("host", State::Ok, format!("{at} takes connections")));
                }
                Err((if tls { "tls" } else { "host" }, trouble))
            }
        };
        match speaks {
            Err((name, trouble)) => {
                self.put(of_trouble(name, &trouble));
                false
            }
            Ok(()) => {
                let line = match &exchange.answer {
                    Ok(_) => {
                        Line::new("host", State::Ok, format!("{at} answers in {}", show(exchange.took())))
                    }
                    Err(error) => Line::new("host", State::Warning, format!("{at}: {error}"))
                        .help("is the server well, and is a proxy before it? check judges what it answers"),
                };
                self.put(line);
                self.put(transport(url, is_https));
                true
            }
        }
    }

    async fn metadata(&mut self) -> Option<Resolved> {
        let target = self.look.target;
        let found = discover(self.link, target, Metadata::AsPublished).await;
        let (mut endpoints, found) = match found {
            Ok(found) => found,
            Err(trouble) => {
                self.put(of_trouble("metadata", &trouble));
                return None;
            }
        };
        for line in documents(target, &found) {
            self.put(line);
        }
        if let Err(trouble) = fill(&mut endpoints, target, &found) {
            self.put(of_trouble("metadata", &trouble));
            return None;
        }
        if !found.documents.is_empty() {
            for line in against_the_file(target, &found) {
                self.put(line);
            }
            self.put(methods(target, &found));
        }
        Some(endpoints)
    }
}

/// The addresses of a target file: the issuer's metadata, and the endpoints that are written in full.
fn places(target: &Target) -> Vec<Url> {
    let issuer = target.issuer.as_deref();
    let metadata = issuer.and_then(|issuer| well_known(issuer).into_iter().next()).map(|(_, url)| url);
    let written = [&target.endpoints.device_authorization, &target.endpoints.token];
    let written = written.into_iter().flatten().filter_map(|own| absolute(issuer, own));
    metadata.into_iter().chain(written).filter_map(|url| Url::parse(&url).ok()).collect()
}

async fn resolved(name: &str, port: u16) -> Line {
    let looked_up = tokio::time::timeout(RESOLVING, tokio::net::lookup_host((name, port))).await;
    let why = match looked_up {
        Ok(Ok(addresses)) => {
            let addresses: BTreeSet<String> = addresses.map(|address| address.ip().to_string()).collect();
            if !addresses.is_empty() {
                let addresses: Vec<_> = addresses.into_iter().collect();
                return Line::new("name", State::Ok, format!("{name} is {}", addresses.join(", ")));
            }
            "it has no address".to_owned()
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {}", show(RESOLVING)),
    };
    Line::new("name", State::Failed, format!("{name} does not resolve: {why}"))
        .help("is the name in the target file right, and known to this machine?")
}

fn transport(url: &Url, is_https: bool) -> Line {
    if is_https {
        return Line::new("tls", State::Ok, "the certificate is good for this name, and trusted");
    }
    if may_take_passwords(url) {
        return Line::new("tls", State::NotLookedAt, "plain http on loopback: transport is not assessed");
    }
    Line::new("tls", State::Warning, "plain http: codes and tokens can be read on the way (RFC 8628 §3.1)")
        .help("write https:// in the target file, if the server has it")
}

/// A trouble as a line.
pub(super) fn of_trouble(name: &'static str, trouble: &Trouble) -> Line {
    let detail = trouble.detail.iter().flat_map(|detail| detail.lines()).map(ToOwned::to_owned);
    Line::new(name, State::Failed, &trouble.message).detail(detail).help(&trouble.help)
}

/// The documents that are there, and whether they name the issuer that was asked.
fn documents(target: &Target, found: &Discovered) -> Vec<Line> {
    let Some(issuer) = &target.issuer else {
        return vec![Line::new("metadata", State::NotLookedAt, "the target file names no issuer")];
    };
    if found.documents.is_empty() {
        let seen = format!("the issuer {issuer} publishes none; the endpoints of the target file are used");
        return vec![
            Line::new("metadata", State::Warning, seen)
                .detail(well_known(issuer).into_iter().map(|(_, url)| format!("nothing at {url}")))
                .help("is the issuer right? leave it out of the target file if there is no metadata"),
        ];
    }
    let line = |(url, named): &(String, Option<String>)| {
        let path = Url::parse(url).map_or_else(|_| url.clone(), |url| url.path().to_owned());
        match named {
            Some(named) if named == issuer => {
                Line::new("metadata", State::Ok, format!("{path}, the issuer matches"))
            }
            Some(named) => {
                Line::new("metadata", State::Warning, format!("{path} names the issuer {}", quoted(named)))
                    .detail([format!("the target file names {}", quoted(issuer))])
                    .help("write the issuer in the target file exactly as the server does; check judges the difference (RFC 8414 §3.3)")
            }
            None => Line::new("metadata", State::Warning, format!("{path} names no issuer"))
                .help("check judges that (RFC 8414 §2)"),
        }
    };
    found.documents.iter().map(line).collect()
}

/// What the target file says otherwise than the metadata, and what the metadata leaves out.
fn against_the_file(target: &Target, found: &Discovered) -> Vec<Line> {
    let written = &target.endpoints;
    let issuer = target.issuer.as_deref();
    let mut lines = Vec::new();
    for (key, own, member) in [
        ("device_authorization", &written.device_authorization, "device_authorization_endpoint"),
        ("token", &written.token, "token_endpoint"),
        ("revocation", &written.revocation, "revocation_endpoint"),
        ("introspection", &written.introspection, "introspection_endpoint"),
    ] {
        let Some(own) = own.as_ref().and_then(|own| absolute(issuer, own)) else { continue };
        let line = match found.members.get(member).and_then(Value::as_str) {
            Some(theirs) if theirs == own => continue,
            Some(theirs) => Line::new(
                "metadata",
                State::Warning,
                format!("{member} is {}, and endpoints.{key} goes before it: {own}", quoted(theirs)),
            )
            .help(format!("leave endpoints.{key} out of the target file, unless the metadata is wrong")),
            None => Line::new(
                "metadata",
                State::Warning,
                format!("no {member}: endpoints.{key} of the target file is used"),
            )
            .help("check judges what is missing (RFC 8414 §2, RFC 8628 §4)"),
        };
        lines.push(line);
    }
    let grants = found.members.get("grant_types_supported").and_then(Value::as_array);
    if grants.is_some_and(|grants| !grants.iter().any(|grant| grant == DEVICE_CODE_GRANT)) {
        lines.push(
            Line::new("metadata", State::Warning, "grant_types_supported does not name the device grant")
                .help(format!("is it switched on at the server? its name is {DEVICE_CODE_GRANT}")),
        );
    }
    lines
}

/// Whether the metadata lists how the clients with a secret send it. Most servers leave out `none`, though they take it.
fn methods(target: &Target, found: &Discovered) -> Line {
    let name = "authentication";
    let Some(listed) = found.members.get("token_endpoint_auth_methods_supported").and_then(Value::as_array)
    else {
        return Line::new(name, State::NotLookedAt, "the metadata lists no methods");
    };
    let unlisted: Vec<String> = target
        .clients
        .iter()
        .filter_map(|(role, client)| match client.auth_method_at(Endpoint::Token) {
            AuthMethod::None => None,
            AuthMethod::Basic => Some((role, "client_secret_basic")),
            AuthMethod::Post => Some((role, "client_secret_post")),
        })
        .filter(|(_, word)| !listed.iter().any(|method| method == word))
        .map(|(role, word)| format!("{role} uses {word}"))
        .collect();
    if unlisted.is_empty() {
        return Line::new(name, State::Ok, "the metadata lists how the clients send their secrets");
    }
    let listed: Vec<_> = listed.iter().filter_map(Value::as_str).collect();
    Line::new(name, State::Warning, format!("the metadata does not list it: {}", unlisted.join(", ")))
        .detail([format!("listed: {}", quoted(&listed.join(", ")))])
        .help("auth in the target file says how a client does it; the client lines below tell whether it works all the same")
}
