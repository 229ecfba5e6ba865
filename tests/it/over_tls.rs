//! The checks of the transport, which skip on plain loopback: each passes over TLS, and each can fail.
//!
//! Over sockets the reference server stands behind a front that speaks TLS, with a certificate of an authority that is made
//! here. What needs port 80 or a certificate that was good a moment ago is played in process.

use std::net::SocketAddr;
use std::sync::Arc;

use devgrant::compose::Composed;
use devgrant::exchange::NoAnswer;
use devgrant::http::{Exchanger, InProcess, Sent, Transport};
use devgrant::server::{Config, app};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::binary::{Binary, Ended, Playing};
use crate::device_tests::tls::{Shown, authority, config};
use crate::repository;
use crate::stage::{Wanted, judge, not_green};
use crate::virtual_time::{TRANSPORT, reference_target};

/// Takes connections, and passes on what it decrypts.
pub(crate) fn front(listener: TcpListener, backend: SocketAddr, acceptor: TlsAcceptor) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not like the certificate ends the handshake.
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let mut server = TcpStream::connect(backend).await.unwrap();
                // Either side may have gone.
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
}

/// The reference server behind TLS: its origin, and where it listens without.
pub(crate) async fn reference(config: ServerConfig) -> (String, SocketAddr) {
    let front_door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", front_door.local_addr().unwrap());
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = backend.local_addr().unwrap();
    let router = app(Config::embedded(), &origin).public;
    tokio::spawn(async move { axum::serve(backend, router).await });
    front(front_door, address, TlsAcceptor::from(Arc::new(config)));
    (origin, address)
}

/// How the judge learns whom to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// By the roots of the system, which are this one alone.
    System,
    /// By `--ca`.
    Flag,
    /// By the target file, which goes for the directory it stands in.
    Target,
    /// By `--ca`, and it is another authority.
    Wrongly,
}

/// Judges the transport of a server whose API shows this certificate.
async fn judged(api: Shown) -> Ended {
    let checks: Vec<&str> = TRANSPORT.to_vec();
    judged_as_told(api, Told::System, &checks).await
}

async fn judged_as_told(api: Shown, told: Told, checks: &[&str]) -> Ended {
    let trusted = authority("trusted");
    let (origin, address) = reference(config(Shown::Good, &trusted)).await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("https://{}", other.local_addr().unwrap());
    front(other, address, TlsAcceptor::from(Arc::new(config(api, &trusted))));

    let binary = Binary::new();
    let pem = if told == Told::Wrongly { authority("other").pem() } else { trusted.pem() };
    let ca = binary.file("ca.pem", &pem);
    let target = repository::text("fixtures/targets/embedded.yaml");
    let (before, after) = target.split_once("issuer: http://127.0.0.1:8628").unwrap();
    let target = binary.file(
        "target.yaml",
        &format!(
            "{before}issuer: {origin}\nendpoints: {{ device_authorization: \"{origin}/oauth/device/code\", token: \
             \"{origin}/oauth/token\", api: \"{elsewhere}/api/whoami\" }}\n{}#{after}",
            if told == Told::Target { "tls: { ca: ca.pem }\n" } else { "" }
        ),
    );
    let nobody = binary.file("nobody.pem", &authority("nobody").pem());
    let checks: Vec<String> = checks.iter().map(|&check| check.to_owned()).collect();
    let ended = tokio::task::spawn_blocking(move || {
        let mut arguments = vec!["check", "--target", &target, "-v"];
        checks.iter().for_each(|check| arguments.extend(["--check", check]));
        if matches!(told, Told::Flag | Told::Wrongly) {
            arguments.extend(["--ca", &ca]);
        }
        let mut command = binary.command(&arguments);
        let of_system = if told == Told::System { &ca } else { &nobody };
        command.env("SSL_CERT_FILE", of_system).env_remove("SSL_CERT_DIR");
        Playing::start(command).end()
    });
    ended.await.unwrap()
}

/// The checks that are red.
fn reds(ended: &Ended) -> Vec<&str> {
    let ids = ended.out.lines().filter_map(|line| line.strip_prefix("FAIL"));
    let mut ids: Vec<&str> = ids.map(|line| line.split_whitespace().next().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_transport_passes_every_check_of_it() {
    let ended = judged(Shown::Good).await;
    assert_eq!((ended.code, reds(&ended)), (Some(0), Vec::new()), "{}", ended.all());
    for check in TRANSPORT {
        assert!(ended.out.contains(&format!("PASS  {check}")), "{check}: {}", ended.all());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_ones_own_is_trusted_at_endpoints_and_pages() {
    const AT_PAGES: &str = "token-response/one-token-for-two-polls";
    for told in [Told::Flag, Told::Target] {
        let checks = [TRANSPORT, &[AT_PAGES]].concat();
        let ended = judged_as_told(Shown::Good, told, &checks).await;
        assert_eq!((ended.code, reds(&ended)), (Some(0), Vec::new()), "{told:?}: {}", ended.all());
        for check in checks {
            assert!(ended.out.contains(&format!("PASS  {check}")), "{told:?} {check}: {}", ended.all());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_another_authority_nothing_is_judged() {
    let ended = judged_as_told(Shown::Good, Told::Wrongly, TRANSPORT).await;
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(ended.err.to_lowercase().contains("certificate"), "{}", ended.all());
    assert!(ended.err.contains("--ca FILE"), "{}", ended.all());
}

#[test]
fn a_file_that_names_no_authority_is_a_mistake_that_says_what_it_should_be() {
    let binary = Binary::new();
    let target = binary.target("https://127.0.0.1:9");
    binary.file("text.pem", "an authority\n");
    binary.file("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    for (ca, why) in [
        ("nowhere.pem", "nowhere.pem cannot be read: "),
        ("text.pem", "text.pem is not PEM: no line begins with -----BEGIN"),
        ("key.pem", "key.pem has no certificate, but PRIVATE KEY"),
    ] {
        for command in ["check", "login"] {
            let ended = binary.run(&[command, "--target", &target, "--ca", ca]);
            assert_eq!(ended.code, Some(2), "{}", ended.all());
            assert!(ended.err.contains(why), "{}", ended.all());
            assert!(ended.err.contains("help: give a PEM file with the certificate"), "{}", ended.all());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_no_client_may_trust_is_found() {
    for bad in [Shown::Expired, Shown::OfAnotherName, Shown::OfAnUnknownAuthority, Shown::SelfSigned] {
        let ended = judged(bad).await;
        assert_eq!(ended.code, Some(1), "{bad:?}: {}", ended.all());
        assert_eq!(reds(&ended), ["rfc6750-bearer-use/tls-of-the-api"], "{bad:?}: {}", ended.all());
    }
}

/// The reference server in process as if over TLS, with what may be wrong with its transport.
#[derive(Clone)]
struct Line {
    server: InProcess,
    /// Port 80 answers as the server does.
    in_the_clear: bool,
    /// The certificate was good when the run began, and is so no more.
    is_expired: bool,
}

impl Exchanger for Line {
    fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent> {
        if self.in_the_clear || request.url.starts_with("https:") {
            return self.server.send(request);
        }
        let now = Instant::now();
        std::future::ready(Sent { answer: Err(NoAnswer::Refused), sent: now, done: now }).boxed()
    }
}

impl Transport for Line {
    fn race<'a>(&'a self, requests: &'a [Composed]) -> BoxFuture<'a, Vec<Sent>> {
        self.server.race(requests)
    }

    fn handshake<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), NoAnswer>> {
        let shown =
            if self.is_expired { Err(NoAnswer::Tls("certificate expired".to_owned())) } else { Ok(()) };
        std::future::ready(shown).boxed()
    }

    fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer> {
        Ok(Arc::new(self.clone()))
    }
}

async fn judged_in_process(in_the_clear: bool, is_expired: bool) -> Vec<String> {
    let origin = "https://as.example";
    let mut target = reference_target();
    target.issuer = Some(origin.to_owned());
    let server = InProcess::new(app(Config::reference(), origin).public, 1);
    let line = Line { server: server.clone(), in_the_clear, is_expired };
    let wanted = Wanted { checks: TRANSPORT, ..Wanted::default() };
    not_green(&judge(Arc::new(line), Some(Arc::new(server)), &target, &wanted).await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn who_answers_in_the_clear_too_is_found() {
    assert_eq!(judged_in_process(false, false).await, Vec::<String>::new());
    let found = [
        "device-authorization-request/plain-http-is-refused: fail",
        "rfc6749-client-authentication/no-secret-over-plain-http: acceptable",
        "token-request/no-token-over-plain-http: fail",
    ];
    assert_eq!(judged_in_process(true, false).await, found);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_is_not_valid_is_found_at_every_endpoint() {
    let found = [
        "device-authorization-request/tls-of-the-endpoint: fail",
        "metadata/tls-of-the-document: fail",
        "rfc6750-bearer-use/tls-of-the-api: fail",
        "token-request/tls-of-the-endpoint: fail",
    ];
    assert_eq!(judged_in_process(false, true).await, found);
}

/// A load run over TLS with an authority of one's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_run_trusts_the_authority_of_the_target() {
    for told in [Told::Target, Told::System, Told::Wrongly] {
        let trusted = authority("trusted");
        let (origin, _) = reference(config(Shown::Good, &trusted)).await;
        let binary = Binary::new();
        let pem = if told == Told::Wrongly { authority("other").pem() } else { trusted.pem() };
        let ca = binary.file("ca.pem", &pem);
        let tls = if told == Told::System { "" } else { "tls: { ca: ca.pem }\n" };
        let target = format!("target: ours\nissuer: {origin}\nclients: {{ tv: {{ id: tv-public }} }}\n{tls}");
        let target = binary.file("target.yaml", &target);
        let scenario = binary.file("waiting.yaml", WAITING);
        let record = binary.name("load.jsonl");
        let of_system =
            if told == Told::System { ca } else { binary.file("nobody.pem", &authority("nobody").pem()) };
        let ended = tokio::task::spawn_blocking(move || {
            let mut command = binary.command(&["load", &scenario, "--target", &target, "--record", &record]);
            command.env("SSL_CERT_FILE", of_system).env_remove("SSL_CERT_DIR");
            let ended = Playing::start(command).end();
            let record = std::fs::read_to_string(&record).unwrap_or_default();
            (ended, devgrant::tally::read(&record).ok())
        });
        let (ended, record) = ended.await.unwrap();
        if told == Told::Wrongly {
            assert_eq!(ended.code, Some(3), "{}", ended.all());
            continue;
        }
        let record = record.unwrap_or_else(|| panic!("{told:?}: {}", ended.all()));
        let pending = record
            .totals
            .latencies()
            .iter()
            .any(|summary| summary.outcome == devgrant::outcome::Outcome::Pending);
        assert!(pending, "{told:?}: {}", ended.all());
    }
}

/// Few devices that wait for two intervals of the embedded server.
pub(crate) const WAITING: &str = "scenario: waiting\ntitle: Few devices that wait\nwhy: TLS is all that counts\n\
    duration: 2 intervals\ngroups:\n  - name: households\n    arrive: { hold: { devices: 5 } }\n    \
    user: [{ nothing: { weight: 1 } }]\nthresholds: [violations == 0]\n";
