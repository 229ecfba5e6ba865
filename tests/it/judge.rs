//! `devgrant::judge`, as somebody else's test calls it. A whole server with its tests is `examples/own_server.rs`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::post;
use devgrant::http::Wire;
use devgrant::judge::{Client, Constant, Decision, Endpoints, Judge, Role, Target, Verdict, Wish};
use devgrant::record::RunRecord;
use devgrant::server::{App, Config, app};
use tower::ServiceExt;

use crate::repository;
use crate::virtual_time::{ORIGIN, reference_target};

/// The reference server; its hooks decide in the place of its pages.
fn reference() -> Judge {
    let App { public, admin } = app(Config::reference(), ORIGIN);
    let mut target = reference_target();
    target.approval = None;
    devgrant::judge(public, target).decide(move |wish| hook(admin.clone(), wish))
}

async fn hook(admin: Router, wish: Wish) -> Result<(), String> {
    let path = match wish.decision {
        Decision::Approve => "/approve",
        Decision::Deny => "/deny",
    };
    let order = serde_json::json!({ "user_code": wish.user_code, "user": wish.login });
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "localhost");
    let response = admin.oneshot(request.body(Body::from(order.to_string())).unwrap()).await.unwrap();
    if response.status() == StatusCode::OK { Ok(()) } else { Err(format!("{path}: {}", response.status())) }
}

/// A server whose endpoints are at `/code` and `/token`, with one client.
fn least() -> Target {
    Target::at(ORIGIN)
        .named("odd")
        .with_endpoints(Endpoints::at("/code", "/token"))
        .with_client(Role::Tv, Client::public("tv"))
}

const CODES: &str = r#"{"device_code":"d-0123456789-0123456789","user_code":"BCDF-GHJK",
    "verification_uri":"http://127.0.0.1:8628/device","expires_in":600}"#;

/// Codes, and a token endpoint that does as told.
fn odd<F>(token: impl Fn() -> F + Clone + Send + Sync + 'static) -> Router
where
    F: Future<Output = (StatusCode, &'static str)> + Send + 'static,
{
    const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
    Router::new().route("/code", post(async || (JSON, CODES))).route(
        "/token",
        post(move || async move {
            let (status, body) = token().await;
            (status, JSON, body)
        }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_closure_decides_for_both_users_all_that_pages_would() {
    let judged = reference().await.unwrap();
    judged.assert_green();
    let no_page = ["fail", "warn", "error", "inconclusive", "not exercised"];
    for verdict in Verdict::ALL.iter().filter(|verdict| no_page.contains(&verdict.word())) {
        assert_eq!(judged.named(&[*verdict]), Vec::<String>::new(), "{}", judged.findings());
    }
    let began = judged.record.began.as_ref().unwrap();
    assert_eq!(began.driver.as_deref(), Some("closure"));
    assert!(judged.named(&[Verdict::Pass]).contains(&"token-response/denial-is-final".to_owned()));
}

#[tokio::test]
async fn a_clock_that_runs_is_refused_with_what_to_write() {
    let text = format!("{:?}", reference().await.unwrap_err());
    assert!(text.starts_with("error: the clock is not paused"), "{text}");
    assert!(text.contains("#[tokio::test(start_paused = true)]"), "{text}");
}

#[tokio::test]
async fn a_clock_that_runs_will_do_where_that_is_meant() {
    let judged = reference().in_real_time().only(["user-code"]).await.unwrap();
    judged.assert_green();
    assert_eq!(judged.cases().len(), 4, "{}", judged.findings());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_offered_is_skipped_with_the_reason() {
    let App { public, .. } = app(Config::reference(), ORIGIN);
    let mut target = reference_target();
    target.clients.retain(|role, _| *role == Role::Tv);
    target.users.clear();
    target.approval = None;
    let judged = devgrant::judge(public, target).only(["security", "*/tls-of-the-endpoint"]).await.unwrap();
    judged.assert_green();
    let reason = |check: &str| {
        let case = judged.cases().iter().find(|case| case.check == check).unwrap();
        assert_eq!(case.verdict, Verdict::Skip, "{check}");
        case.reason.clone().unwrap()
    };
    assert_eq!(reason("security/tampered-code-brings-no-token"), "the target has no approval");
    assert_eq!(reason("security/other-client-spoils-nothing"), "the target has no second-client");
    assert_eq!(
        reason("token-request/tls-of-the-endpoint"),
        "in this process, without a socket: transport is not assessed"
    );
}

#[tokio::test(start_paused = true)]
async fn over_https_addresses_are_judged_and_transport_is_not() {
    let origin = "https://as.example";
    let App { public, .. } = app(Config::reference(), origin);
    let mut target = reference_target();
    target.issuer = Some(origin.to_owned());
    let judged = devgrant::judge(public, target).only(["*https*", "*/tls-*", "*plain-http*"]).await.unwrap();
    judged.assert_green();
    let passed = judged.named(&[Verdict::Pass]);
    assert!(passed.contains(&"user-interaction/verification-uris-are-https".to_owned()), "{passed:?}");
    assert_eq!(judged.named(&[Verdict::Skip]), crate::virtual_time::TRANSPORT);
}

#[tokio::test(start_paused = true)]
async fn a_decision_that_is_not_taken_is_told_in_the_words_of_the_closure() {
    let App { public, .. } = app(Config::reference(), ORIGIN);
    let mut target = reference_target();
    target.approval = None;
    let judged = devgrant::judge(public, target)
        .only(["token-response/token-after-approval"])
        .decide(async |wish: Wish| Err::<(), _>(format!("{} has no say", wish.login)))
        .await
        .unwrap();
    assert!(!judged.is_green());
    let case = &judged.cases()[0];
    assert_eq!(case.verdict, Verdict::NotExercised);
    assert!(case.reason.as_ref().unwrap().contains("alice has no say"), "{case:?}");
    assert!(judged.findings().contains("approval never once came out"), "{}", judged.findings());
}

#[tokio::test(start_paused = true)]
async fn the_panic_is_the_findings() {
    let server = odd(async || (StatusCode::BAD_REQUEST, r#"{"error":"unsupported_grant_type"}"#));
    let judged = devgrant::judge(server, least()).only(["form-is-understood"]).await.unwrap();
    let panic = std::panic::catch_unwind(|| judged.assert_green()).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    for part in [
        "the server does not keep the rules",
        "\nFAIL  token-request/form-is-understood",
        "must · RFC 8628 §3.4",
        "\n      actual    400  {\"error\":\"unsupported_grant_type\"}\n",
        "\n      exchange  #",
        "1 must-level failure. Not conformant.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("devgrant show"), "there is no record that it could show: {text}");
    assert_eq!(judged.failed(), ["token-request/form-is-understood"]);
    let read = RunRecord::read(&judged.record.text()).unwrap();
    assert_eq!(read, judged.record, "a file for devgrant report");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_something_real_is_told_what_is_wrong() {
    let server = odd(async || {
        // What a thread of its own does takes no time of tokio's: the paused clock is at its end long before.
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            let _ = sender.send(());
        });
        let _ = receiver.await;
        (StatusCode::BAD_REQUEST, r#"{"error":"authorization_pending"}"#)
    });
    let judged = devgrant::judge(server, least()).only(["pending-before-decision"]).await.unwrap();
    assert!(!judged.is_green());
    assert!(judged.findings().contains("must not wait for a socket"), "{}", judged.findings());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_is_an_answer_cut_off() {
    let server = odd(|| async { panic!("no such table") });
    let judged = devgrant::judge(server, least()).only(["form-is-understood"]).await.unwrap();
    assert!(!judged.is_green());
    assert!(judged.findings().contains("the server panicked: no such table"), "{}", judged.findings());
}

#[tokio::test(start_paused = true)]
async fn suites_of_ones_own_known_failures_and_targets_of_yaml_are_for_tests_too() {
    const SUITE: &str = "\
suite: mine
title: Mine
checks:
  - id: codes-live-an-hour
    title: Codes live an hour
    level: must
    requirements: [RFC8628-3.2-l]
    why: It is a test.
    steps:
      - authorize: { as: tv, expect: [{ member: { expires_in: { at_least: 3600 } } }] }
";
    let target = || {
        Target::from_yaml(&format!(
            "target: odd\nissuer: {ORIGIN}\nendpoints: {{ device_authorization: /code, token: /token }}\n\
             clients: {{ tv: {{ id: tv }} }}\n"
        ))
        .unwrap()
        .with_constant(Constant::TolLate, Duration::from_secs(1))
    };
    let server = odd(async || (StatusCode::BAD_REQUEST, r#"{"error":"authorization_pending"}"#));
    let mine = || devgrant::judge(server.clone(), target()).suite("mine.yaml", SUITE).only(["mine"]);
    assert_eq!(mine().await.unwrap().failed(), ["mine/codes-live-an-hour"]);
    mine().known_failure("mine/codes-live-an-hour", "ten minutes do").await.unwrap().assert_green();
    let stale = mine().known_failure("mine/codes-live-a-day", "misspelt").await.unwrap();
    assert!(
        stale.findings().contains("mine/codes-live-a-day: there is no such check"),
        "{}",
        stale.findings()
    );

    let wrong =
        devgrant::judge(server.clone(), target()).suite("mine.yaml", "suite: mine\n").await.unwrap_err();
    assert!(format!("{wrong:?}").contains("mine.yaml:1:"), "{wrong:?}");
    let nothing = devgrant::judge(server.clone(), target()).only(["token-respnse"]).await.unwrap_err();
    assert_eq!(nothing.help, "did you mean \"token-response\"?");
    let mistakes = Target::from_yaml("target: odd\nissuer: x\n").unwrap_err();
    assert!(format!("{mistakes:?}").contains("clients"), "{mistakes:?}");
}

#[tokio::test]
async fn another_way_to_the_server_has_another_transport() {
    let nowhere = Target::at("http://127.0.0.1:9").with_client(Role::Tv, Client::public("tv"));
    let wire = Arc::new(Wire::new(Duration::from_secs(5)).unwrap());
    let error = Judge::through(wire, None, nowhere).in_real_time().await.unwrap_err();
    assert_eq!(error.to_string(), "nobody listens at http://127.0.0.1:9");
}

/// What the guide shows of the example is what stands in it.
#[test]
fn the_guide_shows_the_example_as_it_is() {
    let example = repository::text("examples/own_server.rs");
    let guide = repository::text("docs/guide/your-own-tests.md");
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(example.contains(block), "not in examples/own_server.rs:\n{block}");
    }
    assert!(example.lines().count() < 300);
}
