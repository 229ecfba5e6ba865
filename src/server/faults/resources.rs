//! Faults of resource indicators and audiences (RFC 8707, RFC 6750 §5.3), and of challenges of the API. Knows no session.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "resource-unknown-accepted",
        clause: "RFC 8707 §2",
        summary: "Takes any resource",
        seen: "identity server",
        effect: Effect::Skip(Rule::ResourceIsKnown),
    },
    Fault {
        id: "resource-unknown-invalid-scope",
        clause: "RFC 8707 §2",
        summary: "Answers invalid_scope to an unknown resource",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.says("invalid_target") {
                    reply.put("error", "invalid_scope");
                }
            }),
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.says("invalid_target") {
                    reply.put("error", "invalid_scope");
                }
            }),
        ]),
    },
    Fault {
        id: "resource-repeated-refused",
        clause: "RFC 8707 §2",
        summary: "Refuses a second resource as a repeated parameter",
        seen: "web framework library",
        effect: Effect::Refuse(|request| {
            let resources = request.parameters().into_iter().filter(|(name, _)| name == "resource");
            (resources.count() > 1).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "resource-refused",
        clause: "RFC 8707 §2",
        summary: "Knows none of its own resources",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Refuse(|request| {
            request.parameter("resource").is_some().then_some(ErrorCode::InvalidTarget)
        }),
    },
    Fault {
        id: "resource-ignored",
        clause: "RFC 8707 §2",
        summary: "Issues every token for the server itself, whatever resource was asked for",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| reply.put("aud", "http://127.0.0.1:8628")),
    },
    Fault {
        id: "resource-narrows-scope-untold",
        clause: "RFC 8707 §2.2",
        summary: "Narrows the scope of a token and does not tell the device",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Introspection, |reply| {
            if reply.get("scope").is_some() {
                reply.put("scope", "api");
            }
        }),
    },
    Fault {
        id: "token-without-audience",
        clause: "RFC 6750 §5.3",
        summary: "Issues tokens that are for no API in particular",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| reply.drop_member("aud")),
    },
    Fault {
        id: "token-with-empty-audience",
        clause: "RFC 6750 §5.3",
        summary: "Names an empty list as the audience of a token",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Introspection, |reply| reply.put_value("aud", json!([]))),
    },
    Fault {
        id: "api-challenge-without-parameters",
        clause: "RFC 6750 §3",
        summary: "Challenges with a bare Bearer where a token is missing",
        seen: "web framework library",
        effect: Effect::Echo(Endpoint::UserInfo, |request, reply| {
            if reply.status == StatusCode::UNAUTHORIZED && !request.has_basic() {
                reply.set_header(header::WWW_AUTHENTICATE, "Bearer");
            }
        }),
    },
    Fault {
        id: "api-challenge-repeats-error",
        clause: "RFC 6750 §3",
        summary: "Names two errors in one challenge",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::UserInfo, |request, reply| {
            if reply.status == StatusCode::UNAUTHORIZED && request.has_basic() {
                let twice = "Bearer realm=\"api\", error=\"invalid_token\", error=\"invalid_token\"";
                reply.set_header(header::WWW_AUTHENTICATE, twice);
            }
        }),
    },
    Fault {
        id: "api-challenge-quotes-in-description",
        clause: "RFC 6750 §3",
        summary: "Quotes words in the error_description of a challenge",
        seen: "web framework library",
        effect: Effect::Echo(Endpoint::UserInfo, |request, reply| {
            if reply.status == StatusCode::UNAUTHORIZED && request.has_basic() {
                let quoted = "Bearer error=\"invalid_token\", error_description=\"not \\\"alive\\\"\"";
                reply.set_header(header::WWW_AUTHENTICATE, quoted);
            }
        }),
    },
];
