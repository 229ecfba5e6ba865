//! Faults that show only under load. Each acts while more than [`CROWD`] polls come in a second, by the server's own
//! clock, and below that the server is as good as any: the checks cannot see them. Knows no request.

use std::time::Duration;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::rules::Rule;
use super::super::session::PollKind;
use super::{Effect, Fault, Operation, Turn};

/// So many polls in a second are borne; any more bring these faults out. A run of all checks stays below it.
pub const CROWD: usize = 500;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "double-issue-under-load",
        clause: "RFC 6749 §10.5",
        summary: "A code that brought its token brings another one",
        seen: "web framework library",
        effect: Effect::Crowded(&Effect::Skip(Rule::SingleUse)),
    },
    Fault {
        id: "approval-lost-under-load",
        clause: "RFC 8628 §3.5",
        summary: "A poll takes a second to write back the session that it read: an approval meanwhile is lost",
        seen: "small self-hosted server",
        effect: Effect::Crowded(&Effect::Tear(Operation::Wait, Duration::from_secs(1))),
    },
    Fault {
        id: "pending-after-approval-under-load",
        clause: "RFC 8628 §3.5",
        summary: "Polls hear of an approval a minute late",
        seen: "cloud service",
        effect: Effect::Crowded(&Effect::Tune(|policy| policy.propagation = Duration::from_secs(60))),
    },
    Fault {
        id: "answer-of-another-code-under-load",
        clause: "RFC 8628 §3.5",
        summary: "A poll is answered about the code of the poll before it, tokens and all",
        seen: "small self-hosted server",
        effect: Effect::Crowded(&Effect::Skip(Rule::AnswersAboutOwnCode)),
    },
    Fault {
        id: "storage-error-as-access-denied-under-load",
        clause: "RFC 8628 §3.5",
        summary: "The store does not answer each third poll of a device, and its code is said to be denied",
        seen: "small self-hosted server",
        effect: Effect::Crowded(&Effect::Nth(
            Turn::Each(3),
            &Effect::Replace { from: PollKind::Pending, to: ErrorCode::AccessDenied },
        )),
    },
    Fault {
        id: "resurrects-under-load",
        clause: "RFC 6749 §5.2",
        summary: "A used code is pending again",
        seen: "identity server",
        effect: Effect::Crowded(&Effect::Replace {
            from: PollKind::Used,
            to: ErrorCode::AuthorizationPending,
        }),
    },
    Fault {
        id: "forgets-codes-under-load",
        clause: "RFC 8628 §3.5",
        summary: "Throws a live code out of a full store at the third poll of its device",
        seen: "identity server",
        effect: Effect::Crowded(&Effect::Nth(Turn::From(3), &Effect::Skip(Rule::KeepsSessions))),
    },
    Fault {
        id: "expired-early-under-load",
        clause: "RFC 8628 §3.2",
        summary: "From its third poll on the device of a live code is told that it has expired",
        seen: "cloud service",
        effect: Effect::Crowded(&Effect::Nth(
            Turn::From(3),
            &Effect::Replace { from: PollKind::Pending, to: ErrorCode::ExpiredToken },
        )),
    },
    Fault {
        id: "approved-outlives-expiry-under-load",
        clause: "RFC 8628 §3.5",
        summary: "Does not come to ending approved codes: they bring tokens after their lifetime",
        seen: "web framework library",
        effect: Effect::Crowded(&Effect::Skip(Rule::ExpireApprovals)),
    },
    Fault {
        id: "throttles-everyone-under-load",
        clause: "RFC 8628 §3.5",
        summary: "Says slow_down to devices that keep their interval",
        seen: "identity server",
        effect: Effect::Crowded(&Effect::Replace { from: PollKind::Pending, to: ErrorCode::SlowDown }),
    },
    Fault {
        id: "500-under-load",
        clause: "RFC 6749 §5.2",
        summary: "Each third poll of a device makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Crowded(&Effect::Nth(
            Turn::Each(3),
            &Effect::Edit(Endpoint::Token, |reply| reply.crash()),
        )),
    },
    Fault {
        id: "slow-under-load",
        clause: "RFC 8628 §3.5",
        summary: "Takes two seconds for each poll",
        seen: "identity server",
        effect: Effect::Crowded(&Effect::Delay(Endpoint::Token, Duration::from_secs(2))),
    },
    Fault {
        id: "device-codes-repeat-under-load",
        clause: "RFC 8628 §3.2",
        summary: "Gives a device the device code of the one before it",
        seen: "small self-hosted server",
        effect: Effect::Crowded(&Effect::Skip(Rule::DeviceCodesUnique)),
    },
    Fault {
        id: "token-of-another-under-load",
        clause: "RFC 6749 §1.4",
        summary: "A device gets the token that the one before it got",
        seen: "web framework library",
        effect: Effect::Crowded(&Effect::Skip(Rule::TokensOfOwnGrant)),
    },
];
