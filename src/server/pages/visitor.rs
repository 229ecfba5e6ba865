//! Who is at a page, and whether a form is really theirs (RFC 6749 §10.12). Knows no code and no decision.

use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, header};

use super::super::browser::{Browser, SignIn};
use super::super::endpoint::Endpoint;
use super::super::form::Form;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::Rule;
use super::super::state::Server;
use super::super::terms::Terms;
use super::notice;

const COOKIE: &str = "devgrant_session";

/// Somebody who has signed in.
pub(super) struct Visitor {
    /// The identifier of the browser session.
    pub(super) browser: String,
    pub(super) form_token: String,
    pub(super) user: Arc<str>,
    /// When, in seconds of wall time.
    pub(super) signed_in: i64,
}

/// The browser session of a request, if it has a live one.
pub(super) fn browser(server: &Server, request: &Request, terms: &Terms) -> Option<Browser> {
    let id = request.cookie(COOKIE)?;
    server.browsers().visit(id, server.now(), terms).cloned()
}

/// Who has signed in.
pub(super) fn signed_in(server: &Server, request: &Request, terms: &Terms) -> Option<Visitor> {
    let known = browser(server, request, terms).and_then(Visitor::of);
    if known.is_none() && terms.rules.waived(Rule::SignInRequired) {
        let user = server.config.users().first()?;
        return Visitor::of(sign_in(server, terms, "", &user.name));
    }
    known
}

/// Signs somebody in whose password was right.
pub(super) fn sign_in(server: &Server, terms: &Terms, before: &str, user: &str) -> Browser {
    let now = server.present();
    let sign_in = SignIn { user: user.into(), at: now.wall, wrong_codes: 0 };
    server.browsers().sign_in(&mut rand::rng(), now.moment, terms, before, sign_in)
}

/// The parameters of a page's request: its form, or its query.
pub(super) fn form(request: &Request) -> Form {
    let bytes = if request.method == Method::POST { &request.body[..] } else { request.query.as_bytes() };
    // What is no form carries no token either, and is refused for that.
    Form::parse(bytes).unwrap_or_default()
}

/// Whether a form comes from a page of ours that this browser session was given.
pub(super) fn check_form(
    server: &Server,
    request: &Request,
    form: &Form,
    browser: Option<&Browser>,
    terms: &Terms,
) -> Result<(), Reply> {
    let foreign = request.headers.contains_key(header::ORIGIN) && !is_ours(server, request);
    if terms.rules.broken(Rule::SameOrigin, foreign) {
        return Err(notice::notice(
            server,
            StatusCode::FORBIDDEN,
            "This request came from another site",
            FOREIGN,
        ));
    }
    let token = form.first("csrf").unwrap_or_default();
    let ours = browser.is_some_and(|browser| browser.owns(token));
    if terms.rules.broken(Rule::CsrfToken, !ours) {
        return Err(notice::notice(server, StatusCode::FORBIDDEN, "This form is no longer valid", STALE));
    }
    Ok(())
}

/// Whether the `Origin` is where we say we are, or where this request went: people also write `localhost`.
fn is_ours(server: &Server, request: &Request) -> bool {
    let origin = request.header(&header::ORIGIN);
    let host = request.header(&header::HOST);
    let at_host = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin == Some(&server.origin) || (at_host.is_some() && at_host == host)
}

/// The cookie of a browser session: out of reach for scripts and for other sites' forms.
pub(super) fn with_cookie(reply: Reply, server: &Server, browser: &Browser) -> Reply {
    let secure = if server.origin.starts_with("https:") { "; Secure" } else { "" };
    cookie(reply, &format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax{secure}", browser.id))
}

/// Takes the cookie away.
pub(super) fn without_cookie(reply: Reply) -> Reply {
    cookie(reply, &format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

/// A page with a user code to go on with.
pub(super) fn place(server: &Server, endpoint: Endpoint, user_code: Option<&str>) -> String {
    let path = server.config.path(endpoint);
    match user_code {
        Some(code) => {
            let code: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
            format!("{path}?user_code={code}")
        }
        None => path.to_owned(),
    }
}

const FOREIGN: &str = "Nothing was decided. Open the page of this server yourself and enter the code there.";
const STALE: &str = "Nothing was decided. You may have signed in or out since it was opened, or cookies are switched off. Start again.";

fn cookie(reply: Reply, text: &str) -> Reply {
    match HeaderValue::from_str(text) {
        Ok(value) => reply.header(header::SET_COOKIE, value),
        // Identifiers are URL-safe text, so there is no other case.
        Err(_) => reply,
    }
}

impl Visitor {
    fn of(browser: Browser) -> Option<Self> {
        let sign_in = browser.sign_in?;
        Some(Self {
            browser: browser.id,
            form_token: browser.form_token,
            user: sign_in.user,
            signed_in: sign_in.at,
        })
    }
}
