//! Pages that only tell something. Know no session.

use axum::http::{HeaderValue, StatusCode, header};
use maud::html;

use super::super::endpoint::Endpoint;
use super::super::error::Refusal;
use super::super::reply::Reply;
use super::super::state::Server;
use super::layout::{Page, page};

/// A problem, and the way back to the start.
pub(super) fn notice(server: &Server, status: StatusCode, title: &str, text: &str) -> Reply {
    let content = html! {
        p { a href=(server.config.path(Endpoint::Activate)) { "Enter a code" } }
    };
    page(server, &Page { status, title, alert: Some(text), visitor: None, content })
}

/// Too many attempts: when to come again (RFC 6585 §4).
pub(super) fn wait(server: &Server, seconds: u64, title: &str, text: &str) -> Reply {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let text = format!("{text} Try again in {seconds} {unit}.");
    notice(server, StatusCode::TOO_MANY_REQUESTS, title, &text)
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

/// A request that the page does not take, such as a wrong method.
pub(in super::super) fn refused(server: &Server, refusal: &Refusal) -> Reply {
    let mut reply = notice(server, refusal.status, "This page cannot be used like that", refusal.description);
    reply.headers.extend(refusal.headers.iter().cloned());
    reply
}

/// There is nothing at this path.
pub(in super::super) fn not_found(server: &Server) -> Reply {
    let text = "There is no such page on this server.";
    notice(server, StatusCode::NOT_FOUND, "Nothing here", text)
        .with_headers(server.config.policy().page_headers)
}
