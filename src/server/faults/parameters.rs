//! Faults in reading requests (RFC 6749 §3.2, App. B, RFC 8628 §3.1). Knows no request.

use axum::http::{Method, header};

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::rules::Rule;
use super::{Effect, Fault};
use crate::protocol::DEVICE_CODE_GRANT;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "charset-media-type-refused",
        clause: "RFC 6749 App. B",
        summary: "Refuses a form whose media type carries a charset",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.media_type().contains("charset"))
                .then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "json-only-body",
        clause: "RFC 6749 §3.2",
        summary: "Takes JSON only",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.is_form()).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "json-polls-only",
        clause: "RFC 6749 §3.2",
        summary: "Takes polls in JSON only",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.endpoint == Endpoint::Token && request.is_form()).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "json-body-500",
        clause: "RFC 6749 §5.2",
        summary: "A JSON body makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Echo(Endpoint::Token, |request, reply| {
                if request.media_type().contains("json") {
                    reply.crash();
                }
            }),
            Effect::Echo(Endpoint::DeviceAuthorization, |request, reply| {
                if request.media_type().contains("json") {
                    reply.crash();
                }
            }),
        ]),
    },
    Fault {
        id: "get-accepted",
        clause: "RFC 8628 §3.1",
        summary: "Gives codes to a GET",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Skip(Rule::NoCredentialsInUri),
            Effect::Read(Endpoint::DeviceAuthorization, |request| request.take_get_for_post()),
        ]),
    },
    Fault {
        id: "get-polls-accepted",
        clause: "RFC 6749 §3.2",
        summary: "Gives tokens to a GET",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Skip(Rule::NoCredentialsInUri),
            Effect::Read(Endpoint::Token, |request| request.take_get_for_post()),
        ]),
    },
    Fault {
        id: "head-spends-the-code",
        clause: "RFC 9110 §9.2.1",
        summary: "A HEAD polls, and spends an approved code",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Skip(Rule::NoCredentialsInUri),
            Effect::Read(Endpoint::Token, |request| {
                if request.method == Method::HEAD {
                    request.method = Method::GET;
                }
                request.take_get_for_post();
            }),
        ]),
    },
    Fault {
        id: "get-refused-without-allow",
        clause: "RFC 9110 §15.5.6",
        summary: "Refuses a method without saying which there are",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| reply.drop_header(&header::ALLOW)),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.drop_header(&header::ALLOW)),
        ]),
    },
    Fault {
        id: "get-400",
        clause: "RFC 6749 §3.2",
        summary: "Refuses GET with status 400",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.method == Method::GET).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "empty-param-not-omitted",
        clause: "RFC 6749 §3.2",
        summary: "Takes a parameter without a value as one with an empty value",
        seen: "web framework library",
        effect: Effect::Skip(Rule::EmptyIsOmitted),
    },
    Fault {
        id: "empty-unknown-param-refused",
        clause: "RFC 6749 §3.2",
        summary: "Refuses a parameter without a value",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            let empty = request.parameters().iter().any(|(_, value)| value.is_empty());
            (request.is_protocol() && empty).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "unknown-param-refused",
        clause: "RFC 6749 §3.2",
        summary: "Refuses parameters that it does not know",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            const KNOWN: &[&str] = &[
                "client_assertion",
                "client_assertion_type",
                "client_id",
                "client_secret",
                "code",
                "device_code",
                "grant_type",
                "refresh_token",
                "resource",
                "scope",
                "token",
                "token_type_hint",
            ];
            let unknown = request.parameters().iter().any(|(name, _)| !KNOWN.contains(&name.as_str()));
            (request.is_protocol() && unknown).then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "unknown-param-500",
        clause: "RFC 6749 §3.2",
        summary: "Ten thousand parameters make the server fail",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if request.parameters().len() > 1000 {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "duplicate-param-last-wins",
        clause: "RFC 6749 §3.2",
        summary: "Of a repeated parameter one counts",
        seen: "web framework library",
        effect: Effect::Skip(Rule::ParametersOnce),
    },
    Fault {
        id: "missing-device-code-500",
        clause: "RFC 6749 §5.2",
        summary: "A poll without a device code makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if request.is_poll() && request.parameter("device_code").is_none_or(|code| code.is_empty()) {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "missing-device-code-invalid-grant",
        clause: "RFC 6749 §5.2",
        summary: "A poll without a device code is an invalid_grant",
        seen: "web framework library",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if request.is_poll() && request.parameter("device_code").is_none_or(|code| code.is_empty()) {
                reply.put("error", "invalid_grant");
            }
        }),
    },
    Fault {
        id: "missing-device-code-pending",
        clause: "RFC 6749 §5.2",
        summary: "A poll without a device code is pending",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if request.is_poll() && request.parameter("device_code").is_none_or(|code| code.is_empty()) {
                reply.put("error", "authorization_pending");
            }
        }),
    },
    Fault {
        id: "huge-device-code-500",
        clause: "RFC 6749 §5.2",
        summary: "A very long device code makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if request.parameter("device_code").is_some_and(|code| code.len() > 1000) {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "broken-escape-500",
        clause: "RFC 6749 §5.2",
        summary: "A broken percent escape makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.text("error_description").contains("form-urlencoded UTF-8") {
                    reply.crash();
                }
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.text("error_description").contains("form-urlencoded UTF-8") {
                    reply.crash();
                }
            }),
        ]),
    },
    Fault {
        id: "empty-body-500",
        clause: "RFC 6749 §5.2",
        summary: "An empty body makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Echo(Endpoint::Token, |request, reply| {
                if request.method == Method::POST && request.body.is_empty() {
                    reply.crash();
                }
            }),
            Effect::Echo(Endpoint::DeviceAuthorization, |request, reply| {
                if request.method == Method::POST && request.body.is_empty() {
                    reply.crash();
                }
            }),
        ]),
    },
    Fault {
        id: "escapes-not-decoded",
        clause: "RFC 6749 App. B",
        summary: "Reads parameters as they stand, percent escapes and all",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Refuse(|request| {
            let raw = String::from_utf8_lossy(&request.body);
            let escaped = raw.contains("%")
                && !raw.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code");
            (request.endpoint == Endpoint::Token && request.parameter("device_code").is_some() && escaped)
                .then_some(ErrorCode::UnsupportedGrantType)
        }),
    },
    Fault {
        id: "plus-is-no-space",
        clause: "RFC 6749 App. B",
        summary: "Reads a plus as a plus",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            let plus = request.endpoint == Endpoint::DeviceAuthorization && request.body.contains(&b'+');
            plus.then_some(ErrorCode::InvalidScope)
        }),
    },
    Fault {
        id: "grant-type-missing-unsupported",
        clause: "RFC 6749 §5.2",
        summary: "A request without grant_type is an unsupported_grant_type",
        seen: "web framework library",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            if reply.says("invalid_request") && request.parameter("grant_type").is_none() {
                reply.put("error", "unsupported_grant_type");
            }
        }),
    },
    Fault {
        id: "grant-type-missing-is-a-poll",
        clause: "RFC 6749 §5.2",
        summary: "A request without grant_type is taken for a poll",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::Token, |request| {
            if request.parameter("grant_type").is_none_or(|grant| grant.is_empty()) && request.is_form() {
                request.put("grant_type", DEVICE_CODE_GRANT);
            }
        }),
    },
    Fault {
        id: "short-grant-name-accepted",
        clause: "RFC 8628 §3.4",
        summary: "Takes device_code for the name of the grant as well",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::Token, |request| {
            if request.parameter("grant_type").is_some_and(|grant| grant == "device_code") {
                request.put("grant_type", DEVICE_CODE_GRANT);
            }
        }),
    },
    Fault {
        id: "grant-type-unknown-invalid-request",
        clause: "RFC 6749 §5.2",
        summary: "A grant type that nobody defined is an invalid_request",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("unsupported_grant_type") {
                reply.put("error", "invalid_request");
            }
        }),
    },
    Fault {
        id: "grant-type-unknown-500",
        clause: "RFC 6749 §5.2",
        summary: "A grant type that nobody defined makes the server fail",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("unsupported_grant_type") {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "device-code-honoured-for-other-grant",
        clause: "RFC 6749 §5.2",
        summary: "Any grant type with a device code is a poll",
        seen: "web framework library",
        effect: Effect::Read(Endpoint::Token, |request| {
            request.edit(|parameters| {
                for (name, _) in parameters.iter_mut().filter(|(name, _)| name == "code") {
                    "device_code".clone_into(name);
                }
            });
            if request.parameter("device_code").is_some() && request.parameter("grant_type").is_some() {
                request.put("grant_type", DEVICE_CODE_GRANT);
            }
        }),
    },
    Fault {
        id: "device-code-called-code",
        clause: "RFC 8628 §3.4",
        summary: "Takes the device code under the name code, too",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::Token, |request| {
            request.edit(|parameters| {
                for (name, _) in parameters.iter_mut().filter(|(name, _)| name == "code") {
                    "device_code".clone_into(name);
                }
            });
        }),
    },
];
