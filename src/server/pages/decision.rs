//! The decision: the one place where a person approves or denies. Knows no poll.

use axum::http::StatusCode;
use maud::html;

use super::super::endpoint::Endpoint;
use super::super::faults::Operation;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::session::{Approval, Decision, Settled};
use super::super::state::Server;
use super::super::terms::Terms;
use super::activate;
use super::layout::{Page, page};
use super::notice::notice;
use super::visitor::{self, Visitor};

/// Takes the form of the confirmation page.
pub(in super::super) async fn decision(server: &Server, request: &Request, terms: &Terms) -> Reply {
    let form = visitor::form(request);
    let Some(visitor) = visitor::signed_in(server, request, terms) else {
        // Whoever was signed out meanwhile starts again; nothing is decided on the way.
        return Reply::see_other(&visitor::place(server, Endpoint::Login, None));
    };
    let browser = visitor::browser(server, request, terms);
    if let Err(reply) = visitor::check_form(server, request, &form, browser.as_ref(), terms) {
        return reply;
    }
    let word = form.first("decision").unwrap_or_default();
    if terms.rules.broken(Rule::KnownDecisions, word != "approve" && word != "deny") {
        let text = "Nothing was decided. Open the page again and choose Approve or Deny.";
        return notice(server, StatusCode::BAD_REQUEST, "Approve or deny?", text);
    }
    let last =
        browser.and_then(|browser| browser.looked_at).filter(|_| terms.rules.waived(Rule::CodeOfTheForm));
    let user_code = last.as_deref().or_else(|| form.first("user_code")).unwrap_or_default();
    if word == "approve" {
        approve(server, &visitor, user_code, terms).await
    } else {
        decide(server, &visitor, user_code, Decision::Deny, terms).await
    }
}

/// Approves for this visitor.
pub(super) async fn approve(server: &Server, visitor: &Visitor, user_code: &str, terms: &Terms) -> Reply {
    let approval = Approval { user: visitor.user.clone(), signed_in: visitor.signed_in };
    decide(server, visitor, user_code, Decision::Approve(approval), terms).await
}

async fn decide(
    server: &Server,
    visitor: &Visitor,
    user_code: &str,
    decision: Decision,
    terms: &Terms,
) -> Reply {
    if let Some(reply) = activate::guessed_too_much(server, visitor, terms) {
        return reply;
    }
    let approved = matches!(decision, Decision::Approve(_));
    let (decided, torn) = {
        let mut sessions = server.sessions();
        let only_one = approved && terms.rules.waived(Rule::SeveralDevicesOfOneUser);
        // Looks at every session there is, so it comes last.
        if only_one && sessions.connected_before(&visitor.user, user_code) {
            return notice(
                server,
                StatusCode::CONFLICT,
                "Already connected",
                "A device of this kind is connected to your account.",
            );
        }
        match sessions.with_user_code(user_code, terms.rules) {
            Some(session) => {
                let before = session.clone();
                let decided = session.decide(server.now(), decision, terms);
                let wait = terms.effects.tear(Operation::Decide).filter(|_| decided.is_ok());
                (Some(decided), wait.map(|wait| (wait, std::mem::replace(session, before))))
            }
            None => (None, None),
        }
    };
    if let Some((wait, after)) = torn {
        tokio::time::sleep(wait).await;
        server.sessions().put_back(after);
    }
    match decided {
        Some(Ok(())) => closing(server, visitor, approved),
        Some(Err(Settled::Decided)) => notice(
            server,
            StatusCode::CONFLICT,
            "Already decided",
            "This code was approved or denied before, and that is final. Nothing was changed.",
        ),
        Some(Err(Settled::Expired)) => notice(
            server,
            StatusCode::CONFLICT,
            "This code has expired",
            "Nothing was decided. Start again on your device to get a new code.",
        ),
        None => activate::wrong_code(server, visitor, terms, user_code),
    }
}

/// Where to go on: at the device (RFC 8628 §3.3).
fn closing(server: &Server, visitor: &Visitor, approved: bool) -> Reply {
    let (title, text) = if approved {
        ("Device connected", "You approved the request. In a few seconds your device will notice.")
    } else {
        ("Request denied", "You denied the request. The device gets no access to your account.")
    };
    let content = html! {
        p.done role="status" { (text) }
        p { strong { "You can close this page and go back to your device." } }
    };
    page(server, &Page { status: StatusCode::OK, title, alert: None, visitor: Some(visitor), content })
}
