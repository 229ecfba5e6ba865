//! What a target file can say beside endpoints and clients: certificates, parameters and headers of every request, secrets
//! that are kept elsewhere.

use std::rc::Rc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use devgrant::known::KnownFailure;
use devgrant::server::{Config, app};
use devgrant::target::{Elsewhere, Target};
use devgrant::yaml::Source;
use tokio::net::TcpListener;

use crate::binary::{Binary, Ended, Playing};
use crate::device_tests::tls::{authority, client, config, config_for_clients_of};
use crate::over_tls::{WAITING, reference};
use crate::repository;
use crate::virtual_time::TRANSPORT;

/// A check that needs both endpoints and the pages.
const AT_PAGES: &str = "token-response/one-token-for-two-polls";

/// Runs the program with nothing but its own roots trusted.
async fn run(
    binary: Binary,
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
) -> Ended {
    let ended = tokio::task::spawn_blocking(move || {
        let nobody = binary.file("nobody.pem", &authority("nobody").pem());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = binary.command(&arguments);
        command.env("SSL_CERT_FILE", nobody).env_remove("SSL_CERT_DIR").envs(environment);
        Playing::start(command).end()
    });
    ended.await.unwrap()
}

/// The embedded server's target file at another origin, with more in it.
fn target_at(binary: &Binary, origin: &str, more: &str) -> String {
    let target = repository::text("fixtures/targets/embedded.yaml");
    let target = target.replacen("http://127.0.0.1:8628", origin, 1);
    binary.file("target.yaml", &format!("{target}\n{more}"))
}

fn check(target: &str, checks: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = ["check", "--target", target, "-v"].map(str::to_owned).to_vec();
    checks.iter().for_each(|check| arguments.extend(["--check".to_owned(), (*check).to_owned()]));
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_shown_at_endpoints_and_pages_and_under_load() {
    let (trusted, clients) = (authority("trusted"), authority("clients"));
    let (origin, _) = reference(config_for_clients_of(&clients, &trusted)).await;
    let (certificate, key) = client(&clients);
    let files = || {
        let binary = Binary::new();
        binary.file("ca.pem", &trusted.pem());
        binary.file("client.pem", &certificate);
        binary.file("key.pem", &key);
        binary.file("both.pem", &format!("{key}{certificate}"));
        binary
    };
    let judged = |tls: &str, checks: &[&str]| {
        let binary = files();
        let target = target_at(&binary, &origin, tls);
        let arguments = check(&target, checks);
        run(binary, arguments, Vec::new())
    };
    for tls in [
        "tls: { ca: ca.pem, certificate: client.pem, key: key.pem }",
        "tls: { ca: ca.pem, certificate: both.pem }",
    ] {
        let ended = judged(tls, &[AT_PAGES]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.all());
        assert!(ended.out.contains(&format!("PASS  {AT_PAGES}")), "{}", ended.all());
    }
    let without = judged("tls: { ca: ca.pem }", &[AT_PAGES]).await;
    assert_eq!(without.code, Some(3), "{}", without.all());

    let binary = files();
    let target = target_at(&binary, &origin, "tls: { ca: ca.pem, certificate: client.pem, key: key.pem }");
    let arguments =
        vec!["load".to_owned(), binary.file("waiting.yaml", WAITING), "--target".to_owned(), target];
    let loaded = run(binary, arguments, Vec::new()).await;
    assert!(loaded.out.contains("pending"), "{}", loaded.all());
    assert!(!loaded.all().contains("errors: tls"), "{}", loaded.all());
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_a_mistake_of_the_file() {
    let clients = authority("clients");
    let (certificate, _) = client(&clients);
    let (_, other_key) = client(&clients);
    for (tls, why) in [
        ("{ certificate: client.pem }", "has no private key"),
        ("{ certificate: client.pem, key: other.pem }", "cannot be shown to a server"),
        ("{ certificate: nowhere.pem, key: other.pem }", "nowhere.pem cannot be read"),
        ("{ key: other.pem }", "no certificate that it is for"),
    ] {
        let binary = Binary::new();
        binary.file("client.pem", &certificate);
        binary.file("other.pem", &other_key);
        let target = target_at(&binary, "https://127.0.0.1:9", &format!("tls: {tls}"));
        let ended = binary.run(&["check", "--target", &target]);
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains(why), "{tls}: {}", ended.all());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_insecure_nothing_is_said_of_the_transport() {
    let (origin, _) =
        reference(config(crate::device_tests::tls::Shown::SelfSigned, &authority("trusted"))).await;
    let binary = Binary::new();
    let target = target_at(&binary, &origin, "tls: { insecure: true }");
    let arguments = check(&target, &[TRANSPORT, &[AT_PAGES]].concat());
    let ended = run(binary, arguments, Vec::new()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.out.contains(&format!("PASS  {AT_PAGES}")), "{}", ended.all());
    for of_transport in TRANSPORT {
        assert!(!ended.out.contains(&format!("PASS  {of_transport}")), "{}", ended.all());
    }
    assert!(ended.all().contains("no certificate was looked at"), "{}", ended.all());
}

/// Wants a key with every request to an endpoint and an audience with every one to the token endpoint.
async fn gateway(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_endpoint = path.starts_with("/oauth/") || path.starts_with("/.well-known/");
    if is_endpoint && request.headers().get("x-api-key").is_none_or(|key| key != KEY) {
        return (StatusCode::FORBIDDEN, "{\"error\":\"access_denied\"}").into_response();
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    if path == "/oauth/token"
        && !String::from_utf8_lossy(&body).contains("audience=https%3A%2F%2Fapi.example")
    {
        return (StatusCode::BAD_REQUEST, "{\"error\":\"invalid_target\"}").into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

const KEY: &str = "canary-of-the-gateway";

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_headers_go_with_every_request_and_their_values_are_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = app(Config::embedded(), &origin).public.layer(from_fn(gateway));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let params = "params: { token: { audience: 'https://api.example' } }";
    let headers = "headers: { x-api-key: { env: GATEWAY_KEY } }";

    let binary = Binary::new();
    let target = target_at(&binary, &origin, &format!("{params}\n{headers}"));
    let record = binary.name("run.jsonl");
    let mut arguments = check(&target, &[AT_PAGES]);
    arguments.extend(["--record".to_owned(), record.clone()]);
    let ended = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = binary.command(&arguments);
        command.env("GATEWAY_KEY", KEY);
        let ended = Playing::start(command).end();
        (ended, std::fs::read_to_string(&record).unwrap())
    });
    let (ended, record) = ended.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.out.contains(&format!("PASS  {AT_PAGES}")), "{}", ended.all());
    assert!(record.contains("x-api-key"), "{record}");
    assert!(!record.contains(KEY) && !ended.all().contains(KEY), "{}", ended.all());

    for (more, code) in [(params, Some(3)), (headers, Some(1))] {
        let binary = Binary::new();
        let target = target_at(&binary, &origin, more);
        let arguments = check(&target, &[AT_PAGES]);
        let ended = run(binary, arguments, vec![("GATEWAY_KEY", KEY)]).await;
        assert_ne!(ended.code, Some(0), "{code:?} {}", ended.all());
    }
}

#[test]
fn secrets_come_from_the_environment_and_from_files_or_the_file_says_where_not() {
    let binary = Binary::new();
    let target = |more: &str| {
        let text =
            format!("target: t\nissuer: http://127.0.0.1:9\nclients:\n  tv: {{ id: tv, secret: {more} }}\n");
        binary.file("target.yaml", &text)
    };
    binary.file("empty", "\n");
    for (secret, why) in [
        ("{ env: NOT_SET_ANYWHERE }", "the environment has no NOT_SET_ANYWHERE"),
        ("{ file: nowhere }", "cannot read"),
        ("{ file: empty }", "is empty"),
        ("{ keyring: mine }", "keyring"),
    ] {
        let ended = binary.run(&["check", "--target", &target(secret)]);
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains(why) && ended.err.contains("target.yaml:4:"), "{}", ended.all());
    }
    binary.file("secret", "canary-in-a-file\r\n");
    let ended = binary.run(&["check", "--target", &target("{ file: secret }")]);
    assert_eq!(ended.code, Some(3), "nobody listens there: {}", ended.all());
    assert!(!ended.all().contains("canary"), "{}", ended.all());
}

#[test]
fn what_every_request_has_by_itself_cannot_be_set() {
    let binary = Binary::new();
    for (more, why) in [
        ("params: { token: { grant_type: x } }", "grant_type cannot be set here: every request has its own"),
        (
            "params: { device_authorization: { scope: x } }",
            "scope cannot be set here: each client has its own `scope`",
        ),
        ("headers: { Authorization: x }", "\"Authorization\" cannot be set here"),
        ("headers: { 'a b': x }", "\"a b\" is no name of a header"),
    ] {
        let text =
            format!("target: t\nissuer: http://127.0.0.1:9\nclients: {{ tv: {{ id: tv }} }}\n{more}\n");
        let ended = binary.run(&["check", "--target", &binary.file("target.yaml", &text)]);
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains(why), "{}", ended.all());
    }
}

#[test]
fn every_target_of_the_repository_can_be_read_and_its_known_failures_are_checks() {
    let catalog = devgrant::catalog::Catalog::builtin().unwrap();
    let mut read = 0;
    for path in std::fs::read_dir(repository::path("fixtures/targets")).unwrap() {
        let path = path.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let source = Source::read(&path).unwrap();
        if name.ends_with(".known-failures.yaml") {
            for known in KnownFailure::read(&source).unwrap() {
                assert!(catalog.entries.iter().any(|entry| entry.id == known.id), "{name}: {}", known.id);
                assert!(known.reason.contains('§'), "{name}: {} cites nothing", known.id);
            }
            continue;
        }
        let target = Target::read_with(&source, Rc::new(|_: &Elsewhere| Ok("a secret".to_owned())));
        let target = target.unwrap_or_else(|mistakes| panic!("{name}: {mistakes:?}"));
        if let Some(known) = target.known_failures {
            assert!(repository::path("fixtures/targets").join(known).exists(), "{name}");
        }
        let is_ours = ["embedded.yaml", "example.yaml"].contains(&name.as_str());
        let says = ["Run here", "Not run here"].iter().any(|words| source.text.contains(words));
        assert!(is_ours || says, "{name} does not say whether it was run here");
        read += 1;
    }
    assert!(read >= 13, "{read} targets");
}
