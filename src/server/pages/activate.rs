//! The page at `verification_uri`: the form for the code, then the confirmation (RFC 8628 §3.3, §3.3.1). Decides
//! nothing.

use axum::http::{Method, StatusCode};
use maud::{Markup, html};

use super::super::endpoint::Endpoint;
use super::super::error::whole_seconds_up;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::session::Session;
use super::super::state::Server;
use super::super::terms::Terms;
use super::decision;
use super::layout::{Page, page};
use super::login::{self, Occasion};
use super::notice;
use super::visitor::{self, Visitor};

/// The form for the code; or, with a code, the confirmation.
pub(in super::super) async fn activate(server: &Server, request: &Request, terms: &Terms) -> Reply {
    let form = visitor::form(request);
    let Some(visitor) = visitor::signed_in(server, request, terms) else {
        return Reply::see_other(&visitor::place(server, Endpoint::Login, login::carried_code(&form)));
    };
    if request.method == Method::POST {
        let browser = visitor::browser(server, request, terms);
        if let Err(reply) = visitor::check_form(server, request, &form, browser.as_ref(), terms) {
            return reply;
        }
    }
    let Some(entered) = form.first("user_code").filter(|entered| !entered.trim().is_empty()) else {
        let alert = (request.method == Method::POST).then_some("Enter the code that your device shows.");
        return code_form(server, &visitor, alert, "");
    };
    if let Some(reply) = guessed_too_much(server, &visitor, terms) {
        return reply;
    }
    let found = {
        let mut sessions = server.sessions();
        let session = sessions.with_user_code(entered, terms.rules);
        session.and_then(|session| session.open(server.now(), terms).is_ok().then(|| session.clone()))
    };
    let Some(session) = found else { return wrong_code(server, &visitor, terms, entered) };
    if request.method == Method::POST {
        return Reply::see_other(&visitor::place(server, Endpoint::Activate, Some(&session.user_code)));
    }
    if terms.rules.waived(Rule::ConfirmFirst) {
        return decision::approve(server, &visitor, &session.user_code, terms).await;
    }
    if let Some(browser) = server.browsers().visit(&visitor.browser, server.now(), terms) {
        browser.looked_at = Some(session.user_code.clone());
    }
    confirmation(server, &visitor, &session, terms)
}

/// Whether this user has entered too many wrong codes (RFC 8628 §5.1).
pub(super) fn guessed_too_much(server: &Server, visitor: &Visitor, terms: &Terms) -> Option<Reply> {
    let (limit, span) = (terms.policy.wrong_codes_per_user, terms.policy.limit_span);
    let wait = server.wrong_codes().wait(&visitor.user, server.now(), limit, span);
    terms.rules.broken(Rule::GuessLimitPerUser, wait.is_some()).then(|| {
        let seconds = whole_seconds_up(wait.unwrap_or(span));
        notice::wait(server, seconds, "Too many wrong codes", "Entering codes rests for a moment.")
    })
}

/// Counts a wrong code and says so. Mistyped, expired and used codes look the same, so that nothing is given away.
pub(super) fn wrong_code(server: &Server, visitor: &Visitor, terms: &Terms, entered: &str) -> Reply {
    let now = server.now();
    server.wrong_codes().note(&visitor.user, now);
    let wrong = {
        let mut browsers = server.browsers();
        let sign_in =
            browsers.visit(&visitor.browser, now, terms).and_then(|browser| browser.sign_in.as_mut());
        // A session that has ended meanwhile has had its tries.
        sign_in.map_or(u32::MAX, |sign_in| {
            sign_in.wrong_codes += 1;
            sign_in.wrong_codes
        })
    };
    if terms.rules.broken(Rule::GuessLimitPerSignIn, wrong >= terms.policy.wrong_codes_per_sign_in) {
        server.browsers().close(&visitor.browser);
        let alert = Some("Too many wrong codes. Sign in again to go on.");
        let occasion = Occasion {
            status: StatusCode::TOO_MANY_REQUESTS,
            alert,
            username: &visitor.user,
            user_code: None,
        };
        return login::show(server, terms, None, &occasion);
    }
    let alert = "That code is not valid. It may be mistyped, expired or used. Compare it with your device.";
    code_form(server, visitor, Some(alert), entered)
}

fn code_form(server: &Server, visitor: &Visitor, alert: Option<&str>, entered: &str) -> Reply {
    let invalid = alert.map(|_| "true");
    let described = if alert.is_some() { "alert hint" } else { "hint" };
    let content = html! {
        form method="post" action=(server.config.path(Endpoint::Activate)) {
            input type="hidden" name="csrf" value=(visitor.form_token);
            label for="user_code" { "Code shown on your device" }
            input.code id="user_code" name="user_code" type="text" value=(entered) required autocomplete="off"
                autocapitalize="characters" spellcheck="false" maxlength="40"
                aria-invalid=[invalid] aria-describedby=(described);
            p.hint id="hint" { "Eight letters, such as WDJB-MJHT. Case, dashes and spaces do not matter." }
            div.actions { button.primary type="submit" { "Continue" } }
        }
    };
    let status = if alert.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page(server, &Page { status, title: "Connect a device", alert, visitor: Some(visitor), content })
}

/// What the user is about to decide (RFC 8628 §3.3, §5.4), with the code to compare (§3.3.1).
fn confirmation(server: &Server, visitor: &Visitor, session: &Session, terms: &Terms) -> Reply {
    let client = server.config.client(&session.asked.client);
    let name = client.map_or(&*session.asked.client, |client| client.name.as_str());
    let content = html! {
        p { strong { (name) } " asks to use the account of " strong { (visitor.user) } "." }
        p id="compare" { "Compare this code with the one on your device. Are they the same?" }
        p.code aria-describedby="compare" { (session.user_code) }
        h2 { "If you approve, it can" }
        ul.scopes {
            @for token in session.asked.scopes.iter() { li { (words(server, token)) } }
        }
        p.hint { (asked(server, session)) }
        p.warning {
            strong { "Approve only if the device is in front of you and you started this yourself." }
            " If somebody sent you this code or link, choose Deny: they would get into your account."
        }
        form method="post" action=(server.config.path(Endpoint::Decision)) {
            input type="hidden" name="csrf" value=(visitor.form_token);
            input type="hidden" name="user_code" value=(session.user_code);
            @if terms.rules.waived(Rule::DeviceCodeStaysAway) {
                input type="hidden" name="session" value=(session.device_code);
            }
            div.actions.choice {
                button type="submit" name="decision" value="deny" { "Deny" }
                button.primary type="submit" name="decision" value="approve" { "Approve" }
            }
        }
    };
    let title = format!("Connect {name}?");
    page(
        server,
        &Page { status: StatusCode::OK, title: &title, alert: None, visitor: Some(visitor), content },
    )
}

/// What a scope means to people.
fn words(server: &Server, token: &str) -> Markup {
    let known = server.config.policy().scopes.iter().find(|scope| scope.token == token);
    html! {
        @if let Some(scope) = known { (scope.words) } @else { "Use " (token) }
    }
}

/// When and from where the device asked, so that a stranger's request is noticed (RFC 8628 §5.4).
fn asked(server: &Server, session: &Session) -> String {
    let seconds = (server.now() - session.issued).as_secs();
    let ago = match (seconds / 60, seconds) {
        (0, 0..5) => "just now".to_owned(),
        (0, seconds) => format!("{seconds} seconds ago"),
        (1, _) => "1 minute ago".to_owned(),
        (minutes, _) => format!("{minutes} minutes ago"),
    };
    match session.asked.from {
        Some(address) => format!("The device asked {ago}, from the network address {address}."),
        None => format!("The device asked {ago}."),
    }
}
