//! What an ID token says (OpenID Connect Core §2). Knows no keys and signs nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::tokens::Issued;

/// An ID token before it is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct IdToken {
    /// Its header (RFC 7515 §4.1).
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
}

impl IdToken {
    /// The ID token that goes with a token response, for `lifetime` seconds. `nonce` is what the device sent with its
    /// first request. `half_digest` is the left half of the SHA-256 of the access token (§3.1.3.6).
    #[must_use]
    pub fn new(
        issuer: &str,
        issued: &Issued,
        nonce: Option<&str>,
        lifetime: i64,
        half_digest: &[u8],
    ) -> Self {
        let consent = &issued.consent;
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", json!(issuer));
        say("sub", json!(&*consent.approval.user));
        say("aud", json!(&*consent.client));
        say("iat", json!(issued.at));
        say("exp", json!(issued.at.saturating_add(lifetime)));
        say("auth_time", json!(consent.approval.signed_in));
        say("at_hash", json!(URL_SAFE_NO_PAD.encode(half_digest)));
        if let Some(nonce) = nonce {
            say("nonce", json!(nonce));
        }
        Self { header: Map::new(), claims }
    }

    /// Puts a claim in place of one of the same name.
    pub fn say(&mut self, name: &str, value: Value) {
        self.claims.insert(name.to_owned(), value);
    }

    /// The same with these members of the header.
    #[must_use]
    pub fn with_header(mut self, members: &[(&str, &str)]) -> Self {
        self.header.extend(members.iter().map(|&(name, value)| (name.to_owned(), json!(value))));
        self
    }

    /// The part of the JWS that is signed (RFC 7515 §5.1).
    #[must_use]
    pub fn signing_input(&self) -> String {
        let part = |members: &Map<String, Value>| URL_SAFE_NO_PAD.encode(json!(members).to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}
