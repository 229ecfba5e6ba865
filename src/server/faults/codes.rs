//! Faults of codes (RFC 8628 §5.1, §5.2, §6.1). Knows no request.

use super::super::codes::{DeviceCodeForm, Draw, Symbols};
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
            policy.user_code_symbols = Symbols::Characters("0123456789");
            policy.user_code_groups = &[4];
        }),
    },
    Fault {
        id: "user-code-six-digits",
        clause: "RFC 8628 §5.1",
        summary: "User codes are six digits",
        seen: "cloud service",
        effect: Effect::Tune(|policy| {
            policy.user_code_symbols = Symbols::Characters("0123456789");
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
                policy.user_code_symbols = Symbols::Characters("23456");
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
            policy.user_code_symbols = Symbols::Characters("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ")
        }),
    },
    Fault {
        id: "user-code-look-alikes",
        clause: "RFC 8628 §6.1",
        summary: "User codes have 0 and O, 1 and I",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Tune(|policy| {
            policy.user_code_symbols = Symbols::Characters("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
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
        clause: "RFC 8628 §5.2",
        summary: "User codes are the start of the device code",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.device_code_form = DeviceCodeForm::UserCodeFirst),
    },
    Fault {
        id: "device-codes-repeat",
        clause: "RFC 8628 §3.2",
        summary: "There are 256 device codes, and nobody looks whether one is in use",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Tune(|policy| policy.device_code_bytes = 1),
    },
    Fault {
        id: "user-code-biased",
        clause: "RFC 8628 §5.1",
        summary: "A quarter of the letters of user codes come four times as often as the others",
        seen: "web framework library",
        effect: Effect::Tune(|policy| {
            policy.user_code_symbols = Symbols::Characters("BBBBCCCCDDDDFFFFGGGGHJKLMNPQRSTVWXZ");
        }),
    },
    Fault {
        id: "user-code-wordlist-small",
        clause: "RFC 8628 §5.1",
        summary: "User codes are three words of a list of thirty-two",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| {
            policy.user_code_symbols = Symbols::Words(WORDS);
            policy.user_code_groups = &[1, 1, 1];
        }),
    },
    Fault {
        id: "user-code-sequential",
        clause: "RFC 8628 §5.1",
        summary: "User codes count up",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Tune(|policy| policy.user_code_draw = Draw::InOrder),
    },
    Fault {
        id: "user-code-collision-500",
        clause: "RFC 8628 §3.2",
        summary: "Fails where the user code that it drew is taken, and draws no other",
        seen: "identity platform",
        effect: Effect::All(&[
            Effect::Tune(|policy| {
                policy.user_code_symbols = Symbols::Characters("23456");
                policy.user_code_groups = &[4];
            }),
            Effect::Skip(Rule::TakenCodesAreDrawnAgain),
        ]),
    },
    Fault {
        id: "device-code-sequential",
        clause: "RFC 6749 §10.10",
        summary: "Device codes count up",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.device_code_form = DeviceCodeForm::Serial),
    },
    Fault {
        id: "device-code-uuid-v7",
        clause: "RFC 6749 §10.10",
        summary: "Device codes are UUIDs of version 7",
        seen: "web framework library",
        effect: Effect::Tune(|policy| policy.device_code_form = DeviceCodeForm::UuidV7),
    },
    Fault {
        id: "device-code-time-ordered",
        clause: "RFC 8628 §5.2",
        summary: "Device codes start with the time at which they were issued",
        seen: "cloud service",
        effect: Effect::Tune(|policy| policy.device_code_form = DeviceCodeForm::TimeFirst),
    },
    Fault {
        id: "device-code-std-base64",
        clause: "RFC 6749 App. B",
        summary: "Device codes are plain base64, and the form they come back in is decoded twice",
        seen: "identity platform",
        effect: Effect::All(&[
            Effect::Tune(|policy| policy.device_code_form = DeviceCodeForm::Base64),
            Effect::Read(Endpoint::Token, |request| {
                request.edit(|parameters| {
                    for (_, value) in parameters.iter_mut().filter(|(name, _)| name == "device_code") {
                        *value = value.replace('+', " ");
                    }
                });
            }),
        ]),
    },
];

/// Words of four letters.
const WORDS: &[&str] = &[
    "BEAR", "BOAT", "CAVE", "CORN", "DEER", "DUSK", "FERN", "FOAM", "FROG", "GOAT", "GATE", "HAWK", "HERB",
    "JADE", "KNOT", "LAMB", "LEAF", "MOSS", "MOTH", "NEST", "OATS", "PEAR", "POND", "ROSE", "SAND", "SEAL",
    "STAR", "TOAD", "TREE", "VASE", "WOLF", "YARN",
];
