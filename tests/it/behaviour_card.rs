//! The behaviour card of the reference server, and what a fault or another policy changes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use devgrant::event::Reading;
use devgrant::http::InProcess;
use devgrant::judge::Judge;
use devgrant::record::RunRecord;
use devgrant::server::{Config, app, faults};

use crate::stage::{Wanted, details, judge};
use crate::virtual_time::{ORIGIN, reference_target};

/// Measures these lines of the card, and nothing else.
async fn measured(server: Router, checks: &[&str]) -> RunRecord {
    let server = InProcess::new(server, 1);
    let wanted = Wanted { checks, ..Wanted::default() };
    judge(Arc::new(server.clone()), Some(Arc::new(server)), &reference_target(), &wanted).await.unwrap()
}

/// The reference server with faults.
fn reference(faults: &[&str]) -> Router {
    let faults = faults.iter().map(|id| faults::all().find(|fault| fault.id == *id).unwrap());
    app(Config::reference().with_faults(faults), ORIGIN).public
}

/// The lines by their keys.
fn lines(record: &RunRecord) -> BTreeMap<String, String> {
    let said = |reading: &Reading| match reading {
        Reading::Measured(text) => text.clone(),
        Reading::NotMeasured(reason) => format!("not measured: {reason}"),
    };
    record.card.iter().map(|line| (line.key.clone(), said(&line.reading))).collect()
}

fn shown(record: &RunRecord) -> String {
    lines(record).iter().map(|(key, text)| format!("{key}: {text}\n")).collect()
}

#[tokio::test(start_paused = true)]
async fn the_card_of_the_reference_server() {
    let record = measured(reference(&[]), &["card"]).await;
    assert_eq!(record.exit_code(), 0, "{}", details(&record));
    insta::assert_snapshot!(shown(&record));
}

/// The one line that a check measures.
async fn line(server: Router, check: &str) -> String {
    let record = measured(server, &[&format!("card/{check}")]).await;
    let lines: Vec<String> = lines(&record).into_values().collect();
    assert_eq!(lines.len(), 1, "{check}");
    lines.into_iter().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_line_follows_what_the_server_does() {
    for (check, fault, text) in [
        ("announced-times", "expires-in-zero", "interval 5 s, lifetime 0 s"),
        ("first-poll-at-once", "first-poll-slow-down", "slow_down"),
        (
            "enforced-interval",
            "interval-not-enforced",
            "not enforced: no gap from 0 s on was slowed (announced 5 s)",
        ),
        ("enforced-interval", "interval-advertised-too-small", "slow_down below 7 s (announced 5 s)"),
        ("enforced-interval", "interval-equals-lifespan", "slow_down even after 10 s (announced 5 s)"),
        ("enforced-interval", "slow-down-as-invalid-request", "invalid_request below 5 s (announced 5 s)"),
        ("interval-counts-from", "slow-down-grows-nothing", "the last poll, slowed or not"),
        ("interval-counts-from", "interval-not-enforced", "nothing: an early poll is not slowed"),
        (
            "interval-counts-from",
            "slow-down-pushes-window",
            "not known: it is longer by more than 5 s after a slow_down",
        ),
        ("slow-down-growth", "slow-down-grows-nothing", "static: still 5 s after 1, 2 and 3 slow_downs"),
        ("slow-down-growth", "slow-down-pushes-window", "slow_down even 25 s after 2 slow_downs"),
        ("slow-down-growth", "slow-down-never-recovers", "slow_down even 25 s after 1 slow_down"),
        ("slow-down-growth", "interval-not-enforced", "no: an early poll is not slowed"),
        (
            "slow-down-tells-interval",
            "slow-down-is-terminal",
            "not told: an early poll is answered expired_token",
        ),
        ("early-poll-of-approved", "interval-not-enforced", "a token; no early poll is slowed"),
        ("measured-lifetime", "expires-late", "still alive at 305 s (announced 300 s)"),
        ("measured-lifetime", "expires-in-from-wrong-setting", "over before 1198 s (announced 1200 s)"),
        ("measured-lifetime", "expired-pending-stays-pending", "still alive at 605 s (announced 600 s)"),
        ("after-expiry", "expired-is-invalid-grant", "invalid_grant, and again"),
        ("after-expiry", "expired-once-then-pending", "expired_token, then authorization_pending"),
        ("after-denial", "denied-as-expired", "expired_token, and again"),
        ("after-denial", "denial-is-told-once", "access_denied, then authorization_pending"),
        ("replay", "replay-mints-new-token", "a token"),
        ("replay", "replay-access-denied", "access_denied"),
        ("unknown-code", "unknown-code-expired", "expired_token"),
        ("foreign-poll", "foreign-client-burns-code", "invalid_grant; its owner is then told invalid_grant"),
        ("foreign-poll", "foreign-client-invalid-client", "invalid_client; the code lives on"),
        (
            "user-code-spelling",
            "user-code-six-digits",
            "6 characters, of 10 different ones (0123456789): at most 19.9 bits, by 200 samples",
        ),
        (
            "user-code-spelling",
            "user-code-long",
            "26 characters as XXXXXXXX-XXXXXXXX-XXXXXXXX, of 20 different ones (BCDFGHJKLMNPQRSTVWXZ): at most 103.7 bits, by 200 samples",
        ),
        (
            "device-code-spelling",
            "device-code-96-bit",
            "16 characters, of 64 different ones: at most 96.0 bits, by 200 samples",
        ),
        ("complete-uri", "complete-uri-without-code", "given, without the user code"),
        ("token-set", "token-expires-in-missing", "no expires_in, with a refresh token"),
        ("guess-limit", "no-guess-limit", "no limit within 50 of one sign-in"),
        ("refresh-rotation", "refresh-token-not-rotated", "kept: a refresh brings none"),
        ("refresh-rotation", "refresh-error-invalid-request", "rotated; the old one brings invalid_request"),
    ] {
        let (clean, changed) = (line(reference(&[]), check).await, line(reference(&[fault]), check).await);
        assert_eq!(changed, text, "{check} with {fault}");
        assert_ne!(changed, clean, "{check} with {fault}");
    }
}

/// What none of the faults does: the reference server behind something that changes its answers.
fn behind<F, R>(edit: F) -> Router
where
    F: Fn(Request, Next) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    reference(&[]).layer(middleware::from_fn(edit))
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_slow_down_tells_is_shown() {
    let server = behind(async |request: Request, next: Next| {
        let (mut parts, body) = next.run(request).await.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        parts.headers.remove("content-length");
        let told = text.replace(r#""error":"slow_down""#, r#""error":"slow_down","interval":10"#);
        Response::from_parts(parts, told.into())
    });
    assert_eq!(line(server, "slow-down-tells-interval").await, "interval 10");
    let server = behind(async |request: Request, next: Next| {
        let mut response = next.run(request).await;
        response.headers_mut().insert("retry-after", "10".parse().unwrap());
        response
    });
    assert_eq!(line(server, "slow-down-tells-interval").await, "by the header Retry-After");
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_takes_the_token_back_is_shown() {
    let granted = Arc::new(AtomicBool::new(false));
    let replayed = Arc::new(AtomicBool::new(false));
    let server = behind(move |request: Request, next: Next| {
        let (granted, replayed) = (granted.clone(), replayed.clone());
        async move {
            let path = request.uri().path().to_owned();
            let response = next.run(request).await;
            match path.as_str() {
                "/oauth/token" if response.status() == 200 => granted.store(true, Ordering::SeqCst),
                "/oauth/token" if granted.load(Ordering::SeqCst) => replayed.store(true, Ordering::SeqCst),
                "/userinfo" if replayed.load(Ordering::SeqCst) => {
                    return StatusCode::UNAUTHORIZED.into_response();
                }
                _ => {}
            }
            response
        }
    });
    assert_eq!(line(server, "replay-revokes").await, "no longer good: status 401");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_corrects_what_was_misread_is_shown() {
    assert_eq!(line(reference(&[]), "look-alikes").await, "refused");
    let corrects = behind(async |request: Request, next: Next| {
        let (mut parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let corrected = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
            let value = if name == "user_code" { value.replace(['1', 'I'], "L") } else { value.into_owned() };
            (name.into_owned(), value)
        };
        let fields = url::form_urlencoded::parse(&body).map(corrected);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        parts.headers.remove("content-length");
        next.run(Request::from_parts(parts, body.into())).await
    });
    assert_eq!(line(corrects, "look-alikes").await, "taken for the character that the code has");
}

#[tokio::test(start_paused = true)]
async fn what_binds_a_token_is_shown() {
    assert_eq!(line(reference(&[]), "sender-constrained-tokens").await, "bearer tokens only");
    // {"alg":"none"}.{"cnf":{"jkt":"x"}}. by RFC 7515 §3.
    let bound = r#""access_token":"eyJhbGciOiJub25lIn0.eyJjbmYiOnsiamt0IjoieCJ9fQ.","bound":""#;
    for (from, to, text) in [
        (r#""token_type":"Bearer""#, r#""token_type":"DPoP""#, "bound to a key, by DPoP"),
        (r#""access_token":""#, bound, "bound to a key, by the claim cnf"),
        (
            r#""issuer":"#,
            r#""dpop_signing_alg_values_supported":["ES256"],"issuer":"#,
            "a bearer token; DPoP is offered",
        ),
        (
            r#""issuer":"#,
            r#""tls_client_certificate_bound_access_tokens":true,"issuer":"#,
            "a bearer token; mutual TLS is offered",
        ),
        (
            r#""issuer":"#,
            r#""tls_client_certificate_bound_access_tokens":true,"dpop_signing_alg_values_supported":["ES256"],"issuer":"#,
            "a bearer token; DPoP and mutual TLS are offered",
        ),
        (
            r#""issuer":"#,
            r#""tls_client_certificate_bound_access_tokens":false,"issuer":"#,
            "bearer tokens only",
        ),
    ] {
        let server = behind(move |request: Request, next: Next| async move {
            let (mut parts, body) = next.run(request).await.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap().replace(from, to);
            parts.headers.remove("content-length");
            Response::from_parts(parts, body.into())
        });
        assert_eq!(line(server, "sender-constrained-tokens").await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_code_requests_is_shown() {
    assert_eq!(line(reference(&[]), "code-request-limit").await, "no limit within 100 at once");
    for (status, body, text) in [
        (429, "", "limited within 100 at once: status 429"),
        (400, r#"{"error":"access_denied"}"#, "within 100 at once: access_denied"),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let server = behind(move |request: Request, next: Next| {
            let is_for_codes = request.uri().path() == "/oauth/device/code";
            let is_too_many = is_for_codes && asked.fetch_add(1, Ordering::SeqCst) >= 50;
            async move {
                if is_too_many {
                    let status = StatusCode::from_u16(status).unwrap();
                    return (status, [("content-type", "application/json")], body).into_response();
                }
                next.run(request).await
            }
        });
        assert_eq!(line(server, "code-request-limit").await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_may_trip_limiters_is_not_measured_unasked() {
    let server = InProcess::new(reference(&[]), 1);
    let judged = Judge::through(Arc::new(server.clone()), Some(Arc::new(server)), reference_target())
        .only(["card/guess-limit", "card/code-request-limit"])
        .without_destructive()
        .in_real_time()
        .await
        .unwrap();
    let lines = lines(&judged.record);
    assert_eq!(lines.len(), 2);
    assert!(lines.values().all(|text| text.starts_with("not measured: may trip limiters")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_cannot_be_measured_says_why() {
    let record = measured(reference(&["api-closed"]), &["card/replay-revokes"]).await;
    let text = lines(&record).remove("replay-revokes").unwrap();
    assert!(text.starts_with("not measured: its control failed: the API should answer 200"), "{text}");
    let text = line(reference(&["device-code-omitted"]), "first-poll-at-once").await;
    assert!(text.starts_with("not measured: no codes"), "{text}");
    let text = line(reference(&["slow-down-for-everybody"]), "enforced-interval").await;
    assert!(text.starts_with("not measured: exchange #"), "{text}");
}
