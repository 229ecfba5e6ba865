//! `devgrant serve` and `devgrant login` as a person meets them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use devgrant::approval::{Ask, Decision, Driver, Manner, Start, driver};
use devgrant::http::HttpPages;
use devgrant::target::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::binary::{Binary, Ended, Playing};
use crate::repository;
use crate::scripted::{codes, json, scripted};
use crate::stage::{Nobody, target};

/// Waits for a blocking end beside the servers of the test.
async fn ended(playing: Playing) -> Ended {
    tokio::task::spawn_blocking(|| playing.end()).await.unwrap()
}

/// The first address in a line.
fn address(line: &str) -> String {
    let start = line.find("http://").unwrap();
    line[start..].split([' ', ',']).next().unwrap().to_owned()
}

async fn get(origin: &str, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(origin.trim_start_matches("http://")).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[test]
fn faults_are_listed_and_belong_to_the_embedded_server() {
    let binary = Binary::new();
    let listed = binary.run(&["faults"]);
    assert_eq!(listed.code, Some(0), "{}", listed.all());
    assert!(listed.out.contains("\n  interval-not-enforced "), "{}", listed.out);
    let table = binary.run(&["faults", "--format", "markdown"]);
    assert!(table.out.contains("| `interval-not-enforced` |"), "{}", table.out);
    assert!(listed.out.contains("\nOnly under load: more than 500 polls a second;"), "{}", listed.out);
    let caught = binary.run(&["explain", "denied-stays-pending"]);
    assert!(caught.out.contains("\ncaught by  token-response/denial-reaches-the-device"), "{}", caught.out);
    let loaded = binary.run(&["explain", "500-under-load"]);
    assert!(loaded.out.contains("\nshows      only under load"), "{}", loaded.out);
    assert!(!loaded.out.contains("caught by"), "{}", loaded.out);
    let unknown = binary.run(&["serve", "--fault", "interval-not-enforcd"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.all());
    assert!(unknown.err.contains("did you mean interval-not-enforced?"), "{}", unknown.err);
    let of_a_target = binary.run(&["check", "--target", "target.yaml", "--fault", "interval-not-enforced"]);
    assert_eq!(of_a_target.code, Some(2), "{}", of_a_target.all());
    assert!(of_a_target.err.contains("cannot be used with"), "{}", of_a_target.err);
}

#[test]
fn check_says_what_a_fault_turns_red() {
    let binary = Binary::new();
    let checks = ["--check", "token-response/denial-*", "--check", "token-response/token-after-approval"];
    let ended = binary.run(&[&["check", "--fault", "denied-stays-pending"], &checks[..]].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.all());
    assert!(ended.out.contains("token-response/denial-reaches-the-device"), "{}", ended.out);
}

#[tokio::test]
async fn serve_takes_a_free_port_answers_and_ends_at_ctrl_c() {
    let binary = Binary::new();
    let mut serving = Playing::start(binary.command(&["serve", "--port", "0", "--interval", "7 s"]));
    let banner = serving.line_with("for testing only");
    let origin = address(&banner);
    assert!(origin.starts_with("http://127.0.0.1:") && !origin.ends_with(":0"), "{banner}");
    serving.line_with("ctrl-C");
    let metadata = get(&origin, "/.well-known/oauth-authorization-server").await;
    assert!(metadata.starts_with("HTTP/1.1 200 OK\r\n"), "{metadata}");
    assert!(metadata.contains(&format!("{origin}/oauth/device/code")), "{metadata}");

    // A second one at the same port says so.
    let port = origin.rsplit(':').next().unwrap().to_owned();
    let taken = tokio::task::spawn_blocking(move || binary.run(&["serve", "--port", &port])).await.unwrap();
    assert_eq!(taken.code, Some(3), "{}", taken.all());
    assert!(taken.err.starts_with("error: cannot serve at 127.0.0.1:"), "{}", taken.err);
    assert!(taken.err.contains("help: another port with --port"), "{}", taken.err);

    serving.interrupt();
    let ended = ended(serving).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_eq!(ended.err, "");
}

#[test]
fn serve_listens_on_loopback_only() {
    for address in ["0.0.0.0", "192.0.2.1", "::"] {
        let ended = Binary::new().run(&["serve", "--port", "0", "--address", address]);
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains("loopback only") && ended.err.contains(address), "{}", ended.err);
        assert!(ended.err.contains("help: ") && !ended.err.contains("port"), "{}", ended.err);
        assert_eq!(ended.out, "");
    }
}

#[test]
fn serve_says_what_is_wrong_with_its_flags() {
    for (arguments, said) in [
        (&["serve", "--interval", "soon"][..], "soon"),
        (&["serve", "--client-lifetime", "nobody=5 s"], "there is no client nobody"),
        (&["serve", "--path", "token=oauth"], "must start with /"),
        (&["serve", "--path", "nowhere=/x"], "no endpoint nowhere"),
        (&["serve", "--user", "alice"], "NAME:PASSWORD"),
    ] {
        let ended = Binary::new().run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.all());
        assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
    }
}

fn embedded() -> Target {
    target(&repository::text("fixtures/targets/embedded.yaml"))
}

/// Has alice decide at the pages of the server that `login` brought along.
async fn decide(decision: Decision, uri: &str, user_code: &str) {
    let target = embedded();
    let pages = Arc::new(HttpPages::new().unwrap());
    let driver: Box<dyn Driver> = driver(target.approval.as_ref().unwrap(), pages, Arc::new(Nobody));
    let ask = Ask {
        case: "login",
        decision,
        user: target.users.values().next().unwrap(),
        user_code,
        verification_uri: uri,
        verification_uri_complete: None,
        start: Start::Uri,
        deadline: tokio::time::Instant::now() + Duration::from_secs(30),
        manner: Manner::default(),
    };
    driver.decide(ask).await.unwrap();
}

/// Words that could be a device code or a token: long, and of their letters only.
fn secrets(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .filter(|word| word.len() >= 20)
        .collect()
}

async fn login(decision: Decision) -> Ended {
    let binary = Binary::new();
    let mut playing = Playing::start(binary.command(&["login"]));
    let (playing, uri, user_code) = tokio::task::spawn_blocking(move || {
        let uri = playing.line_with("On another device open");
        let user_code = playing.line_with("and enter");
        (playing, address(&uri), user_code.split_whitespace().last().unwrap().to_owned())
    })
    .await
    .unwrap();
    decide(decision, &uri, &user_code).await;
    let ended = ended(playing).await;
    assert_eq!(secrets(&ended.all()), Vec::<&str>::new(), "{}", ended.all());
    assert!(ended.out.contains(&uri) && ended.out.contains(&user_code), "{}", ended.all());
    ended
}

#[tokio::test]
async fn a_login_without_a_target_ends_with_the_api() {
    let ended = login(Decision::Approve).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.out.contains("signed in"), "{}", ended.all());
    assert!(ended.out.contains(r#""sub":"alice""#), "{}", ended.all());
}

#[tokio::test]
async fn a_login_that_is_denied_says_so() {
    let ended = login(Decision::Deny).await;
    assert_eq!(ended.code, Some(4), "{}", ended.all());
    assert!(ended.err.contains("error: denied on the other device"), "{}", ended.all());
    assert!(!ended.out.contains("signed in"), "{}", ended.all());
}

#[tokio::test]
async fn a_login_shows_neither_device_code_nor_token() {
    let count = AtomicU32::new(0);
    let token = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"}"#;
    let server = scripted(move |request| match request.split(' ').nth(1) {
        Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
        Some("/api") => json("200 OK", r#"{"sub":"alice","token":"2YotnFZFEjr1zCsicMWpAA"}"#),
        _ if count.fetch_add(1, Ordering::Relaxed) == 0 => {
            json("400 Bad Request", r#"{"error":"authorization_pending"}"#)
        }
        _ => json("200 OK", token),
    })
    .await;
    let binary = Binary::new();
    let origin = format!("http://{}", server.address);
    let target = binary.file("target.yaml", &format!("target: odd\nendpoints: {{ device_authorization: \"{origin}/code\", token: \"{origin}/token\", api: \"{origin}/api\" }}\nclients: {{ tv: {{ id: tv }} }}\n"));
    let playing = Playing::start(binary.command(&["login", "--target", &target]));
    let ended = ended(playing).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    for shown in
        ["http://127.0.0.1/device", "WDJB-MJHT", "signed in", "refresh token received", r#""sub":"alice""#]
    {
        assert!(ended.out.contains(shown), "no {shown}: {}", ended.all());
    }
    for secret in ["GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh", "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA"] {
        assert!(!ended.all().contains(secret), "{}", ended.all());
    }
}

#[tokio::test]
async fn a_login_ends_as_the_server_says() {
    for (error, code) in [("expired_token", 5), ("invalid_grant", 6), ("access_denied", 4)] {
        let server = scripted(move |request| match request.split(' ').nth(1) {
            Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
            _ => json("400 Bad Request", &format!(r#"{{"error":"{error}"}}"#)),
        })
        .await;
        let binary = Binary::new();
        let target = binary.target(&format!("http://{}", server.address));
        let ended = ended(Playing::start(binary.command(&["login", "--no-qr", "--target", &target]))).await;
        assert_eq!(ended.code, Some(code), "{error}: {}", ended.all());
        assert!(ended.err.contains("error: ") && ended.err.contains("help: "), "{}", ended.all());
    }
}

#[tokio::test]
async fn a_login_is_interrupted_at_once_and_says_when_nobody_listens() {
    let binary = Binary::new();
    let mut playing = Playing::start(binary.command(&["login"]));
    let playing = tokio::task::spawn_blocking(move || {
        playing.line_with("and enter");
        playing.interrupt();
        playing
    })
    .await
    .unwrap();
    assert_eq!(ended(playing).await.code, Some(130));

    let target = binary.target("http://127.0.0.1:1");
    let away = ended(Playing::start(binary.command(&["login", "--target", &target]))).await;
    assert_eq!(away.code, Some(3), "{}", away.all());
    assert!(away.err.contains("error: ") && !away.err.contains("panicked"), "{}", away.all());
}
