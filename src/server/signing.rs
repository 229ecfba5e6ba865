//! The key that signs ID tokens: one a process, made when it is first wanted. Knows no claims.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::id_token;

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

    /// A JWT with these claims (RFC 7519), signed RS256.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let input = id_token::signing_input(&self.id, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).ok()?;
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The public half as a JWK (RFC 7517 §4, RFC 7518 §6.3).
    pub(super) fn public(&self) -> Option<Value> {
        let (modulus, exponent) = rsa_integers(self.pair.public_key().as_ref())?;
        Some(json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(modulus),
            "e": URL_SAFE_NO_PAD.encode(exponent),
        }))
    }
}

/// Modulus and exponent of `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017
/// App. A.1.1), without leading zeros. The library would give them only with a feature that nothing else needs.
fn rsa_integers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = der_value(der, 0x30)?;
    let (modulus, rest) = der_value(sequence, 0x02)?;
    let (exponent, _) = der_value(rest, 0x02)?;
    Some((without_leading_zeros(modulus), without_leading_zeros(exponent)))
}

/// The content of the value at the start, and what comes after it (X.690 §8.1, definite lengths).
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (digits.iter().fold(0, |length, &digit| (length << 8) | usize::from(digit)), rest)
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

fn without_leading_zeros(mut integer: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = integer {
        integer = rest;
    }
    integer
}

/// The left half of the SHA-256 of a token, for `at_hash` (OpenID Connect Core §3.1.3.6).
pub(super) fn half_digest(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16].to_vec()
}
