//! Faults of ID tokens (OpenID Connect Core §2, §3.1.3, §11, §12). Knows no request.

use serde_json::json;

use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[Fault {
    id: "id-token-wrong-audience",
    clause: "OpenID Connect Core §2",
    summary: "Names the API as the audience of an ID token",
    seen: "small self-hosted server",
    effect: Effect::Forge(|token| token.say("aud", json!("https://api.example"))),
}];
