//! The pages, as a browser without scripts uses them (RFC 8628 §3.3).

use axum::body::Body;
use axum::http::Request;

use super::client::*;

const DECISION: &str = "/activate/decision";

#[tokio::test(start_paused = true)]
async fn a_user_signs_in_types_the_code_and_approves() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public&scope=openid+email").await;
    let mut browser = Browser::open(&app, "/activate").await;
    assert_eq!(browser.place, "/login");
    let before = browser.cookie.clone();
    browser.sign_in("alice", "wonderland-1").await;
    assert_ne!(browser.cookie, before, "a new identifier at sign-in");
    assert_eq!(browser.place, "/activate");
    let typed = codes.user_code.to_lowercase().replace('-', " ");
    browser.submit("/activate", &[("user_code", &format!(" {typed}. "))]).await;
    let page = &browser.page.body;
    assert!(page.contains(&codes.user_code) && page.contains("Living-room TV") && page.contains("e-mail"));
    assert!(!page.contains(&codes.device_code));
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending");
    browser.submit(DECISION, &[("decision", "approve")]).await;
    assert_eq!(browser.page.status, 200);
    assert!(browser.page.body.contains("go back to your device"));
    assert_eq!(poll(&app, &codes).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_complete_uri_needs_sign_in_and_one_click() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let complete = format!("/activate?user_code={}", codes.user_code);
    let mut browser = Browser::open(&app, &complete).await;
    assert!(browser.place.starts_with("/login"));
    browser.sign_in("bob", "looking-glass-2").await;
    assert!(browser.page.body.contains(&codes.user_code));
    browser.goto(&complete).await;
    let head = Request::head(&complete).header("cookie", &browser.cookie).body(Body::empty()).unwrap();
    let head = send(&app.public, head).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending", "looking decides nothing");
    browser.submit(DECISION, &[("decision", "deny")]).await;
    assert!(browser.page.body.contains("Request denied"));
    assert_eq!(poll(&app, &codes).await.error(), "access_denied");
}

#[tokio::test(start_paused = true)]
async fn forged_decisions_decide_nothing() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let complete = format!("/activate?user_code={}", codes.user_code);
    let mut browser = Browser::open(&app, &complete).await;
    browser.sign_in("alice", "wonderland-1").await;
    let token = browser.hidden(DECISION).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let body = format!("user_code={}&decision=approve", codes.user_code);
    let whole = format!("{body}&csrf={token}");
    for (body, headers) in [
        (body.clone(), vec![]),
        (format!("{body}&csrf=x{token}"), vec![]),
        (whole.clone(), vec![("origin", "https://evil.example")]),
        (whole.clone(), vec![("origin", "null")]),
    ] {
        browser.post(DECISION, &body, &headers).await;
        assert_eq!(browser.page.status, 403, "{body}");
    }
    let got = get(&app.public, &format!("{DECISION}?{whole}"), &[("cookie", &browser.cookie)]).await;
    assert_eq!((got.status.as_u16(), got.header("allow")), (405, "POST"));
    let signed_out = post(&app.public, DECISION, &whole).await;
    assert_eq!((signed_out.status.as_u16(), signed_out.header("location")), (303, "/login"));
    browser.post(DECISION, &whole.replace("approve", "maybe"), &[]).await;
    assert_eq!(browser.page.status, 400);
    assert_eq!(poll(&app, &codes).await.error(), "authorization_pending");
    browser.post(DECISION, &whole, &[]).await;
    assert_eq!(poll(&app, &codes).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn decisions_are_final_whoever_comes_second() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public&scope=openid").await;
    let complete = format!("/activate?user_code={}", codes.user_code);
    let mut alice = Browser::open(&app, &complete).await;
    alice.sign_in("alice", "wonderland-1").await;
    let mut bob = Browser::open(&app, &complete).await;
    bob.sign_in("bob", "looking-glass-2").await;
    let stale = alice.hidden(DECISION);
    alice.submit(DECISION, &[("decision", "approve")]).await;
    bob.submit(DECISION, &[("decision", "deny")]).await;
    assert_eq!(bob.page.status, 409);
    assert!(bob.page.body.contains("Already decided"));
    let answer = poll(&app, &codes).await;
    let access = answer.text("access_token");
    let told = get(&app.public, "/userinfo", &[("authorization", &format!("Bearer {access}"))]).await;
    assert_eq!(told.json()["sub"], "alice");
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(stale).finish();
    alice.post(DECISION, &format!("{body}&decision=approve"), &[]).await;
    assert_eq!(alice.page.status, 409);
    assert_eq!(poll(&app, &codes).await.error(), "invalid_grant", "no resurrection");
    alice.goto(&complete).await;
    assert_eq!(alice.page.status, 400);
}

#[tokio::test(start_paused = true)]
async fn an_expired_code_cannot_be_decided() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let complete = format!("/activate?user_code={}", codes.user_code);
    let mut browser = Browser::open(&app, &complete).await;
    browser.sign_in("alice", "wonderland-1").await;
    wait(597.0).await;
    browser.goto(&complete).await;
    assert_eq!(browser.page.status, 200, "still good three seconds before the end");
    wait(3.0).await;
    browser.submit(DECISION, &[("decision", "approve")]).await;
    assert_eq!(browser.page.status, 409);
    assert!(browser.page.body.contains("expired"));
    assert_eq!(poll(&app, &codes).await.error(), "expired_token");
}

#[tokio::test(start_paused = true)]
async fn five_wrong_codes_end_the_sign_in_and_forty_a_minute_rest_the_user() {
    let app = reference();
    let mut browser = Browser::open(&app, "/activate").await;
    for sign_in in 0..8 {
        browser.sign_in("alice", "wonderland-1").await;
        assert_eq!(browser.place, "/activate", "sign-in {sign_in}");
        for _ in 0..4 {
            browser.submit("/activate", &[("user_code", "BBBB-BBBB")]).await;
            assert_eq!(browser.page.status, 400);
            assert!(browser.page.body.contains("role=\"alert\""));
        }
        browser.submit("/activate", &[("user_code", "BBBB-BBBB")]).await;
        assert_eq!(browser.page.status, 429);
        assert!(browser.page.body.contains("Sign in again"));
    }
    let codes = authorize(&app, "client_id=tv-public").await;
    browser.sign_in("alice", "wonderland-1").await;
    browser.submit("/activate", &[("user_code", &codes.user_code)]).await;
    assert_eq!((browser.page.status.as_u16(), browser.page.header("retry-after")), (429, "60"));
    let mut bob = Browser::open(&app, "/activate").await;
    bob.sign_in("bob", "looking-glass-2").await;
    bob.submit("/activate", &[("user_code", &codes.user_code)]).await;
    assert_eq!(bob.page.status, 200, "nobody else is held up");
    wait(60.0).await;
    browser.goto(&format!("/activate?user_code={}", codes.user_code)).await;
    assert_eq!(browser.page.status, 200);
}

#[tokio::test(start_paused = true)]
async fn success_does_not_reset_the_count_of_wrong_codes() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let mut browser = Browser::open(&app, "/activate").await;
    browser.sign_in("alice", "wonderland-1").await;
    for _ in 0..4 {
        browser.goto("/activate?user_code=BBBB-BBBB").await;
    }
    browser.goto(&format!("/activate?user_code={}", codes.user_code)).await;
    browser.submit(DECISION, &[("decision", "approve")]).await;
    assert_eq!(browser.page.status, 200);
    browser.goto("/activate?user_code=BBBB-BBBB").await;
    assert_eq!(browser.page.status, 429);
}

#[tokio::test(start_paused = true)]
async fn every_page_has_the_safe_headers_and_escapes_what_it_shows() {
    let app = reference();
    let mut browser = Browser::open(&app, "/activate").await;
    browser.sign_in("alice", "wonderland-1").await;
    let evil = "/activate?user_code=%22%3E%3Cdgct%3E";
    browser.goto(evil).await;
    assert!(!browser.page.body.contains("<dgct"), "{}", browser.page.body);
    for path in ["/activate", "/login", evil, "/nowhere", DECISION] {
        let answer = get(&app.public, path, &[("cookie", &browser.cookie)]).await;
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
    assert_eq!(get(&app.public, "/style.css", &[]).await.header("content-type"), "text/css; charset=utf-8");
    let login = get(&app.public, "/login", &[]).await;
    let cookie = login.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_are_told_and_limited_and_signing_out_works() {
    let app = reference();
    let mut browser = Browser::open(&app, "/activate?user_code=x").await;
    for _ in 0..40 {
        browser.sign_in("alice", "wrong").await;
        assert_eq!(browser.page.status, 403);
    }
    browser.sign_in("alice", "wonderland-1").await;
    assert_eq!(browser.page.status, 429);
    let mut browser = Browser::open(&app, "/activate").await;
    browser.sign_in("bob", "looking-glass-2").await;
    let signed_in = browser.cookie.clone();
    browser.submit("/logout", &[]).await;
    assert_eq!(browser.place, "/login");
    let again = get(&app.public, "/activate", &[("cookie", &signed_in)]).await;
    assert_eq!(again.status, 303);
}
