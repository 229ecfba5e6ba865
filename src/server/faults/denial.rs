//! Faults of denial (RFC 8628 §3.3, §3.5). Knows no request.

use axum::http::StatusCode;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::rules::Rule;
use super::super::session::PollKind;
use super::{Effect, Fault, Turn};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "denied-stays-pending",
        clause: "RFC 8628 §3.5",
        summary: "A denied code is pending for ever",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Denied, to: ErrorCode::AuthorizationPending },
    },
    Fault {
        id: "denied-is-slow-down",
        clause: "RFC 8628 §3.5",
        summary: "A denied code is told slow_down for ever",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Denied, to: ErrorCode::SlowDown },
    },
    Fault {
        id: "denied-as-expired",
        clause: "RFC 8628 §3.5",
        summary: "A denied code is said to have expired",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Denied, to: ErrorCode::ExpiredToken },
    },
    Fault {
        id: "denied-as-invalid-grant",
        clause: "RFC 8628 §3.5",
        summary: "A denied code is an invalid_grant",
        seen: "web framework library",
        effect: Effect::Replace { from: PollKind::Denied, to: ErrorCode::InvalidGrant },
    },
    Fault {
        id: "denied-as-authorization-declined",
        clause: "RFC 8628 §3.5",
        summary: "Says authorization_declined, a word of a draft, for a denial",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("access_denied") {
                reply.put("error", "authorization_declined");
            }
        }),
    },
    Fault {
        id: "denied-status-401",
        clause: "RFC 6749 §5.2",
        summary: "Says access_denied with status 401",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("access_denied") {
                reply.status = StatusCode::UNAUTHORIZED;
            }
        }),
    },
    Fault {
        id: "denied-status-403",
        clause: "RFC 6749 §5.2",
        summary: "Says access_denied with status 403",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("access_denied") {
                reply.status = StatusCode::FORBIDDEN;
            }
        }),
    },
    Fault {
        id: "denied-status-200",
        clause: "RFC 6749 §5.2",
        summary: "Says access_denied with status 200",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("access_denied") {
                reply.status = StatusCode::OK;
            }
        }),
    },
    Fault {
        id: "denied-crashes",
        clause: "RFC 8628 §3.5",
        summary: "A poll of a denied code makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Denied, |reply| reply.crash()),
    },
    Fault {
        id: "denied-counts-as-approved",
        clause: "RFC 8628 §3.3",
        summary: "A denial lets the device in",
        seen: "web framework library",
        effect: Effect::Read(Endpoint::Decision, |request| request.put("decision", "approve")),
    },
    Fault {
        id: "denial-is-told-once",
        clause: "RFC 8628 §3.5",
        summary: "A denied code is pending again at the next poll",
        seen: "identity server",
        effect: Effect::Nth(
            Turn::From(2),
            &Effect::Replace { from: PollKind::Denied, to: ErrorCode::AuthorizationPending },
        ),
    },
    Fault {
        id: "approve-after-deny-flips",
        clause: "RFC 8628 §3.3",
        summary: "A denied code can still be approved",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::DenialIsFinal),
    },
];
