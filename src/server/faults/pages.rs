//! Faults of the pages (RFC 8628 §3.3, §5.1). Knows no request.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::super::endpoint::Endpoint;
use super::super::reply::{Body, Reply};
use super::super::request::Request;
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
    Fault {
        id: "approve-by-link",
        clause: "RFC 6749 §10.12",
        summary: "Takes the decision from a link, which any page can make a browser open",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Read(Endpoint::Decision, Request::take_get_for_post),
            Effect::Skip(Rule::CsrfToken),
        ]),
    },
    Fault {
        id: "approve-without-csrf-token",
        clause: "RFC 6749 §10.12",
        summary: "Takes the decision without the token of its page and from any origin: SameSite of the cookie is all there is",
        seen: "web framework library",
        effect: Effect::All(&[Effect::Skip(Rule::CsrfToken), Effect::Skip(Rule::SameOrigin)]),
    },
    Fault {
        id: "approve-from-another-site",
        clause: "RFC 6749 §10.12",
        summary: "Takes the decision without the token of its page and from any origin, by a cookie that goes everywhere",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Skip(Rule::CsrfToken),
            Effect::Skip(Rule::SameOrigin),
            Effect::Edit(Endpoint::Login, without_same_site),
        ]),
    },
    Fault {
        id: "approve-without-session",
        clause: "RFC 8628 §3.3",
        summary: "Takes the decision of somebody who has not signed in",
        seen: "small self-hosted server",
        effect: Effect::All(&[Effect::Skip(Rule::SignInRequired), Effect::Skip(Rule::CsrfToken)]),
    },
    Fault {
        id: "second-user-rebinds-approved-code",
        clause: "RFC 8628 §3.3",
        summary: "A second user who approves an approved code gets the device",
        seen: "identity server",
        effect: Effect::Skip(Rule::ApprovalIsFinal),
    },
    Fault {
        id: "two-tabs-overwrite",
        clause: "RFC 8628 §3.3",
        summary: "The decision in one tab is about the code that another tab of the browser shows",
        seen: "web framework library",
        effect: Effect::Skip(Rule::CodeOfTheForm),
    },
    Fault {
        id: "unknown-button-denies",
        clause: "RFC 8628 §3.3",
        summary: "Whatever is not approve counts as a denial",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::KnownDecisions),
    },
    Fault {
        id: "unknown-button-approves",
        clause: "RFC 8628 §3.3",
        summary: "Whatever is not deny counts as an approval",
        seen: "small self-hosted server",
        effect: Effect::Read(Endpoint::Decision, |request| {
            if request.parameter("decision").is_some_and(|decision| decision != "deny") {
                request.put("decision", "approve");
            }
        }),
    },
    Fault {
        id: "user-code-reflected-raw",
        clause: "RFC 6749 §10.14",
        summary: "Puts what was typed into the page as it is, markup and all",
        seen: "identity server",
        effect: Effect::Echo(Endpoint::Activate, |request, reply| {
            if let Some(typed) = request.parameter("user_code") {
                let escaped = typed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                edit_text(reply, |page| page.replace(&escaped.replace('"', "&quot;"), &typed));
            }
        }),
    },
    Fault {
        id: "device-code-in-page",
        clause: "RFC 8628 §3.3",
        summary: "The form of the confirmation carries the device code",
        seen: "web framework library",
        effect: Effect::Skip(Rule::DeviceCodeStaysAway),
    },
    Fault {
        id: "device-code-typed",
        clause: "RFC 8628 §3.2",
        summary: "The page takes the device code for the user code",
        seen: "small self-hosted server",
        effect: Effect::Skip(Rule::DeviceCodeIsNotTyped),
    },
    Fault {
        id: "page-without-code-field",
        clause: "RFC 8628 §3.3",
        summary: "The page at verification_uri has no field for the code, only links that hold it work",
        seen: "cloud service",
        effect: Effect::Echo(Endpoint::Activate, |request, reply| {
            if request.method == Method::GET && !request.query.contains("user_code=") {
                edit_text(reply, |page| cut(page, "<form method=\"post\" action=\"/activate\"", "</form>"));
            }
        }),
    },
    Fault {
        id: "page-without-deny",
        clause: "RFC 8628 §3.3",
        summary: "The confirmation has no button to deny",
        seen: "cloud service",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            edit_text(reply, |page| {
                cut(page, "<button type=\"submit\" name=\"decision\" value=\"deny\"", "</button>")
            });
        }),
    },
    Fault {
        id: "page-shows-no-code",
        clause: "RFC 8628 §3.3.1",
        summary: "The confirmation does not show the user code",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            edit_text(reply, |page| cut(page, "<p class=\"code\"", "</p>"));
        }),
    },
    Fault {
        id: "page-does-not-say-device",
        clause: "RFC 8628 §5.4",
        summary: "The confirmation looks like that of any web site: no word about a device",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            edit_text(reply, |page| page.replace("device", "application").replace(" TV", " set"));
        }),
    },
    Fault {
        id: "page-gives-no-hint-at-the-device",
        clause: "RFC 8628 §5.4",
        summary: "The confirmation does not say from where or when the device asked",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            edit_text(reply, |page| cut(page, "<p class=\"hint\">The device asked", "</p>"));
        }),
    },
    Fault {
        id: "page-names-no-client",
        clause: "RFC 6749 §10.2",
        summary: "The confirmation does not say which client asks",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            edit_text(reply, |page| {
                let names = ["Living-room TV with short-lived tokens", "Living-room TV", "Kitchen radio"];
                names.iter().fold(page, |page, name| page.replace(name, "An application"))
            });
        }),
    },
    Fault {
        id: "page-does-not-warn",
        clause: "cross-device flows BCP §6.1.14",
        summary: "The confirmation does not tell the user to decline what he did not start",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            edit_text(reply, |page| cut(page, "<p class=\"warning\">", "</p>"));
        }),
    },
    Fault {
        id: "page-does-not-send-back",
        clause: "RFC 8628 §3.3",
        summary: "After the decision the page does not say where to go on",
        seen: "small self-hosted server",
        effect: Effect::Edit(Endpoint::Decision, |reply| {
            edit_text(reply, |_| "<!doctype html><title>Done</title><p>Thank you.".to_owned());
        }),
    },
    Fault {
        id: "user-code-case-matters",
        clause: "RFC 8628 §6.1",
        summary: "A user code in small letters is refused",
        seen: "web framework library",
        effect: Effect::Skip(Rule::IgnoreCase),
    },
    Fault {
        id: "user-code-dash-required",
        clause: "RFC 8628 §6.1",
        summary: "A user code without its dash is refused",
        seen: "web framework library",
        effect: Effect::Skip(Rule::IgnorePunctuation),
    },
    Fault {
        id: "user-code-burned-on-lookup",
        clause: "RFC 8628 §3.3",
        summary: "A user code that somebody looked at once is refused from then on",
        seen: "identity server",
        effect: Effect::Nth(
            super::Turn::From(2),
            &Effect::Echo(Endpoint::Activate, |request, reply| {
                if request.method == Method::POST && request.parameter("user_code").is_some() {
                    reply.status = StatusCode::BAD_REQUEST;
                    reply.drop_header(&header::LOCATION);
                }
            }),
        ),
    },
    Fault {
        id: "wrong-user-code-crashes",
        clause: "RFC 6749 §10.14",
        summary: "A user code that is wrong or used makes the page fail",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Activate, |reply| {
            if reply.status == StatusCode::BAD_REQUEST {
                reply.crash();
            }
        }),
    },
    Fault {
        id: "no-guess-limit",
        clause: "RFC 8628 §5.1",
        summary: "Any number of user codes may be tried",
        seen: "identity server",
        effect: Effect::All(&[
            Effect::Skip(Rule::GuessLimitPerSignIn),
            Effect::Skip(Rule::GuessLimitPerUser),
        ]),
    },
    Fault {
        id: "pages-may-be-framed",
        clause: "RFC 9700 §4.16",
        summary: "Any site may show the pages in a frame of its own",
        seen: "small self-hosted server",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Login, without_frame_limits),
            Effect::Edit(Endpoint::Activate, without_frame_limits),
        ]),
    },
    Fault {
        id: "frames-limited-by-x-frame-options-alone",
        clause: "RFC 9700 §4.16",
        summary: "Limits frames by X-Frame-Options and has no Content-Security-Policy",
        seen: "web framework library",
        effect: Effect::Edit(Endpoint::Activate, |reply| reply.drop_header(&header::CONTENT_SECURITY_POLICY)),
    },
    Fault {
        id: "page-open-to-all-origins",
        clause: "RFC 9700 §2.6",
        summary: "Lets scripts of any origin read the verification page",
        seen: "web framework library",
        effect: Effect::All(&[
            Effect::Edit(Endpoint::Login, open_to_all),
            Effect::Edit(Endpoint::Activate, open_to_all),
        ]),
    },
    Fault {
        id: "decision-forwarded-with-307",
        clause: "RFC 9700 §4.12",
        summary: "Sends the browser on to another site with 307, which posts the form there again",
        seen: "identity server",
        effect: Effect::Edit(Endpoint::Decision, |reply| {
            if reply.status == StatusCode::OK {
                reply.status = StatusCode::TEMPORARY_REDIRECT;
                reply.set_header(header::LOCATION, "http://127.0.0.2:9/thanks");
            }
        }),
    },
];

/// Changes the source of a page.
fn edit_text(reply: &mut Reply, edit: impl FnOnce(String) -> String) {
    if let Body::Text(text) = &mut reply.body {
        *text = edit(std::mem::take(text));
    }
}

/// The page without the part from `start` to the `end` behind it.
fn cut(page: String, start: &str, end: &str) -> String {
    let found =
        page.find(start).and_then(|from| Some((from, from + page.get(from..)?.find(end)? + end.len())));
    match found {
        Some((from, to)) => {
            format!("{}{}", page.get(..from).unwrap_or_default(), page.get(to..).unwrap_or_default())
        }
        None => page,
    }
}

fn without_same_site(reply: &mut Reply) {
    for (name, value) in &mut reply.headers {
        let text = value.to_str().unwrap_or_default().replace("; SameSite=Lax", "");
        if *name == header::SET_COOKIE
            && let Ok(text) = HeaderValue::from_str(&text)
        {
            *value = text;
        }
    }
}

fn without_frame_limits(reply: &mut Reply) {
    reply.drop_header(&header::CONTENT_SECURITY_POLICY);
    reply.drop_header(&HeaderName::from_static("x-frame-options"));
}

fn open_to_all(reply: &mut Reply) {
    reply.set_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
}
