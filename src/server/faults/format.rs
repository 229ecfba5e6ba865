//! Faults of the form of the device authorization response (RFC 8628 §3.2). Knows no request.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::super::codes::Symbols;
use super::super::endpoint::Endpoint;
use super::super::reply::Body;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "verification-url-name",
        clause: "RFC 8628 §3.2",
        summary: "Calls verification_uri verification_url",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.rename("verification_uri", "verification_url")
        }),
    },
    Fault {
        id: "camel-case-members",
        clause: "RFC 8628 §3.2",
        summary: "Writes the names of members in camel case",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            for (name, to) in [
                ("device_code", "deviceCode"),
                ("user_code", "userCode"),
                ("verification_uri", "verificationUri"),
                ("expires_in", "expiresIn"),
            ] {
                reply.rename(name, to);
            }
        }),
    },
    Fault {
        id: "expires-in-string",
        clause: "RFC 8628 §3.2",
        summary: "Writes expires_in as a string",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.change("expires_in", |value| json!(value.to_string()))
        }),
    },
    Fault {
        id: "expires-in-omitted",
        clause: "RFC 8628 §3.2",
        summary: "Leaves expires_in out",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.drop_member("expires_in")),
    },
    Fault {
        id: "expires-in-zero",
        clause: "RFC 8628 §3.2",
        summary: "Says that codes live for no time at all",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.put_value("expires_in", json!(0))),
    },
    Fault {
        id: "expires-in-null",
        clause: "RFC 8628 §3.2",
        summary: "Writes expires_in as null",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.put_value("expires_in", Value::Null)
        }),
    },
    Fault {
        id: "interval-string",
        clause: "RFC 8628 §3.2",
        summary: "Writes interval as a string",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.change("interval", |value| json!(value.to_string()))
        }),
    },
    Fault {
        id: "interval-negative",
        clause: "RFC 8628 §3.2",
        summary: "Announces an interval below zero",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.put_value("interval", json!(-5))),
    },
    Fault {
        id: "interval-zero",
        clause: "RFC 8628 §3.2",
        summary: "Announces an interval of zero, and enforces another one",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.put_value("interval", json!(0))),
    },
    Fault {
        id: "interval-null",
        clause: "RFC 8628 §3.2",
        summary: "Writes interval as null",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.put_value("interval", Value::Null)),
    },
    Fault {
        id: "user-code-as-integer",
        clause: "RFC 8628 §3.2",
        summary: "Writes user_code as a number",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Tune(|policy| {
                policy.user_code_symbols = Symbols::Characters("123456789");
                policy.user_code_groups = &[12];
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                reply.change("user_code", |value| {
                    let text = value.as_str().unwrap_or_default();
                    text.parse::<u64>().map_or(Value::Null, Value::from)
                })
            }),
        ]),
    },
    Fault {
        id: "device-code-omitted",
        clause: "RFC 8628 §3.2",
        summary: "Leaves device_code out",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.drop_member("device_code")),
    },
    Fault {
        id: "device-code-wrapped",
        clause: "RFC 8628 §3.2",
        summary: "Wraps the members in one called data",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if !reply.is_error()
                && let Body::Json(members) = &mut reply.body
            {
                let inside: serde_json::Map<String, Value> = members.drain(..).collect();
                members.push(("data".to_owned(), Value::Object(inside)));
            }
        }),
    },
    Fault {
        id: "verification-uri-relative",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri is a path",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.put("verification_uri", "/activate")
        }),
    },
    Fault {
        id: "verification-uri-without-scheme",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri has no scheme",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.replace_in("verification_uri", "http://", "")
        }),
    },
    Fault {
        id: "verification-uri-double-scheme",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri has its scheme twice",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.replace_in("verification_uri", "http://", "http://http://")
        }),
    },
    Fault {
        id: "verification-uri-copies-query",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri carries the scope and the client of the request",
        seen: "small self-hosted server",
        effect: Effect::Echo(Endpoint::DeviceAuthorization, |request, reply| {
            let query = String::from_utf8_lossy(&request.body).into_owned();
            reply.change("verification_uri", |uri| {
                json!(format!("{}?{query}", uri.as_str().unwrap_or_default()))
            });
        }),
    },
    Fault {
        id: "verification-uri-contains-user-code",
        clause: "RFC 8628 §3.3",
        summary: "verification_uri carries the user code",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            let complete = reply.get("verification_uri_complete").cloned().unwrap_or_default();
            reply.put_value("verification_uri", complete);
        }),
    },
    Fault {
        id: "complete-uri-unencoded",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri_complete has a space in it",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.replace_in("verification_uri_complete", "-", " ")
        }),
    },
    Fault {
        id: "complete-uri-relative",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri_complete is a path",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.replace_in("verification_uri_complete", "http://127.0.0.1:8628", "")
        }),
    },
    Fault {
        id: "complete-uri-of-another-host",
        clause: "RFC 8628 §3.3.1",
        summary: "verification_uri_complete leads to another host",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.replace_in("verification_uri_complete", "127.0.0.1", "localhost")
        }),
    },
    Fault {
        id: "complete-uri-without-code",
        clause: "RFC 8628 §3.2",
        summary: "verification_uri_complete lacks the user code",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            let bare = reply.get("verification_uri").cloned().unwrap_or_default();
            reply.put_value("verification_uri_complete", bare);
        }),
    },
    Fault {
        id: "device-code-in-the-uri",
        clause: "RFC 8628 §5.2",
        summary: "verification_uri_complete carries the device code",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            let code = reply.text("device_code");
            reply.change("verification_uri_complete", |uri| {
                json!(format!("{}&device_code={code}", uri.as_str().unwrap_or_default()))
            });
        }),
    },
    Fault {
        id: "member-twice",
        clause: "RFC 8259 §4",
        summary: "Writes expires_in twice, with two values",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            let uri = reply.get("verification_uri").cloned().unwrap_or_default();
            reply.add("verification_uri", uri);
        }),
    },
    Fault {
        id: "codes-status-201",
        clause: "RFC 8628 §3.2",
        summary: "Gives codes with status 201",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if !reply.is_error() {
                reply.status = StatusCode::CREATED;
            }
        }),
    },
    Fault {
        id: "no-store-missing-da",
        clause: "RFC 8628 §3.2",
        summary: "Does not mark the answer with the codes as no-store",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if !reply.is_error() {
                reply.drop_header(&header::CACHE_CONTROL);
            }
        }),
    },
    Fault {
        id: "codes-declared-public",
        clause: "RFC 8628 §3.2",
        summary: "Offers the answer with the codes to shared caches",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if !reply.is_error() {
                reply.set_header(header::CACHE_CONTROL, "public, max-age=600");
            }
        }),
    },
    Fault {
        id: "codes-cached-by-the-device",
        clause: "RFC 8628 §3.2",
        summary: "Lets a device keep the answer with the codes for ten minutes",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if !reply.is_error() {
                reply.set_header(header::CACHE_CONTROL, "private, max-age=600");
            }
        }),
    },
    Fault {
        id: "body-with-byte-order-mark",
        clause: "RFC 8259 §8.1",
        summary: "Begins bodies with a byte order mark",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            let text = String::from_utf8_lossy(&reply.bytes()).into_owned();
            reply.body = Body::Text(format!("\u{feff}{text}"));
        }),
    },
    Fault {
        id: "device-code-as-number",
        clause: "RFC 8628 §3.2",
        summary: "Writes a row number as device_code, as a number",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            reply.put_value("device_code", json!(4711))
        }),
    },
];
