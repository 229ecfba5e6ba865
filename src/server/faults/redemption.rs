//! Faults of redemption, and races (RFC 8628 §3.5, RFC 6749 §10.5). Knows no request.

use std::time::Duration;

use axum::http::StatusCode;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::reply::Reply;
use super::super::rules::Rule;
use super::super::session::PollKind;
use super::{Effect, Fault, Operation, Turn};

/// How long a session is held before it is written back: longer than requests that are to meet it are apart, and short
/// enough that nobody takes it for a slow line.
const HELD: Duration = Duration::from_millis(200);

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "replay-mints-new-token",
        clause: "RFC 6749 §10.5",
        summary: "A code that brought its token brings another one",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::SingleUse),
    },
    Fault {
        id: "replay-access-denied",
        clause: "RFC 6749 §5.2",
        summary: "A used code is said to be denied",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Used, to: ErrorCode::AccessDenied },
    },
    Fault {
        id: "replay-pending",
        clause: "RFC 6749 §5.2",
        summary: "A used code is pending again",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Used, to: ErrorCode::AuthorizationPending },
    },
    Fault {
        id: "replay-is-slow-down",
        clause: "RFC 6749 §5.2",
        summary: "A used code is told slow_down for ever",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Used, to: ErrorCode::SlowDown },
    },
    Fault {
        id: "replay-expired",
        clause: "RFC 6749 §5.2",
        summary: "A used code is said to have expired",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Used, to: ErrorCode::ExpiredToken },
    },
    Fault {
        id: "replay-crashes",
        clause: "RFC 6749 §5.2",
        summary: "A used code makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Used, |reply| reply.crash()),
    },
    Fault {
        id: "double-redeem-race",
        clause: "RFC 6749 §10.5",
        summary: "Looks whether a code is used, waits, and marks it as used: two polls at once bring two tokens",
        seen: "web framework library",
        effect: Effect::Tear(Operation::Redeem, HELD),
    },
    Fault {
        id: "poll-write-loses-approval",
        clause: "RFC 8628 §3.5",
        summary: "A poll writes back the whole session that it read: an approval meanwhile is lost",
        seen: "small self-hosted server",
        effect: Effect::Tear(Operation::Wait, HELD),
    },
    Fault {
        id: "race-loser-500",
        clause: "RFC 6749 §5.2",
        summary: "Who polls a code that was used a moment ago meets a failed server",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Used, |reply| reply.status = StatusCode::INTERNAL_SERVER_ERROR),
    },
    Fault {
        id: "race-loser-404",
        clause: "RFC 6749 §5.2",
        summary: "Who polls a code that was used a moment ago gets 404",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Used, |reply| reply.status = StatusCode::NOT_FOUND),
    },
    Fault {
        id: "race-loser-410",
        clause: "RFC 6749 §5.2",
        summary: "Who polls a code that was used a moment ago gets 410 without a body",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Used, |reply| *reply = Reply::empty(StatusCode::GONE)),
    },
    Fault {
        id: "double-approve-resurrects",
        clause: "RFC 6749 §10.5",
        summary: "A used code can be approved again, and brings a second token",
        seen: "identity server",
        effect: Effect::Skip(Rule::RedemptionIsFinal),
    },
    Fault {
        id: "consume-before-issue-fails",
        clause: "RFC 8628 §3.5",
        summary: "The code is used up, then making the token fails",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Granted, |reply| reply.crash()),
    },
    Fault {
        id: "approval-lost-to-pollers",
        clause: "RFC 8628 §3.5",
        summary: "A device that had polled before the approval never gets its token",
        seen: "identity server",
        effect: Effect::Nth(
            Turn::From(2),
            &Effect::Replace { from: PollKind::Granted, to: ErrorCode::AuthorizationPending },
        ),
    },
    Fault {
        id: "approval-visible-late",
        clause: "RFC 8628 §3.5",
        summary: "Polls hear of a decision four intervals later",
        seen: "cloud service",
        effect: Effect::Tune(|policy| policy.propagation = policy.interval * 4),
    },
    Fault {
        id: "approved-code-used-up",
        clause: "RFC 8628 §3.5",
        summary: "A code is used up by its approval: the poll that should bring the token is refused",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Granted, to: ErrorCode::InvalidGrant },
    },
    Fault {
        id: "approval-as-denial",
        clause: "RFC 8628 §3.3",
        summary: "An approval is taken for a denial",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::Decision, |request| request.put("decision", "deny")),
    },
    Fault {
        id: "second-device-not-approved",
        clause: "RFC 8628 §1",
        summary: "A user who has connected a device cannot connect another one of the same client",
        seen: "identity server",
        effect: Effect::Skip(Rule::SeveralDevicesOfOneUser),
    },
];
