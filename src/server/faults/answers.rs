//! Faults of the form of tokens and errors (RFC 6749 §5). Knows no request.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::super::endpoint::Endpoint;
use super::super::session::PollKind;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "token-status-201",
        clause: "RFC 6749 §5.1",
        summary: "Gives tokens with status 201",
        seen: "small self-hosted server",
        effect: Effect::Respond(PollKind::Granted, |reply| reply.status = StatusCode::CREATED),
    },
    Fault {
        id: "no-store-missing-token",
        clause: "RFC 6749 §5.1",
        summary: "Does not mark the answer with the token as no-store",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if !reply.is_error() {
                reply.drop_header(&header::CACHE_CONTROL);
            }
        }),
    },
    Fault {
        id: "no-store-missing-error",
        clause: "RFC 6749 §5.1",
        summary: "Does not mark errors as no-store",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.is_error() {
                reply.drop_header(&header::CACHE_CONTROL);
            }
        }),
    },
    Fault {
        id: "pragma-missing",
        clause: "RFC 6749 §5.1",
        summary: "Leaves Pragma out",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.drop_header(&header::PRAGMA)),
    },
    Fault {
        id: "wrong-content-type-html",
        clause: "RFC 6749 §5.1",
        summary: "Labels its JSON as text/html",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                reply.set_header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.set_header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            }),
        ]),
    },
    Fault {
        id: "error-content-type-text",
        clause: "RFC 6749 §5.2",
        summary: "Labels errors as text/plain",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.is_error() {
                    reply.set_header(header::CONTENT_TYPE, "text/plain");
                }
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.is_error() {
                    reply.set_header(header::CONTENT_TYPE, "text/plain");
                }
            }),
        ]),
    },
    Fault {
        id: "form-encoded-response",
        clause: "RFC 6749 §5.1",
        summary: "Answers with a form unless asked for JSON",
        seen: "cloud service",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| reply.become_form()),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.become_form()),
        ]),
    },
    Fault {
        id: "error-as-message-member",
        clause: "RFC 6749 §5.2",
        summary: "Puts the error code into a member called message",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| reply.rename("error", "message")),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.rename("error", "message")),
        ]),
    },
    Fault {
        id: "error-nested",
        clause: "RFC 6749 §5.2",
        summary: "Puts the error code into an object",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| reply.change("error", |word| json!({ "code": word }))),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.change("error", |word| json!({ "code": word }))
            }),
        ]),
    },
    Fault {
        id: "error-http-200",
        clause: "RFC 6749 §5.2",
        summary: "Answers every error with status 200",
        seen: "cloud service",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.is_error() {
                    reply.status = StatusCode::OK;
                }
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.is_error() {
                    reply.status = StatusCode::OK;
                }
            }),
        ]),
    },
    Fault {
        id: "error-upper-case",
        clause: "RFC 6749 §5.2",
        summary: "Writes error codes in capitals",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                reply.change("error", |word| json!(word.as_str().unwrap_or_default().to_uppercase()))
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.change("error", |word| json!(word.as_str().unwrap_or_default().to_uppercase()))
            }),
        ]),
    },
    Fault {
        id: "error-unregistered-code",
        clause: "RFC 6749 §5.2",
        summary: "Says expired_device_code for an expired code",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("expired_token") {
                reply.put("error", "expired_device_code");
            }
        }),
    },
    Fault {
        id: "error-with-forbidden-characters",
        clause: "RFC 6749 §5.2",
        summary: "Writes quotes and backslashes into error codes",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("unsupported_grant_type") {
                reply.put("error", "unsupported\\grant\\type");
            }
        }),
    },
    Fault {
        id: "error-localized-text",
        clause: "RFC 6749 §5.2",
        summary: "Writes error_description in another language, beyond ASCII",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.is_error() {
                    reply.put("error_description", "La demande a \u{e9}t\u{e9} refus\u{e9}e");
                }
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.is_error() {
                    reply.put("error_description", "La demande a \u{e9}t\u{e9} refus\u{e9}e");
                }
            }),
        ]),
    },
    Fault {
        id: "error-uri-is-a-word",
        clause: "RFC 6749 §5.2",
        summary: "Writes a word where error_uri should be an address",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.is_error() {
                reply.add("error_uri", json!("see the manual"));
            }
        }),
    },
    Fault {
        id: "error-html-body",
        clause: "RFC 6749 §5.2",
        summary: "Answers errors with a page",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.is_error() {
                    reply.set_text("text/html; charset=utf-8", "<!doctype html><title>Bad Request</title>");
                }
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.is_error() {
                    reply.set_text("text/html; charset=utf-8", "<!doctype html><title>Bad Request</title>");
                }
            }),
        ]),
    },
    Fault {
        id: "token-type-missing",
        clause: "RFC 6749 §5.1",
        summary: "Leaves token_type out",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.drop_member("token_type")),
    },
    Fault {
        id: "token-type-mac",
        clause: "RFC 6749 §5.1",
        summary: "Gives tokens of a type that nobody asked for",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.change("token_type", |_| json!("mac"))),
    },
    Fault {
        id: "token-expires-in-string",
        clause: "RFC 6749 §5.1",
        summary: "Writes the lifetime of tokens as a string",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            reply.change("expires_in", |value| json!(value.to_string()))
        }),
    },
    Fault {
        id: "token-expires-in-missing",
        clause: "RFC 6749 §5.1",
        summary: "Does not say how long a token lives",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.drop_member("expires_in")),
    },
    Fault {
        id: "token-lives-for-days",
        clause: "RFC 6750 §5.3",
        summary: "Gives access tokens that live for a month",
        seen: "small self-hosted server",
        effect: Effect::Tune(|policy| policy.access_token_lifetime *= 24 * 30),
    },
    Fault {
        id: "access-token-with-spaces",
        clause: "RFC 6749 §A.12",
        summary: "Gives access tokens with a line break in them",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            reply.change("access_token", |token| json!(format!("{}\n", token.as_str().unwrap_or_default())))
        }),
    },
    Fault {
        id: "refresh-token-as-null",
        clause: "RFC 6749 §5.1",
        summary: "Writes refresh_token as null where there is none",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.get("access_token").is_some() && reply.get("refresh_token").is_none() {
                reply.add("refresh_token", Value::Null);
            }
        }),
    },
    Fault {
        id: "scope-as-array",
        clause: "RFC 6749 §5.1",
        summary: "Writes scope as an array",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            reply.change("scope", |scope| {
                json!(scope.as_str().unwrap_or_default().split(' ').collect::<Vec<_>>())
            })
        }),
    },
    Fault {
        id: "scope-with-commas",
        clause: "RFC 6749 §3.3",
        summary: "Parts the words of scope by commas",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Token, |reply| reply.replace_in("scope", " ", ", ")),
    },
];
