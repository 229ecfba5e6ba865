//! What there is to see during a login. Everything in here is fit to be shown: no secret, no control character.

use std::time::Duration;

use super::play::Ended;
use super::qr::Qr;

/// Shows a login to a person.
pub trait Screen {
    /// Shows what just happened.
    fn show(&mut self, event: Event<'_>);
}

/// Something to see.
#[derive(Debug)]
pub enum Event<'a> {
    /// The codes are there: tell the person what to do (RFC 8628 §3.3).
    Codes(&'a Prompt),
    /// The browser of this machine was asked to open the page.
    Browser(Result<(), String>),
    /// Nothing to do but wait; comes every second.
    Waiting {
        /// Until the codes end, if the server said.
        left: Option<Duration>,
        /// Until the next poll; nothing while one is under way.
        next_poll: Duration,
    },
    /// The server asked for a slower pace (RFC 8628 §3.5).
    SlowedDown {
        /// The interval from now on.
        interval: Duration,
    },
    /// A poll got no answer.
    NoAnswer {
        /// Why.
        reason: String,
        /// When it is tried again, if it is.
        next_poll: Option<Duration>,
    },
    /// The token is there.
    Granted {
        /// How long it is good for, if the server said.
        good_for: Option<Duration>,
        /// Whether there is a refresh token.
        refresh_token: bool,
    },
    /// What the API said.
    Api {
        /// The path that was asked.
        path: &'a str,
        /// The status and the body without tokens, or why there is neither.
        answer: Result<(u16, String), String>,
    },
    /// It is over.
    Ended {
        /// How.
        ended: &'a Ended,
        /// The server's own words, where it said no.
        said: Option<&'a Said>,
    },
}

/// What the person has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// To be shown as it is, dashes included (RFC 8628 §3.3.1).
    pub user_code: String,
    /// To be shown as it is.
    pub verification_uri: String,
    /// A code of exactly `verification_uri_complete`, where the server gave one.
    pub qr: Option<Qr>,
}

/// An error code with its description, made fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `access_denied`
    pub code: String,
    /// The server's explanation.
    pub description: Option<String>,
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{}: {description}", self.code),
            None => f.write_str(&self.code),
        }
    }
}
