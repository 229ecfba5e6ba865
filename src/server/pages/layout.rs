//! The frame that all pages share. Knows no session.

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::super::endpoint::Endpoint;
use super::super::reply::Reply;
use super::super::state::Server;
use super::visitor::Visitor;

/// A page before it has its frame.
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    /// The heading; it is the title of the window, too.
    pub(super) title: &'a str,
    /// What went wrong, said before anything else.
    pub(super) alert: Option<&'a str>,
    /// Who has signed in.
    pub(super) visitor: Option<&'a Visitor>,
    pub(super) content: Markup,
}

/// Puts a page into its frame.
pub(super) fn page(server: &Server, page: &Page<'_>) -> Reply {
    let path = |endpoint| server.config.path(endpoint);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title {
                    @if page.alert.is_some() { "Problem: " }
                    (page.title) " – devgrant test server"
                }
                link rel="stylesheet" href=(path(Endpoint::Stylesheet));
            }
            body {
                header {
                    p.brand { span.mark aria-hidden="true" { "dg" } "devgrant" }
                    p.banner { "Test server" }
                }
                main {
                    h1 { (page.title) }
                    @if let Some(alert) = page.alert {
                        p.alert id="alert" role="alert" { (alert) }
                    }
                    (page.content)
                }
                footer {
                    @if let Some(visitor) = page.visitor {
                        form.who method="post" action=(path(Endpoint::SignOut)) {
                            input type="hidden" name="csrf" value=(visitor.form_token);
                            span { "Signed in as " strong { (visitor.user) } }
                            button.link type="submit" { "Sign out" }
                        }
                    }
                    p { "Use no real accounts here. This server is for tests and forgets everything when it stops." }
                }
            }
        }
    };
    Reply::html(page.status, markup)
}

/// The style of the pages.
pub(in super::super) fn stylesheet() -> Reply {
    Reply::css(include_str!("style.css"))
}
