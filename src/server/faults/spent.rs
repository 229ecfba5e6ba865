//! Faults of tokens that live on, end with others, or can be guessed (RFC 6749 §6, §10, RFC 7009). Knows no request.

use axum::http::StatusCode;

use super::super::endpoint::Endpoint;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "revocation-204",
        clause: "RFC 7009 §2.2",
        summary: "Answers 204 to a revocation",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Revocation, |reply| {
            if reply.status == StatusCode::OK {
                reply.status = StatusCode::NO_CONTENT;
            }
        }),
    },
    Fault {
        id: "revocation-leaves-access-tokens",
        clause: "RFC 7009 §2.1",
        summary: "Leaves access tokens alive when their refresh token is revoked",
        seen: "identity server",
        effect: Effect::Skip(Rule::RevocationEndsGrant),
    },
    Fault {
        id: "replay-revokes-token",
        clause: "RFC 6749 §10.5",
        summary: "Revokes the token when its code comes again",
        seen: "certified OAuth library",
        effect: Effect::Skip(Rule::ReplaySparesToken),
    },
    Fault {
        id: "rotation-narrows-for-good",
        clause: "RFC 6749 §6",
        summary: "A refresh for less scope narrows the next refresh token",
        seen: "web framework library",
        effect: Effect::Skip(Rule::RotationKeepsScope),
    },
    Fault {
        id: "refresh-tokens-short",
        clause: "RFC 6749 §10.4",
        summary: "Draws tokens of 64 bits",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.token_bytes = 8),
    },
    Fault {
        id: "secret-guesses-unlimited",
        clause: "RFC 6749 §2.3.1",
        summary: "Lets anybody try one secret of a client after the other",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::SecretLimit),
    },
];
