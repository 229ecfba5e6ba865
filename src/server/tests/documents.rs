//! Metadata, keys and ID tokens (RFC 8414, RFC 7517, OpenID Connect Core §2).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
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
async fn id_tokens_verify_with_the_published_key_of_their_algorithm() {
    for (client, algorithm) in [("tv-public", "ES256"), ("pace", "RS256")] {
        let app = reference();
        let granted = tokens(&app, client, "openid+profile").await;
        let id_token = granted.text("id_token");
        let [header, claims, signature] = id_token.split('.').collect::<Vec<_>>()[..] else {
            panic!("{id_token}")
        };
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let json = |text: &str| serde_json::from_slice::<Value>(&decoded(text)).unwrap();
        assert_eq!(json(header)["alg"], algorithm);
        let set = get(&app.public, "/oauth/jwks", &[]).await.json();
        let keys = set["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == json(header)["kid"]).unwrap();
        assert_eq!(key["alg"], algorithm);
        let part = |name: &str| decoded(key[name].as_str().unwrap());
        let signed = format!("{header}.{claims}");
        match algorithm {
            "ES256" => {
                let point = [vec![4], part("x"), part("y")].concat();
                let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                public.verify(signed.as_bytes(), &decoded(signature)).unwrap();
            }
            _ => {
                let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
                public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decoded(signature)).unwrap();
            }
        }
        let claims = json(claims);
        assert_eq!(claims["iss"], ORIGIN);
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["aud"], client);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert_eq!(claims["at_hash"].as_str().unwrap().len(), 22);
        assert!(tokens(&app, client, "api").await.json().get("id_token").is_none());
    }
}
