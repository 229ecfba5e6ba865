//! Faults of the binding of codes, and of client authentication (RFC 6749 §2.3, §3.2.1). Knows no request.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::reply::Body;
use super::super::rules::Rule;
use super::super::session::PollKind;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "foreign-client-redeems",
        clause: "RFC 6749 §5.2",
        summary: "Any client can redeem any device code",
        seen: "web framework library",
        effect: Effect::Skip(Rule::CodeBoundToClient),
    },
    Fault {
        id: "foreign-client-sees-pending",
        clause: "RFC 6749 §5.2",
        summary: "Another client is told that the code is pending",
        seen: "identity server",
        effect: Effect::Replace { from: PollKind::Foreign, to: ErrorCode::AuthorizationPending },
    },
    Fault {
        id: "foreign-client-burns-code",
        clause: "RFC 6749 §5.2",
        summary: "A poll by another client ends the code",
        seen: "identity server",
        effect: Effect::Skip(Rule::ForeignPollSparesCode),
    },
    Fault {
        id: "foreign-client-access-denied",
        clause: "RFC 6749 §5.2",
        summary: "Another client is told that the user has denied",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Foreign, to: ErrorCode::AccessDenied },
    },
    Fault {
        id: "foreign-client-unauthorized-client",
        clause: "RFC 6749 §5.2",
        summary: "Another client is told that it may not use the grant",
        seen: "web framework library",
        effect: Effect::Replace { from: PollKind::Foreign, to: ErrorCode::UnauthorizedClient },
    },
    Fault {
        id: "foreign-client-invalid-client",
        clause: "RFC 6749 §5.2",
        summary: "Another client is told that it is unknown",
        seen: "certified OAuth library",
        effect: Effect::Replace { from: PollKind::Foreign, to: ErrorCode::InvalidClient },
    },
    Fault {
        id: "foreign-client-invalid-request",
        clause: "RFC 6749 §5.2",
        summary: "Another client is told that its request is malformed",
        seen: "small self-hosted server",
        effect: Effect::Replace { from: PollKind::Foreign, to: ErrorCode::InvalidRequest },
    },
    Fault {
        id: "token-skips-client-auth",
        clause: "RFC 6749 §3.2.1",
        summary: "A client with a secret may poll without it",
        seen: "identity server",
        effect: Effect::Skip(Rule::TokenRequestAuthenticates),
    },
    Fault {
        id: "token-accepts-wrong-secret",
        clause: "RFC 6749 §2.3.1",
        summary: "Takes any secret",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::SecretIsRight),
    },
    Fault {
        id: "wrong-secret-burns-code",
        clause: "RFC 6749 §3.2.1",
        summary: "A poll with a wrong secret ends the code",
        seen: "identity server",
        effect: Effect::Skip(Rule::FailedAuthenticationSparesCode),
    },
    Fault {
        id: "da-skips-client-auth",
        clause: "RFC 8628 §3.1",
        summary: "A client with a secret gets codes without it",
        seen: "identity server",
        effect: Effect::Skip(Rule::DeviceRequestAuthenticates),
    },
    Fault {
        id: "da-accepts-unknown-client",
        clause: "RFC 6749 §5.2",
        summary: "A client that nobody registered gets codes",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::ClientIsKnown),
    },
    Fault {
        id: "client-may-be-nobody",
        clause: "RFC 8628 §3.1",
        summary: "A request that names no client is taken for the first public one",
        seen: "web framework library",
        effect: Effect::All(&[Effect::Skip(Rule::ClientNamesItself), Effect::Skip(Rule::ClientIsKnown)]),
    },
    Fault {
        id: "da-unknown-client-200-error",
        clause: "RFC 6749 §5.2",
        summary: "An unknown client is refused with status 200",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.text("error_description").contains("not known") {
                reply.status = StatusCode::OK;
            }
        }),
    },
    Fault {
        id: "da-unknown-client-404",
        clause: "RFC 6749 §5.2",
        summary: "An unknown client is refused with status 404",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.text("error_description").contains("not known") {
                reply.status = StatusCode::NOT_FOUND;
            }
        }),
    },
    Fault {
        id: "basic-refused",
        clause: "RFC 6749 §2.3.1",
        summary: "Does not know HTTP Basic",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.has_basic()).then_some(ErrorCode::InvalidClient)
        }),
    },
    Fault {
        id: "post-refused",
        clause: "RFC 6749 §2.3.1",
        summary: "Does not take a secret in the body",
        seen: "web framework library",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.parameter("client_secret").is_some())
                .then_some(ErrorCode::InvalidClient)
        }),
    },
    Fault {
        id: "client-id-required-with-basic",
        clause: "RFC 6749 §3.2.1",
        summary: "Wants client_id in the body beside HTTP Basic",
        seen: "web framework library",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.has_basic() && request.parameter("client_id").is_none())
                .then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "basic-client-id-lost",
        clause: "RFC 8628 §3.4",
        summary: "Binds a code to the client_id of the body, and forgets the one of HTTP Basic: such a code is nobody's",
        seen: "identity server",
        effect: Effect::Echo(Endpoint::Token, |request, reply| {
            let nobodys =
                request.is_poll() && request.has_basic() && request.parameter("client_id").is_none();
            if nobodys && (reply.says("authorization_pending") || reply.status == StatusCode::OK) {
                reply.status = StatusCode::BAD_REQUEST;
                reply.body = Body::Json(vec![("error".to_owned(), json!("invalid_grant"))]);
            }
        }),
    },
    Fault {
        id: "client-id-refused-with-basic",
        clause: "RFC 6749 §3.2.1",
        summary: "Refuses client_id in the body beside HTTP Basic",
        seen: "small self-hosted server",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && request.has_basic() && request.parameter("client_id").is_some())
                .then_some(ErrorCode::InvalidRequest)
        }),
    },
    Fault {
        id: "client-id-beside-basic-not-compared",
        clause: "RFC 6749 §3.2.1",
        summary: "Takes a client_id beside HTTP Basic that names another client",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::Skip(Rule::HeaderAndBodyAgree),
    },
    Fault {
        id: "two-ways-at-once",
        clause: "RFC 6749 §2.3",
        summary: "Takes a secret by HTTP Basic and in the body at once",
        seen: "identity server",
        effect: Effect::Skip(Rule::OneAuthenticationMethod),
    },
    Fault {
        id: "secret-not-decoded",
        clause: "RFC 6749 §2.3.1",
        summary: "Takes the secret of HTTP Basic as it stands, not form-encoded",
        seen: "certified OAuth library",
        effect: Effect::Skip(Rule::BasicIsDecoded),
    },
    Fault {
        id: "secret-in-the-query",
        clause: "RFC 6749 §2.3.1",
        summary: "Takes client_secret from the query",
        seen: "small self-hosted server",
        effect: Effect::All(&[Effect::Skip(Rule::NoCredentialsInUri), Effect::Skip(Rule::ParametersInBody)]),
    },
    Fault {
        id: "public-client-refused",
        clause: "RFC 6749 §3.2.1",
        summary: "Refuses every client without a secret",
        seen: "web framework library",
        effect: Effect::Refuse(|request| {
            (request.is_protocol() && !request.has_basic() && request.parameter("client_secret").is_none())
                .then_some(ErrorCode::InvalidClient)
        }),
    },
    Fault {
        id: "public-poll-without-client-id-ok",
        clause: "RFC 8628 §3.4",
        summary: "A poll needs no client_id: the code says whose it is",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::Token, |request| {
            if !request.has_basic() && request.parameter("client_id").is_none() {
                request.put("client_id", "tv-public");
            }
        }),
    },
    Fault {
        id: "grant-not-checked-at-da",
        clause: "RFC 6749 §5.2",
        summary: "A client that may not use the grant gets codes",
        seen: "web framework library",
        effect: Effect::Skip(Rule::GrantAllowedForCodes),
    },
    Fault {
        id: "grant-not-checked",
        clause: "RFC 6749 §5.2",
        summary: "A client that may not use the grant gets codes, and polls as any other",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Skip(Rule::GrantAllowedForCodes),
            Effect::Skip(Rule::GrantAllowedForTokens),
        ]),
    },
    Fault {
        id: "grant-missing-403",
        clause: "RFC 6749 §5.2",
        summary: "A client that may not use the grant gets 403",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.says("unauthorized_client") {
                reply.status = StatusCode::FORBIDDEN;
            }
        }),
    },
    Fault {
        id: "grant-missing-invalid-grant",
        clause: "RFC 6749 §5.2",
        summary: "A client that may not use the grant is an invalid_grant",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
            if reply.says("unauthorized_client") {
                reply.put("error", "invalid_grant");
            }
        }),
    },
    Fault {
        id: "invalid-client-without-www-authenticate",
        clause: "RFC 6749 §5.2",
        summary: "A failed HTTP Basic gets 401 without a challenge",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| reply.drop_header(&header::WWW_AUTHENTICATE)),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| reply.drop_header(&header::WWW_AUTHENTICATE)),
        ]),
    },
    Fault {
        id: "invalid-client-400-for-basic",
        clause: "RFC 6749 §5.2",
        summary: "A failed HTTP Basic gets status 400",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Token, |reply| {
                if reply.says("invalid_client") {
                    reply.status = StatusCode::BAD_REQUEST;
                }
            }),
            Effect::Edit(Endpoint::DeviceAuthorization, |reply| {
                if reply.says("invalid_client") {
                    reply.status = StatusCode::BAD_REQUEST;
                }
            }),
        ]),
    },
    Fault {
        id: "wrong-secret-invalid-grant",
        clause: "RFC 6749 §5.2",
        summary: "A wrong secret is an invalid_grant",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Token, |reply| {
            if reply.says("invalid_client") {
                reply.put("error", "invalid_grant");
            }
        }),
    },
    Fault {
        id: "assertion-not-verified",
        clause: "RFC 6749 §2.3",
        summary: "Takes any client assertion for a proof",
        seen: "none yet; a sentence that is easily overlooked",
        effect: Effect::All(&[
            Effect::Skip(Rule::DeviceRequestAuthenticates),
            Effect::Read(Endpoint::DeviceAuthorization, |request| {
                request.edit(|parameters| {
                    parameters.retain(|(name, _)| name != "client_assertion_type");
                    for (name, _) in parameters.iter_mut().filter(|(name, _)| name == "client_assertion") {
                        "taken_assertion".clone_into(name);
                    }
                });
            }),
            Effect::Refuse(|request| {
                let proof = ["client_secret", "taken_assertion"];
                let proven =
                    request.has_basic() || proof.iter().any(|name| request.parameter(name).is_some());
                let secret = request.parameter("client_id").is_some_and(|id| id.ends_with("-confidential"));
                let codes = request.endpoint == Endpoint::DeviceAuthorization;
                (codes && secret && !proven).then_some(ErrorCode::InvalidClient)
            }),
        ]),
    },
];
