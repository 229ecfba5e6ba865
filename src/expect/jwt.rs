//! JWTs: what their header and claims say, and whether a published key signed them (RFC 7515, RFC 7517, RFC 7519).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::relations::filled;
use super::view::View;
use super::{Scope, describe as words, members, show};
use crate::suite::{Jwt, SigningKeys};
use crate::verdict::{Grade, Mismatch};

/// Signature algorithms that are registered and that we cannot verify (RFC 7518 §3.1, RFC 8812 §3, RFC 9864 §2).
const BEYOND_US: [&str; 3] = ["ES512", "ES256K", "Ed25519"];

/// A signed JWT, taken apart.
struct Parts<'t> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// What was signed: header and claims as they stand.
    signed: &'t str,
    signature: &'t str,
}

/// The claims of a signed JWT; nothing is verified. None when the text is no such thing.
#[must_use]
pub fn claims(token: &str) -> Option<Map<String, Value>> {
    Parts::read(token).map(|parts| parts.claims)
}

impl<'t> Parts<'t> {
    /// The compact form (RFC 7515 §7.1): header, claims and signature, of which the last may be empty.
    fn read(token: &'t str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
            Value::Object(members) => Some(members),
            _ => None,
        };
        Some(Self { header: object(header)?, claims: object(claims)?, signed, signature })
    }

    fn algorithm(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }
}

/// `jwt: { of: id_token, claim: { aud: { includes: "{tv.client_id}" } } }`: one mismatch for each part that is wrong.
pub(super) fn jwt(rule: &Jwt, view: &View<'_>) -> Vec<Mismatch> {
    let token = match text(&rule.of, view) {
        Ok(token) => token,
        Err(missing) => return vec![view.miss_with(describe(rule), missing)],
    };
    let Some(parts) = Parts::read(&token) else {
        let actual = format!("{} is no signed JWT: {}", rule.of, crate::secret::redact(&token));
        return vec![view.miss_with(describe(rule), actual)];
    };
    let mut mismatches = Vec::new();
    let part = |what, name: &String, rule, object| {
        members::wrong(name, rule, object, view.scope)
            .map(|actual| view.miss_with(words::member(what, name, rule), actual))
    };
    mismatches.extend(rule.header.iter().filter_map(|(name, r)| part(HEADER, name, r, &parts.header)));
    for name in &rule.header_absent {
        if let Some(value) = parts.header.get(name) {
            mismatches.push(view.miss_with(no_header(name), show::member(name, value)));
        }
    }
    mismatches.extend(rule.claim.iter().filter_map(|(name, r)| part(CLAIM, name, r, &parts.claims)));
    for (name, of) in &rule.hash {
        if let Some(actual) = wrong_hash(&parts, name, of, view.scope) {
            mismatches.push(view.miss_with(hash(name, of), actual));
        }
    }
    if let Some(SigningKeys::Jwks) = rule.signature
        && let Some((grade, actual)) = unverified(&parts, view)
    {
        let because = (grade == Grade::Acceptable).then(|| "this algorithm is beyond devgrant".to_owned());
        mismatches.push(Mismatch { grade, because, ..view.miss_with(SIGNED_BY_JWKS, actual) });
    }
    mismatches
}

const HEADER: &str = "JWT header";
const CLAIM: &str = "claim";
const SIGNED_BY_JWKS: &str = "a signature by one of the published keys";

/// The rule in words, as one text.
pub(super) fn describe(rule: &Jwt) -> String {
    let parts = [(HEADER, &rule.header), (CLAIM, &rule.claim)];
    let mut all: Vec<String> = parts
        .into_iter()
        .flat_map(|(what, rules)| rules.iter().map(move |(name, rule)| words::member(what, name, rule)))
        .collect();
    all.extend(rule.header_absent.iter().map(|name| no_header(name)));
    all.extend(rule.hash.iter().map(|(name, of)| hash(name, of)));
    all.extend(rule.signature.map(|_| SIGNED_BY_JWKS.to_owned()));
    let of = &rule.of;
    if all.is_empty() {
        format!("{of}: a signed JWT")
    } else {
        format!("{of}: a JWT with {}", all.join(" and "))
    }
}

fn no_header(name: &str) -> String {
    format!("no {HEADER} {name}")
}

fn hash(name: &str, of: &str) -> String {
    format!("{CLAIM} {name}: the left half of the digest of {of}, if it is there")
}

/// The member of this name, or what the template says.
fn text(of: &str, view: &View<'_>) -> Result<String, String> {
    if of.contains('{') {
        return filled(of, view.scope);
    }
    match (view.text(of), &view.members) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Some(members)) => {
            Err(members.get(of).map_or_else(|| words::not_there(members), |value| show::member(of, value)))
        }
        (None, None) => Err(show::answer(view.exchange)),
    }
}

/// What is wrong with a claim that is the left half of a digest, by the hash of the token's algorithm (OpenID Connect
/// Core §3.1.3.6).
fn wrong_hash(parts: &Parts<'_>, name: &str, of: &str, scope: &dyn Scope) -> Option<String> {
    let claimed = parts.claims.get(name)?;
    let algorithm = match parts.algorithm() {
        alg if alg.contains("256") => &digest::SHA256,
        alg if alg.contains("384") => &digest::SHA384,
        // Ed25519 hashes with SHA-512.
        alg if alg.contains("512") || alg.starts_with("Ed") => &digest::SHA512,
        // What has no hash is the matter of the signature.
        _ => return None,
    };
    let text = match filled(of, scope) {
        Ok(text) => text,
        Err(missing) => return Some(missing),
    };
    let digest = digest::digest(algorithm, text.as_bytes());
    let (half, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    (claimed.as_str() != Some(&URL_SAFE_NO_PAD.encode(half))).then(|| {
        format!("{} for a token signed {}", show::member(name, claimed), show::text(parts.algorithm()))
    })
}

/// Why no key of the answer made the signature. What we cannot verify is not held against the server.
fn unverified(parts: &Parts<'_>, view: &View<'_>) -> Option<(Grade, String)> {
    let mismatch = |actual: String| Some((Grade::Mismatch, actual));
    let alg = parts.algorithm();
    if BEYOND_US.contains(&alg) {
        return Some((Grade::Acceptable, format!("signed {alg}, not verified")));
    }
    let Ok(algorithm) = alg.parse::<Algorithm>() else {
        return mismatch(format!("alg is {}", show::text(alg)));
    };
    if alg.starts_with("HS") {
        return mismatch(format!("signed {alg}, by a secret that both sides would have to know"));
    }
    let Some(Value::Array(keys)) = view.members.as_ref().and_then(|members| members.get("keys")) else {
        return mismatch(format!("no JWK set: {}", show::answer(view.exchange)));
    };
    let kid = parts.header.get("kid");
    let named: Vec<&Value> =
        keys.iter().filter(|key| kid.is_none_or(|kid| key.get("kid") == Some(kid))).collect();
    if named.is_empty() {
        let kid = kid.map_or_else(|| "any key".to_owned(), |kid| format!("a key with kid {kid}"));
        return mismatch(format!("{} keys, and not {}", keys.len(), show::short(&kid, 80)));
    }
    let is_good = |key: &&Value| {
        let key = serde_json::from_value::<Jwk>((*key).clone()).ok();
        let key = key.and_then(|key| DecodingKey::from_jwk(&key).ok());
        key.is_some_and(|key| {
            crypto::verify(parts.signature, parts.signed.as_bytes(), &key, algorithm).unwrap_or(false)
        })
    };
    if named.iter().any(is_good) {
        return None;
    }
    mismatch(format!("signed {alg}, and no key of that name and kind verifies it"))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    use super::super::judge;
    use super::super::stage::{answered, expectations, findings, stage, worst};
    use super::*;

    fn encoded(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    /// A token that nobody verifies, in a token response.
    fn carried(header: &Value, claims: &Value) -> String {
        json!({ "id_token": format!("{}.{}.c2ln", encoded(header), encoded(claims)) }).to_string()
    }

    struct Signer {
        pair: EcdsaKeyPair,
        kid: &'static str,
    }

    impl Signer {
        fn new(kid: &'static str) -> Self {
            Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(), kid }
        }

        fn sign(&self, header: &Value) -> String {
            let input = format!("{}.{}", encoded(header), encoded(&json!({ "sub": "alice" })));
            let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
            format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
        }

        fn key(&self) -> Value {
            let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
            let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.kid })
        }
    }

    #[test]
    fn a_signature_is_good_if_a_published_key_of_its_name_made_it() {
        let (ours, other) = (Signer::new("a"), Signer::new("b"));
        let header = json!({ "alg": "ES256", "kid": "a" });
        let keys = json!({ "keys": [other.key(), { "kty": "unheard of" }, ours.key()] });
        let good = ours.sign(&header);
        let judged = |token: &str, keys: &Value| {
            let mut stage = stage();
            stage.values.insert("grant.id_token", token.to_owned());
            let rule = json!([{ "jwt": { "of": "{grant.id_token}", "signature": "jwks" } }]);
            let found = judge(&expectations(rule), &answered(1, 200, keys.to_string()), &stage);
            found.first().map(|mismatch| (mismatch.grade, mismatch.actual.clone()))
        };
        assert_eq!(judged(&good, &keys), None);
        assert_eq!(judged(&ours.sign(&json!({ "alg": "ES256" })), &keys), None, "no kid: any key will do");
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let changed =
            signed.split_once('.').unwrap().0.to_owned() + "." + encoded(&json!({ "sub": "bob" })).as_str();
        let beyond = format!("{}.e30.c2ln", encoded(&json!({ "alg": "ES512", "kid": "a" })));
        for (token, keys, grade, actual) in [
            (format!("{changed}.{signature}"), &keys, Grade::Mismatch, "signed ES256, and no key"),
            (format!("{signed}."), &keys, Grade::Mismatch, "signed ES256, and no key"),
            (other.sign(&header), &keys, Grade::Mismatch, "signed ES256, and no key"),
            (
                ours.sign(&json!({ "alg": "ES256", "kid": "c" })),
                &keys,
                Grade::Mismatch,
                "3 keys, and not a key with kid \"c\"",
            ),
            (ours.sign(&json!({ "alg": "none", "kid": "a" })), &keys, Grade::Mismatch, "alg is \"none\""),
            (
                ours.sign(&json!({ "alg": "HS256", "kid": "a" })),
                &keys,
                Grade::Mismatch,
                "signed HS256, by a secret",
            ),
            (good.clone(), &json!({}), Grade::Mismatch, "no JWK set: 200  {}"),
            (beyond, &keys, Grade::Acceptable, "signed ES512, not verified"),
        ] {
            let found = judged(&token, keys).unwrap();
            assert_eq!(found.0, grade, "{found:?}");
            assert!(found.1.starts_with(actual), "{found:?}");
        }
    }

    #[test]
    fn header_and_claims_are_judged_as_members_are() {
        let body = carried(
            &json!({ "alg": "RS256", "jku": "https://x/keys" }),
            &json!({ "aud": ["a", "tv-app"], "iat": "1000", "sub": "" }),
        );
        for (rule, holds) in [
            (json!({}), true),
            (json!({ "claim": { "aud": { "includes": "{tv.client_id}" } } }), true),
            (json!({ "claim": { "aud": { "includes": "tv" } } }), false),
            (json!({ "claim": { "aud": { "items_at_least": 3 } } }), false),
            (json!({ "claim": { "iat": { "type": "number" } } }), false),
            (json!({ "claim": { "sub": { "length_at_least": 1 } } }), false),
            (json!({ "claim": { "nonce": { "optional": true, "is": "n" } } }), true),
            (json!({ "claim": { "nonce": { "is": "n" } } }), false),
            (json!({ "header": { "alg": { "is_not": "none" } } }), true),
            (json!({ "header_absent": ["x5u", "jwk"] }), true),
            (json!({ "header_absent": ["x5u", "jku"] }), false),
        ] {
            let mut jwt = json!({ "of": "id_token" });
            jwt.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
            let written = json!({ "jwt": jwt });
            assert_eq!(worst(&written, &answered(1, 200, &body)).is_none(), holds, "{written}");
            for other in [r#"{"id_token":"a.b.c"}"#, r#"{"id_token":1}"#, "{}", ""] {
                assert_eq!(
                    worst(&written, &answered(1, 200, other)),
                    Some(Grade::Mismatch),
                    "{written} {other}"
                );
            }
        }
        let written = json!([{ "jwt": { "of": "id_token", "claim": { "aud": { "includes": "b" } }, "header_absent": ["jku"] } }]);
        let found = findings(written, &answered(3, 200, &body));
        let said: Vec<_> = found.iter().map(|m| (m.expected.as_str(), m.actual.as_str())).collect();
        assert_eq!(
            said,
            [
                ("no JWT header jku", "the string \"https://x/keys\""),
                ("claim aud: b, or a list with it", "the list [\"a\",\"tv-app\"]: without \"b\""),
            ]
        );
    }

    #[test]
    fn at_hash_is_the_left_half_by_the_hash_of_the_algorithm() {
        // OpenID Connect Core errata set 2, appendix A.3.
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let judged = |alg: &str, at_hash: Value| {
            let mut stage = stage();
            stage.values.insert("tv.access_token", access_token.to_owned());
            let rule = json!([{ "jwt": { "of": "id_token", "hash": { "at_hash": "{tv.access_token}" } } }]);
            let mut claims = json!({ "sub": "alice" });
            if !at_hash.is_null() {
                claims["at_hash"] = at_hash;
            }
            let exchange = answered(1, 200, carried(&json!({ "alg": alg }), &claims));
            judge(&expectations(rule), &exchange, &stage).is_empty()
        };
        assert!(judged("RS256", json!("77QmUPtjPfzWtF2AnpK9RQ")));
        assert!(judged("RS256", Value::Null), "it is optional");
        assert!(!judged("RS384", json!("77QmUPtjPfzWtF2AnpK9RQ")));
        assert!(!judged("RS256", json!("77QmUPtjPfzWtF2AnpK9RR")));
        assert!(!judged("RS256", json!(1)));
    }
}
