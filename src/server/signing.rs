//! The keys that sign ID tokens: one of each kind a process, made when they are first wanted. Knows no claims.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::id_token::IdToken;

static KEYS: OnceLock<Option<Keys>> = OnceLock::new();

/// How an ID token is signed (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256: a thirtieth of the work of the other one.
    Es256,
    /// RSA with SHA-256: what a client gets that is registered for none (OpenID Connect Registration §2).
    Rs256,
}

impl Algorithm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The value of `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// One key for each algorithm, and what each is called in the set of keys.
#[derive(Debug)]
pub(super) struct Keys {
    ecdsa: EcdsaKeyPair,
    ecdsa_id: String,
    rsa: RsaKeyPair,
    rsa_id: String,
}

/// The keys, made off the executor if there are none yet. `None` if the system gives no random numbers.
pub(super) async fn keys() -> Option<&'static Keys> {
    if let Some(keys) = KEYS.get() {
        return keys.as_ref();
    }
    tokio::task::spawn_blocking(|| KEYS.get_or_init(Keys::generate).as_ref()).await.ok().flatten()
}

impl Keys {
    fn generate() -> Option<Self> {
        let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let id =
            |public: &[u8]| URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, public).as_ref()[..12]);
        let (ecdsa_id, rsa_id) = (id(ecdsa.public_key().as_ref()), id(rsa.public_key().as_ref()));
        Some(Self { ecdsa, ecdsa_id, rsa, rsa_id })
    }

    /// What the key of an algorithm is called in the set of keys.
    fn id(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Es256 => &self.ecdsa_id,
            Algorithm::Rs256 => &self.rsa_id,
        }
    }

    /// An ID token whose header names its key and algorithm (RFC 7515 §4.1).
    pub(super) fn head(&self, token: IdToken, algorithm: Algorithm) -> IdToken {
        token.with_header(&[("alg", algorithm.name()), ("typ", "JWT"), ("kid", self.id(algorithm))])
    }

    /// The compact form of an ID token (RFC 7515 §7.1).
    pub(super) fn sign(&self, token: &IdToken, algorithm: Algorithm) -> Option<String> {
        let input = token.signing_input();
        let random = SystemRandom::new();
        let signature = match algorithm {
            Algorithm::Es256 => {
                URL_SAFE_NO_PAD.encode(self.ecdsa.sign(&random, input.as_bytes()).ok()?.as_ref())
            }
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature).ok()?;
                URL_SAFE_NO_PAD.encode(signature)
            }
        };
        Some(format!("{input}.{signature}"))
    }

    /// The public halves as a set of JWKs (RFC 7517 §5, RFC 7518 §6).
    pub(super) fn public(&self) -> Value {
        let keys = Algorithm::ALL.map(|algorithm| {
            let mut key = match algorithm {
                Algorithm::Es256 => {
                    // An uncompressed point: a byte that says so, then both coordinates (SEC 1 §2.3.3).
                    let (x, y) = self.ecdsa.public_key().as_ref()[1..].split_at(32);
                    json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
                }
                Algorithm::Rs256 => {
                    let key = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public_key());
                    json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(key.n), "e": URL_SAFE_NO_PAD.encode(key.e) })
                }
            };
            key["use"] = json!("sig");
            key["alg"] = json!(algorithm.name());
            key["kid"] = json!(self.id(algorithm));
            key
        });
        json!(keys)
    }
}

/// The left half of the SHA-256 of a token, for `at_hash` (OpenID Connect Core §3.1.3.6).
pub(super) fn half_digest(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16].to_vec()
}
