//! Faults of scope (RFC 6749 §3.3). Knows no request.

use axum::http::Method;
use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "scope-required-at-da",
        clause: "RFC 8628 §3.1",
        summary: "Refuses a request for codes without scope, as malformed",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            let codes = request.endpoint == Endpoint::DeviceAuthorization && request.method == Method::POST;
            let bare = request.parameter("scope").is_none_or(|scope| scope.is_empty());
            (codes && bare).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "scope-required-at-token",
        clause: "RFC 8628 §3.4",
        summary: "Refuses a poll without scope",
        seen: "certified OAuth library",
        effect: Effect::Refuse(|request| {
            let poll = request.endpoint == Endpoint::Token && request.parameter("device_code").is_some();
            (poll && request.parameter("scope").is_none()).then_some(ErrorCode::InvalidScope)
        }),
    },
    Fault {
        id: "scope-from-token-request",
        clause: "RFC 6749 §3.3",
        summary: "Gives the scope that the poll asks for",
        seen: "web framework library",
        effect: Effect::All(&[Effect::Skip(Rule::PollKeepsScope), Effect::Skip(Rule::ScopeIsKnown)]),
    },
    Fault {
        id: "unknown-scope-granted",
        clause: "RFC 6749 §3.3",
        summary: "Grants scopes that do not exist",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::ScopeIsKnown),
    },
    Fault {
        id: "unknown-scope-invalid-request",
        clause: "RFC 6749 §5.2",
        summary: "An unknown scope is an invalid_request",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.says("invalid_scope") {
                reply.put("error", "invalid_request");
            }
        }),
    },
    Fault {
        id: "unknown-scope-500",
        clause: "RFC 6749 §5.2",
        summary: "An unknown scope makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.says("invalid_scope") {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "default-scope-untold",
        clause: "RFC 6749 §3.3",
        summary: "Never says which scope was granted",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.drop_member("scope")),
    },
    Fault {
        id: "unrequested-scope-granted",
        clause: "RFC 6749 §3.3",
        summary: "Grants a scope that nobody asked for",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            reply.change("scope", |scope| json!(format!("{} admin", scope.as_str().unwrap_or_default())))
        }),
    },
    Fault {
        id: "scope-truncated",
        clause: "RFC 6749 §3.3",
        summary: "Keeps the first twenty characters of a scope, and grants half a word",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            reply.change("scope", |scope| {
                json!(scope.as_str().unwrap_or_default().chars().take(20).collect::<String>())
            })
        }),
    },
    Fault {
        id: "scope-member-null",
        clause: "RFC 6749 §5.1",
        summary: "Says null where the scope stands",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.put_value("scope", json!(null))),
    },
    Fault {
        id: "refresh-widens-scope",
        clause: "RFC 6749 §6",
        summary: "A refresh brings whatever scope is asked for",
        seen: "small self-hosted server",
        effect: Effect::All(&[Effect::Skip(Rule::RefreshKeepsScope), Effect::Skip(Rule::ScopeIsKnown)]),
    },
    Fault {
        id: "scope-order-matters",
        clause: "RFC 6749 §3.3",
        summary: "Refuses a scope in which openid is not the first word",
        seen: "identity server",
        effect: Effect::Refuse(|request| {
            let scope = request.parameter("scope").unwrap_or_default();
            let place = scope.split(' ').position(|word| word == "openid");
            let codes = request.endpoint == Endpoint::DeviceAuthorization;
            (codes && place.is_some_and(|place| place > 0)).then_some(ErrorCode::InvalidScope)
        }),
    },
];
