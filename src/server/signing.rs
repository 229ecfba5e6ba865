//! The key that signs ID tokens: one a process, made when it is first wanted. Knows no claims.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::id_token::IdToken;

static KEY: OnceLock<Option<SigningKey>> = OnceLock::new();

/// An RSA key of 2048 bits.
#[derive(Debug)]
pub(super) struct SigningKey {
    pair: KeyPair,
    id: String,
}

/// The key, made off the executor if there is none yet. `None` if the system gives no random numbers.
pub(super) async fn key() -> Option<&'static SigningKey> {
    if let Some(key) = KEY.get() {
        return key.as_ref();
    }
    tokio::task::spawn_blocking(|| KEY.get_or_init(SigningKey::generate).as_ref()).await.ok().flatten()
}

impl SigningKey {
    fn generate() -> Option<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let thumbprint = digest::digest(&digest::SHA256, pair.public_key().as_ref());
        Some(Self { id: URL_SAFE_NO_PAD.encode(&thumbprint.as_ref()[..12]), pair })
    }

    /// What it is called in the set of keys.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The compact form of an ID token (RFC 7515 §7.1), signed RS256.
    pub(super) fn sign(&self, token: &IdToken) -> Option<String> {
        let input = token.signing_input();
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).ok()?;
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The public half as a JWK (RFC 7517 §4, RFC 7518 §6.3).
    pub(super) fn public(&self) -> Value {
        let key = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(key.n),
            "e": URL_SAFE_NO_PAD.encode(key.e),
        })
    }
}

/// The left half of the SHA-256 of a token, for `at_hash` (OpenID Connect Core §3.1.3.6).
pub(super) fn half_digest(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16].to_vec()
}
