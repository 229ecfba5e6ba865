//! Parameters, clients and methods (RFC 6749 §2.3, §3.2, §5.2).

use axum::body::Body;
use axum::http::{Method, Request};

use super::client::*;

#[tokio::test(start_paused = true)]
async fn parameters_are_taken_to_the_letter() {
    let app = reference();
    for (body, expected) in [
        ("", "invalid_request"),
        ("scope=api", "invalid_request"),
        ("client_id=", "invalid_request"),
        ("client_id=tv-public&client_id=tv-public", "invalid_request"),
        ("client_id=tv-public&scope=api&scope=openid", "invalid_request"),
        ("client_id=%ZZ", "invalid_request"),
        ("client_id=tv-public&x=%C3", "invalid_request"),
        ("client_id=nobody", "invalid_client"),
        ("client_id=no-device-grant", "unauthorized_client"),
        ("client_id=tv-public&scope=unheard-of", "invalid_scope"),
        ("client_id=tv-public&scope=API", "invalid_scope"),
        ("client_id=tv-public&scope=a%22b", "invalid_scope"),
        ("client_id=tv-public&resource=https%3A%2F%2Fzz.invalid%2F", "invalid_target"),
        ("client_id=tv-public&client_assertion=x", "invalid_client"),
    ] {
        assert_eq!(post(&app.public, CODES, body).await.error(), expected, "{body}");
    }
    let api = "resource=http%3A%2F%2F127.0.0.1%3A8628%2Fuserinfo";
    for body in [
        "client_id=tv-public&scope=&zz=".to_owned(),
        "client_id=tv-public&zz_probe=1".to_owned(),
        "%63lient%5Fid=%74v-public&scope=openid%20api".to_owned(),
        format!("client_id=tv-public&{api}&{api}"),
    ] {
        assert_eq!(post(&app.public, CODES, &body).await.status, 200, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn polls_without_their_parameters_are_refused() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    let device_code = &codes.device_code;
    let good = poll_body(device_code, "tv-public");
    for (body, expected) in [
        (format!("device_code={device_code}&client_id=tv-public"), "invalid_request"),
        (format!("grant_type=&device_code={device_code}&client_id=tv-public"), "invalid_request"),
        (poll_body("", "tv-public"), "invalid_request"),
        (poll_body(device_code, ""), "invalid_request"),
        (good.replace("device_code=", "code="), "invalid_request"),
        (format!("{good}&device_code=bogus"), "invalid_request"),
        (good.replace("urn%3A", "URN%3A"), "unsupported_grant_type"),
        (good.replace("%3Adevice_code&", "%3Adevice_code%20&"), "unsupported_grant_type"),
        (
            format!("grant_type=password&client_id=tv-public&device_code={device_code}"),
            "unsupported_grant_type",
        ),
        (poll_body(device_code, "nobody"), "invalid_client"),
        (poll_body(device_code, "no-device-grant"), "unauthorized_client"),
        (poll_body("bogus", "tv-public"), "invalid_grant"),
        (format!("{good}&scope=email&zz=1&zy="), "authorization_pending"),
    ] {
        assert_eq!(post(&app.public, TOKEN, &body).await.error(), expected, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn confidential_clients_authenticate_everywhere() {
    let app = reference();
    let secret = "projector-secret-7c1f0b52d9";
    let right = basic("tv-confidential", secret);
    let wrong = basic("tv-confidential", "wrong");
    let body = "client_id=tv-confidential";
    assert_eq!(post(&app.public, CODES, body).await.error(), "invalid_client");
    assert_eq!(
        post(&app.public, CODES, &format!("{body}&client_secret=wrong")).await.error(),
        "invalid_client"
    );
    assert_eq!(post(&app.public, CODES, &format!("{body}&client_secret={secret}")).await.status, 200);
    for scheme in ["Bearer abc", wrong.as_str(), &basic("nobody", "x"), "Basic %%%"] {
        let answer = post_with(&app.public, CODES, "", &[("authorization", scheme)]).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (401, "invalid_client"), "{scheme}");
    }
    let auth = [("authorization", right.as_str())];
    assert_eq!(post_with(&app.public, CODES, body, &auth).await.status, 200);
    for both in ["client_id=tv-public", &format!("{body}&client_secret={secret}")] {
        assert_eq!(post_with(&app.public, CODES, both, &auth).await.error(), "invalid_request", "{both}");
    }
    let answer = post_with(&app.public, CODES, "", &auth).await;
    let device_code = answer.text("device_code");
    let poll = poll_body(&device_code, "tv-confidential");
    assert_eq!(post(&app.public, TOKEN, &poll).await.error(), "invalid_client");
    assert_eq!(
        post_with(&app.public, TOKEN, &poll, &[("authorization", &wrong)]).await.error(),
        "invalid_client"
    );
    hook(&app, "/approve", &format!(r#"{{"device_code":"{device_code}"}}"#)).await;
    assert_eq!(post(&app.public, TOKEN, &poll).await.error(), "invalid_client");
    assert_eq!(post_with(&app.public, TOKEN, &poll, &auth).await.status, 200, "no failure spoilt the code");
}

#[tokio::test(start_paused = true)]
async fn reserved_characters_of_a_secret_work_encoded_and_raw() {
    let app = reference();
    let secret = "se:cr%et+wi th/all&ø-5d20c7";
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for value in [basic("special-secret", &encoded), basic("special-secret", secret)] {
        assert_eq!(post_with(&app.public, CODES, "", &[("authorization", &value)]).await.status, 200);
    }
    let body = format!("client_id=special-secret&client_secret={encoded}");
    assert_eq!(post(&app.public, CODES, &body).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn wrong_secrets_are_limited_and_the_right_one_still_works() {
    let app = reference();
    let wrong = basic("tv-confidential", "wrong");
    for _ in 0..40 {
        assert_eq!(
            post_with(&app.public, TOKEN, "", &[("authorization", &wrong)]).await.error(),
            "invalid_client"
        );
    }
    let limited = post_with(&app.public, TOKEN, "", &[("authorization", &wrong)]).await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "60"));
    let right = basic("tv-confidential", "projector-secret-7c1f0b52d9");
    assert_eq!(post_with(&app.public, CODES, "", &[("authorization", &right)]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn credentials_in_the_uri_and_other_bodies_are_refused() {
    let app = reference();
    for query in ["client_secret=x&client_id=tv-confidential", "device_code=x", "refresh_token=x"] {
        let answer = post(&app.public, &format!("{TOKEN}?{query}"), "client_id=tv-public").await;
        assert_eq!(answer.error(), "invalid_request", "{query}");
    }
    assert_eq!(
        post(&app.public, &format!("{CODES}?client_id=tv-public"), "").await.error(),
        "invalid_request"
    );
    assert_eq!(post(&app.public, &format!("{CODES}?tenant=1"), "client_id=tv-public").await.status, 200);
    for content_type in ["application/json", "text/plain", "multipart/form-data"] {
        let request = Request::post(CODES).header("content-type", content_type);
        let answer = send(&app.public, request.body(Body::from("client_id=tv-public")).unwrap()).await;
        assert_eq!(answer.error(), "invalid_request", "{content_type}");
    }
    let bare = Request::post(CODES).body(Body::from("client_id=tv-public")).unwrap();
    assert_eq!(send(&app.public, bare).await.error(), "invalid_request");
}

#[tokio::test(start_paused = true)]
async fn other_methods_consume_nothing() {
    let app = reference();
    let codes = authorize(&app, "client_id=tv-public").await;
    approve(&app, &codes).await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
        for path in [CODES, TOKEN, "/oauth/revoke", "/oauth/introspect"] {
            let uri = format!("{path}?{}", poll_body(&codes.device_code, "tv-public"));
            let request = Request::builder().method(&method).uri(uri).body(Body::empty()).unwrap();
            let answer = send(&app.public, request).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method} {path}");
            assert_eq!(answer.body.is_empty(), method == Method::HEAD);
        }
    }
    let unknown = Request::builder().method("BREW").uri(TOKEN).body(Body::empty()).unwrap();
    assert_eq!(send(&app.public, unknown).await.status, 501);
    assert_eq!(poll(&app, &codes).await.status, 200);
    assert_eq!(get(&app.public, "/nowhere", &[]).await.status, 404);
}
