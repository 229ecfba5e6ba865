//! Where the device looks for its endpoints, and which metadata it believes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use devgrant::cli::login::settings_of;
use devgrant::http::InProcess;
use devgrant::login::Settings;
use serde_json::{Value, json};

use crate::stage::target;

/// The two places of an issuer without a path.
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// The requests of one discovery, `GET https://host/path`.
type Asked = Vec<String>;

/// Metadata that names the issuer and, by a word in their paths, where the endpoints are.
fn metadata(issuer: &str, word: &str) -> Value {
    json!({
        "issuer": issuer,
        "device_authorization_endpoint": format!("https://as.example/{word}/device"),
        "token_endpoint": format!("https://as.example/{word}/token"),
    })
}

/// Looks for the endpoints of an issuer at a server that has these documents, by path.
async fn discover(
    issuer: &str,
    endpoints: &str,
    documents: Vec<(&str, Value)>,
) -> (Result<Settings, String>, Asked) {
    let documents: Vec<_> =
        documents.into_iter().map(|(path, document)| (path.to_owned(), document)).collect();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    let router = Router::new().fallback(move |request: Request| {
        let path = request.uri().path().to_owned();
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        kept.lock().unwrap().push(format!("{} {host}{path}", request.method()));
        let document = documents.iter().find(|(at, _)| *at == path).map(|(_, document)| document.to_string());
        let status = if document.is_some() { 200 } else { 404 };
        let answer = Response::builder().status(status).header("content-type", "application/json");
        std::future::ready(answer.body(Body::from(document.unwrap_or_default())).unwrap())
    });
    let target = target(&format!(
        "target: odd\nissuer: \"{issuer}\"\nendpoints: {endpoints}\nclients: {{ tv: {{ id: tv }} }}\n"
    ));
    let found = settings_of(&target, Arc::new(InProcess::new(router, 1))).await;
    let asked = asked.lock().unwrap().clone();
    (found, asked)
}

#[tokio::test(start_paused = true)]
async fn metadata_comes_by_get() {
    let documents = vec![(OAUTH, metadata("https://as.example", "oauth"))];
    let (found, asked) = discover("https://as.example", "{}", documents).await;
    let found = found.unwrap();
    assert_eq!(found.device_authorization.as_str(), "https://as.example/oauth/device");
    assert_eq!(found.token.as_str(), "https://as.example/oauth/token");
    assert!(!asked.is_empty() && asked.iter().all(|request| request.starts_with("GET ")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slash_at_the_end_of_the_issuer_is_dropped() {
    for (issuer, place) in [
        ("https://as.example", OAUTH.to_owned()),
        ("https://as.example/", OAUTH.to_owned()),
        ("https://as.example/i1", format!("{OAUTH}/i1")),
        ("https://as.example/i1/", format!("{OAUTH}/i1")),
    ] {
        let (found, asked) = discover(issuer, "{}", vec![(&place, metadata(issuer, "oauth"))]).await;
        assert!(found.is_ok(), "{found:?}");
        assert_eq!(asked[0], format!("GET as.example{place}"), "{issuer}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_oauth_document_before_the_openid_one() {
    let issuer = "https://as.example";
    let openid = || (OPENID, metadata(issuer, "openid"));
    let (found, asked) = discover(issuer, "{}", vec![openid(), (OAUTH, metadata(issuer, "oauth"))]).await;
    assert_eq!(found.unwrap().token.as_str(), "https://as.example/oauth/token");
    assert_eq!(asked[0], format!("GET as.example{OAUTH}"));
    let (found, asked) = discover(issuer, "{}", vec![openid()]).await;
    assert_eq!(found.unwrap().token.as_str(), "https://as.example/openid/token");
    assert_eq!(asked[..2], [format!("GET as.example{OAUTH}"), format!("GET as.example{OPENID}")]);
}

#[tokio::test(start_paused = true)]
async fn metadata_of_another_issuer_is_not_used() {
    let issuer = "https://as.example/i1";
    let place = format!("{OAUTH}/i1");
    for named in [
        "https://evil.example/i1",
        "https://as.example/i1/",
        "https://as.example",
        "HTTPS://as.example/i1",
        "https://as.example:443/i1",
    ] {
        let (found, _) = discover(issuer, "{}", vec![(&place, metadata(named, "oauth"))]).await;
        let message = found.unwrap_err();
        assert!(message.contains("names another issuer than https://as.example/i1"), "{message}");
        assert!(message.contains(&format!("names the issuer {named:?}")), "{message}");
        assert!(message.contains("\nhelp: "), "{message}");
    }
    // None at all is not the right one either.
    let mut nameless = metadata(issuer, "oauth");
    nameless.as_object_mut().unwrap().remove("issuer");
    let (found, _) = discover(issuer, "{}", vec![(&place, nameless)]).await;
    assert!(found.unwrap_err().contains("names no issuer"));
    // What the target file says needs no metadata, and gets nothing from a wrong one.
    let mut foreign = metadata("https://evil.example/i1", "oauth");
    foreign["userinfo_endpoint"] = json!("https://evil.example/me");
    let written = "{ device_authorization: \"https://as.example/d\", token: \"https://as.example/t\" }";
    let (found, _) = discover(issuer, written, vec![(&place, foreign)]).await;
    let found = found.unwrap();
    assert_eq!((found.token.as_str(), found.api), ("https://as.example/t", None));
    // The other document may be the right one.
    let documents = vec![
        (place.as_str(), metadata("https://evil.example/i1", "oauth")),
        ("/i1/.well-known/openid-configuration", metadata(issuer, "openid")),
    ];
    let (found, _) = discover(issuer, "{}", documents).await;
    assert_eq!(found.unwrap().token.as_str(), "https://as.example/openid/token");
}

#[tokio::test(start_paused = true)]
async fn issuers_are_compared_by_code_points() {
    // The same letter as one code point, and as a letter with an accent behind it.
    let (composed, decomposed) = ("https://as.example/caf\u{e9}", "https://as.example/cafe\u{301}");
    for (ours, theirs, is_used) in [
        (composed, composed, true),
        (decomposed, decomposed, true),
        (composed, decomposed, false),
        (decomposed, composed, false),
        (composed, "https://as.example/caf%C3%A9", false),
    ] {
        let path = url::Url::parse(ours).unwrap().path().to_owned();
        let place = format!("{OAUTH}{path}");
        let (found, asked) = discover(ours, "{}", vec![(&place, metadata(theirs, "oauth"))]).await;
        assert_eq!(found.is_ok(), is_used, "{ours} {theirs}: {asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn signed_metadata_is_left_alone() {
    let issuer = "https://as.example";
    // Consumers may ignore it (RFC 8414 §2.1); one that reads it without a key would believe anybody.
    let mut document = metadata(issuer, "plain");
    document["signed_metadata"] =
        json!("eyJhbGciOiJub25lIn0.eyJ0b2tlbl9lbmRwb2ludCI6Imh0dHBzOi8vZXZpbC5leGFtcGxlL3QifQ.");
    let (found, _) = discover(issuer, "{}", vec![(OAUTH, document)]).await;
    assert_eq!(found.unwrap().token.as_str(), "https://as.example/plain/token");
}
