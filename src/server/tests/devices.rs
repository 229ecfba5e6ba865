//! Polls, decisions and expiry (RFC 8628 §3.5).

use futures_util::future::join_all;

use super::client::*;
use crate::server::{Config, app};

#[tokio::test(start_paused = true)]
async fn a_device_gets_both_codes_and_where_to_enter_them() {
    let app = reference();
    let answer = post(&app.public, CODES, "client_id=tv-public&scope=openid+profile").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let json = answer.json();
    assert_eq!(json["verification_uri"], "http://127.0.0.1:8628/activate");
    assert_eq!(json["expires_in"], 600);
    assert_eq!(json["interval"], 5);
    let complete = json["verification_uri_complete"].as_str().unwrap();
    assert!(complete.ends_with(&format!("?user_code={}", answer.text("user_code"))));
    assert_eq!(answer.text("device_code").len(), 43);
}

#[tokio::test(start_paused = true)]
async fn pending_then_approved_then_used() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending");
    wait(5.0).await;
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending");
    approve(&app, &codes).await;
    // At once: a decided code never slows a device down.
    let granted = poll(&app, &codes).await;
    assert_eq!(granted.status, 200);
    assert_eq!(granted.header("cache-control"), "no-store");
    assert_eq!(granted.header("pragma"), "no-cache");
    assert_eq!(granted.text("token_type"), "Bearer");
    assert_eq!(granted.text("scope"), "api");
    assert_eq!(granted.json()["expires_in"], 3600);
    assert_eq!(poll(&app, &codes).await.error(), "invalid_grant");
    assert_eq!(
        hook(&app, "/approve", &format!(r#"{{"user_code":"{}"}}"#, codes.user_code)).await.status,
        409
    );
    assert_eq!(poll(&app, &codes).await.error(), "invalid_grant");
}

#[tokio::test(start_paused = true)]
async fn early_polls_are_slowed_and_the_interval_grows_once_a_burst() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let other = authorize(&app, "client_id=tv-public").await;
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending");
    wait(4.999).await;
    assert_eq!(poll(&app, &codes).await.error(), "slow_down");
    wait(0.5).await;
    assert_eq!(poll(&app, &codes).await.error(), "slow_down");
    wait(9.9).await;
    assert_eq!(poll(&app, &codes).await.error(), "slow_down", "the interval is 10 s by now");
    wait(15.0).await;
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending", "15 s after two rises");
    assert_eq!(poll(&app, &other).await.error(), "authorization_pending", "each session has its own pace");
}

#[tokio::test(start_paused = true)]
async fn denial_is_told_until_expiry() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    assert_eq!(
        hook(&app, "/deny", &format!(r#"{{"device_code":"{}"}}"#, codes.device_code)).await.text("state"),
        "denied"
    );
    for _ in 0..3 {
        assert_eq!(poll(&app, &codes).await.error(), "access_denied");
    }
    wait(600.0).await;
    assert_eq!(poll(&app, &codes).await.error(), "expired_token");
}

#[tokio::test(start_paused = true)]
async fn codes_live_exactly_as_long_as_announced() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let collected_late = authorize(&app, "client_id=tv-public").await;
    wait(599.5).await;
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending");
    approve(&app, &collected_late).await;
    wait(0.5).await;
    assert_eq!(poll(&app, &codes).await.error(), "expired_token", "even though it came early");
    assert_eq!(poll(&app, &collected_late).await.error(), "expired_token");
    assert_eq!(
        hook(&app, "/approve", &format!(r#"{{"user_code":"{}"}}"#, codes.user_code)).await.status,
        409
    );
    wait(599.0).await;
    authorize(&app, "client_id=tv-public").await;
    assert_eq!(poll(&app, &codes).await.error(), "expired_token", "kept for ten minutes");
}

#[tokio::test(start_paused = true)]
async fn the_embedded_server_is_quick() {
    let app = app(Config::embedded(), ORIGIN);
    for (client, lifetime) in [("tv-public", 10), ("pace", 16)] {
        let json = post(&app.public, CODES, &format!("client_id={client}")).await.json();
        assert_eq!((&json["expires_in"], &json["interval"]), (&lifetime.into(), &1.into()));
    }
    assert_eq!(tokens(&app, "short-tokens", "api").await.json()["expires_in"], 8);
}

#[tokio::test(start_paused = true)]
async fn eight_polls_at_once_give_one_token() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public&scope=openid").await;
    approve(&app, &codes).await;
    let answers = join_all((0..8).map(|_| poll(&app, &codes))).await;
    let granted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(granted, 1);
    assert!(
        answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.error() == "invalid_grant")
    );
}

#[tokio::test(start_paused = true)]
async fn another_client_gets_nothing_and_spoils_nothing() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let theirs = poll_body(&codes.device_code, "other-public");
    assert_eq!(post(&app.public, TOKEN, &theirs).await.error(), "invalid_grant");
    approve(&app, &codes).await;
    assert_eq!(post(&app.public, TOKEN, &theirs).await.error(), "invalid_grant");
    assert_eq!(poll(&app, &codes).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn neither_code_is_taken_for_the_other() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    assert_eq!(
        post(&app.public, TOKEN, &poll_body(&codes.user_code, "tv-public")).await.error(),
        "invalid_grant"
    );
    let as_user_code = format!(r#"{{"user_code":"{}"}}"#, codes.device_code);
    assert_eq!(hook(&app, "/approve", &as_user_code).await.status, 404);
    for altered in
        [codes.device_code.to_uppercase(), format!("{}%20", codes.device_code), "A".repeat(1 << 20)]
    {
        assert_eq!(
            post(&app.public, TOKEN, &poll_body(&altered, "tv-public")).await.error(),
            "invalid_grant"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn hooks_say_what_is_wrong() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let user_code = &codes.user_code;
    assert_eq!(hook(&app, "/approve", r#"{"user_code":"BBBB-BBBB"}"#).await.status, 404);
    assert_eq!(
        hook(&app, "/approve", &format!(r#"{{"user_code":"{user_code}","user":"carol"}}"#)).await.status,
        404
    );
    for bad in ["", "{}", "[]", r#"{"user_code":"x","more":1}"#, r#"{"user_code":"x","device_code":"y"}"#] {
        assert_eq!(hook(&app, "/approve", bad).await.status, 400, "{bad}");
    }
    let expired = hook(&app, "/expire", &format!(r#"{{"user_code":"{user_code}"}}"#)).await;
    assert_eq!(expired.text("state"), "expired");
    assert_eq!(poll(&app, &codes).await.error(), "expired_token");
    assert_eq!(post(&app.admin, "/approve", "user_code=x").await.status, 415);
    assert_eq!(get(&app.admin, "/approve", &[]).await.status, 405);
    assert_eq!(get(&app.admin, "/", &[]).await.status, 404);
}
