//! Faults of tokens after they were issued (RFC 6749 §6, RFC 6750, RFC 7009, RFC 7662). Knows no request.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::error::{ErrorCode, Refusal};
use super::super::reply::Reply;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "access-token-never-ends",
        clause: "RFC 6749 §5.1",
        summary: "The API takes access tokens after their end",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::ExpireAccessTokens),
    },
    Fault {
        id: "access-token-ends-early",
        clause: "RFC 6749 §5.1",
        summary: "Access tokens end after half of the announced time",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Tune(|policy| policy.access_token_lifetime /= 2),
            Effect::Edit(Endpoint::Token, |reply| {
                reply.change("expires_in", |value| json!(value.as_u64().unwrap_or_default() * 2));
            }),
        ]),
    },
    Fault {
        id: "api-open-to-all",
        clause: "RFC 6749 §7",
        summary: "The API opens to any token",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::UserInfo, |reply| reply.status = StatusCode::OK),
    },
    Fault {
        id: "api-takes-token-from-query",
        clause: "RFC 6750 §2.3",
        summary: "The API takes a token from the address",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::OneTokenPlace),
    },
    Fault {
        id: "api-without-challenge",
        clause: "RFC 6750 §3",
        summary: "The API refuses without a challenge",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::UserInfo, |reply| reply.drop_header(&header::WWW_AUTHENTICATE)),
    },
    Fault {
        id: "api-challenges-with-403",
        clause: "RFC 6750 §3",
        summary: "The API answers 403 where a token is missing or wrong",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::UserInfo, |reply| {
            if reply.status == StatusCode::UNAUTHORIZED {
                reply.status = StatusCode::FORBIDDEN;
            }
        }),
    },
    Fault {
        id: "api-names-no-error",
        clause: "RFC 6750 §3.1",
        summary: "The challenge to a wrong token does not say invalid_token",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::UserInfo, |reply| {
            if reply.status == StatusCode::UNAUTHORIZED {
                reply.set_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\"");
            }
        }),
    },
    Fault {
        id: "api-names-an-error-without-a-token",
        clause: "RFC 6750 §3.1",
        summary: "The challenge to a call without a token speaks of an error",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::UserInfo, |reply| {
            if reply.status == StatusCode::UNAUTHORIZED {
                reply.set_header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
            }
        }),
    },
    Fault {
        id: "api-scheme-case-sensitive",
        clause: "RFC 6750 §2.1",
        summary: "The API knows Bearer with a capital B only",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::UserInfo, |request| {
            let capital =
                request.header(&header::AUTHORIZATION).is_some_and(|value| value.starts_with("Bearer "));
            if !capital {
                request.headers.remove(header::AUTHORIZATION);
            }
        }),
    },
    Fault {
        id: "api-closed",
        clause: "RFC 6749 §7",
        summary: "The API opens to nobody",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::UserInfo, |reply| reply.status = StatusCode::UNAUTHORIZED),
    },
    Fault {
        id: "refresh-refused",
        clause: "RFC 6749 §6",
        summary: "Refuses the refresh tokens that it gives",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.endpoint == Endpoint::Token && request.parameter("refresh_token").is_some())
                .then_some(ErrorCode::InvalidGrant)
        }),
    },
    Fault {
        id: "refresh-token-missing-500",
        clause: "RFC 6749 §5.2",
        summary: "A refresh without a refresh token makes the server fail",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            let refresh = request.parameter("grant_type").is_some_and(|grant| grant == "refresh_token");
            if refresh && request.parameter("refresh_token").is_none_or(|token| token.is_empty()) {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "refresh-by-any-client",
        clause: "RFC 6749 §6",
        summary: "Any client can use any refresh token",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::RefreshBoundToClient),
    },
    Fault {
        id: "refresh-token-not-rotated",
        clause: "RFC 9700 §4.14.2",
        summary: "Keeps the refresh token of a public client",
        seen: "identity server",
        effect: Effect::Skip(Rule::RotateRefreshTokens),
    },
    Fault {
        id: "refresh-error-invalid-request",
        clause: "RFC 6749 §5.2",
        summary: "A bad refresh token is an invalid_request",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if reply.says("invalid_grant") && request.parameter("refresh_token").is_some() {
                reply.put("error", "invalid_request");
            }
        }),
    },
    Fault {
        id: "revocation-does-nothing",
        clause: "RFC 7009 §2",
        summary: "Answers 200 to a revocation and does nothing",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::RevocationTakesEffect),
    },
    Fault {
        id: "revocation-by-any-client",
        clause: "RFC 7009 §2.1",
        summary: "Any client can revoke any token",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::RevokeOwnTokens),
    },
    Fault {
        id: "revocation-without-secret",
        clause: "RFC 7009 §2.1",
        summary: "A client with a secret may revoke with a wrong one",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Revocation, |reply| {
            if reply.says("invalid_client") {
                *reply = Reply::empty(StatusCode::OK);
            }
        }),
    },
    Fault {
        id: "revocation-token-missing-200",
        clause: "RFC 7009 §2.2.1",
        summary: "Answers 200 to a revocation without a token",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::Revocation, |request, reply| {
            if request.parameter("token").is_none() {
                *reply = Reply::empty(StatusCode::OK);
            }
        }),
    },
    Fault {
        id: "introspection-without-client",
        clause: "RFC 7662 §2.1",
        summary: "Tells anybody about tokens",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Skip(Rule::IntrospectionAuthenticates),
            Effect::Read(Endpoint::Introspection, |request| {
                if !request.has_basic() && request.parameter("client_id").is_none() {
                    request.put("client_id", "tv-public");
                }
            }),
        ]),
    },
    Fault {
        id: "introspection-active-string",
        clause: "RFC 7662 §2.2",
        summary: "Writes active as a string",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            reply.change("active", |value| json!(value.to_string()))
        }),
    },
    Fault {
        id: "introspection-error-for-unknown",
        clause: "RFC 7662 §2.2",
        summary: "Answers 400 about a token that it does not know",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            if reply.get("active") == Some(&json!(false)) {
                reply.status = StatusCode::BAD_REQUEST;
                reply.put("error", "invalid_token");
            }
        }),
    },
    Fault {
        id: "introspection-always-active",
        clause: "RFC 7662 §2.2",
        summary: "Says that every token is active",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Introspection, |reply| reply.change("active", |_| json!(true))),
    },
    Fault {
        id: "introspection-says-too-much",
        clause: "RFC 7662 §2.2",
        summary: "Says more about a token that is not active",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            if reply.get("active") == Some(&json!(false)) {
                reply.add("client_id", json!("tv-public"));
            }
        }),
    },
    Fault {
        id: "introspection-wrong-client",
        clause: "RFC 7662 §2.2",
        summary: "Names another client than the token was issued to",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            reply.change("client_id", |_| json!("somebody"))
        }),
    },
    Fault {
        id: "introspection-one-subject",
        clause: "RFC 7662 §2.2",
        summary: "Names one subject for every user",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            reply.change("sub", |_| json!("user"));
            reply.change("username", |_| json!("user"));
        }),
    },
    Fault {
        id: "introspection-400-for-bad-secret",
        clause: "RFC 7662 §2.3",
        summary: "Answers 400 to a wrong secret",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            if reply.says("invalid_client") {
                reply.status = StatusCode::BAD_REQUEST;
            }
        }),
    },
    Fault {
        id: "revocation-unknown-token-400",
        clause: "RFC 7009 §2.2",
        summary: "Answers 400 to the revocation of a token that it does not know",
        seen: "web framework library",
        effect: Effect::Echo(Endpoint::Revocation, |request, reply| {
            // Our own tokens have 43 characters.
            if request.parameter("token").is_some_and(|token| token.len() != 43) {
                *reply = Reply::from(Refusal::new(ErrorCode::InvalidGrant, "This token is not known."));
            }
        }),
    },
    Fault {
        id: "introspection-trusts-the-hint",
        clause: "RFC 7662 §2.1",
        summary: "Looks for a token among those of the hinted kind only",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::Introspection, |request, reply| {
            let wrong = request.parameter("token_type_hint").is_some_and(|hint| hint == "refresh_token");
            if wrong && reply.get("token_type").is_some() {
                *reply = Reply::json(StatusCode::OK).member("active", false);
            }
        }),
    },
    Fault {
        id: "revocation-trusts-the-hint",
        clause: "RFC 7009 §2.1",
        summary: "Looks for a token that is to be revoked among those of the hinted kind only",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::HintIsNoMatter),
    },
];
