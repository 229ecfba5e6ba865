//! Faults of ID tokens (OpenID Connect Core §2, §3.1.3, §11, §12). Knows no HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::endpoint::Endpoint;
use super::super::id_token::IdToken;
use super::super::reply::Reply;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "id-token-missing",
        clause: "OpenID Connect Core §3.1.3.3",
        summary: "Gives no ID token to a device that asked for openid",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.drop_member("id_token")),
    },
    Fault {
        id: "id-token-alg-none",
        clause: "OpenID Connect Core §2",
        summary: "Leaves ID tokens unsigned, with alg none",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            edit_compact(reply, |_, claims, _| format!("{}.{claims}.", encoded(r#"{"alg":"none"}"#)));
        }),
    },
    Fault {
        id: "id-token-bad-signature",
        clause: "OpenID Connect Core §2",
        summary: "Signs other bytes than it sends",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            edit_compact(reply, |header, claims, signature| {
                let first = if signature.starts_with('A') { 'B' } else { 'A' };
                format!("{header}.{claims}.{first}{}", signature.get(1..).unwrap_or_default())
            });
        }),
    },
    Fault {
        id: "id-token-unknown-kid",
        clause: "OpenID Connect Core §10.1",
        summary: "Signs with a key that it does not publish",
        seen: "identity server behind a load balancer",
        effect: Effect::Forge(|token| {
            token.header.insert("kid".to_owned(), json!("last-years-key"));
        }),
    },
    Fault {
        id: "id-token-hs256-for-a-public-client",
        clause: "OpenID Connect Core §10.1",
        summary: "Says that a public client's ID token is signed by a shared secret",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            token.header.insert("alg".to_owned(), json!("HS256"));
        }),
    },
    Fault {
        id: "jwks-empty",
        clause: "OpenID Connect Core §10.1",
        summary: "Publishes no keys at jwks_uri",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Jwks, |reply| reply.put_value("keys", json!([]))),
    },
    Fault {
        id: "id-token-wrong-issuer",
        clause: "OpenID Connect Core §2",
        summary: "Names an inner address as the issuer of an ID token",
        seen: "identity server behind a proxy",
        effect: Effect::Forge(|token| token.say("iss", json!("http://identity.internal:8080"))),
    },
    Fault {
        id: "id-token-issuer-with-slash",
        clause: "OpenID Connect Core §2",
        summary: "Ends the issuer of an ID token with a slash that the metadata does not have",
        seen: "identity server",
        effect: Effect::Forge(|token| {
            let issuer = token.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
            token.say("iss", json!(format!("{issuer}/")));
        }),
    },
    Fault {
        id: "id-token-without-sub",
        clause: "OpenID Connect Core §2",
        summary: "Leaves sub out of an ID token",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            token.claims.remove("sub");
        }),
    },
    Fault {
        id: "id-token-sub-too-long",
        clause: "OpenID Connect Core §2",
        summary: "Makes sub longer than 255 characters",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Forge(|token| token.say("sub", json!("a".repeat(256)))),
    },
    Fault {
        id: "id-token-sub-number",
        clause: "OpenID Connect Core §2",
        summary: "Writes sub as the number of a row",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| token.say("sub", json!(4711))),
    },
    Fault {
        id: "id-token-wrong-audience",
        clause: "OpenID Connect Core §2",
        summary: "Names the API as the audience of an ID token",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| token.say("aud", json!("https://api.example"))),
    },
    Fault {
        id: "id-token-times-as-strings",
        clause: "OpenID Connect Core §2",
        summary: "Writes exp and iat of an ID token as strings",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            for name in ["exp", "iat"] {
                let text = token.claims.get(name).map(Value::to_string).unwrap_or_default();
                token.say(name, json!(text));
            }
        }),
    },
    Fault {
        id: "id-token-times-in-milliseconds",
        clause: "OpenID Connect Core §2",
        summary: "Counts exp and iat in milliseconds",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            for name in ["exp", "iat"] {
                shift(token, name, |seconds| seconds.saturating_mul(1000));
            }
        }),
    },
    Fault {
        id: "id-token-clock-off",
        clause: "OpenID Connect Core §2",
        summary: "Dates ID tokens by a clock that is two minutes fast",
        seen: "identity server",
        effect: Effect::Forge(|token| shift(token, "iat", |seconds| seconds.saturating_add(120))),
    },
    Fault {
        id: "id-token-expired",
        clause: "OpenID Connect Core §2",
        summary: "Gives ID tokens that have expired",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            let issued = token.claims.get("iat").cloned().unwrap_or_default();
            token.say("exp", issued);
        }),
    },
    Fault {
        id: "id-token-nonce-altered",
        clause: "OpenID Connect Core §2",
        summary: "Repeats the nonce with a padding of its own",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Forge(|token| {
            if let Some(nonce) = token.claims.get("nonce").and_then(Value::as_str).map(str::to_owned) {
                token.say("nonce", json!(format!("{nonce}=")));
            }
        }),
    },
    Fault {
        id: "id-token-nonce-forgotten",
        clause: "OpenID Connect Core §2",
        summary: "Forgets the nonce of the device authorization request",
        seen: "identity server",
        effect: Effect::Forge(|token| {
            token.claims.remove("nonce");
        }),
    },
    Fault {
        id: "id-token-names-its-keys",
        clause: "OpenID Connect Core §2",
        summary: "Says in the header of an ID token where its keys are",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            token.header.insert("jku".to_owned(), json!("https://keys.example/jwks"));
        }),
    },
    Fault {
        id: "id-token-wrong-at-hash",
        clause: "OpenID Connect Core §3.1.3.6",
        summary: "Writes the digest of an empty text into at_hash",
        seen: "small self-hosted server",
        effect: Effect::Forge(|token| {
            token.say("at_hash", json!("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"));
        }),
    },
    Fault {
        id: "refresh-token-unasked",
        clause: "OpenID Connect Core §11",
        summary: "Gives refresh tokens to devices that did not ask for offline_access",
        seen: "identity server",
        effect: Effect::Skip(Rule::OfflineAccessAsked),
    },
    Fault {
        id: "id-token-sub-per-token",
        clause: "OpenID Connect Core §12.2",
        summary: "Draws another sub for each ID token",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Forge(|token| {
            let other = token.claims.get("at_hash").cloned().unwrap_or_default();
            token.say("sub", other);
        }),
    },
    Fault {
        id: "id-token-not-on-refresh",
        clause: "OpenID Connect Core §12.2",
        summary: "Brings no ID token with a refresh",
        seen: "identity server",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if request.parameter("refresh_token").is_some() {
                reply.drop_member("id_token");
            }
        }),
    },
];

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Puts another compact form in place of an ID token, made of its three parts.
fn edit_compact(reply: &mut Reply, edit: impl Fn(&str, &str, &str) -> String) {
    let token = reply.text("id_token");
    let mut parts = token.split('.');
    if let (Some(header), Some(claims), Some(signature)) = (parts.next(), parts.next(), parts.next()) {
        reply.put("id_token", &edit(header, claims, signature));
    }
}

/// Moves a time of an ID token.
fn shift(token: &mut IdToken, name: &str, shift: impl Fn(i64) -> i64) {
    let seconds = token.claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    token.say(name, json!(shift(seconds)));
}
