//! Faults of the pages (RFC 8628 §3.3, §5.1). Knows no request.

use axum::http::{Method, StatusCode, header};

use super::super::endpoint::Endpoint;
use super::super::reply::Reply;
use super::super::rules::Rule;
use super::{Effect, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "complete-uri-approves",
        clause: "RFC 8628 §3.3.1",
        summary: "Opening verification_uri_complete approves, once somebody is signed in",
        seen: "identity server",
        effect: Effect::Skip(Rule::ConfirmFirst),
    },
    Fault {
        id: "complete-uri-approves-for-anybody",
        clause: "RFC 8628 §3.3.1",
        summary: "Opening verification_uri_complete approves, and nobody has to sign in",
        seen: "small self-hosted server",
        effect: Effect::All(&[Effect::Skip(Rule::ConfirmFirst), Effect::Skip(Rule::SignInRequired)]),
    },
    Fault {
        id: "complete-uri-wrong-param-name",
        clause: "RFC 8628 §3.3.1",
        summary: "The page does not know the parameter of verification_uri_complete, and says that the code is wrong",
        seen: "identity server",
        effect: Effect::Echo(Endpoint::Activate, |request, reply| {
            if request.method == Method::GET
                && request.query.contains("user_code=")
                && request.header(&header::REFERER).is_none()
            {
                *reply = Reply::empty(StatusCode::NOT_FOUND);
            }
        }),
    },
];
