//! Metadata, keys and ID tokens (RFC 8414, RFC 7517, OpenID Connect Core §2).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::client::*;
use crate::protocol::DEVICE_CODE_GRANT;
use crate::server::endpoint::Endpoint;
use crate::server::{Config, app};

#[tokio::test(start_paused = true)]
async fn both_metadata_documents_are_the_same_and_true() {
    let mut config = Config::reference();
    config.set_path(Endpoint::Token, "/t").unwrap();
    let app = app(config, "http://127.0.0.1:9/");
    let metadata = get(&app.public, "/.well-known/oauth-authorization-server", &[]).await;
    assert_eq!((metadata.status.as_u16(), metadata.header("content-type")), (200, "application/json"));
    let json = metadata.json();
    assert_eq!(json["issuer"], "http://127.0.0.1:9");
    assert_eq!(json["token_endpoint"], "http://127.0.0.1:9/t");
    assert_eq!(json["device_authorization_endpoint"], "http://127.0.0.1:9/oauth/device/code");
    assert!(json["grant_types_supported"].as_array().unwrap().contains(&DEVICE_CODE_GRANT.into()));
    for value in json.as_object().unwrap().values().filter_map(Value::as_array) {
        assert!(!value.is_empty(), "RFC 8414 §3.2: nothing empty");
    }
    assert_eq!(get(&app.public, "/.well-known/openid-configuration", &[]).await.body, metadata.body);
}

#[tokio::test(start_paused = true)]
async fn id_tokens_verify_with_the_published_key() {
    let app = reference();
    let granted = tokens(&app, "tv-public", "openid+profile").await;
    let id_token = granted.text("id_token");
    let [header, claims, signature] = id_token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{id_token}")
    };
    let keys = get(&app.public, "/oauth/jwks", &[]).await.json();
    let key = &keys["keys"][0];
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let json = |text: &str| serde_json::from_slice::<Value>(&decoded(text)).unwrap();
    assert_eq!(json(header)["kid"], key["kid"]);
    assert_eq!(json(header)["alg"], "RS256");
    let public = RsaPublicKeyComponents {
        n: decoded(key["n"].as_str().unwrap()),
        e: decoded(key["e"].as_str().unwrap()),
    };
    public
        .verify(&RSA_PKCS1_2048_8192_SHA256, format!("{header}.{claims}").as_bytes(), &decoded(signature))
        .unwrap();
    let claims = json(claims);
    assert_eq!(claims["iss"], ORIGIN);
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["aud"], "tv-public");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!(claims["at_hash"].as_str().unwrap().len(), 22);
    assert!(tokens(&app, "tv-public", "api").await.json().get("id_token").is_none());
}
