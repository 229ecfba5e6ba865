//! Faults of expiry (RFC 8628 §3.2, §3.5). Knows no request.

use std::time::Duration;

use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::rules::Rule;
use super::super::session::PollKind;
use super::{Effect, Fault, Turn};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "expired-pending-stays-pending",
        clause: "RFC 8628 §3.5",
        summary: "An undecided code is pending for ever",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Expired, to: ErrorCode::AuthorizationPending },
    },
    Fault {
        id: "undecided-code-never-ends",
        clause: "RFC 8628 §3.5",
        summary: "Tests the lifetime of approved codes only",
        seen: "certified OAuth library",
        effect: Effect::Skip(Rule::ExpireSessions),
    },
    Fault {
        id: "expired-only-if-visited",
        clause: "RFC 8628 §3.5",
        summary: "A code that is over stays pending until somebody opens its page",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::ExpiryNeedsNoVisit),
    },
    Fault {
        id: "polling-keeps-the-code-alive",
        clause: "RFC 8628 §3.2",
        summary: "Every poll starts the lifetime anew",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::PollsKeepLifetime),
    },
    Fault {
        id: "approved-outlives-expiry",
        clause: "RFC 8628 §3.5",
        summary: "An approved code that nobody collected is good for ever",
        seen: "web framework library",
        effect: Effect::Skip(Rule::ExpireApprovals),
    },
    Fault {
        id: "expires-in-from-wrong-setting",
        clause: "RFC 8628 §3.2",
        summary: "Codes end after half of the announced lifetime",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.change("expires_in", |value| json!(value.as_u64().unwrap_or_default() * 2))
        }),
    },
    Fault {
        id: "expiry-off-by-a-fifth",
        clause: "RFC 8628 §3.2",
        summary: "Codes end after four fifths of the announced lifetime",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.change("expires_in", |value| json!(value.as_u64().unwrap_or_default() * 5 / 4))
        }),
    },
    Fault {
        id: "expires-late",
        clause: "RFC 8628 §3.2",
        summary: "Codes live twice as long as announced",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.change("expires_in", |value| json!(value.as_u64().unwrap_or_default() / 2))
        }),
    },
    Fault {
        id: "user-code-expires-earlier",
        clause: "RFC 8628 §3.2",
        summary: "A user code can be used for half of the announced lifetime only",
        seen: "identity server",
        effect: Effect::Tune(|policy| policy.user_code_share = 50),
    },
    Fault {
        id: "expired-user-code-approvable",
        clause: "RFC 8628 §3.2",
        summary: "An expired code can be approved, and brings a token then",
        seen: "web framework library",
        effect: Effect::All(&[Effect::Skip(Rule::ExpireUserCodes), Effect::Skip(Rule::ExpireApprovals)]),
    },
    Fault {
        id: "expired-is-invalid-grant",
        clause: "RFC 8628 §3.5",
        summary: "An expired code is an invalid_grant",
        seen: "cloud service",
        effect: Effect::Replace { from: PollKind::Expired, to: ErrorCode::InvalidGrant },
    },
    Fault {
        id: "expired-is-access-denied",
        clause: "RFC 8628 §3.5",
        summary: "An expired code is said to be denied",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Expired, to: ErrorCode::AccessDenied },
    },
    Fault {
        id: "expired-is-invalid-request",
        clause: "RFC 8628 §3.5",
        summary: "An expired code is a malformed request",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Expired, to: ErrorCode::InvalidRequest },
    },
    Fault {
        id: "expired-is-slow-down",
        clause: "RFC 8628 §3.5",
        summary: "An expired code is told slow_down for ever",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Expired, to: ErrorCode::SlowDown },
    },
    Fault {
        id: "expired-crashes",
        clause: "RFC 8628 §3.5",
        summary: "A poll of an expired code makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Expired, |reply| reply.crash()),
    },
    Fault {
        id: "expired-once-then-pending",
        clause: "RFC 8628 §3.5",
        summary: "An expired code is pending again at the next poll",
        seen: "identity server",
        effect: Effect::Nth(
            Turn::From(2),
            &Effect::Replace { from: PollKind::Expired, to: ErrorCode::AuthorizationPending },
        ),
    },
    Fault {
        id: "all-states-invalid-grant",
        clause: "RFC 8628 §3.5",
        summary: "Says invalid_grant for every state but approval",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Replace { from: PollKind::Pending, to: ErrorCode::InvalidGrant },
            Effect::Replace { from: PollKind::Denied, to: ErrorCode::InvalidGrant },
            Effect::Replace { from: PollKind::Expired, to: ErrorCode::InvalidGrant },
        ]),
    },
    Fault {
        id: "unknown-code-pending",
        clause: "RFC 6749 §5.2",
        summary: "A code that was never issued is pending",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Unknown, to: ErrorCode::AuthorizationPending },
    },
    Fault {
        id: "unknown-code-expired",
        clause: "RFC 6749 §5.2",
        summary: "A code that was never issued is said to have expired",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Unknown, to: ErrorCode::ExpiredToken },
    },
    Fault {
        id: "unknown-code-denied",
        clause: "RFC 6749 §5.2",
        summary: "A code that was never issued is said to be denied",
        seen: "certified OAuth library",
        effect: Effect::Replace { from: PollKind::Unknown, to: ErrorCode::AccessDenied },
    },
    Fault {
        id: "unknown-code-invalid-request",
        clause: "RFC 6749 §5.2",
        summary: "A code that was never issued is a malformed request",
        seen: "web framework library",
        effect: Effect::Replace { from: PollKind::Unknown, to: ErrorCode::InvalidRequest },
    },
    Fault {
        id: "expired-only-after-a-poll",
        clause: "RFC 8628 §3.5",
        summary: "Notices the end of a code only if somebody had polled it before",
        seen: "web framework library",
        effect: Effect::Nth(
            Turn::Upto(1),
            &Effect::Replace { from: PollKind::Expired, to: ErrorCode::AuthorizationPending },
        ),
    },
    Fault {
        id: "expires-immediately",
        clause: "RFC 8628 §3.2",
        summary: "Codes end a second before the first poll is due, whatever is announced",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Tune(|policy| policy.lifetime = policy.interval.saturating_sub(Duration::from_secs(1))),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.change("expires_in", |_| json!(600));
            }),
        ]),
    },
];
