//! Faults of the metadata (RFC 8414, RFC 8628 §4). Knows no request.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::reply::Reply;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "metadata-endpoint-missing",
        clause: "RFC 8628 §4",
        summary: "Does not publish device_authorization_endpoint",
        seen: "certified OAuth library",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.drop_member("device_authorization_endpoint")),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.drop_member("device_authorization_endpoint")
            }),
        ]),
    },
    Fault {
        id: "metadata-grant-missing",
        clause: "RFC 8414 §2",
        summary: "Does not list the device grant",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put_value("grant_types_supported", json!(["refresh_token"]))
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put_value("grant_types_supported", json!(["refresh_token"]))
            }),
        ]),
    },
    Fault {
        id: "metadata-grant-short-name",
        clause: "RFC 8628 §4",
        summary: "Lists the grant as device_code",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put_value("grant_types_supported", json!(["device_code", "refresh_token"]))
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put_value("grant_types_supported", json!(["device_code", "refresh_token"]))
            }),
        ]),
    },
    Fault {
        id: "metadata-wrong-issuer",
        clause: "RFC 8414 §3.3",
        summary: "Publishes an issuer that is not the one asked",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put("issuer", "http://127.0.0.1:8628/realms/other")
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put("issuer", "http://127.0.0.1:8628/realms/other")
            }),
        ]),
    },
    Fault {
        id: "metadata-issuer-with-query",
        clause: "RFC 8414 §2",
        summary: "Publishes an issuer with a query",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.put("issuer", "http://127.0.0.1:8628?tenant=1")),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put("issuer", "http://127.0.0.1:8628?tenant=1")
            }),
        ]),
    },
    Fault {
        id: "metadata-relative-endpoint",
        clause: "RFC 8628 §4",
        summary: "Publishes device_authorization_endpoint as a path",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put("device_authorization_endpoint", "/oauth/device/code")
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put("device_authorization_endpoint", "/oauth/device/code")
            }),
        ]),
    },
    Fault {
        id: "metadata-http-url",
        clause: "RFC 8414 §2",
        summary: "Publishes endpoints over plain http on another host",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                for name in ["revocation_endpoint", "introspection_endpoint", "jwks_uri"] {
                    reply.replace_in(name, "127.0.0.1", "as.example");
                }
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                for name in ["revocation_endpoint", "introspection_endpoint", "jwks_uri"] {
                    reply.replace_in(name, "127.0.0.1", "as.example");
                }
            }),
        ]),
    },
    Fault {
        id: "metadata-code-grant-without-endpoint",
        clause: "RFC 8414 §2",
        summary: "Lists the code grant without an authorization_endpoint",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.change("grant_types_supported", |_| {
                    json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"])
                })
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.change("grant_types_supported", |_| {
                    json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"])
                })
            }),
        ]),
    },
    Fault {
        id: "metadata-response-types-missing",
        clause: "RFC 8414 §2",
        summary: "Leaves response_types_supported out",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.drop_member("response_types_supported")),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| reply.drop_member("response_types_supported")),
        ]),
    },
    Fault {
        id: "metadata-lists-as-strings",
        clause: "RFC 8414 §3.2",
        summary: "Writes lists as words parted by spaces",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.put("scopes_supported", "openid profile")),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| reply.put("scopes_supported", "openid profile")),
        ]),
    },
    Fault {
        id: "metadata-public-clients-unlisted",
        clause: "RFC 8414 §2",
        summary: "Does not list the method none, which its public clients use",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put_value("token_endpoint_auth_methods_supported", json!(["client_secret_basic"]))
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put_value("token_endpoint_auth_methods_supported", json!(["client_secret_basic"]))
            }),
        ]),
    },
    Fault {
        id: "metadata-password-grant",
        clause: "RFC 9700 §2.4",
        summary: "Offers the password grant",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.change("grant_types_supported", |_| {
                    json!(["password", "urn:ietf:params:oauth:grant-type:device_code"])
                })
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.change("grant_types_supported", |_| {
                    json!(["password", "urn:ietf:params:oauth:grant-type:device_code"])
                })
            }),
        ]),
    },
    Fault {
        id: "metadata-as-html",
        clause: "RFC 8414 §3.2",
        summary: "Labels the metadata as text/html",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.set_header(header::CONTENT_TYPE, "text/html")),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.set_header(header::CONTENT_TYPE, "text/html")
            }),
        ]),
    },
    Fault {
        id: "metadata-token-endpoint-missing",
        clause: "RFC 8414 §2",
        summary: "Does not publish token_endpoint",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.drop_member("token_endpoint")),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| reply.drop_member("token_endpoint")),
        ]),
    },
    Fault {
        id: "metadata-authorization-endpoint-shared",
        clause: "RFC 8628 §3.1",
        summary: "Publishes one address as both authorization endpoints",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                let device = reply.get("device_authorization_endpoint").cloned().unwrap_or_default();
                reply.add("authorization_endpoint", device);
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                let device = reply.get("device_authorization_endpoint").cloned().unwrap_or_default();
                reply.add("authorization_endpoint", device);
            }),
        ]),
    },
    Fault {
        id: "metadata-nowhere",
        clause: "RFC 8414 §3",
        summary: "Publishes no metadata",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| *reply = Reply::empty(StatusCode::NOT_FOUND)),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| *reply = Reply::empty(StatusCode::NOT_FOUND)),
        ]),
    },
    Fault {
        id: "metadata-empty-list",
        clause: "RFC 8414 §3.2",
        summary: "Publishes lists with nothing in them",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.add("code_challenge_methods_supported", json!([]))
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.add("code_challenge_methods_supported", json!([]))
            }),
        ]),
    },
    Fault {
        id: "metadata-empty-response-types",
        clause: "RFC 8414 §3.2",
        summary: "Publishes an empty response_types_supported",
        seen: "certified OAuth library",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| reply.put_value("response_types_supported", json!([]))),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put_value("response_types_supported", json!([]))
            }),
        ]),
    },
    Fault {
        id: "metadata-jwt-method-without-algorithms",
        clause: "RFC 8414 §2",
        summary: "Lists private_key_jwt and no algorithm for it",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put_value(
                    "token_endpoint_auth_methods_supported",
                    json!(["none", "client_secret_basic", "private_key_jwt"]),
                )
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put_value(
                    "token_endpoint_auth_methods_supported",
                    json!(["none", "client_secret_basic", "private_key_jwt"]),
                )
            }),
        ]),
    },
    Fault {
        id: "metadata-client-jwt-alg-none",
        clause: "RFC 8414 §2",
        summary: "Lists none among the algorithms of client JWTs",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.add("token_endpoint_auth_signing_alg_values_supported", json!(["RS256", "none"]))
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.add("token_endpoint_auth_signing_alg_values_supported", json!(["RS256", "none"]))
            }),
        ]),
    },
    Fault {
        id: "metadata-public-clients-only",
        clause: "RFC 9700 §2.5",
        summary: "Lists none as the only method of authentication",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Metadata, |reply| {
                reply.put_value("token_endpoint_auth_methods_supported", json!(["none"]))
            }),
            Effect::Edit(Endpoint::OpenIdMetadata, |reply| {
                reply.put_value("token_endpoint_auth_methods_supported", json!(["none"]))
            }),
        ]),
    },
];
