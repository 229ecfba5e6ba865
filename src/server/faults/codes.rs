//! Faults of codes (RFC 8628 §5.1, §5.2, §6.1). Knows no request.

use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "user-code-four-digits",
        clause: "RFC 8628 §5.1",
        summary: "User codes are four digits",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| {
            policy.user_code_alphabet = "0123456789";
            policy.user_code_groups = &[4];
        }),
    },
    Fault {
        id: "user-code-six-digits",
        clause: "RFC 8628 §5.1",
        summary: "User codes are six digits",
        seen: "cloud service",
        effect: Effect::Tune(|policy| {
            policy.user_code_alphabet = "0123456789";
            policy.user_code_groups = &[6];
        }),
    },
    Fault {
        id: "user-code-collides",
        clause: "RFC 8628 §3.2",
        summary: "User codes are few, and nobody looks whether one is in use",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Tune(|policy| {
                policy.user_code_alphabet = "23456";
                policy.user_code_groups = &[4];
            }),
            Effect::Skip(Rule::UserCodesUnique),
        ]),
    },
    Fault {
        id: "user-code-lower-case",
        clause: "RFC 8628 §6.1",
        summary: "User codes mix small and capital letters",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| {
            policy.user_code_alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
        }),
    },
    Fault {
        id: "user-code-long",
        clause: "RFC 8628 §6.1",
        summary: "User codes have twenty-four letters",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Tune(|policy| policy.user_code_groups = &[8, 8, 8]),
    },
    Fault {
        id: "device-code-64-bit",
        clause: "RFC 8628 §5.2",
        summary: "Device codes carry 64 bits",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.device_code_bytes = 8),
    },
    Fault {
        id: "device-code-96-bit",
        clause: "RFC 8628 §5.2",
        summary: "Device codes carry 96 bits",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.device_code_bytes = 12),
    },
    Fault {
        id: "device-code-128-bit",
        clause: "RFC 8628 §5.2",
        summary: "Device codes carry 128 bits",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.device_code_bytes = 16),
    },
    Fault {
        id: "device-code-compared-by-its-start",
        clause: "RFC 6749 §10.3",
        summary: "Compares the first characters of a device code only",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Skip(Rule::WholeCodeCounts),
    },
    Fault {
        id: "codes-share-keyspace",
        clause: "RFC 8628 §3.4",
        summary: "Takes a user code in place of a device code",
        seen: "web framework library",
        effect: Effect::Skip(Rule::CodesApart),
    },
    Fault {
        id: "user-code-prefix-of-device-code",
        clause: "RFC 8628 §5.1",
        summary: "User codes are the start of the device code, in capitals",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            let code = reply.text("device_code");
            reply.change("verification_uri_complete", |uri| {
                json!(format!("{}#{code}", uri.as_str().unwrap_or_default()))
            });
        }),
    },
    Fault {
        id: "device-codes-repeat",
        clause: "RFC 8628 §3.2",
        summary: "There are 256 device codes, and nobody looks whether one is in use",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Tune(|policy| policy.device_code_bytes = 1),
    },
];
