//! Refresh, revocation, introspection and the protected API (RFC 6749 §6, RFC 7009, RFC 7662, RFC 6750).

use axum::http::{HeaderValue, Request};
use futures_util::future::join_all;
use serde_json::Value;

use super::client::*;
use crate::server::App;

const SECRET: &str = "projector-secret-7c1f0b52d9";

async fn refresh(app: &App, client: &str, token: &str, more: &str) -> Answer {
    post(
        &app.public,
        TOKEN,
        &format!("grant_type=refresh_token&refresh_token={token}&client_id={client}{more}"),
    )
    .await
}

async fn introspect(app: &App, token: &str) -> Value {
    let auth = basic("tv-confidential", SECRET);
    let body = format!("token={token}&token_type_hint=refresh_token");
    let answer = post_with(&app.public, "/oauth/introspect", &body, &[("authorization", &auth)]).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

async fn api(app: &App, authorization: &str) -> Answer {
    get(&app.public, "/userinfo", &[("authorization", authorization)]).await
}

#[tokio::test(start_paused = true)]
async fn refresh_tokens_of_public_clients_are_used_once() {
    let app = reference();
    let first = tokens(&app, "tv-public", "openid+api+offline_access").await;
    let (access, token) = (first.text("access_token"), first.text("refresh_token"));
    assert_eq!(refresh(&app, "other-public", &token, "").await.error(), "invalid_grant");
    assert_eq!(refresh(&app, "tv-public", &token, "&scope=email").await.error(), "invalid_scope");
    let second = refresh(&app, "tv-public", &token, "&scope=api").await;
    assert_eq!(second.text("scope"), "api");
    assert!(second.json().get("id_token").is_none());
    let next = second.text("refresh_token");
    let third = refresh(&app, "tv-public", &next, "").await;
    assert_eq!(third.text("scope"), "openid api offline_access", "narrowing once loses nothing");
    assert!(third.json().get("id_token").is_some());
    assert_eq!(introspect(&app, &access).await["active"], true);
    assert_eq!(refresh(&app, "tv-public", &token, "").await.error(), "invalid_grant");
    assert_eq!(refresh(&app, "tv-public", &third.text("refresh_token"), "").await.error(), "invalid_grant");
    assert_eq!(introspect(&app, &access).await["active"], false, "reuse ends the grant");
}

#[tokio::test(start_paused = true)]
async fn one_of_many_refreshes_at_once_succeeds() {
    let app = reference();
    let token = tokens(&app, "tv-public", "offline_access").await.text("refresh_token");
    let answers = join_all((0..8).map(|_| refresh(&app, "tv-public", &token, ""))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn confidential_clients_keep_their_refresh_token_and_prove_who_they_are() {
    let app = reference();
    let auth = basic("tv-confidential", SECRET);
    let auth = [("authorization", auth.as_str())];
    let codes = post_with(&app.public, CODES, "scope=offline_access+api", &auth).await;
    let device_code = codes.text("device_code");
    hook(&app, "/approve", &format!(r#"{{"device_code":"{device_code}","user":"bob"}}"#)).await;
    let poll = poll_body(&device_code, "tv-confidential");
    let token = post_with(&app.public, TOKEN, &poll, &auth).await.text("refresh_token");
    assert_eq!(refresh(&app, "tv-confidential", &token, "").await.error(), "invalid_client");
    let body = format!("grant_type=refresh_token&refresh_token={token}");
    for _ in 0..2 {
        let answer = post_with(&app.public, TOKEN, &body, &auth).await;
        assert_eq!(introspect(&app, &answer.text("access_token")).await["sub"], "bob");
    }
    let missing = post_with(&app.public, TOKEN, "grant_type=refresh_token", &auth).await;
    assert_eq!(missing.error(), "invalid_request");
}

#[tokio::test(start_paused = true)]
async fn introspection_is_for_those_who_authenticate() {
    let app = reference();
    let granted = tokens(&app, "short-tokens", "api+offline_access").await;
    let access = granted.text("access_token");
    for body in [format!("token={access}"), format!("token={access}&client_id=tv-public")] {
        let answer = post(&app.public, "/oauth/introspect", &body).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (401, "invalid_client"));
    }
    let told = introspect(&app, &access).await;
    assert_eq!(told["active"], true);
    assert_eq!(told["client_id"], "short-tokens");
    assert_eq!(told["scope"], "api offline_access");
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 8);
    assert!(introspect(&app, &granted.text("refresh_token")).await.get("token_type").is_none());
    wait(8.0).await;
    assert_eq!(introspect(&app, &access).await.to_string(), r#"{"active":false}"#);
    let codes = authorize(&app, "client_id=tv-public").await;
    assert_eq!(introspect(&app, &codes.device_code).await.to_string(), r#"{"active":false}"#);
}

#[tokio::test(start_paused = true)]
async fn revocation_ends_what_it_should() {
    let app = reference();
    let granted = tokens(&app, "tv-public", "api+offline_access").await;
    let (access, token) = (granted.text("access_token"), granted.text("refresh_token"));
    let revoke = async |token: &str, client: &str| {
        let body = format!("token={token}&token_type_hint=access_token&client_id={client}");
        post(&app.public, "/oauth/revoke", &body).await
    };
    assert_eq!(revoke(&access, "other-public").await.error(), "invalid_grant");
    assert_eq!(introspect(&app, &access).await["active"], true);
    assert_eq!(revoke("unknown", "tv-public").await.status, 200);
    assert_eq!(revoke("", "tv-public").await.error(), "invalid_request");
    assert_eq!(revoke(&access, "tv-confidential").await.error(), "invalid_client");
    assert_eq!(revoke(&access, "tv-public").await.status, 200);
    assert_eq!(introspect(&app, &access).await["active"], false);
    let again = refresh(&app, "tv-public", &token, "").await;
    let (access, token) = (again.text("access_token"), again.text("refresh_token"));
    assert_eq!(revoke(&token, "tv-public").await.status, 200);
    assert_eq!(refresh(&app, "tv-public", &token, "").await.error(), "invalid_grant");
    assert_eq!(introspect(&app, &access).await["active"], false, "RFC 7009 §2.1");
}

#[tokio::test(start_paused = true)]
async fn the_api_challenges_as_rfc_6750_says() {
    let app = reference();
    let access = tokens(&app, "tv-public", "openid+profile+email").await.text("access_token");
    let told = api(&app, &format!("bearer {access}")).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.json()["sub"], "alice");
    assert_eq!(told.json()["email"], "alice@example.com");
    let bare = get(&app.public, "/userinfo", &[]).await;
    assert_eq!(bare.status, 401);
    assert_eq!(bare.header("www-authenticate"), r#"Bearer realm="devgrant test server""#);
    assert_eq!(get(&app.public, &format!("/userinfo?access_token={access}"), &[]).await.status, 401);
    let garbage = api(&app, "Bearer garbage").await;
    assert_eq!(garbage.status, 401);
    assert!(garbage.header("www-authenticate").contains(r#"error="invalid_token""#));
    for malformed in ["Bearer", "Bearer  ", "Bearer a b", "Bearer \u{7f}"] {
        let Ok(value) = HeaderValue::from_str(malformed) else { continue };
        let request = Request::get("/userinfo").header("authorization", value);
        let answer = send(&app.public, request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 400, "{malformed}");
        assert!(answer.header("www-authenticate").contains(r#"error="invalid_request""#));
    }
    let bearer = format!("Bearer {access}");
    let uri = format!("/userinfo?access_token={access}");
    let twice = get(&app.public, &uri, &[("authorization", &bearer)]).await;
    assert_eq!(twice.status, 400);
    let narrow = tokens(&app, "tv-public", "profile").await.text("access_token");
    let refused = api(&app, &format!("Bearer {narrow}")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.header("www-authenticate").contains(r#"error="insufficient_scope""#));
    let refresh_token = tokens(&app, "tv-public", "api+offline_access").await.text("refresh_token");
    assert_eq!(api(&app, &format!("Bearer {refresh_token}")).await.status, 401);
}
