//! Faults of polling and of the throttle (RFC 8628 §3.2, §3.5). Knows no request.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::reply::Reply;
use super::super::rules::Rule;
use super::super::session::PollKind;
use super::{Effect, Fault, Turn};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "interval-equals-lifespan",
        clause: "RFC 8628 §3.2",
        summary: "Enforces an interval taken from another setting, a hundred times what it announces",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Tune(|policy| policy.interval *= 100),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.change("interval", |value| json!(value.as_u64().unwrap_or_default() / 100))
            }),
        ]),
    },
    Fault {
        id: "interval-advertised-too-small",
        clause: "RFC 8628 §3.2",
        summary: "Enforces an interval two seconds longer than it announces",
        seen: "cloud service",
        effect: Effect::All(&[
            Effect::Tune(|policy| policy.interval += Duration::from_secs(2)),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.change("interval", |value| json!(value.as_u64().unwrap_or_default().saturating_sub(2)))
            }),
        ]),
    },
    Fault {
        id: "interval-milliseconds",
        clause: "RFC 8628 §3.2",
        summary: "Announces the interval in milliseconds",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.change("interval", |value| json!(value.as_u64().unwrap_or_default() * 1000))
        }),
    },
    Fault {
        id: "interval-truncated-to-seconds",
        clause: "RFC 8628 §3.5",
        summary: "Leaves off the part of a second of the present time: a poll to the millisecond comes too early",
        seen: "web framework library",
        effect: Effect::Skip(Rule::FinePace),
    },
    Fault {
        id: "interval-not-enforced",
        clause: "RFC 8628 §3.5",
        summary: "Never says slow_down, however fast a device polls",
        seen: "web framework library",
        effect: Effect::Skip(Rule::ThrottleEarlyPolls),
    },
    Fault {
        id: "first-poll-slow-down",
        clause: "RFC 8628 §3.2",
        summary: "Counts the interval from the issuance of the codes, so that the first poll comes too early",
        seen: "identity server",
        effect: Effect::Skip(Rule::FirstPollIsFree),
    },
    Fault {
        id: "slow-down-never-recovers",
        clause: "RFC 8628 §3.5",
        summary: "One early poll, and every later one is too early as well",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.slow_down_step = policy.lifetime),
    },
    Fault {
        id: "slow-down-pushes-window",
        clause: "RFC 8628 §3.5",
        summary: "A slow_down makes the device wait four times as much longer as it is told",
        seen: "identity server",
        effect: Effect::Tune(|policy| policy.slow_down_step *= 4),
    },
    Fault {
        id: "slow-down-grows-nothing",
        clause: "RFC 8628 §3.5",
        summary: "A slow_down does not raise the interval that is enforced",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::SlowDownGrowsInterval),
    },
    Fault {
        id: "slow-down-grows-unbounded",
        clause: "RFC 8628 §3.5",
        summary: "Every slow_down adds twice as much to the interval as the one before",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.slow_down_ratio = 2),
    },
    Fault {
        id: "slow-down-body-interval-lies",
        clause: "RFC 8628 §3.5",
        summary: "Tells with a slow_down an interval that is shorter than the one it enforces",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("slow_down") {
                reply.add("interval", json!(1));
            }
        }),
    },
    Fault {
        id: "slow-down-hides-approval-for-ever",
        clause: "RFC 8628 §3.5",
        summary: "Throttles before it looks, and whoever was slowed once is slowed for ever: an approval never shows",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Skip(Rule::ApprovalBeforeThrottle),
            Effect::Tune(|policy| policy.slow_down_step = policy.lifetime),
        ]),
    },
    Fault {
        id: "throttle-not-atomic",
        clause: "RFC 8628 §3.5",
        summary: "Reads the time of the last poll, and writes that of this one a moment later: two at once are both in time",
        seen: "web framework library",
        effect: Effect::Tune(|policy| policy.throttle_lag = Duration::from_millis(6)),
    },
    Fault {
        id: "slow-down-third-strike-access-denied",
        clause: "RFC 8628 §3.5",
        summary: "From the fourth poll on an early poll is told that the user has denied",
        seen: "identity server",
        effect: Effect::Nth(
            Turn::From(4),
            &Effect::Replace { from: PollKind::SlowDown, to: ErrorCode::AccessDenied },
        ),
    },
    Fault {
        id: "slow-down-is-terminal",
        clause: "RFC 8628 §3.5",
        summary: "An early poll is told that the code has expired",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::SlowDown, to: ErrorCode::ExpiredToken },
    },
    Fault {
        id: "slow-down-as-invalid-request",
        clause: "RFC 8628 §3.5",
        summary: "An early poll is refused as malformed",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::SlowDown, to: ErrorCode::InvalidRequest },
    },
    Fault {
        id: "slow-down-as-429",
        clause: "RFC 8628 §3.5",
        summary: "Says slow_down with status 429",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("slow_down") {
                reply.status = StatusCode::TOO_MANY_REQUESTS;
            }
        }),
    },
    Fault {
        id: "slow-down-as-403",
        clause: "RFC 8628 §3.5",
        summary: "Says slow_down with status 403",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("slow_down") {
                reply.status = StatusCode::FORBIDDEN;
            }
        }),
    },
    Fault {
        id: "slow-down-as-500",
        clause: "RFC 8628 §3.5",
        summary: "An early poll makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::SlowDown, |reply| reply.crash()),
    },
    Fault {
        id: "slow-down-hides-expired",
        clause: "RFC 8628 §3.5",
        summary: "An early poll of an expired code is told slow_down",
        seen: "identity server",
        effect: Effect::Skip(Rule::ExpiryBeforeThrottle),
    },
    Fault {
        id: "slow-down-shared-across-codes",
        clause: "RFC 8628 §3.5",
        summary: "All devices of a client share one interval",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::ThrottlePerSession),
    },
    Fault {
        id: "slow-down-for-everybody",
        clause: "RFC 8628 §3.5",
        summary: "Says slow_down where authorization_pending is meant",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Pending, to: ErrorCode::SlowDown },
    },
    Fault {
        id: "second-poll-declined",
        clause: "RFC 8628 §3.5",
        summary: "From the second poll on an undecided code is said to be denied",
        seen: "identity server",
        effect: Effect::Nth(
            Turn::From(2),
            &Effect::Replace { from: PollKind::Pending, to: ErrorCode::AccessDenied },
        ),
    },
    Fault {
        id: "storage-error-is-access-denied",
        clause: "RFC 8628 §3.5",
        summary: "Now and then the store does not answer, and an undecided code is said to be denied",
        seen: "small self-hosted server",
        effect: Effect::Nth(
            Turn::Each(7),
            &Effect::Replace { from: PollKind::Pending, to: ErrorCode::AccessDenied },
        ),
    },
    Fault {
        id: "second-poll-is-a-replay",
        clause: "RFC 8628 §3.5",
        summary: "From the second poll on an undecided code is unknown",
        seen: "small self-hosted server",
        effect: Effect::Nth(
            Turn::From(2),
            &Effect::Replace { from: PollKind::Pending, to: ErrorCode::InvalidGrant },
        ),
    },
    Fault {
        id: "pending-status-200",
        clause: "RFC 6749 §5.2",
        summary: "Says authorization_pending with status 200",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("authorization_pending") {
                reply.status = StatusCode::OK;
            }
        }),
    },
    Fault {
        id: "pending-status-401",
        clause: "RFC 6749 §5.2",
        summary: "Says authorization_pending with status 401",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("authorization_pending") {
                reply.status = StatusCode::UNAUTHORIZED;
            }
        }),
    },
    Fault {
        id: "pending-status-403",
        clause: "RFC 6749 §5.2",
        summary: "Says authorization_pending with status 403",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("authorization_pending") {
                reply.status = StatusCode::FORBIDDEN;
            }
        }),
    },
    Fault {
        id: "pending-status-428",
        clause: "RFC 6749 §5.2",
        summary: "Says authorization_pending with status 428",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("authorization_pending") {
                reply.status = StatusCode::PRECONDITION_REQUIRED;
            }
        }),
    },
    Fault {
        id: "pending-without-a-body",
        clause: "RFC 8628 §3.5",
        summary: "An undecided code is answered 400 without any body",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Pending, |reply| *reply = Reply::empty(StatusCode::BAD_REQUEST)),
    },
    Fault {
        id: "pending-as-invalid-grant",
        clause: "RFC 8628 §3.5",
        summary: "An undecided code is an invalid_grant",
        seen: "web framework library",
        effect: Effect::Replace { from: PollKind::Pending, to: ErrorCode::InvalidGrant },
    },
    Fault {
        id: "pending-is-limited",
        clause: "RFC 8628 §3.5",
        summary: "A device that keeps its pace is cut off with 429 from the third poll on",
        seen: "cloud service",
        effect: Effect::Nth(
            Turn::From(3),
            &Effect::Respond(PollKind::Pending, |reply| {
                *reply = Reply::empty(StatusCode::TOO_MANY_REQUESTS);
            }),
        ),
    },
    Fault {
        id: "da-slow-down-on-issue-limit",
        clause: "RFC 8628 §3.2",
        summary: "A request for codes by an unknown client is told slow_down, a word for polls only",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.text("error_description").contains("not known") {
                reply.put("error", "slow_down");
            }
        }),
    },
];
