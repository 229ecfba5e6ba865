//! Signing in and out. Knows no session of a device, only carries its user code along.

use axum::http::{Method, StatusCode};
use maud::html;
use subtle::ConstantTimeEq as _;

use super::super::browser::Browser;
use super::super::endpoint::Endpoint;
use super::super::error::whole_seconds_up;
use super::super::form::Form;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::state::Server;
use super::super::terms::Terms;
use super::layout::{Page, page};
use super::notice;
use super::visitor;

/// The longest user code that is carried along.
const CODE_LIMIT: usize = 40;

/// Why the sign-in page is shown.
pub(super) struct Occasion<'a> {
    pub(super) status: StatusCode,
    pub(super) alert: Option<&'a str>,
    /// The name that was tried.
    pub(super) username: &'a str,
    pub(super) user_code: Option<&'a str>,
}

/// The sign-in page and its form.
pub(in super::super) fn login(server: &Server, request: &Request, terms: &Terms) -> Reply {
    let form = visitor::form(request);
    let user_code = carried_code(&form);
    let browser = visitor::browser(server, request, terms);
    if request.method != Method::POST {
        if browser.as_ref().is_some_and(|browser| browser.sign_in.is_some()) {
            return Reply::see_other(&visitor::place(server, Endpoint::Activate, user_code));
        }
        let occasion = Occasion { status: StatusCode::OK, alert: None, username: "", user_code };
        return show(server, terms, browser, &occasion);
    }
    if let Err(reply) = visitor::check_form(server, request, &form, browser.as_ref(), terms) {
        return reply;
    }
    let before = browser.as_ref().map_or("", |browser| browser.id.as_str());
    let username = form.first("username").unwrap_or_default();
    match check_password(server, terms, username, form.first("password").unwrap_or_default()) {
        Password::Right => {
            let browser = visitor::sign_in(server, terms, before, username);
            let reply = Reply::see_other(&visitor::place(server, Endpoint::Activate, user_code));
            visitor::with_cookie(reply, server, &browser)
        }
        Password::Wrong => {
            let alert = Some("The user name or the password is wrong.");
            let occasion = Occasion { status: StatusCode::FORBIDDEN, alert, username, user_code };
            show(server, terms, browser, &occasion)
        }
        Password::TooMany(seconds) => notice::wait(
            server,
            seconds,
            "Too many wrong passwords",
            "Sign-in with this name rests for a moment.",
        ),
    }
}

/// Ends the sign-in.
pub(in super::super) fn sign_out(server: &Server, request: &Request, terms: &Terms) -> Reply {
    let browser = visitor::browser(server, request, terms);
    if let Err(reply) = visitor::check_form(server, request, &visitor::form(request), browser.as_ref(), terms)
    {
        return reply;
    }
    if let Some(browser) = browser {
        server.browsers().close(&browser.id);
    }
    visitor::without_cookie(Reply::see_other(server.config.path(Endpoint::Login)))
}

/// Shows the sign-in page, in a browser session that has nobody signed in.
pub(super) fn show(
    server: &Server,
    terms: &Terms,
    browser: Option<Browser>,
    occasion: &Occasion<'_>,
) -> Reply {
    let known = browser.filter(|browser| browser.sign_in.is_none());
    let browser = known.unwrap_or_else(|| server.browsers().open(&mut rand::rng(), server.now(), terms));
    let invalid = occasion.alert.map(|_| "true");
    let described = occasion.alert.map(|_| "alert");
    let content = html! {
        p { "Sign in to connect a device to your account." }
        form method="post" action=(server.config.path(Endpoint::Login)) {
            input type="hidden" name="csrf" value=(browser.form_token);
            @if let Some(code) = occasion.user_code {
                input type="hidden" name="user_code" value=(code);
            }
            label for="username" { "User name" }
            input id="username" name="username" type="text" value=(occasion.username) required
                autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100"
                aria-invalid=[invalid] aria-describedby=[described];
            label for="password" { "Password" }
            input id="password" name="password" type="password" required autocomplete="current-password"
                maxlength="200" aria-invalid=[invalid] aria-describedby=[described];
            div.actions { button.primary type="submit" { "Sign in" } }
        }
    };
    let title = "Sign in";
    let reply =
        page(server, &Page { status: occasion.status, title, alert: occasion.alert, visitor: None, content });
    visitor::with_cookie(reply, server, &browser)
}

/// The user code that a request carries along, if it can be one.
pub(super) fn carried_code(form: &Form) -> Option<&str> {
    form.first("user_code").filter(|code| !code.is_empty() && code.len() <= CODE_LIMIT)
}

enum Password {
    Right,
    Wrong,
    TooMany(u64),
}

fn check_password(server: &Server, terms: &Terms, username: &str, password: &str) -> Password {
    let Some(user) = server.config.user(username) else { return Password::Wrong };
    let now = server.now();
    let (limit, span) = (terms.policy.wrong_passwords_per_user, terms.policy.limit_span);
    let mut guesses = server.wrong_passwords();
    let wait = guesses.wait(username, now, limit, span);
    if terms.rules.broken(Rule::PasswordLimit, wait.is_some()) {
        return Password::TooMany(whole_seconds_up(wait.unwrap_or(span)));
    }
    let right: bool = user.password.expose().as_bytes().ct_eq(password.as_bytes()).into();
    if terms.rules.broken(Rule::PasswordIsRight, !right) {
        guesses.note(username, now);
        return Password::Wrong;
    }
    Password::Right
}
