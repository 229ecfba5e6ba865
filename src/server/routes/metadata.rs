//! Published documents: metadata (RFC 8414, OpenID Connect Discovery) and keys (RFC 7517). Knows no request.

use axum::http::StatusCode;
use serde_json::json;

use super::super::config::Grant;
use super::super::endpoint::Endpoint;
use super::super::error::{ErrorCode, Refusal};
use super::super::reply::Reply;
use super::super::signing::{self, Algorithm};
use super::super::state::Server;
use super::super::terms::Terms;

/// The metadata; one document for both places, so that they never contradict each other.
pub(super) fn document(server: &Server, terms: &Terms) -> Reply {
    let scopes: Vec<&str> = terms.policy.scopes.iter().map(|scope| scope.token).collect();
    let any_client = json!(["none", "client_secret_basic", "client_secret_post"]);
    Reply::json(StatusCode::OK)
        .member("issuer", server.origin.as_str())
        .member("device_authorization_endpoint", server.url(Endpoint::DeviceAuthorization))
        .member("token_endpoint", server.url(Endpoint::Token))
        .member("userinfo_endpoint", server.url(Endpoint::UserInfo))
        .member("revocation_endpoint", server.url(Endpoint::Revocation))
        .member("introspection_endpoint", server.url(Endpoint::Introspection))
        .member("jwks_uri", server.url(Endpoint::Jwks))
        .member("grant_types_supported", json!([Grant::DeviceCode.name(), Grant::RefreshToken.name()]))
        // Required (RFC 8414 §2), never empty (§3.2): `none` is the registered word for "no authorization response".
        .member("response_types_supported", json!(["none"]))
        .member("scopes_supported", scopes)
        .member("token_endpoint_auth_methods_supported", any_client.clone())
        .member("revocation_endpoint_auth_methods_supported", any_client)
        .member(
            "introspection_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post"]),
        )
        .member("subject_types_supported", json!(["public"]))
        .member("id_token_signing_alg_values_supported", json!(Algorithm::ALL.map(Algorithm::name)))
        .member(
            "claims_supported",
            json!([
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "at_hash",
                "nonce",
                "name",
                "email",
                "email_verified"
            ]),
        )
}

/// The keys that verify ID tokens.
pub(super) async fn keys() -> Result<Reply, Refusal> {
    let keys = signing::keys().await.map(signing::Keys::public);
    let keys = keys.ok_or_else(|| {
        Refusal::new(ErrorCode::InvalidRequest, "There is no key.").status(StatusCode::INTERNAL_SERVER_ERROR)
    })?;
    Ok(Reply::json(StatusCode::OK).member("keys", keys))
}
