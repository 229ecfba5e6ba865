//! The only five things that stop `check` before anything is judged, and what does not: that is a finding.
//!
//! Nobody listening, and every client refused by name, are in `cli`; certificates are in `over_tls`.

use std::net::SocketAddr;
use std::time::Duration;

use devgrant::server::{Config, Running, start};

use crate::binary::{Binary, Ended, Playing};
use crate::cli::{QUICK, assert_not_judged, run};
use crate::repository;
use crate::scripted::{Act, PENDING, Scripted, codes, json, scripted};

/// A check that needs a decision.
const DENIAL: &str = "token-response/denial-reaches-the-device";

/// The reference server, and the target file that fits it.
pub(crate) async fn reference() -> (Running, String) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(Config::embedded(), any, any).await.unwrap();
    let target = repository::text("fixtures/targets/embedded.yaml")
        .replace("http://127.0.0.1:8628", &format!("http://{}", running.public()));
    (running, target)
}

/// Judges by a target file with one quick check.
async fn check(target: &str, what: &str) -> Ended {
    let binary = Binary::new();
    let target = binary.file("target.yaml", target);
    run(binary, &["check", "--target", &target, "--check", what]).await.1
}

/// A server whose metadata names this issuer, beside endpoints that work.
async fn naming(issuer: &'static str) -> Scripted {
    scripted(move |request| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        match request.split(' ').nth(1) {
            Some("/.well-known/oauth-authorization-server/realm") => json(
                "200 OK",
                &format!(
                    r#"{{"issuer":"{}","device_authorization_endpoint":"http://{host}/code","token_endpoint":"http://{host}/token"}}"#,
                    issuer.replace("HOST", host)
                ),
            ),
            Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
            Some("/token") => json("400 Bad Request", PENDING),
            _ => json("404 Not Found", "{}"),
        }
    })
    .await
}

#[tokio::test]
async fn metadata_of_another_host_stops_and_another_issuer_of_the_same_is_judged() {
    for (issuer, stops) in [
        ("https://login.example", true),
        ("http://localhost/realm", true),
        ("http://HOST/realms/other", false),
        ("https://HOST/realm/", false),
        ("realm", false),
    ] {
        let server = naming(issuer).await;
        let target = format!(
            "target: odd\nissuer: http://{}/realm\nclients: {{ tv: {{ id: tv }} }}\n",
            server.address
        );
        let ended = check(&target, "metadata/issuer-*").await;
        if stops {
            assert_not_judged(&ended, "the metadata names an issuer on another host\n");
            assert!(ended.err.contains(&format!("{issuer:?}")), "{}", ended.err);
        } else {
            assert_eq!(ended.code, Some(1), "{issuer}: {}", ended.all());
            assert!(ended.out.contains("FAIL  metadata/issuer-"), "{issuer}: {}", ended.all());
        }
    }
}

#[tokio::test]
async fn a_path_that_takes_no_post_is_no_endpoint() {
    for wrong in ["/code", "/token"] {
        let server = scripted(move |request| match request.split(' ').nth(1) {
            Some(path) if path == wrong => json("405 Method Not Allowed", "{}"),
            Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
            _ => json("400 Bad Request", PENDING),
        })
        .await;
        let binary = Binary::new();
        let target = binary.target(&format!("http://{}", server.address));
        let (_, ended) = run(binary, &["check", "--target", &target]).await;
        assert_not_judged(&ended, "there is nothing at the ");
        assert!(ended.err.contains(&format!("{wrong} was answered 405")), "{}", ended.err);
        assert!(ended.err.contains("more: devgrant doctor --target "), "{}", ended.err);
    }
}

#[tokio::test]
async fn who_sends_to_https_is_meant_by_https() {
    let server = scripted(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let head = "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://127.0.0.1:8443";
        Act::Say(format!("{head}{path}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes())
    })
    .await;
    let binary = Binary::new();
    let target = binary.target(&format!("http://{}", server.address));
    let (_, ended) = run(binary, &["check", "--target", &target]).await;
    assert_not_judged(&ended, &format!("http://{} speaks TLS, and the address says http\n", server.address));
    assert!(ended.err.contains("help: write https://"), "{}", ended.err);
}

#[tokio::test]
async fn a_refused_sign_in_stops_only_what_needs_decisions() {
    let (running, target) = reference().await;
    let wrong = target.replace("password: looking-glass-2", "password: looking-glass-3");
    let ended = check(&wrong, DENIAL).await;
    assert_not_judged(&ended, "the server refuses the sign-in of bob, who is bob\n");
    assert!(ended.err.contains("help: check `users` in the target file"), "{}", ended.err);
    assert!(!ended.all().contains("looking-glass"), "{}", ended.all());
    let ended = check(&wrong, QUICK).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let ended = check(&target, DENIAL).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    running.shutdown().await;
}

#[tokio::test]
async fn pages_that_the_recipe_does_not_fit_are_no_refused_sign_in() {
    let (running, target) = reference().await;
    let changed = target.replace("when: { field: password }", "when: { field: pass }");
    let ended = check(&changed, DENIAL).await;
    assert!(ended.out.contains("no step of the form recipe fits"), "{}", ended.all());
    assert!(!ended.out.contains("FAIL"), "{}", ended.all());
    running.shutdown().await;
}

#[tokio::test]
async fn a_server_that_starts_is_waited_for() {
    // Its port is known before anybody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = repository::text("fixtures/targets/embedded.yaml")
        .replace("http://127.0.0.1:8628", &format!("http://{address}"));
    let binary = Binary::new();
    let target = binary.file("target.yaml", &text);
    let late = tokio::task::spawn_blocking(move || {
        let arguments =
            ["check", "--target", &target, "--check", QUICK, "--wait-ready", "60s", "--max-wait", "60 s"];
        Playing::start(binary.command(&arguments)).end()
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(Config::embedded(), address, any).await.unwrap();
    let ended = late.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.err.starts_with("waiting up to 60 s for the server\n"), "{}", ended.err);
    running.shutdown().await;

    for command in [&["check"][..], &["login"], &["load", "steady_pollers"]] {
        let binary = Binary::new();
        let target = binary.file("target.yaml", &text);
        let (_, ended) =
            run(binary, &[command, &["--target", &target, "--wait-ready", "500 ms"]].concat()).await;
        assert_eq!(ended.code, Some(3), "{command:?}: {}", ended.all());
        assert!(
            ended.err.contains("error: the server was not ready within 500 ms: the connection was refused"),
            "{command:?}: {}",
            ended.all()
        );
    }
    let without = Binary::new().run(&["check", "--wait-ready", "5 s"]);
    assert_eq!(without.code, Some(2), "{}", without.all());
}
