//! `devgrant doctor`: ten wrong configurations, each named rightly, and `check` has nothing red about any of them.

use std::sync::Arc;

use devgrant::server::{Config, app};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::binary::Binary;
use crate::cli::run;
use crate::device_tests::tls::{Shown, authority, config};
use crate::over_tls::front;
use crate::scripted::{Scripted, codes, json, scripted};
use crate::stops::reference;

/// Quick checks, one of them with a decision.
const CHECKS: [&str; 4] =
    ["--check", "token-response/denial-reaches-the-device", "--check", "device-authorization-request/*"];

/// What `doctor` says of a wrong configuration, and how `check` ends with it.
struct Named<'a> {
    /// The line that failed.
    line: &'a str,
    /// What it says, in its sentence.
    seen: &'a str,
    /// What to do.
    help: &'a str,
    /// The exit code of `check`; it is judged where only a part is in the way.
    check: i32,
}

async fn is_named(target: &str, ca: Option<&str>, named: Named<'_>) {
    let binary = Binary::new();
    let target = binary.file("target.yaml", target);
    let ca = binary.file("ca.pem", ca.unwrap_or_default());
    let trust: &[&str] = if std::fs::read_to_string(&ca).unwrap().is_empty() { &[] } else { &["--ca", &ca] };
    let looking = [&["doctor", "--target", &target, "--format", "json"], trust].concat();
    let (binary, ended) = run(binary, &looking).await;
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    let diagnosis: Value = serde_json::from_str(&ended.out).unwrap();
    let lines = diagnosis["lines"].as_array().unwrap();
    let failed: Vec<&Value> = lines.iter().filter(|line| line["state"] == "failed").collect();
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(failed.len(), 1, "one cause, one line: {}", ended.out);
    assert_eq!(text(failed[0], "name"), named.line, "{}", ended.out);
    assert!(text(failed[0], "seen").contains(named.seen), "{}: {}", named.seen, ended.out);
    assert!(text(failed[0], "help").contains(named.help), "{}: {}", named.help, ended.out);
    assert!(!ended.all().contains("wonderland"), "{}", ended.all());
    let checking = [&["check", "--target", &target], &CHECKS[..], trust].concat();
    let (_, ended) = run(binary, &checking).await;
    assert_eq!(ended.code, Some(named.check), "{}", ended.all());
    assert!(!ended.out.contains("FAIL"), "nothing is red: {}", ended.all());
}

/// One client, and everything else of the embedded target.
fn with_client(target: &str, client: &str) -> String {
    let (before, rest) = target.split_once("clients:\n").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    format!("{before}clients:\n  tv: {client}\n\n{after}")
}

#[tokio::test]
async fn a_wrong_client_a_wrong_secret_and_a_grant_that_is_off_are_three_things() {
    let (running, target) = reference().await;
    let unknown = with_client(&target, "{ id: tv-publc, scope: openid }");
    let named = Named {
        line: "client",
        seen: "the server does not know the client \"tv-publc\"",
        help: "check clients.tv.id",
        check: 3,
    };
    is_named(&unknown, None, named).await;
    let secret = with_client(&target, "{ id: tv-confidential, secret: wrong, auth: post }");
    let named = Named { line: "client", seen: "\"tv-confidential\"", help: "secret", check: 3 };
    is_named(&secret, None, named).await;
    let off = with_client(&target, "{ id: no-device-grant }");
    let named = Named {
        line: "client",
        seen: "\"no-device-grant\" (public) may not use the device grant",
        help: "urn:ietf:params:oauth:grant-type:device_code",
        check: 3,
    };
    is_named(&off, None, named).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_wrong_path_and_an_issuer_on_another_host_are_told() {
    let (running, target) = reference().await;
    let path =
        target.replace("\nclients:", "\nendpoints: { device_authorization: /oauth/device }\n\nclients:");
    let named = Named {
        line: "endpoints",
        seen: "there is nothing at the device authorization endpoint",
        help: "endpoints.device_authorization",
        check: 3,
    };
    is_named(&path, None, named).await;
    // The same server by another name.
    let named = Named {
        line: "metadata",
        seen: "the metadata names an issuer on another host",
        help: "write the issuer in the target file exactly as the server does",
        check: 3,
    };
    is_named(&target.replace("http://127.0.0.1", "http://localhost"), None, named).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_wrong_password_and_a_changed_page_are_told_apart() {
    let (running, target) = reference().await;
    let password = target.replace("password: looking-glass-2", "password: looking-glass-3");
    let named = Named {
        line: "sign-in",
        seen: "the sign-in was refused",
        help: "check `users` in the target file",
        check: 3,
    };
    is_named(&password, None, named).await;
    let page = target
        .replace("when: { field: password }", "when: { field: secret }")
        .replace("  bob: { login: bob, password: looking-glass-2 }\n", "");
    let named = Named {
        line: "sign-in",
        seen: "no step of the form recipe fits the page \"Sign in",
        help: "add a step for it",
        check: 3,
    };
    is_named(&page, None, named).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_by_its_name_or_by_its_port() {
    let at = |issuer: &str| format!("target: odd\nissuer: {issuer}\nclients: {{ tv: {{ id: tv }} }}\n");
    let named = Named {
        line: "name",
        seen: "nowhere.invalid does not resolve",
        help: "is the name in the target file right",
        check: 3,
    };
    is_named(&at("http://nowhere.invalid"), None, named).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let named = Named { line: "host", seen: "nobody listens at ", help: "is the server running", check: 3 };
    is_named(&at(&format!("http://{free}")), None, named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_tls_is_told() {
    let trusted = authority("trusted");
    for (shown, scheme, line, seen, help) in [
        (Shown::Expired, "https", "tls", "certificate", "is the certificate good?"),
        (Shown::OfAnUnknownAuthority, "https", "tls", "certificate", "--ca FILE"),
        (Shown::Good, "http", "host", "speaks TLS, and the address says http", "write https://"),
    ] {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behind = backend.local_addr().unwrap();
        let router = app(Config::embedded(), &format!("https://{address}")).public;
        tokio::spawn(async move { axum::serve(backend, router).await });
        front(door, behind, TlsAcceptor::from(Arc::new(config(shown, &trusted))));
        let target = format!(
            "target: odd\nissuer: {scheme}://{address}\nclients: {{ tv: {{ id: tv-public, scope: openid }} }}\n"
        );
        is_named(&target, Some(&trusted.pem()), Named { line, seen, help, check: 3 }).await;
    }
    // And the other way round.
    let (running, target) = reference().await;
    let named = Named {
        line: "host",
        seen: "does not speak TLS",
        help: "write http:// in the target file",
        check: 3,
    };
    is_named(&target.replace("issuer: http:", "issuer: https:"), None, named).await;
    running.shutdown().await;
}

/// A server that answers polls like this, and asks a stranger's id for its secret.
async fn answering(refusal: &'static str) -> Scripted {
    scripted(move |request| match request.split(' ').nth(1) {
        Some("/code") if request.contains("client_id=tv") && request.contains("client_secret=right") => {
            json("200 OK", &codes("http://127.0.0.1"))
        }
        Some("/code") if request.contains("client_id=tv") => json("401 Unauthorized", refusal),
        Some("/code") => {
            json("400 Bad Request", r#"{"error":"invalid_client","error_description":"unknown"}"#)
        }
        _ => json("400 Bad Request", r#"{"error":"authorization_pending"}"#),
    })
    .await
}

#[tokio::test]
async fn a_known_client_with_a_wrong_secret_is_told_from_an_unknown_one_where_the_server_does() {
    let refusal = r#"{"error":"invalid_client","error_description":"bad secret"}"#;
    let server = answering(refusal).await;
    for (client, seen) in [
        ("id: tv, secret: wrong, auth: post", "the server knows the client \"tv\", and refuses its secret"),
        ("id: vt, secret: wrong, auth: post", "does not take the client \"vt\" with its secret"),
        ("id: tv", "the server knows the client \"tv\", and not as a public one"),
        ("id: vt", "the server does not know the client \"vt\""),
        ("id: tv, secret: right", "gets codes when its secret is sent by post"),
    ] {
        let target = format!(
            "target: odd\nendpoints: {{ device_authorization: \"http://{0}/code\", token: \"http://{0}/token\" }}\n\
             clients: {{ tv: {{ {client} }} }}\n",
            server.address
        );
        is_named(&target, None, Named { line: "client", seen, help: "clients.tv", check: 3 }).await;
    }
}

/// Lines as they were before they were broken to fit, with lengths of time and other numbers taken out.
fn without_numbers(text: &str) -> String {
    let joined = text.replace(&format!("\n{}", " ".repeat(22)), " ");
    let mut plain = String::new();
    for c in joined.chars() {
        match c {
            '0'..='9' if plain.ends_with('N') => {}
            '0'..='9' => plain.push('N'),
            c => plain.push(c),
        }
    }
    for time in ["N.N s", "N ms", "N s"] {
        plain = plain.replace(time, "TIME");
    }
    plain
}

#[test]
fn everything_that_was_looked_at_is_shown_with_what_was_seen() {
    let ended = Binary::new().run(&["doctor"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    insta::assert_snapshot!("doctor_on_the_embedded_server", without_numbers(&ended.out));
}

#[tokio::test]
async fn a_denial_that_does_not_reach_the_device_is_a_warning_and_so_is_what_is_declared_and_does_not_come() {
    let (running, target) = faulty(&["denied-stays-pending"]).await;
    let target =
        target.replace("capabilities: [refresh, openid, resource]", "capabilities: [refresh, openid]");
    let target = target.replace("openid profile offline_access api", "profile");
    let binary = Binary::new();
    let file = binary.file("target.yaml", &target);
    let (_, ended) = run(binary, &["doctor", "--target", &file]).await;
    running.shutdown().await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    for said in [
        " warn  denial         denied as alice, and it does not reach the device",
        " warn  capabilities   openid is declared, and no id_token came",
        "\n3 warnings. exit 0\n",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.all());
    }
}

/// The reference server with faults, and its target.
async fn faulty(ids: &[&str]) -> (devgrant::server::Running, String) {
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let faults = ids.iter().map(|id| devgrant::server::faults::find(id).unwrap());
    let running = devgrant::server::start(Config::embedded().with_faults(faults), any, any).await.unwrap();
    let target = crate::repository::text("fixtures/targets/embedded.yaml")
        .replace("http://127.0.0.1:8628", &format!("http://{}", running.public()));
    (running, target)
}
