//! What an ID token says (OpenID Connect Core §2). Knows no keys and signs nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::tokens::Issued;

/// The claims of the ID token that goes with a token response. `half_digest` is the left half of the SHA-256 of the
/// access token (§3.1.3.6).
#[must_use]
pub fn claims(issuer: &str, issued: &Issued, lifetime: i64, half_digest: &[u8]) -> Value {
    let consent = &issued.consent;
    json!({
        "iss": issuer,
        "sub": &*consent.approval.user,
        "aud": &*consent.client,
        "iat": issued.at,
        "exp": issued.at.saturating_add(lifetime),
        "auth_time": consent.approval.signed_in,
        "at_hash": URL_SAFE_NO_PAD.encode(half_digest),
    })
}

/// The part of a JWS that is signed (RFC 7515 §5.1).
#[must_use]
pub fn signing_input(key_id: &str, claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key_id });
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}
